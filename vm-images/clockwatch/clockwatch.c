// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * clockwatch: a guest that keeps Windows' rule about clock interrupts and nothing else.
 *
 * Every processor takes 64 clock interrupts a second. The boot processor counts those of the others, and
 *stops with bugcheck 0x101, CLOCK_WATCHDOG_TIMEOUT, when one of them takes none for 0x61 clock ticks
 *(Microsoft, "Bug Check 0x101"; the interval is that of the known case), unless the hypervisor asks for
 *relaxed timing.
 *
 * To hanglab it speaks as the Linux guest program does (inject/guest/channel.c), on the second serial port.
 * Its plan comes on the command line (harness/vm/clockwatch.c):
 *
 *	processors=N stop=0|1 end=MS step=NUMBER,INJECTOR,AT,FOR,CONFIRM ...
 *
 * stop: stop the VM where the host is to act (virtual time). Of a step: number in the plan, name of the
 *injector, and in milliseconds when it begins, how long it holds and when it can be confirmed.
 */
#include "machine.h"

#define TIMEOUT_TICKS 0x61
#define BUGCHECK      0x101
#define MOST_STEPS    8
#define START_TICKS   64
/* After a release every processor must take its clock interrupts again within this time. */
#define RELEASE_TICKS (5 * CLOCK_HZ)

/* Multiboot specification 0.6.96, 3.3. */
struct multiboot_info {
	uint32_t flags, memory_low, memory_high, boot_device, command_line;
};

/**
 * struct processor - what Windows calls the processor control block (PRCB)
 * @ticks: clock interrupts that it took
 * @seen: the same when the boot processor looked
 * @seen_at: clock tick of the boot processor when @seen last changed
 */
struct processor {
	volatile uint32_t ticks;
	uint32_t seen, seen_at;
};

enum step_state { STEP_WAITING, STEP_INJECTING, STEP_ACTIVE, STEP_RELEASING, STEP_RELEASED };

/** struct step - an injection of the plan; times are clock ticks */
struct step {
	uint32_t number, at, hold, confirm, since;
	char injector[32];
	enum step_state state;
};

extern volatile uint32_t started;
volatile uint32_t started = 1;
char stacks[MOST_PROCESSORS][1 << 13] __attribute__((aligned(16)));

static struct processor processors[MOST_PROCESSORS];
static uint32_t processor_count, end_at, sequence, record_sequence;
static bool stops, relaxed;
static struct step steps[MOST_STEPS];
static uint32_t step_count;

/* Called by the code in start.S. */
void boot_processor(const struct multiboot_info *info);
void other_processor(void);
void on_clock(void);

/* ---- output ---- */

static void say(const char *text)
{
	machine_print(1, text);
}

struct number {
	char text[16];
};

/* @digits: at least so many, with leading zeros. */
static struct number number_of(uint32_t value, uint32_t base, int digits)
{
	struct number number;
	int length = 1;

	for (uint32_t rest = value / base; rest || length < digits; rest /= base)
		length++;
	number.text[length] = '\0';
	for (; length; value /= base)
		number.text[--length] = "0123456789abcdef"[value % base];
	return number;
}

static void say_number(uint32_t value)
{
	say(number_of(value, 10, 1).text);
}

static uint32_t now(void)
{
	return processors[0].ticks;
}

/* Never 0: "0000" is no number in JSON. */
static uint32_t now_microseconds(void)
{
	return now() * (CLOCK_NANOSECONDS / 1000) + 1;
}

static void begin_message(const char *type)
{
	say("{\"type\":\"");
	say(type);
	say("\",\"ns\":");
	say_number(now_microseconds());
	say("000,\"sequence\":");
	say_number(sequence++);
}

static void end_message(void)
{
	say("}\n");
}

static void send(const char *type, const char *members)
{
	begin_message(type);
	say(members);
	end_message();
}

static void send_step(const char *type, const struct step *step, const char *state, const char *evidence)
{
	begin_message(type);
	say(",\"step\":");
	say_number(step->number);
	say(",\"injector\":\"");
	say(step->injector);
	say("\",\"state\":\"");
	say(state);
	if (*evidence) {
		say("\",\"evidence\":\"");
		say(evidence);
	}
	say("\"");
	end_message();
}

