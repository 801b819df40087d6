// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/pool.h"

#include "base/file.h"
#include "resources.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/** struct shared - counters that all processes see */
struct shared {
	_Atomic int running, most, started;
};

static struct shared *shared;

static void begin(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CU_ASSERT_PTR_NOT_EQUAL_FATAL((void *)shared, MAP_FAILED);
}

static void end(void)
{
	munmap(shared, sizeof(*shared));
	CU_ASSERT_FALSE(resources_has_children());
}

static void wait_ms(long ms)
{
	struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

/* The first piece takes the longest, so that they end in another order than they begin. */
static json_t *square(void *data, size_t index)
{
	int running = ++shared->running;

	(void)data;
	if (running > shared->most)
		shared->most = running;
	wait_ms(index ? 5 : 60);
	shared->running--;
	return json_integer((json_int_t)(index * index));
}

static void check_squares(size_t count, size_t jobs)
{
	json_t *results = NULL;

	shared->most = 0;
	CU_ASSERT_EQUAL(pool_run(count, jobs, square, NULL, &results, NULL), 0);
	CU_ASSERT_EQUAL(json_array_size(results), count);
	for (size_t i = 0; i < count; i++)
		CU_ASSERT_EQUAL(json_integer_value(json_array_get(results, i)), (json_int_t)(i * i));
	CU_ASSERT_TRUE((size_t)shared->most <= jobs);
	json_decref(results);
}

static void test_order(void)
{
	size_t before = resources_descriptors();

	begin();
	check_squares(0, 2);
	check_squares(7, 1);
	CU_ASSERT_EQUAL(shared->most, 1);
	check_squares(9, 3);
	CU_ASSERT_TRUE(shared->most > 1);
	check_squares(2, 8);
	end();
	CU_ASSERT_EQUAL(resources_descriptors(), before);
}

static json_t *die_in_the_middle(void *data, size_t index)
{
	(void)data;
	if (index == 1)
		raise(SIGKILL);
	if (index == 2)
		_exit(0);
	return json_pack("{s:i}", "index", (int)index);
}

static void test_dying_jobs(void)
{
	json_t *results = NULL;

	begin();
	CU_ASSERT_EQUAL(pool_run(4, 2, die_in_the_middle, NULL, &results, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(json_array_size(results), 4);
	CU_ASSERT_TRUE(json_is_object(json_array_get(results, 0)));
	CU_ASSERT_TRUE(json_is_null(json_array_get(results, 1)));
	CU_ASSERT_TRUE(json_is_null(json_array_get(results, 2)));
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_array_get(results, 3), "index")), 3);
	json_decref(results);
	end();
}

static json_t *large(void *data, size_t index)
{
	char *text = malloc(1 << 20);
	json_t *result;

	(void)data;
	(void)index;
	memset(text, 'x', 1 << 20);
	result = json_stringn(text, 1 << 20);
	free(text);
	return result;
}

/* More than a pipe holds. */
static void test_large_results(void)
{
	json_t *results = NULL;

	begin();
	CU_ASSERT_EQUAL(pool_run(3, 3, large, NULL, &results, NULL), 0);
	for (size_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(json_string_length(json_array_get(results, i)), 1 << 20);
	json_decref(results);
	end();
}

/* The first piece asks its parent to end; all that run wait for the SIGTERM that is passed on. */
static json_t *interrupt(void *data, size_t index)
{
	const struct timespec limit = {10, 0};
	sigset_t set;

	(void)data;
	shared->started++;
	if (!index)
		kill(getppid(), SIGINT);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	return json_boolean(sigtimedwait(&set, NULL, &limit) == SIGTERM);
}

static void test_interrupt(void)
{
	json_t *results = NULL;
	sigset_t before, after;

	begin();
	/* The kernel knows fewer signals than a sigset_t has room for. */
	memset(&before, 0, sizeof(before));
	memset(&after, 0, sizeof(after));
	sigprocmask(SIG_SETMASK, NULL, &before);
	CU_ASSERT_EQUAL(pool_run(6, 2, interrupt, NULL, &results, NULL), -EINTR);
	sigprocmask(SIG_SETMASK, NULL, &after);
	CU_ASSERT_EQUAL(memcmp(&before, &after, sizeof(before)), 0);
	CU_ASSERT_EQUAL_FATAL(json_array_size(results), 6);
	CU_ASSERT_TRUE(json_is_true(json_array_get(results, 0)));
	CU_ASSERT_TRUE(shared->started <= 2);
	for (size_t i = 2; i < 6; i++)
		CU_ASSERT_TRUE(json_is_null(json_array_get(results, i)));
	json_decref(results);
	end();
}

CU_TestInfo pool_tests[] = {
	{"results in order", test_order},
	{"a job that dies gives null", test_dying_jobs},
	{"large results", test_large_results},
	{"an interrupt ends it all", test_interrupt},
	CU_TEST_INFO_NULL,
};
