// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/pool.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/**
 * struct worker - a child that does a piece
 * @pidfd: readable once it has ended. SIGCHLD would not do: a thread that a preloaded library started before
 *	main(), such as libfiu's remote control, takes the signal away.
 * @result: memory file that it writes its result to
 */
struct worker {
	pid_t pid;
	int pidfd;
	size_t index;
	int result;
};

struct pool {
	pool_work work;
	void *data;
	struct worker *workers;
	struct pollfd *watched;
	size_t busy, jobs, next, count;
	json_t *results;
	bool stopping;
	sigset_t old_signals;
};

/* Through a buffer: json_dumpfd() and json_loadfd() make a system call for a few bytes each. */
static int write_result(int fd, const json_t *result)
{
	FILE *out = fdopen(fd, "w");
	int r = out ? json_dumpf(result, out, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(12)) : -1;

	return out && fclose(out) ? -1 : r;
}

static json_t *read_result(int fd)
{
	FILE *in = fdopen(fd, "r");
	json_t *result;

	if (!in)
		return json_null();
	rewind(in);
	result = json_loadf(in, JSON_DECODE_ANY, NULL);
	fclose(in);
	return result ? result : json_null();
}

static void do_work(const struct pool *pool, const struct worker *worker, pid_t parent)
{

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	_exit(write_result(worker->result, pool->work(pool->data, worker->index)) ? 1 : 0);
}

static int start_worker(struct pool *pool, struct hl_error *err)
{
	struct worker *worker = &pool->workers[pool->busy];
	pid_t parent = getpid();

	worker->index = pool->next;
	worker->result = memfd_create("result", MFD_CLOEXEC);
	if (worker->result < 0)
		return hl_error_errno(err, errno, "start a job");
	fflush(NULL);
	worker->pid = fork();
	if (worker->pid < 0) {
		close(worker->result);
		return hl_error_errno(err, errno, "start a job");
	}
	if (!worker->pid)
		do_work(pool, worker, parent);
	worker->pidfd = (int)syscall(SYS_pidfd_open, worker->pid, 0);
	if (worker->pidfd < 0) {
		int r = hl_error_errno(err, errno, "watch a job");

		kill(worker->pid, SIGKILL);
		waitpid(worker->pid, NULL, 0);
		close(worker->result);
		return r;
	}
	pool->busy++;
	pool->next++;
	return 0;
}

static void reap(struct pool *pool)
{
	int status;

	for (size_t i = 0; i < pool->busy;) {
		struct worker *worker = &pool->workers[i];

		if (waitpid(worker->pid, &status, WNOHANG) != worker->pid) {
			i++;
			continue;
		}
		json_array_set_new(pool->results, worker->index, read_result(worker->result));
		close(worker->pidfd);
		*worker = pool->workers[--pool->busy];
	}
}

static void take_signal(struct pool *pool, int signals)
{
	struct signalfd_siginfo signal;

	while (read(signals, &signal, sizeof(signal)) == sizeof(signal)) {
		pool->stopping = true;
		for (size_t i = 0; i < pool->busy; i++)
			kill(pool->workers[i].pid, SIGTERM);
	}
}

static void await_any(struct pool *pool, int signals)
{
	pool->watched[0] = (struct pollfd){.fd = signals, .events = POLLIN};
	for (size_t i = 0; i < pool->busy; i++)
		pool->watched[i + 1] = (struct pollfd){.fd = pool->workers[i].pidfd, .events = POLLIN};
	poll(pool->watched, pool->busy + 1, -1);
}

static int run_all(struct pool *pool, int signals, struct hl_error *err)
{
	int r = 0;

	while (pool->busy || (!r && !pool->stopping && pool->next < pool->count)) {
		while (!r && !pool->stopping && pool->busy < pool->jobs && pool->next < pool->count)
			r = start_worker(pool, err);
		if (pool->busy)
			await_any(pool, signals);
		take_signal(pool, signals);
		reap(pool);
	}
	return r ? r : pool->stopping ? -EINTR : 0;
}

int pool_run(size_t count, size_t jobs, pool_work work, void *data, json_t **results, struct hl_error *err)
{
	struct pool pool = {
		.work = work, .data = data, .jobs = jobs, .count = count, .results = json_array()};
	cleanup_free struct worker *workers = calloc(jobs, sizeof(*workers));
	cleanup_free struct pollfd *watched = calloc(jobs + 1, sizeof(*watched));
	cleanup_fd int signals = -1;
	sigset_t set;
	int r;

	if (!workers || !watched)
		return hl_error_errno(err, ENOMEM, "start jobs");
	for (size_t i = 0; i < count; i++)
		json_array_append_new(pool.results, json_null());
	pool.workers = workers;
	pool.watched = watched;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &pool.old_signals);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	r = signals < 0 ? hl_error_errno(err, errno, "signalfd") : run_all(&pool, signals, err);
	sigprocmask(SIG_SETMASK, &pool.old_signals, NULL);
	*results = pool.results;
	return r;
}
