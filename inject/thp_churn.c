// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * thp-churn: transparent huge pages are made and split while other threads of the process fault on them in
 * the kernel.
 *
 * One thread faults huge pages in and takes them apart: MADV_NOHUGEPAGE on a part splits the mapping, so
 * that the reverse map walk meets several (and may be preempted between them), MADV_FREE on a part splits the
 * page itself. The others let fstat(2) write into tail pages. This is what made kernels before commit
 * ffc90cbb2970 (5.13) spin for ever, early after the process began or not at all (measured): so it is
 * started anew every now and then.
 *
 * Evidence: thp_fault_alloc and thp_split_page of /proc/vmstat.
 */
#include "inject/counter.h"
#include "inject/evidence.h"
#include "inject/load.h"
#include "inject/setting.h"

#include "base/file.h"
#include "base/units.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define HUGE_PAGE     ((size_t)2 << 20)
#define HUGE_PAGES    4
#define PAGE	      4096
#define SPLITS_TO_SEE 4
#define CONFIRM_LIMIT (30 * NANOSECONDS_PER_SECOND)
#define COMPACT_EVERY 100000000
#define THP_FOLDER    "/sys/kernel/mm/transparent_hugepage/"

struct thp_churn {
	int64_t threads, restart, limit;
	bool khugepaged, compaction;
};

struct thp_churn_state {
	struct load load;
	struct setting enabled, khugepaged;
	int64_t allocated, split;
};

static const struct counter allocated = {"/proc/vmstat", "thp_fault_alloc", 0};
static const struct counter split = {"/proc/vmstat", "thp_split_page", 0};

/** struct churn - one life of the process: its huge pages */
struct churn {
	struct load_worker *worker;
	char *pages;
};

/* Into a tail page, never the head. */
static void *fault_in_kernel(void *data)
{
	const struct churn *churn = data;
	unsigned int random = (unsigned int)syscall(SYS_gettid) * 7919;
	uint64_t calls = 0;

	for (;;) {
		size_t page, tail, offset;

		random = random * 1103515245 + 12345;
		page = (random >> 8) % HUGE_PAGES;
		tail = 1 + (random >> 12) % (HUGE_PAGE / PAGE - 1);
		offset = (random >> 3) & 0x700;
		syscall(SYS_fstat, 0, churn->pages + page * HUGE_PAGE + tail * PAGE + offset);
		if (!(++calls % 256))
			load_count(churn->worker, 256);
	}
	return NULL;
}

static void split_one(char *page)
{
	madvise(page, HUGE_PAGE, MADV_DONTNEED);
	madvise(page, HUGE_PAGE, MADV_HUGEPAGE);
	*(volatile char *)page = 1;
	madvise(page + HUGE_PAGE / 4, HUGE_PAGE / 4, MADV_NOHUGEPAGE);
	madvise(page + HUGE_PAGE / 4, HUGE_PAGE / 4, MADV_FREE);
	madvise(page + HUGE_PAGE / 2, HUGE_PAGE / 8, MADV_FREE);
	/* The mappings become one again. */
	madvise(page, HUGE_PAGE, MADV_HUGEPAGE);
}

static void *keep_splitting(void *data)
{
	const struct churn *churn = data;

	for (;;)
		for (size_t i = 0; i < HUGE_PAGES; i++)
			split_one(churn->pages + i * HUGE_PAGE);
	return NULL;
}

