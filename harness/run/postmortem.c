// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Takes the guest's memory for a post-mortem, from outside: the guest need not help, and neither need QEMU.
 * While a disk hangs QEMU would not answer, and "dump-guest-memory" would wait for that disk (measured: 599
 * s).
 */
#include "run/state.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/polling.h"
#include "inject/host_thread.h"
#include "postmortem/core.h"
#include "postmortem/registers.h"

#include <fcntl.h>
#include <signal.h>

#define REGISTERS_LIMIT_MS 1000
#define FREEZE_LIMIT	   (2 * NANOSECONDS_PER_SECOND)
#define LOOK_EVERY	   1000000

/*
 * Return: whether to thaw it again: not when it is dead, or when a fault had stopped it already. A thread
 * that is traced (vcpu-stall) would keep waitid() from reporting that the others stand still.
 */
static bool freeze(const struct run *run)
{
	struct polling polling = polling_begin(run_stretched(run, FREEZE_LIMIT), LOOK_EVERY);
	pid_t pid = run->vm.process.pid;
	struct host_threads threads;

	if (host_threads_look(pid, &threads, NULL) || host_threads_stand_still(&threads) ||
	    kill(pid, SIGSTOP))
		return false;
	while (!host_threads_look(pid, &threads, NULL) && !host_threads_stand_still(&threads) &&
	       polling_again(&polling))
		;
	return true;
}

static struct elf_prstatus *read_registers(const struct run *run, size_t *count, struct hl_error *err)
{
	struct elf_prstatus *registers = NULL;
	json_t *answer = NULL;
	int limit = qmp_set_timeout(run->vm.qmp, (int)run_stretched(run, REGISTERS_LIMIT_MS));
	int r = qmp_execute(run->vm.qmp, "human-monitor-command",
			    json_pack("{s:s}", "command-line", "info registers -a"), &answer, err);

	qmp_set_timeout(run->vm.qmp, limit);
	*count = 0;
	if (!r && json_is_string(answer))
		registers = registers_parse(json_string_value(answer), count);
	json_decref(answer);
	return registers;
}

/* The time that the guest stood still, in nanoseconds, or -errno. */
static int64_t copy_memory(const struct run *run, int core, struct hl_error *err)
{
	int64_t begun = workload_now();
	bool frozen = freeze(run);
	int r = core_copy(run->vm.memory, vm_memory_size(run->plan), core, err);

	if (frozen)
		kill(run->vm.process.pid, SIGCONT);
	return r ? r : workload_now() - begun;
}

static int take(const struct run *run, const char *path, json_t *details, struct hl_error *err)
{
	struct hl_error no_registers = HL_ERROR_INIT;
	size_t cpu_count;
	cleanup_free struct elf_prstatus *registers = read_registers(run, &cpu_count, &no_registers);
	cleanup_fd int core = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);
	int64_t paused;

	if (core < 0)
		return hl_error_errno(err, errno, "create %s", path);
	paused = copy_memory(run, core, err);
	if (paused < 0)
		return (int)paused;
	json_object_set_new(details, "paused_seconds", json_real((double)paused / 1e9));
	if (!cpu_count)
		json_object_set_new(
			details, "no_registers",
			json_string(no_registers.code ? no_registers.text : "QEMU's answer has none"));
	return core_finish(core, vm_memory_size(run->plan), registers, cpu_count, err);
}

void run_take_postmortem(struct run *run, const char *why)
{
	cleanup_free char *path = NULL;
	struct hl_error err = HL_ERROR_INIT;
	json_t *details;

	if (run->postmortem_taken || run->vm.memory < 0)
		return;
	run->postmortem_taken = true;
	details = json_pack("{s:s, s:s, s:f}", "core", POSTMORTEM_CORE, "why", why, "at",
			    (double)run->guest_now / 1e9);
	path = file_path("%s/%s", run->folder, POSTMORTEM_CORE);
	if (take(run, path, details, &err)) {
		unlink(path);
		json_object_del(details, "core");
		json_object_set_new(details, "error", json_string(err.text));
		run_note(run, "no post-mortem: %s", err.text);
	} else {
		run_note(run, "post-mortem taken: %s; the guest stood still for %.3f s", why,
			 json_number_value(json_object_get(details, "paused_seconds")));
	}
	record_postmortem(run->record, details);
	run_journal(run, "postmortem", json_incref(details));
	json_decref(details);
}

bool run_wants_last_postmortem(const struct run *run)
{
	const struct run_facts *facts = &run->facts;

	if (run->debugged || run->plan->postmortem == PLAN_POSTMORTEM_OFF || facts->end == GUEST_INTERRUPTED)
		return false;
	if (run->plan->postmortem == PLAN_POSTMORTEM_HANG)
		return true;
	return facts->began && (facts->end == GUEST_SILENT || verdict_ended_unexpectedly(run->plan, facts));
}
