// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/load.h"

#include "base/units.h"
#include "inject/evidence.h"
#include "inject/lab_vm.h"
#include "inject/workload/workload.h"

#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define END_LIMIT (30 * NANOSECONDS_PER_SECOND)

/**
 * struct load_shared - between the injector and its workers
 * @stop: 1: end now; a futex(2) on which pauses wait
 * @deadline: end then
 * @operations: of each worker
 */
struct load_shared {
	_Atomic uint32_t stop;
	int64_t deadline;
	_Atomic uint64_t operations[LOAD_MOST_WORKERS];
};

int load_open(struct load *load, int64_t limit, struct hl_error *err)
{
	int r = lab_vm_require(err);

	if (r)
		return r;
	load->shared =
		mmap(NULL, sizeof(*load->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (load->shared == MAP_FAILED)
		return hl_error_errno(err, errno, "share memory with the load");
	load->shared->deadline = workload_now() + limit;
	return 0;
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		_exit(1);
}

static void become_worker(struct load *load, const char *comm, int cpu, load_body body, const void *data)
{
	struct load_worker worker = {load->shared, load->count, data};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, comm);
	if (cpu >= 0)
		stay_on(cpu);
	body(&worker);
	_exit(0);
}

int load_start(struct load *load, const char *comm, int cpu, load_body body, const void *data,
	       struct hl_error *err)
{
	pid_t pid;

	if (load->count == LOAD_MOST_WORKERS)
		return hl_error_set(err, E2BIG, "a load has at most %d processes", LOAD_MOST_WORKERS);
	pid = fork();
	if (pid < 0)
		return hl_error_errno(err, errno, "start %s", comm);
	if (!pid)
		become_worker(load, comm, cpu, body, data);
	load->pids[load->count++] = pid;
	return 0;
}

int load_start_each(struct load *load, const char *comm, uint64_t cpus, load_body body, const void *data,
		    struct hl_error *err)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	int r = 0;

	for (int cpu = 0; !r && cpu < online && cpu < 64; cpu++)
		if (cpus & (UINT64_C(1) << cpu))
			r = load_start(load, comm, cpu, body, data, err);
	return r;
}

bool load_goes_on(const struct load_worker *worker)
{
	return !atomic_load(&worker->shared->stop) && workload_now() < worker->shared->deadline;
}

void load_pause(const struct load_worker *worker, int64_t nanoseconds)
{
	int64_t left = worker->shared->deadline - workload_now(),
		wait = nanoseconds < left ? nanoseconds : left;
	struct timespec timeout = {wait / NANOSECONDS_PER_SECOND, wait % NANOSECONDS_PER_SECOND};

	if (wait > 0)
		syscall(SYS_futex, &worker->shared->stop, FUTEX_WAIT, 0, &timeout, NULL, 0);
}

void load_count(struct load_worker *worker, uint64_t operations)
{
	atomic_fetch_add(&worker->shared->operations[worker->number], operations);
}

uint64_t load_operations(const struct load *load)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < load->count; i++)
		sum += atomic_load(&load->shared->operations[i]);
	return sum;
}

/* Reaps it when it has ended. */
static int has_ended(void *data, struct hl_error *err)
{
	(void)err;
	return waitpid(*(const pid_t *)data, NULL, WNOHANG) != 0;
}

static int end_worker(pid_t pid, struct hl_error *err)
{
	if (!evidence_poll(has_ended, &pid, END_LIMIT, err))
		return 0;
	kill(pid, SIGKILL);
	if (!evidence_poll(has_ended, &pid, END_LIMIT, err))
		return 0;
	return hl_error_set(err, ETIMEDOUT, "process %d of the load does not end", (int)pid);
}

int load_ask_to_end(struct load *load, struct hl_error *err)
{
	int r = 0;

	for (size_t i = 0; i < load->count; i++) {
		siginfo_t info = {0};

		if (!waitid(P_PID, (id_t)load->pids[i], &info, WEXITED | WNOHANG | WNOWAIT) && !info.si_pid)
			continue;
		r = hl_error_set(err, ECHILD, "process %d of the load ended before the release (status %d)",
				 (int)load->pids[i], info.si_status);
	}
	atomic_store(&load->shared->stop, 1);
	syscall(SYS_futex, &load->shared->stop, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	return r;
}

int load_stop(struct load *load, struct hl_error *err)
{
	int r = atomic_load(&load->shared->stop) ? 0 : load_ask_to_end(load, err);

	for (size_t i = 0; i < load->count; i++) {
		int failed = end_worker(load->pids[i], r ? NULL : err);

		r = r ? r : failed;
	}
	return r;
}

int load_confirm_ended(const struct load *load, struct injection *injection, struct hl_error *err)
{
	for (size_t i = 0; i < load->count; i++)
		if (!kill(load->pids[i], 0) || errno != ESRCH)
			return hl_error_set(err, EBUSY, "process %d of the load is still there",
					    (int)load->pids[i]);
	evidence_add(injection, "all %zu processes of the load have ended", load->count);
	if (load_operations(load))
		evidence_add(injection, "%" PRIu64 " operations were done", load_operations(load));
	return 0;
}