static char *map_huge_pages(void)
{
	char *memory = mmap(NULL, (HUGE_PAGES + 1) * HUGE_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t skip = -(uintptr_t)memory % HUGE_PAGE;

	if (memory == MAP_FAILED)
		_exit(1);
	madvise(memory + skip, HUGE_PAGES * HUGE_PAGE, MADV_HUGEPAGE);
	return memory + skip;
}

static void live_once(struct load_worker *worker)
{
	const struct thp_churn *parameters = worker->data;
	struct churn churn = {worker, map_huge_pages()};
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* What fstat(2) is asked about. */
	if (dup2(open("/dev/null", O_RDONLY), 0))
		_exit(1);
	for (int64_t i = 0; i < parameters->threads; i++)
		if (pthread_create(&thread, NULL, fault_in_kernel, &churn))
			_exit(1);
	if (pthread_create(&thread, NULL, keep_splitting, &churn))
		_exit(1);
	load_pause(worker, parameters->restart);
	_exit(0);
}

static void churn(struct load_worker *worker)
{
	while (load_goes_on(worker)) {
		int status;
		pid_t pid = fork();

		if (!pid)
			live_once(worker);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			_exit(1);
	}
}

static void compact(struct load_worker *worker)
{
	while (load_goes_on(worker)) {
		if (file_set("/proc/sys/vm/compact_memory", "1", NULL))
			_exit(1);
		load_pause(worker, COMPACT_EVERY);
	}
}

/* khugepaged either joins in, or at least does not compact memory. */
static int change_settings(struct thp_churn_state *state, bool khugepaged, struct hl_error *err)
{
	int r = setting_change(&state->enabled, THP_FOLDER "enabled", "always", err);

	if (r)
		return r;
	return khugepaged ? setting_change(&state->khugepaged, THP_FOLDER "khugepaged/scan_sleep_millisecs",
					   "10", err)
			  : setting_change(&state->khugepaged, THP_FOLDER "khugepaged/defrag", "0", err);
}

static int thp_churn_inject(struct injection *injection, struct hl_error *err)
{
	const struct thp_churn *parameters = injection->parameters;
	struct thp_churn_state *state = injection->state;
	int r = load_open(&state->load, parameters->limit, err);

	if (!r)
		r = change_settings(state, parameters->khugepaged, err);
	if (!r)
		r = counter_read(&allocated, &state->allocated, err);
	if (!r)
		r = counter_read(&split, &state->split, err);
	if (!r)
		r = load_start(&state->load, "thp-churn", -1, churn, parameters, err);
	if (!r && parameters->compaction)
		r = load_start(&state->load, "thp-compact", -1, compact, parameters, err);
	return r;
}

static int thp_churn_confirm(struct injection *injection, struct hl_error *err)
{
	struct thp_churn_state *state = injection->state;
	int64_t now_allocated, now_split;
	int r = counter_await(&split, state->split + SPLITS_TO_SEE, CONFIRM_LIMIT, &now_split, err);

	if (!r)
		r = counter_await(&allocated, state->allocated + SPLITS_TO_SEE, CONFIRM_LIMIT, &now_allocated,
				  err);
	if (r)
		return r;
	evidence_add(injection,
		     "thp_fault_alloc +%" PRId64 ", thp_split_page +%" PRId64 ", %" PRIu64 " fstat calls",
		     now_allocated - state->allocated, now_split - state->split,
		     load_operations(&state->load));
	return 0;
}

static int thp_churn_release(struct injection *injection, struct hl_error *err)
{
	struct thp_churn_state *state = injection->state;
	int r = load_stop(&state->load, err);

	if (!r)
		r = setting_restore(&state->khugepaged, err);
	return r ? r : setting_restore(&state->enabled, err);
}

static int thp_churn_confirm_released(struct injection *injection, struct hl_error *err)
{
	const struct thp_churn_state *state = injection->state;
	int64_t now;
	int r = load_confirm_ended(&state->load, injection, err);

	if (!r)
		r = counter_read(&split, &now, err);
	if (!r)
		evidence_add(injection, "thp_split_page +%" PRId64, now - state->split);
	return r;
}

static const struct parameter thp_churn_parameters[] = {
	{.name = "threads",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct thp_churn, threads),
	 .fallback = "8",
	 .least = 1,
	 .most = 256,
	 .help = "threads that fault in the kernel, beside the one that splits"},
	{.name = "restart",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct thp_churn, restart),
	 .fallback = "8s",
	 .least = 100000000,
	 .most = 3600 * NANOSECONDS_PER_SECOND,
	 .help = "start the process anew after this time"},
	{.name = "khugepaged",
	 .type = PARAMETER_BOOLEAN,
	 .offset = offsetof(struct thp_churn, khugepaged),
	 .fallback = "false",
	 .help = "let khugepaged put huge pages together all the time"},
	{.name = "compaction",
	 .type = PARAMETER_BOOLEAN,
	 .offset = offsetof(struct thp_churn, compaction),
	 .fallback = "false",
	 .help = "compact memory ten times a second"},
	LOAD_LIMIT_PARAMETER(struct thp_churn, limit),
	{.name = NULL},
};

static const char *const config[] = {"TRANSPARENT_HUGEPAGE", NULL};

const struct injector injector_thp_churn = {
	.name = "thp-churn",
	.summary = "make and split transparent huge pages while threads fault on them in the kernel",
	.help = "MADV_HUGEPAGE, MADV_NOHUGEPAGE and MADV_FREE in one thread, fstat(2) into the same pages in "
		"many.\n"
		"Confirmed by thp_fault_alloc and thp_split_page in /proc/vmstat; the release by the end of "
		"all\n"
		"its processes. Its races need 'preempt=none' in vm: {boot: ...} and real time, where CPUs "
		"run at\n"
		"the same time.\n",
	.side = INJECTOR_GUEST,
	.inexact = true,
	.parameters = thp_churn_parameters,
	.parameters_size = sizeof(struct thp_churn),
	.state_size = sizeof(struct thp_churn_state),
	.needs = {.config = config},
	.inject = thp_churn_inject,
	.confirm = thp_churn_confirm,
	.release = thp_churn_release,
	.confirm_released = thp_churn_confirm_released,
};
