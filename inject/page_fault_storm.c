// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * page-fault-storm: page faults from kernel mode into fresh memory, and TLB shoot-downs, on all CPUs.
 *
 * One process with a thread on each CPU. Each maps memory, has fstat(2) and read(2) write into it (so the
 * faults are the kernel's own), takes the right to write away and unmaps it: both make the other CPUs
 * flush their TLBs, because they run threads of the same process. Every other mapping is of huge pages.
 *
 * With "stall" one more thread faults, by fstat(2), on a page that a handler (userfaultfd(2)) provides only
 * after that time.
 *
 * Evidence: pgfault and thp_fault_alloc of /proc/vmstat, TLB of /proc/interrupts; of a stall, the time that
 * fstat(2) took.
 */
#include "inject/counter.h"
#include "inject/evidence.h"
#include "inject/load.h"
#include "inject/setting.h"
#include "inject/workload/workload.h"

#include "base/units.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE	      ((size_t)4096)
#define HUGE_PAGE     ((size_t)2 << 20)
/* Of each mapping: pages that fstat() writes into, and bytes that read() writes after them. */
#define STAT_PAGES    32
#define READ_SIZE     (32 * PAGE)
#define CONFIRM_LIMIT (20 * NANOSECONDS_PER_SECOND)
#define HANDLER_POLL  20

struct page_fault_storm {
	int64_t stall, limit;
};

/** struct stalls - shared with the process: faults that the handler has delayed, and the longest */
struct stalls {
	_Atomic uint64_t count;
	_Atomic int64_t longest;
};

struct page_fault_storm_state {
	struct load load;
	struct setting huge_pages;
	const struct page_fault_storm *parameters;
	struct stalls *stalls;
	int64_t before[3];
};

static const struct {
	struct counter counter;
	int64_t least;
	bool several_cpus;
} growing[] = {
	{{"/proc/vmstat", "pgfault", 0}, 1000, false},
	{{"/proc/vmstat", "thp_fault_alloc", 0}, 4, false},
	{{"/proc/interrupts", "TLB", COUNTER_SUM}, 50, true},
};

static void fault_once(char *memory, int zero, bool huge)
{
	char *aligned = memory + -(uintptr_t)memory % HUGE_PAGE;

	madvise(aligned, HUGE_PAGE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	for (size_t i = 0; i < STAT_PAGES; i++)
		syscall(SYS_fstat, zero, aligned + i * PAGE);
	if (read(zero, aligned + STAT_PAGES * PAGE, READ_SIZE) < 0)
		_exit(1);
	mprotect(aligned, HUGE_PAGE, PROT_READ);
}

static void fault_and_flush(struct load_worker *worker)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	for (bool huge = false; load_goes_on(worker); huge = !huge) {
		char *memory =
			mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			_exit(1);
		fault_once(memory, zero, huge);
		munmap(memory, 2 * HUGE_PAGE);
		load_count(worker, 1);
	}
}

/** struct place - what a thread is given: its process's worker, and its CPU */
struct place {
	struct load_worker *worker;
	int cpu;
};

static void *run_on_cpu(void *data)
{
	const struct place *place = data;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(place->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		_exit(1);
	fault_and_flush(place->worker);
	return NULL;
}

/**
 * struct delayed_page - a page that userfaultfd(2) provides late
 * @handler: the userfaultfd
 */
struct delayed_page {
	struct load_worker *worker;
	const struct page_fault_storm_state *state;
	char *page;
	int handler;
};

static void *fault_on_delayed_page(void *data)
{
	const struct delayed_page *delayed = data;
	struct stalls *stalls = delayed->state->stalls;

	while (load_goes_on(delayed->worker)) {
		int64_t took, began = workload_now();

		syscall(SYS_fstat, delayed->handler, delayed->page);
		took = workload_now() - began;
		if (took > atomic_load(&stalls->longest))
			atomic_store(&stalls->longest, took);
		atomic_fetch_add(&stalls->count, 1);
		madvise(delayed->page, PAGE, MADV_DONTNEED);
	}
	return NULL;
}

static void *provide_late(void *data)
{
	const struct delayed_page *delayed = data;
	struct pollfd readable = {.fd = delayed->handler, .events = POLLIN};

	while (load_goes_on(delayed->worker)) {
		struct uffd_msg message;
		struct uffdio_zeropage zero = {.range = {(uintptr_t)delayed->page, PAGE}, .mode = 0};

		if (poll(&readable, 1, HANDLER_POLL) != 1 ||
		    read(delayed->handler, &message, sizeof(message)) != sizeof(message))
			continue;
		load_pause(delayed->worker, delayed->state->parameters->stall);
		ioctl(delayed->handler, UFFDIO_ZEROPAGE, &zero);
	}
	return NULL;
}

static void open_delayed_page(struct delayed_page *delayed)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING};

	delayed->handler = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	delayed->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range = (struct uffdio_range){(uintptr_t)delayed->page, PAGE};
	if (delayed->handler < 0 || delayed->page == MAP_FAILED ||
	    ioctl(delayed->handler, UFFDIO_API, &api) || ioctl(delayed->handler, UFFDIO_REGISTER, &range))
		_exit(1);
}