/* A line of the console, and the same as a record of the kernel log. */
static void print_line(const char *text, const char *number, const char *rest)
{
	machine_print(0, text);
	machine_print(0, number);
	machine_print(0, rest);
	machine_print(0, "\r\n");
	say("K4,");
	say_number(record_sequence++);
	say(",");
	say_number(now_microseconds());
	say(",-;");
	say(text);
	say(number);
	say(rest);
	say("\n");
}

/* ---- the command line ---- */

static uint32_t take_number(const char **text)
{
	uint32_t value = 0;

	for (; **text >= '0' && **text <= '9'; (*text)++)
		value = value * 10 + (uint32_t)(**text - '0');
	if (**text == ',')
		(*text)++;
	return value;
}

static uint32_t take_ticks(const char **text)
{
	return (take_number(text) * CLOCK_HZ + 999) / 1000;
}

static bool take_word(const char **text, const char *word)
{
	const char *at = *text;

	while (*word && *at == *word)
		at++, word++;
	if (*word)
		return false;
	*text = at;
	return true;
}

static void take_step(const char **text)
{
	struct step *step = &steps[step_count];
	uint32_t length = 0;

	if (step_count == MOST_STEPS)
		return;
	step_count++;
	step->number = take_number(text);
	for (; **text && **text != ',' && length < sizeof(step->injector) - 1; (*text)++)
		step->injector[length++] = **text;
	if (**text == ',')
		(*text)++;
	step->at = take_ticks(text);
	step->hold = take_ticks(text);
	step->confirm = take_ticks(text);
}

static void read_command_line(const char *text)
{
	while (*text) {
		if (take_word(&text, "processors="))
			processor_count = take_number(&text);
		else if (take_word(&text, "stop="))
			stops = take_number(&text);
		else if (take_word(&text, "end="))
			end_at = take_ticks(&text);
		else if (take_word(&text, "step="))
			take_step(&text);
		while (*text && *text != ' ')
			text++;
		while (*text == ' ')
			text++;
	}
}

/* ---- the timeline ---- */

static void enter(struct step *step, enum step_state state, const char *name, const char *evidence)
{
	send_step("injection", step, name, evidence);
	step->state = state;
	step->since = now();
}

static void call_host(const struct step *step, const char *action)
{
	send_step("host", step, action, "");
	if (stops)
		machine_stop_vm();
}

/* The VM stands still for good; where it has no pvpanic it ends. */
static void stop_for_good(void)
{
	for (;;) {
		machine_stop_vm();
		machine_reset();
	}
}

static void fail(const char *reason)
{
	begin_message("broken");
	say(",\"reason\":\"clockwatch: ");
	say(reason);
	say("\"");
	end_message();
	stop_for_good();
}

/* Evidence that no processor is held any more: each took a clock interrupt just now. */
static bool all_take_interrupts(void)
{
	for (uint32_t i = 1; i < processor_count; i++)
		if (now() - processors[i].seen_at > 1)
			return false;
	return true;
}

static void begin_step(struct step *step)
{
	enter(step, STEP_INJECTING, "injecting", "");
	call_host(step, "inject");
}

static void advance_step(struct step *step)
{
	uint32_t passed = now() - step->since;

	switch (step->state) {
	case STEP_WAITING:
		if (now() < step->at + START_TICKS)
			break;
		begin_step(step);
		if (!step->confirm)
			enter(step, STEP_ACTIVE, "active", "");
		break;
	case STEP_INJECTING:
		if (passed < step->confirm)
			break;
		call_host(step, "confirm");
		enter(step, STEP_ACTIVE, "active", "");
		break;
	case STEP_ACTIVE:
		if (passed < step->hold)
			break;
		enter(step, STEP_RELEASING, "releasing", "");
		call_host(step, "release");
		break;
	case STEP_RELEASING:
		/* Not yet in this tick: what was seen came before the release. */
		if (passed > 1 && all_take_interrupts())
			enter(step, STEP_RELEASED, "released", "every processor takes clock interrupts");
		else if (passed > RELEASE_TICKS)
			fail("a processor takes no clock interrupts after the release");
		break;
	case STEP_RELEASED:
		break;
	}
}

