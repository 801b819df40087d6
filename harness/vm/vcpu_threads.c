// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/vcpu_threads.h"

#include "base/polling.h"

#include <fiu-local.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

/*
 * How long QEMU may take to answer before it is thought to wait for a lock of a thread that is held; doubled
 * with each try, as the machine may only be slow.
 */
#define FIRST_ANSWER_MS 100
#define LOOK_EVERY	1000000

/* A child, as QEMU is one. */
bool vcpu_threads_possible(char *reason, size_t size)
{
	pid_t child = fork();
	bool possible;

	if (!child) {
		pause();
		_exit(0);
	}
	possible = child > 0 && !ptrace(PTRACE_SEIZE, child, NULL, NULL);
	if (!possible)
		snprintf(reason, size, "hanglab may not trace its own children here: %s", strerror(errno));
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return possible;
}

static int take_thread(const struct vm *vm, const json_t *cpu, pid_t *threads, struct hl_error *err)
{
	json_int_t index = json_integer_value(json_object_get(cpu, "cpu-index"));
	pid_t thread = (pid_t)json_integer_value(json_object_get(cpu, "thread-id"));

	if (index < 0 || index >= vm->cpus || !process_has_thread(&vm->process, thread))
		return hl_error_set(err, EPERM,
				    "vCPU %lld runs in thread %d, says QEMU, which does not belong to the "
				    "QEMU of this run",
				    (long long)index, (int)thread);
	for (int64_t other = 0; other < vm->cpus; other++)
		if (threads[other] == thread)
			return hl_error_set(err, ENOTSUP,
					    "several vCPUs run in one thread: this needs real time");
	threads[index] = thread;
	return 0;
}

int vcpu_threads_find(const struct vm *vm, pid_t *threads, struct hl_error *err)
{
	json_t *answer = NULL, *cpu;
	int r = qmp_execute(vm->qmp, "query-cpus-fast", NULL, &answer, err);
	size_t i;

	memset(threads, 0, (size_t)vm->cpus * sizeof(*threads));
	if (!r && json_array_size(answer) != (size_t)vm->cpus)
		r = hl_error_set(err, EPROTO, "QEMU names %zu vCPUs, not %d", json_array_size(answer),
				 (int)vm->cpus);
	json_array_foreach (answer, i, cpu)
		if (!r)
			r = take_thread(vm, cpu, threads, err);
	json_decref(answer);
	return r;
}

/* A signal may come first; the thread takes it and goes on to the stop that was asked for. */
static int await_stop(pid_t thread, const struct polling *polling, struct hl_error *err)
{
	int status = 0;

	do {
		pid_t changed = waitpid(thread, &status, __WALL | WNOHANG);

		if (changed < 0 || (changed && !WIFSTOPPED(status)))
			return hl_error_set(err, ESRCH, "thread %d of QEMU has ended", (int)thread);
		if (changed && status >> 16 == PTRACE_EVENT_STOP)
			return 0;
		if (changed)
			ptrace(PTRACE_CONT, thread, NULL, (void *)(intptr_t)WSTOPSIG(status));
	} while (polling_again(polling));
	return hl_error_set(err, ETIMEDOUT, "thread %d of QEMU does not stop", (int)thread);
}

static int hold_thread(struct vm *vm, size_t cpu, pid_t thread, const struct polling *polling,
		       struct hl_error *err)
{
	/* It goes on all the same: the injector must find out. */
	fiu_do_on("vcpu_threads/hold", return 0);
	if (ptrace(PTRACE_SEIZE, thread, NULL, NULL))
		return hl_error_errno(err, errno, "trace thread %d of QEMU", (int)thread);
	vm->held_threads[cpu] = thread;
	if (ptrace(PTRACE_INTERRUPT, thread, NULL, NULL))
		return hl_error_errno(err, errno, "stop thread %d of QEMU", (int)thread);
	return await_stop(thread, polling, err);
}

static int hold_all(struct vm *vm, uint64_t cpus, const pid_t *threads, const struct polling *polling,
		    struct hl_error *err)
{
	int r = 0;

	for (size_t cpu = 0; !r && cpu < (size_t)vm->cpus; cpu++)
		if (cpus >> cpu & 1)
			r = hold_thread(vm, cpu, threads[cpu], polling, err);
	return r;
}

/* Return: 0, -ETIMEDOUT, -errno. */
static int ask_qemu(struct vm *vm, int limit_ms, struct hl_error *err)
{
	int before = qmp_set_timeout(vm->qmp, limit_ms);
	int r = qmp_execute(vm->qmp, "query-status", NULL, NULL, err);

	qmp_set_timeout(vm->qmp, before);
	if (r)
		hl_error_prefix(err, "while a vCPU's thread stands still");
	return r;
}

int vcpu_threads_hold(struct vm *vm, uint64_t cpus, int timeout_ms, struct hl_error *err)
{
	struct polling polling = polling_begin(timeout_ms * 1000000LL, LOOK_EVERY);
	pid_t threads[VM_MOST_CPUS];
	int r = vcpu_threads_find(vm, threads, err);

	if (r)
		return r;
	for (int limit_ms = FIRST_ANSWER_MS;; limit_ms *= 2) {
		r = hold_all(vm, cpus, threads, &polling, err);
		if (!r)
			r = ask_qemu(vm, limit_ms, err);
		if (!r)
			return 0;
		vcpu_threads_let_go(vm, cpus);
		if (r != -ETIMEDOUT || polling_over(&polling))
			return r;
	}
}

/* Only a thread that is stopped can be detached; one that has died is only waited for. */
static void let_go(pid_t thread)
{
	int status;

	if (!ptrace(PTRACE_DETACH, thread, NULL, NULL))
		return;
	ptrace(PTRACE_INTERRUPT, thread, NULL, NULL);
	while (waitpid(thread, &status, __WALL) < 0)
		if (errno != EINTR)
			return;
	if (WIFSTOPPED(status))
		ptrace(PTRACE_DETACH, thread, NULL, NULL);
}

void vcpu_threads_let_go(struct vm *vm, uint64_t cpus)
{
	for (size_t cpu = 0; cpu < VM_MOST_CPUS; cpu++) {
		if (!(cpus >> cpu & 1) || !vm->held_threads[cpu])
			continue;
		let_go(vm->held_threads[cpu]);
		vm->held_threads[cpu] = 0;
	}
}