/* A fault that waits is let go by closing the userfaultfd, as the process ends. */
static void storm(struct load_worker *worker)
{
	const struct page_fault_storm_state *state = worker->data;
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	struct place places[64];
	struct delayed_page delayed = {worker, state, NULL, -1};
	pthread_t threads[64], faulting, handling;

	if (state->parameters->stall) {
		open_delayed_page(&delayed);
		if (pthread_create(&handling, NULL, provide_late, &delayed) ||
		    pthread_create(&faulting, NULL, fault_on_delayed_page, &delayed))
			_exit(1);
	}
	for (int cpu = 0; cpu < online && cpu < 64; cpu++) {
		places[cpu] = (struct place){worker, cpu};
		if (pthread_create(&threads[cpu], NULL, run_on_cpu, &places[cpu]))
			_exit(1);
	}
	for (int cpu = 0; cpu < online && cpu < 64; cpu++)
		pthread_join(threads[cpu], NULL);
	_exit(0);
}

static int page_fault_storm_inject(struct injection *injection, struct hl_error *err)
{
	struct page_fault_storm_state *state = injection->state;
	int r;

	state->parameters = injection->parameters;
	r = load_open(&state->load, state->parameters->limit, err);
	if (!r)
		r = setting_change(&state->huge_pages, "/sys/kernel/mm/transparent_hugepage/enabled",
				   "madvise", err);
	for (size_t i = 0; !r && i < sizeof(growing) / sizeof(growing[0]); i++)
		r = counter_read(&growing[i].counter, &state->before[i], err);
	if (r)
		return r;
	state->stalls =
		mmap(NULL, sizeof(*state->stalls), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (state->stalls == MAP_FAILED)
		return hl_error_errno(err, errno, "share memory with the load");
	return load_start(&state->load, "page-faults", -1, storm, state, err);
}

static int has_stalled(void *data, struct hl_error *err)
{
	const struct page_fault_storm_state *state = data;

	(void)err;
	return atomic_load(&state->stalls->longest) >= state->parameters->stall;
}

static int confirm_stall(struct injection *injection, struct hl_error *err)
{
	struct page_fault_storm_state *state = injection->state;
	int r;

	if (!state->parameters->stall)
		return 0;
	r = evidence_poll(has_stalled, state, CONFIRM_LIMIT + state->parameters->stall, err);
	if (r == -ETIMEDOUT)
		return hl_error_set(err, ETIMEDOUT, "no page fault has stalled");
	if (!r)
		evidence_add(injection, "a page fault in fstat took %" PRId64 " ms",
			     atomic_load(&state->stalls->longest) / 1000000);
	return r;
}

static int page_fault_storm_confirm(struct injection *injection, struct hl_error *err)
{
	struct page_fault_storm_state *state = injection->state;
	bool alone = sysconf(_SC_NPROCESSORS_ONLN) < 2;

	for (size_t i = 0; i < sizeof(growing) / sizeof(growing[0]); i++) {
		int64_t now;
		int r;

		if (alone && growing[i].several_cpus)
			continue;
		r = counter_await(&growing[i].counter, state->before[i] + growing[i].least, CONFIRM_LIMIT,
				  &now, err);
		if (r)
			return r;
		evidence_add(injection, "%s +%" PRId64, growing[i].counter.name, now - state->before[i]);
	}
	return confirm_stall(injection, err);
}

static int page_fault_storm_release(struct injection *injection, struct hl_error *err)
{
	struct page_fault_storm_state *state = injection->state;
	int r = load_stop(&state->load, err);

	return r ? r : setting_restore(&state->huge_pages, err);
}

static int page_fault_storm_confirm_released(struct injection *injection, struct hl_error *err)
{
	const struct page_fault_storm_state *state = injection->state;

	return load_confirm_ended(&state->load, injection, err);
}

static const struct parameter page_fault_storm_parameters[] = {
	{.name = "stall",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct page_fault_storm, stall),
	 .fallback = "0",
	 .least = 0,
	 .most = 3600 * NANOSECONDS_PER_SECOND,
	 .help = "also faults that wait this long in the kernel for userfaultfd; 0 for none"},
	LOAD_LIMIT_PARAMETER(struct page_fault_storm, limit),
	{.name = NULL},
};

static const char *const config[] = {"TRANSPARENT_HUGEPAGE", "USERFAULTFD", NULL};

const struct injector injector_page_fault_storm = {
	.name = "page-fault-storm",
	.summary = "page faults in the kernel and TLB shoot-downs on all CPUs of the guest",
	.help = "fstat(2) and read(2) into fresh and huge pages, mprotect(2) and munmap(2), in a thread on "
		"each CPU.\n"
		"Confirmed by pgfault and thp_fault_alloc in /proc/vmstat and TLB shoot-downs in "
		"/proc/interrupts;\n"
		"the release by the end of its process.\n",
	.side = INJECTOR_GUEST,
	.parameters = page_fault_storm_parameters,
	.parameters_size = sizeof(struct page_fault_storm),
	.state_size = sizeof(struct page_fault_storm_state),
	.needs = {.config = config},
	.inject = page_fault_storm_inject,
	.confirm = page_fault_storm_confirm,
	.release = page_fault_storm_release,
	.confirm_released = page_fault_storm_confirm_released,
};