static void end_if_due(void)
{
	if (now() < end_at + START_TICKS)
		return;
	for (uint32_t i = 0; i < step_count; i++)
		if (steps[i].state != STEP_RELEASED)
			return;
	send("heartbeat", ",\"workloads\":[]");
	send("end", "");
	stop_for_good();
}

/* ---- Windows' rule ---- */

/* As "!analyze -v" of Windows' debugger shows a bugcheck. */
static void bugcheck(const struct processor *hung)
{
	const uint32_t arguments[] = {TIMEOUT_TICKS, 0, (uint32_t)(uintptr_t)hung,
				      (uint32_t)(hung - processors)};
	static const char *const texts[][2] = {
		{"Arg1: 00000000", ", Clock interrupt time out interval in nominal clock ticks."},
		{"Arg2: 00000000", ", 0."},
		{"Arg3: 00000000", ", The PRCB address of the hung processor."},
		{"Arg4: 00000000", ", The index of the hung processor."},
	};
	const uint32_t crash[] = {BUGCHECK, arguments[0], arguments[1], arguments[2], arguments[3]};

	print_line("*                        Bugcheck Analysis                                    *", "", "");
	print_line("CLOCK_WATCHDOG_TIMEOUT (", number_of(BUGCHECK, 16, 1).text, ")");
	print_line(
		"An expected clock interrupt was not received on a secondary processor within the interval.",
		"", "");
	print_line("Arguments:", "", "");
	for (int i = 0; i < 4; i++)
		print_line(texts[i][0], number_of(arguments[i], 16, 8).text, texts[i][1]);
	send("quiet", "");
	machine_report_crash(crash);
	stop_for_good();
}

static void watch(struct processor *processor)
{
	if (processor->ticks != processor->seen) {
		processor->seen = processor->ticks;
		processor->seen_at = now();
	} else if (now() - processor->seen_at >= TIMEOUT_TICKS && !relaxed) {
		bugcheck(processor);
	}
}

/* ---- life ---- */

void on_clock(void)
{
	processors[machine_number() % MOST_PROCESSORS].ticks++;
	machine_end_interrupt();
}

void other_processor(void)
{
	machine_start_clock();
	for (;;)
		machine_wait();
}

static void await_others(void)
{
	while (started < processor_count) {
		if (now() >= START_TICKS)
			fail("not all processors started within a second");
		machine_wait();
	}
}

static void begin(void)
{
	send("boot", ",\"release\":\"clockwatch\",\"version\":\"1\",\"clocksource\":\"lapic\"");
	machine_start_others();
	await_others();
	while (now() < START_TICKS)
		machine_wait();
	relaxed = machine_has_relaxed_timing();
	print_line("clockwatch: ", number_of(processor_count, 10, 1).text,
		   relaxed ? " processors, relaxed timing" : " processors, strict timing");
	begin_message("ready");
	say(",\"settings\":{\"clockwatch.timeout_secs\":");
	say_number((TIMEOUT_TICKS + CLOCK_HZ - 1) / CLOCK_HZ);
	say("},\"sysctls\":{}");
	end_message();
	send("begin", ",\"clock_offset\":0");
}

void boot_processor(const struct multiboot_info *info)
{
	read_command_line((const char *)(uintptr_t)info->command_line);
	machine_start();
	/* Sign of life for the probe of KVM (harness/vm/accel.c). */
	machine_print(0, "hanglab: clockwatch\r\n");
	if (!processor_count || processor_count > MOST_PROCESSORS)
		fail("no plan, or too many processors");
	begin();
	for (uint32_t tick = now();; tick = now()) {
		for (uint32_t i = 1; i < processor_count; i++)
			watch(&processors[i]);
		for (uint32_t i = 0; i < step_count; i++)
			advance_step(&steps[i]);
		end_if_due();
		if (tick / CLOCK_HZ != (tick - 1) / CLOCK_HZ)
			send("heartbeat", ",\"workloads\":[]");
		machine_wait();
	}
}
