// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the guest says, line by line: records of its kernel log, and messages about what it did and found.
 */
#include "run/state.h"

#include "inject/livelock.h"
#include "inject/stall.h"

#include <math.h>
#include <string.h>

static void count_event(struct run *run, const struct hl_event *event, int64_t at)
{
	judge_event(run->facts.judge, event, at);
	record_event(run->record, event, at, run->events_log);
	if (run->settings->observer.event)
		run->settings->observer.event(run->settings->observer.data, event);
}

/* What a guest says last: Linux panics, Windows stops with a bugcheck. */
static bool is_end_of_guest(enum hl_event_kind kind)
{
	return kind == HL_EVENT_PANIC || kind == HL_EVENT_CLOCK_WATCHDOG;
}

int run_take_event(const struct hl_event *event, void *data)
{
	struct run *run = data;
	int64_t at = isnan(event->time) ? run->guest_now : (int64_t)(event->time * 1e9) + run->clock_offset;

	if (!isnan(event->time))
		run->last_kmsg_event = event->time;
	if (is_end_of_guest(event->kind) && !run->facts.first_panic[0])
		snprintf(run->facts.first_panic, sizeof(run->facts.first_panic), "%s", event->title);
	if (run->facts.began)
		count_event(run, event, at);
	return 0;
}

/* "LEVEL,SEQUENCE,MICROSECONDS,FLAGS;TEXT" */
static int take_kmsg(struct run *run, const char *text, size_t size)
{
	unsigned long long sequence, microseconds;
	const char *message = memchr(text, ';', size);
	unsigned int level;
	char stamp[48];
	int length;

	if (!message || sscanf(text, "%u,%llu,%llu", &level, &sequence, &microseconds) != 3)
		return 0;
	length = snprintf(stamp, sizeof(stamp), "[%5llu.%06llu] ", microseconds / 1000000,
			  microseconds % 1000000);
	fprintf(run->kmsg_log, "<%u>%s%s\n", level & 7, stamp, message + 1);
	if (hl_log_feed(run->log, stamp, (size_t)length, &run->err) ||
	    hl_log_feed(run->log, message + 1, (size_t)(text + size - message - 1), &run->err))
		return -run->err.code;
	return hl_log_feed(run->log, "\n", 1, &run->err);
}

/* The form in which libvirt logs them. */
void run_take_crash_registers(struct run *run, const json_t *registers)
{
	char line[256];
	int length = snprintf(line, sizeof(line), "panic hyper-v:");

	for (int i = 1; i <= 5; i++) {
		char name[8];

		snprintf(name, sizeof(name), "arg%d", i);
		length += snprintf(line + length, sizeof(line) - (size_t)length, "%s %s='0x%llx'",
				   i > 1 ? "," : "", name,
				   (unsigned long long)json_integer_value(json_object_get(registers, name)));
	}
	run_journal(run, "crash_registers", json_deep_copy(registers));
	fprintf(run->kmsg_log, "%s\n", line);
	if (!hl_log_feed(run->log, line, (size_t)length, NULL) && !hl_log_feed(run->log, "\n", 1, NULL))
		hl_log_flush(run->log, NULL);
}

static const char *text_of(const json_t *message, const char *key)
{
	const char *text = json_string_value(json_object_get(message, key));

	return text ? text : "";
}

static size_t step_of(const struct run *run, const json_t *message)
{
	json_int_t step = json_integer_value(json_object_get(message, "step"));

	return step >= 0 && (size_t)step < run->plan->step_count ? (size_t)step : 0;
}

static void on_boot(struct run *run, const json_t *message)
{
	run->progress.phase = "prepare";
	record_boot(run->record, message);
	run_await(run, "disks and file systems");
	run_journal(run, "boot", json_deep_copy(message));
}

static void on_ready(struct run *run, const json_t *message)
{
	struct detector_settings settings;

	detector_settings_load(&settings, json_object_get(message, "settings"));
	settings.stall_limit = run->plan->stall;
	judge_settings(run->facts.judge, &settings);
	record_ready(run->record, message, &settings);
}

static void on_begin(struct run *run, const json_t *message)
{
	loop_remove(run->loop, &run->boot_timer);
	/* The guest's mark follows: what the kernel said before is not judged. */
	hl_log_flush(run->log, NULL);
	run->clock_offset = json_integer_value(json_object_get(message, "clock_offset"));
	run->facts.began = true;
	run->progress.phase = "timeline";
	record_begin(run->record, run->guest_now);
	if (!plan_injects(run->plan))
		judge_fault(run->facts.judge, run->guest_now);
	run_await(run, "the first step");
	run_note(run, "guest ready, timeline begins");
	run_journal(run, "begin", NULL);
}

static void on_workload(struct run *run, const json_t *message)
{
	run_note(run, "workload %s %s", text_of(message, "name"), text_of(message, "state"));
	run_journal(run, "workload", json_deep_copy(message));
}

