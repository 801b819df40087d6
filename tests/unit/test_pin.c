// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/pin.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <sys/wait.h>

static cpu_set_t two_cpus(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(1, &set);
	CPU_SET(5, &set);
	return set;
}

/* A pool of this test's own: real runs on the same machine hold places too. */
static char *new_pool(const char *name)
{
	return file_path("hanglab-test-%d-%s", (int)getpid(), name);
}

static void fewest_first(void)
{
	static const int expected[] = {1, 5, 1, 5, 1};
	cleanup_free char *pool = new_pool("fewest");
	cpu_set_t allowed = two_cpus();
	int held[5], cpu = -1;

	for (int i = 0; i < 5; i++) {
		held[i] = pin_take(pool, &allowed, &cpu);
		CU_ASSERT_FATAL(held[i] >= 0);
		CU_ASSERT_EQUAL(cpu, expected[i]);
	}
	/* The second place on CPU 5 is free again. */
	close(held[3]);
	held[3] = pin_take(pool, &allowed, &cpu);
	CU_ASSERT_EQUAL(cpu, 5);
	for (int i = 0; i < 5; i++)
		close(held[i]);
}

/* Another process sees what is taken, and what it held is free once it has ended. */
static void between_processes(void)
{
	cleanup_free char *pool = new_pool("processes");
	cpu_set_t allowed = two_cpus();
	int ends[2], cpu = -1, first, second, status = 0;
	char byte;
	pid_t pid;

	CU_ASSERT_FATAL(!pipe(ends));
	pid = fork();
	if (!pid) {
		close(ends[0]);
		_exit(pin_take(pool, &allowed, &cpu) >= 0 && write(ends[1], "x", 1) == 1 ? pause() : 1);
	}
	close(ends[1]);
	CU_ASSERT_EQUAL(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	first = pin_take(pool, &allowed, &cpu);
	CU_ASSERT_EQUAL(cpu, 5);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	second = pin_take(pool, &allowed, &cpu);
	CU_ASSERT_EQUAL(cpu, 1);
	close(first);
	close(second);
}

static void no_cpu(void)
{
	cpu_set_t none;
	int cpu = -1;

	CPU_ZERO(&none);
	CU_ASSERT_EQUAL(pin_take("hanglab-test", &none, &cpu), -EUSERS);
}

static void this_process(void)
{
	cpu_set_t before, now;
	int held;

	CU_ASSERT_FATAL(!sched_getaffinity(0, sizeof(before), &before));
	held = pin_process();
	CU_ASSERT(held >= 0);
	CU_ASSERT_FATAL(!sched_getaffinity(0, sizeof(now), &now));
	CU_ASSERT_EQUAL(CPU_COUNT(&now), 1);
	CU_ASSERT_FATAL(!sched_setaffinity(0, sizeof(before), &before));
	close(held);
}

CU_TestInfo pin_tests[] = {
	{"the CPU with the fewest others", fewest_first},
	{"between processes", between_processes},
	{"no CPU at all", no_cpu},
	{"this process", this_process},
	CU_TEST_INFO_NULL,
};
