// SPDX-License-Identifier: GPL-2.0-or-later
/* Post-mortems of real guests, checked against makedumpfile and drgn where they are installed. */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "inject/workload/workload.h"
#include "postmortem/report.h"
#include "postmortem/symbols.h"

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* "dmesg, stacks and the lock holder in <= 3 s", on a machine that does other things too. */
#define LIMIT_SECONDS 3

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* Runs a scenario with a post-mortem; the report is read as a user would. */
static json_t *postmortem_of(const char *scenario, const char *verdict, struct outcome *outcome)
{
	struct outcome printed;
	int64_t begun;
	json_t *report;

	HANGLAB(outcome, "run", "--format", "json", "--postmortem", "hang", scenario);
	CU_ASSERT_STRING_EQUAL(text_in(outcome, "verdict"), verdict);
	begun = workload_now();
	HANGLAB(&printed, "postmortem", "--format", "json", text_in(outcome, "folder"));
	CU_ASSERT_EQUAL(printed.exit_code, 0);
	CU_ASSERT((double)(workload_now() - begun) / 1e9 < LIMIT_SECONDS);
	report = json_loads(printed.output, 0, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(report);
	outcome_free(&printed);
	return report;
}

static const json_t *blocked_task(const json_t *report, const char *comm)
{
	const json_t *task;
	size_t i;

	json_array_foreach (json_object_get(report, "blocked"), i, task)
		if (!strcmp(text_of(task, "comm"), comm))
			return task;
	return NULL;
}

static bool stack_has(const json_t *task, const char *function)
{
	const json_t *frame;
	size_t i;

	json_array_foreach (json_object_get(task, "stack"), i, frame)
		if (!strcmp(text_of(frame, "function"), function))
			return true;
	return false;
}

static bool log_has(const json_t *report, const char *text)
{
	const json_t *line;
	size_t i;

	json_array_foreach (json_object_get(report, "dmesg"), i, line)
		if (strstr(json_string_value(line), text))
			return true;
	return false;
}

static bool installed(const char *name)
{
	cleanup_free char *path = process_find_program(name);

	if (!path)
		printf("SKIP (%s is not installed) ", name);
	return path != NULL;
}

/* makedumpfile reads the same log, line by line. */
static void compare_log(const json_t *report)
{
	cleanup_free char *copy = file_path("%s/makedumpfile.log", runs_folder()), *text = NULL;
	const char *const arguments[] = {"makedumpfile",	  "--dump-dmesg", "-f",
					 text_of(report, "core"), copy,		  NULL};
	struct outcome outcome;
	char *line, *rest;
	size_t i = 0;

	if (!installed("makedumpfile"))
		return;
	run_command(arguments, 60000, &outcome);
	CU_ASSERT_EQUAL(outcome.exit_code, 0);
	CU_ASSERT_EQUAL_FATAL(file_read(copy, &text, NULL, NULL), 0);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), i++) {
		const char *ours = json_string_value(json_array_get(json_object_get(report, "dmesg"), i));

		/* It prints no time in front of a record's further lines. */
		CU_ASSERT_FATAL(ours && (!strcmp(ours, line) ||
					 (*line == ' ' && strstr(ours, line + strspn(line, " ")))));
	}
	CU_ASSERT_EQUAL(i, json_array_size(json_object_get(report, "dmesg")));
	outcome_free(&outcome);
}

/* drgn translates addresses by itself: at the one we print it finds the call that the stack says is there. */
static void compare_stack(const json_t *report, const json_t *task)
{
	static const char script[] = "import sys\n"
				     "code = prog.read(int(sys.argv[1], 16) - 5, 1)\n"
				     "print('call' if code == b'\\xe8' else code)\n";
	cleanup_free char *path = file_path("%s/stack.py", runs_folder());
	const char *address = text_of(json_array_get(json_object_get(task, "stack"), 1), "address");
	const char *const arguments[] = {"drgn", "-q", "-c", text_of(report, "core"), path, address, NULL};
	struct outcome outcome;

	if (!installed("drgn"))
		return;
	CU_ASSERT_EQUAL_FATAL(file_write(path, script, strlen(script), NULL), 0);
	run_command(arguments, 60000, &outcome);
	CU_ASSERT_EQUAL(outcome.exit_code, 0);
	CU_ASSERT_STRING_EQUAL(outcome.output, "call\n");
	outcome_free(&outcome);
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Damages what the readers look at: each of these, somewhere in the page around it. */
static void damage(const struct mapping *mapping, const uint64_t *places, size_t count, uint64_t *random)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t at = places[i] + next_random(random) % 4096, physical, available;
		const uint8_t *memory;

		if (!places[i] || !mapping_translate(mapping, at, &physical))
			continue;
		memory = image_at(mapping->image, physical, &available);
		if (memory)
			*(uint8_t *)(uintptr_t)memory = (uint8_t)next_random(random);
	}
}