/* What the run waits for once a fault is active. */
static void await_after_fault(struct run *run, const struct plan_step *step)
{
	int64_t deadline = judge_next_deadline(run->facts.judge);

	if (step->until)
		run_await(run, "%s by %.0f s", event_kind_names[step->until->pattern.kind],
			  (double)deadline / 1e9);
	else if (step->hold_for >= 0)
		run_await(run, "release at %.0f s", (double)(run->guest_now + step->hold_for) / 1e9);
	else
		run_await(run, "the checks, by %.0f s", (double)deadline / 1e9);
}

static void on_injection(struct run *run, const json_t *message)
{
	const char *state = text_of(message, "state"), *evidence = text_of(message, "evidence");
	size_t step = step_of(run, message);
	int64_t blackout = plan_step_blackout(&run->plan->steps[step]);

	run_journal(run, "injection", json_deep_copy(message));
	record_injection(run->record, step, message);
	/* As in inject/guest/timeline.c. */
	if (!strcmp(state, "injecting") || (!strcmp(state, "active") && !blackout))
		judge_fault(run->facts.judge, run->guest_now + blackout);
	if (!strcmp(state, "active"))
		await_after_fault(run, &run->plan->steps[step]);
	if (!strcmp(state, "released"))
		run_await(run, "recovery and the last deadlines");
	if (strcmp(state, "injecting") != 0 && strcmp(state, "releasing") != 0)
		run_note(run, "%s %s%s%s", text_of(message, "injector"), state, evidence[0] ? ": " : "",
			 evidence);
}

static void on_host(struct run *run, const json_t *message)
{
	run->call.step = (int)step_of(run, message);
	run->call.action = run_host_action(text_of(message, "state"));
	/* In virtual time the guest stops itself now, and on_stopped() answers. */
	if (run->plan->vm->clock == PLAN_CLOCK_REAL)
		run_answer_call(run);
}

static void on_postmortem(struct run *run, const json_t *message)
{
	snprintf(run->postmortem_due, sizeof(run->postmortem_due), "%s", text_of(message, "event"));
	/* In virtual time the guest stops itself now, and on_stopped() takes it. */
	if (run->plan->vm->clock != PLAN_CLOCK_REAL)
		return;
	if (run->settings->debug)
		run_offer_debugger(run, run->postmortem_due);
	else
		run_take_postmortem(run, run->postmortem_due);
	run->postmortem_due[0] = '\0';
}

static void on_recovery(struct run *run, const json_t *message)
{
	run->progress.phase = "recovery";
	run->facts.recovery_known = true;
	run_journal(run, "recovery", json_deep_copy(message));
	run_note(run, "workload %s %s", text_of(message, "name"), text_of(message, "state"));
	if (!strcmp(text_of(message, "state"), "stuck") && !run->facts.not_recovered[0])
		snprintf(run->facts.not_recovered, sizeof(run->facts.not_recovered),
			 "workload %s did not move again within %.1f s of the release",
			 text_of(message, "name"), (double)plan_recovery_limit(run->plan) / 1e9);
}

static void on_fsck(struct run *run, const json_t *message)
{
	json_int_t status = json_integer_value(json_object_get(message, "status"));

	run->progress.phase = "verify";
	run_journal(run, "fsck", json_deep_copy(message));
	record_fsck(run->record, message);
	run_note(run, "fsck of disk %s: status %lld", text_of(message, "disk"), (long long)status);
	if (status)
		run_data_problem(run, "fsck of disk %s ended with status %lld: %s", text_of(message, "disk"),
				 (long long)status, text_of(message, "output"));
}

static void on_checksum(struct run *run, const json_t *message)
{
	run_journal(run, "checksum", json_deep_copy(message));
	if (text_of(message, "error")[0])
		run_data_problem(run, "disk %s cannot be read: %s", text_of(message, "disk"),
				 text_of(message, "error"));
	else
		json_object_set(run->checksums, text_of(message, "disk"), json_object_get(message, "sha256"));
}

static void on_verification(struct run *run, const json_t *message)
{
	json_int_t lost = json_integer_value(json_object_get(message, "lost"));

	run->facts.data_known = true;
	run_journal(run, "verification", json_deep_copy(message));
	record_verification(run->record, message);
	run_note(run, "workload %s: %lld acknowledged, %lld checked, %lld lost", text_of(message, "name"),
		 (long long)json_integer_value(json_object_get(message, "acknowledged")),
		 (long long)json_integer_value(json_object_get(message, "checked")), (long long)lost);
	if (lost)
		run_data_problem(run, "%lld acknowledged operations are lost; %s", (long long)lost,
				 text_of(message, "detail"));
}

static void on_stalled(struct run *run, const json_t *message)
{
	struct hl_event event;

	stall_event(&event, text_of(message, "name"),
		    (long)json_integer_value(json_object_get(message, "pid")),
		    json_integer_value(json_object_get(message, "age")), run->guest_now);
	count_event(run, &event, run->guest_now);
}

static void on_livelock(struct run *run, const json_t *message)
{
	struct hl_event event;

	livelock_event(&event, text_of(message, "comm"),
		       (long)json_integer_value(json_object_get(message, "pid")),
		       json_integer_value(json_object_get(message, "age")), run->guest_now);
	count_event(run, &event, run->guest_now);
}

