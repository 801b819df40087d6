// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tlb-shootdown: one thread maps, touches, protects and unmaps memory; the others keep all the other CPUs
 * busy in the same address space. Each change must be made known to them by an interprocessor interrupt
 * (flush_tlb_mm_range() in arch/x86/mm/tlb.c), which the kernel waits for with preemption off: a CPU that
 * does not answer locks up the one that maps.
 *
 * Only one thread maps: of several, the one on a CPU that stands still could hold the lock of the address
 * space, and the others would sleep instead.
 */
#include "base/units.h"
#include "inject/workload/busy_cpus.h"
#include "inject/workload/workload.h"

#include <stddef.h>
#include <sys/mman.h>

#define AREA (64UL << 10)
#define PAGE 4096

struct tlb_shootdown {
	int64_t cpu, interval;
};

static int map_and_unmap(void)
{
	char *area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		return -errno;
	for (size_t offset = 0; offset < AREA; offset += PAGE)
		area[offset] = 1;
	if (mprotect(area, AREA, PROT_READ) || munmap(area, AREA))
		return -errno;
	return 0;
}

static int tlb_shootdown_run(struct workload_run *run, struct hl_error *err)
{
	const struct tlb_shootdown *parameters = run->parameters;
	static struct busy_cpus others;
	uint64_t random = run->seed * 0x9e3779b97f4a7c15ULL | 1;
	int r = busy_cpus_start(&others, (int)parameters->cpu, err);

	if (!r)
		r = busy_cpus_bind((int)parameters->cpu, err);
	while (!r && !atomic_load(&run->progress->stop)) {
		workload_begin(run->progress);
		workload_end(run->progress, map_and_unmap());
		workload_pause(parameters->interval, &random);
	}
	busy_cpus_stop(&others);
	return r;
}

static const struct parameter tlb_shootdown_parameters[] = {
	{.name = "cpu",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct tlb_shootdown, cpu),
	 .fallback = "0",
	 .least = 0,
	 .most = CPU_SETSIZE - 1,
	 .help = "the CPU that maps and unmaps; a thread keeps each of the others busy"},
	{.name = "interval",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct tlb_shootdown, interval),
	 .fallback = "10ms",
	 .least = 1000,
	 .most = 3600 * NANOSECONDS_PER_SECOND,
	 .help = "mean pause between two changes"},
	{.name = NULL},
};

const struct workload workload_tlb_shootdown = {
	.name = "tlb-shootdown",
	.summary = "change mappings that every CPU uses, so that each change interrupts all of them",
	.help = "One CPU maps, touches, protects and unmaps memory, the others compute in the same address\n"
		"space. A CPU that does not answer locks up the one that maps. There is nothing to verify.\n",
	.parameters = tlb_shootdown_parameters,
	.parameters_size = sizeof(struct tlb_shootdown),
	.run = tlb_shootdown_run,
};