/* In a child, which a crash or a loop ends. */
static bool survives(const char *core, uint64_t seed)
{
	uint64_t random = seed * 0x9e3779b97f4a7c15ULL | 1;
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct image image;
		struct mapping mapping;
		struct symbols symbols;
		json_t *report = NULL;

		alarm(60);
		if (image_open(&image, core, NULL) ||
		    mprotect(image.map, image.map_size, PROT_READ | PROT_WRITE) ||
		    mapping_open(&mapping, &image, NULL) || symbols_open(&symbols, &mapping, NULL))
			_exit(1);
		for (int i = 0; i < 8; i++) {
			uint64_t places[] = {
				symbols_address(&symbols, "init_task"),
				mapping_pointer(&mapping, symbols_address(&symbols, "modules")),
				symbols_address(&symbols, "kallsyms_names"),
				symbols_address(&symbols, "kallsyms_token_index"),
				symbols_address(&symbols, "__start_BTF"),
				symbols_address(&symbols, "__start_orc_unwind"),
				symbols_address(&symbols, "__start_orc_unwind_ip"),
				symbols_address(&symbols, "printk_rb_static"),
				mapping_pointer(&mapping, symbols_address(&symbols, "super_blocks")),
			};

			damage(&mapping, places, sizeof(places) / sizeof(places[0]), &random);
		}
		postmortem_read_image(&image, core, NULL, &report, NULL);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

static void damaged_memory_does_no_harm(const char *core)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		CU_ASSERT(survives(core, seed));
}

static void freeze_is_explained(void)
{
	struct outcome outcome;
	json_t *report = postmortem_of("scenarios/fsfreeze-hung-task.yaml", "PASS", &outcome);
	const json_t *writer = blocked_task(report, "writer"), *wait = json_object_get(writer, "waits_for");

	CU_ASSERT(stack_has(writer, "percpu_rwsem_wait"));
	CU_ASSERT(stack_has(writer, "vfs_write"));
	CU_ASSERT_STRING_EQUAL(text_of(wait, "kind"), "frozen file system");
	CU_ASSERT(!strncmp(text_of(wait, "what"), "ext4 on loop0,", 14));
	CU_ASSERT(log_has(report, "task writer:"));
	CU_ASSERT_EQUAL(json_array_size(json_object_get(report, "cpus")), 1);
	CU_ASSERT(!strcmp(text_in(&outcome, "exact"), "events"));
	compare_log(report);
	compare_stack(report, writer);
	damaged_memory_does_no_harm(text_of(report, "core"));
	json_decref(report);
	outcome_free(&outcome);
}

/* One task waits for the disk with the lock held that the other one waits for. */
static void lock_holder_is_named(void)
{
	struct outcome outcome;
	json_t *report = postmortem_of("scenarios/inode-lock-behind-stalled-disk.yaml", "PASS", &outcome);
	const json_t *first = blocked_task(report, "w-first"), *second = blocked_task(report, "w-second");
	const json_t *waiter =
		json_object_get(json_object_get(first, "waits_for"), "holder") ? first : second;
	const json_t *wait = json_object_get(waiter, "waits_for"), *holder = json_object_get(wait, "holder");

	CU_ASSERT(first && second);
	CU_ASSERT_STRING_EQUAL(text_of(wait, "kind"), "rw_semaphore");
	CU_ASSERT(!strncmp(text_of(wait, "what"), "i_rwsem of inode ", 17));
	CU_ASSERT_STRING_EQUAL(text_of(holder, "comm"), waiter == first ? "w-second" : "w-first");
	CU_ASSERT_STRING_EQUAL(text_of(holder, "state"), "D");
	CU_ASSERT(stack_has(waiter == first ? second : first, "__iomap_dio_rw"));
	json_decref(report);
	outcome_free(&outcome);
}