/* Nobody typed what starts the shell of an interactive plan. */
static const char *command_text(const struct plan *plan, const struct plan_step *step)
{
	if (plan->interactive)
		return "the shell";
	return step->trigger ? step->trigger : step->shell;
}

static void on_command(struct run *run, const json_t *message)
{
	const struct plan_step *step = &run->plan->steps[step_of(run, message)];

	run_journal(run, "command", json_deep_copy(message));
	record_command_end(run->record, run->plan, message);
	run_note(run, "exit %lld: %.200s%s%.200s",
		 (long long)json_integer_value(json_object_get(message, "exit")),
		 command_text(run->plan, step), text_of(message, "output")[0] ? ": " : "",
		 text_of(message, "output"));
}

static void on_refused(struct run *run, const json_t *message)
{
	char *reason = run->facts.refused;

	snprintf(reason, sizeof(run->facts.refused),
		 "the kernel refuses step %zu, as the scenario names it (%s): %s", step_of(run, message) + 1,
		 text_of(message, "how"), text_of(message, "output"));
	run_journal(run, "refused", json_deep_copy(message));
	judge_refused(run->facts.judge, run->guest_now, reason);
	run_note(run, "%s", reason);
}

static void on_waits(struct run *run, const json_t *message)
{
	json_t *wait;
	size_t i;

	run_journal(run, "waits", json_deep_copy(message));
	json_array_foreach (json_object_get(message, "waits"), i, wait) {
		if (record_wait(run->record, wait) && json_object_get(wait, "workload"))
			run_note(run, "workload %s waits for: %s, in %s", text_of(wait, "workload"),
				 text_of(wait, "layer"), text_of(wait, "function"));
	}
}

static void on_sysrq(struct run *run, const json_t *message)
{
	run_journal(run, "sysrq", json_deep_copy(message));
	record_sysrq(run->record, step_of(run, message), message);
	if (!strcmp(text_of(message, "state"), "done"))
		run_note(run, "sysrq %s: %zu blocked tasks", text_of(message, "key"),
			 record_sysrq_tasks(run->record));
}

static void on_heartbeat(struct run *run, const json_t *message)
{
	record_heartbeat(run->record, message);
	judge_time(run->facts.judge, run->guest_now);
}

static void on_quiet(struct run *run, const json_t *message)
{
	(void)message;
	hl_log_flush(run->log, NULL);
}

static void on_lost(struct run *run, const json_t *message)
{
	(void)message;
	run->facts.log_lost = true;
	run_journal(run, "lost", NULL);
}

static void on_broken(struct run *run, const json_t *message)
{
	run_finish(run, GUEST_BROKE_OFF, "%s", text_of(message, "reason"));
}

static void on_end(struct run *run, const json_t *message)
{
	(void)message;
	hl_log_flush(run->log, NULL);
	judge_time(run->facts.judge, run->guest_now);
	run_finish(run, GUEST_ENDED_BY_PLAN, "the guest answered to the end");
}

static void on_snapshot(struct run *run, const json_t *message)
{
	(void)message;
	/* A warm run hears what the guest of the cold one had said. */
	run->snapshot_offered = !run->warm;
}

static const struct {
	const char *type;
	void (*handle)(struct run *run, const json_t *message);
} handlers[] = {
	{"begin", on_begin},
	{"boot", on_boot},
	{"broken", on_broken},
	{"checksum", on_checksum},
	{"command", on_command},
	{"end", on_end},
	{"fsck", on_fsck},
	{"heartbeat", on_heartbeat},
	{"host", on_host},
	{"injection", on_injection},
	{"livelock", on_livelock},
	{"lost", on_lost},
	{"postmortem", on_postmortem},
	{"quiet", on_quiet},
	{"ready", on_ready},
	{"recovery", on_recovery},
	{"refused", on_refused},
	{"snapshot", on_snapshot},
	{"stalled", on_stalled},
	{"sysrq", on_sysrq},
	{"verification", on_verification},
	{"waits", on_waits},
	{"workload", on_workload},
};

static void take_message(struct run *run, const json_t *message)
{
	json_int_t sequence = json_integer_value(json_object_get(message, "sequence"));
	const char *type = text_of(message, "type");

	if (sequence != run->next_sequence)
		run->facts.log_lost = true;
	run->next_sequence = sequence + 1;
	run->guest_now = json_integer_value(json_object_get(message, "ns"));
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (!strcmp(handlers[i].type, type))
			handlers[i].handle(run, message);
}

int run_take_line(void *data, char *line, size_t size)
{
	struct run *run = data;
	json_t *message;

	if (run->end_known)
		return 0;
	if (line[0] == 'K')
		return take_kmsg(run, line + 1, size - 1);
	message = json_loadb(line, size, 0, NULL);
	if (message)
		take_message(run, message);
	else
		run->facts.log_lost = true;
	json_decref(message);
	return 0;
}