/* A spinning CPU is shown by its registers, and as the holder of what others wait for. */
static void soft_lockup_is_explained(void)
{
	struct outcome outcome;
	json_t *report = postmortem_of("scenarios/rtnl-behind-dead-network-card.yaml", "PASS", &outcome);
	const json_t *wait = json_object_get(blocked_task(report, "ip"), "waits_for");
	const json_t *holder = json_object_get(wait, "holder"), *cpu;
	bool spins = false;
	size_t i;

	CU_ASSERT_STRING_EQUAL(text_of(wait, "kind"), "mutex");
	CU_ASSERT_STRING_EQUAL(text_of(wait, "what"), "rtnl_mutex");
	CU_ASSERT_STRING_EQUAL(text_of(holder, "comm"), "link-up");
	CU_ASSERT(json_is_true(json_object_get(holder, "running")));
	json_array_foreach (json_object_get(report, "cpus"), i, cpu)
		spins |= stack_has(cpu, "virtnet_send_command") && stack_has(cpu, "__x64_sys_ioctl") &&
			 !strcmp(text_of(json_object_get(cpu, "task"), "comm"), "link-up");
	CU_ASSERT(spins);
	json_decref(report);
	outcome_free(&outcome);
}

/* The memory outlives the kernel's panic, and QEMU. */
static void panic_is_read(void)
{
	struct outcome outcome;
	json_t *report = postmortem_of("scenarios/fsfreeze-timeout-20-panic.yaml", "PASS", &outcome);

	CU_ASSERT(log_has(report, "Kernel panic - not syncing: hung_task: blocked tasks"));
	CU_ASSERT(stack_has(blocked_task(report, "writer"), "percpu_rwsem_wait"));
	json_decref(report);
	outcome_free(&outcome);
}

/* The disk's server is stopped, so QEMU's monitor may not answer; the memory is there all the same. */
static void stalled_disk_is_no_obstacle(void)
{
	struct outcome outcome;
	json_t *report = postmortem_of("scenarios/nbd-pause.yaml", "PASS", &outcome);
	const json_t *taken = json_object_get(json_array_get(outcome.results, 0), "postmortem");

	CU_ASSERT(json_array_size(json_object_get(report, "blocked")) > 0);
	CU_ASSERT(log_has(report, "blocked for more than"));
	CU_ASSERT(json_number_value(json_object_get(taken, "paused_seconds")) > 0);
	json_decref(report);
	outcome_free(&outcome);
}

/*
 * QEMU waits for a vCPU thread that stands still, and answers nothing: log and stacks are in the memory all
 * the same, registers are not, and the whole takes no longer than QEMU is given to answer.
 */
static void silent_qemu_is_no_obstacle(void)
{
	struct outcome outcome, printed;
	const json_t *taken, *cpu;
	json_t *report;
	size_t i;

	HANGLAB(&outcome, "run", "--format", "json", "tests/meta/fail-panic-while-thread-held.yaml");
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "verdict"), "FAIL");
	taken = json_object_get(json_array_get(outcome.results, 0), "postmortem");
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text_of(taken, "no_registers"), "QEMU has not answered within 1000 ms"));
	HANGLAB(&printed, "postmortem", text_in(&outcome, "folder"));
	CU_ASSERT_PTR_NOT_NULL(strstr(printed.output, "registers skipped: QMP"));
	outcome_free(&printed);
	HANGLAB(&printed, "postmortem", "--format", "json", text_in(&outcome, "folder"));
	report = json_loads(printed.output, 0, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(report);
	CU_ASSERT(log_has(report, "Kernel panic - not syncing: softlockup: hung tasks"));
	CU_ASSERT(stack_has(blocked_task(report, "writer"), "percpu_rwsem_wait"));
	json_array_foreach (json_object_get(report, "cpus"), i, cpu)
		CU_ASSERT_PTR_NULL(json_object_get(cpu, "rip"));
	json_decref(report);
	outcome_free(&printed);
	outcome_free(&outcome);
}

static void nothing_to_read_is_said(void)
{
	struct outcome outcome;

	HANGLAB(&outcome, "postmortem", runs_folder());
	CU_ASSERT_EQUAL(outcome.exit_code, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(outcome.errors, "has no core"));
	outcome_free(&outcome);
}

CU_TestInfo postmortem_tests[] = {
	{"a frozen file system: log, stacks, what they wait for", freeze_is_explained},
	{"the holder of a lock is named", lock_holder_is_named},
	{"a soft lockup: the spinning CPU holds the lock", soft_lockup_is_explained},
	{"the memory is read after a panic", panic_is_read},
	{"a stalled disk is no obstacle", stalled_disk_is_no_obstacle},
	{"a QEMU that does not answer is no obstacle", silent_qemu_is_no_obstacle},
	{"a run without a core says so", nothing_to_read_is_said},
	CU_TEST_INFO_NULL,
};
