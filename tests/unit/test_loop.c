// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/loop.h"

#include "base/units.h"
#include "resources.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000LL

/**
 * struct scene - what the callbacks of a test share
 * @log: one letter per callback
 * @steps: how many callbacks end the loop
 */
struct scene {
	struct loop *loop;
	char log[64];
	size_t steps;
	bool done;
	int ends[2];
	struct loop_source *watch, *timer, *other;
	char text[16];
};

static void note(struct scene *scene, char letter)
{
	size_t used = strlen(scene->log);

	scene->log[used] = letter;
	scene->done = used + 1 >= scene->steps;
}

static void begin(struct scene *scene, size_t steps)
{
	struct hl_error err = HL_ERROR_INIT;

	memset(scene, 0, sizeof(*scene));
	scene->steps = steps;
	CU_ASSERT_EQUAL_FATAL(loop_open(&scene->loop, &err), 0);
	CU_ASSERT_EQUAL_FATAL(pipe2(scene->ends, O_CLOEXEC | O_NONBLOCK), 0);
}

static void end(struct scene *scene)
{
	loop_close(scene->loop);
	close(scene->ends[0]);
	if (scene->ends[1] >= 0)
		close(scene->ends[1]);
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * NANOSECONDS_PER_SECOND + time.tv_nsec;
}

static void on_a(void *data)
{
	note(data, 'a');
}

static void on_b(void *data)
{
	note(data, 'b');
}

static void on_c(void *data)
{
	note(data, 'c');
}

static void on_readable(void *data)
{
	struct scene *scene = data;
	ssize_t got = read(scene->ends[0], scene->text, sizeof(scene->text) - 1);

	note(scene, got > 0 ? 'r' : 'e');
	/* More to read next time. */
	if (got > 0 && scene->ends[1] >= 0)
		(void)!write(scene->ends[1], "y", 1);
}

static void run(struct scene *scene)
{
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL(loop_run(scene->loop, &scene->done, &err), 0);
}

static void test_timers(void)
{
	struct scene scene;
	int64_t begun = now();

	begin(&scene, 3);
	CU_ASSERT_EQUAL(loop_timer(scene.loop, 30 * MS, on_c, &scene, &scene.timer, NULL), 0);
	CU_ASSERT_EQUAL(loop_timer(scene.loop, 10 * MS, on_a, &scene, &scene.watch, NULL), 0);
	CU_ASSERT_EQUAL(loop_timer(scene.loop, 20 * MS, on_b, &scene, &scene.other, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL(scene.timer);
	run(&scene);
	CU_ASSERT_STRING_EQUAL(scene.log, "abc");
	CU_ASSERT_TRUE(now() - begun >= 30 * MS);
	CU_ASSERT_PTR_NULL(scene.timer);
	CU_ASSERT_PTR_NULL(scene.watch);
	end(&scene);
}

/* A timer that is set again fires once, at its new time. */
static void test_timer_set_again(void)
{
	struct scene scene;
	int64_t begun = now();

	begin(&scene, 2);
	CU_ASSERT_EQUAL(loop_timer(scene.loop, 1 * MS, on_a, &scene, &scene.timer, NULL), 0);
	CU_ASSERT_EQUAL(loop_timer(scene.loop, 40 * MS, on_b, &scene, &scene.timer, NULL), 0);
	CU_ASSERT_EQUAL(loop_timer(scene.loop, 20 * MS, on_c, &scene, &scene.other, NULL), 0);
	run(&scene);
	CU_ASSERT_STRING_EQUAL(scene.log, "cb");
	CU_ASSERT_TRUE(now() - begun >= 40 * MS);
	end(&scene);
}

static void again(void *data)
{
	struct scene *scene = data;

	note(scene, 't');
	CU_ASSERT_PTR_NULL(scene->timer);
	CU_ASSERT_EQUAL(loop_timer(scene->loop, 1 * MS, again, scene, &scene->timer, NULL), 0);
}

static void test_periodic_timer(void)
{
	struct scene scene;

	begin(&scene, 40);
	CU_ASSERT_EQUAL(loop_timer(scene.loop, 0, again, &scene, &scene.timer, NULL), 0);
	run(&scene);
	CU_ASSERT_EQUAL(strlen(scene.log), 40);
	end(&scene);
}

static void test_watch(void)
{
	struct scene scene;

	begin(&scene, 3);
	CU_ASSERT_EQUAL(loop_watch(scene.loop, scene.ends[0], on_readable, &scene, &scene.watch, NULL), 0);
	CU_ASSERT_EQUAL(write(scene.ends[1], "x", 1), 1);
	run(&scene);
	CU_ASSERT_STRING_EQUAL(scene.log, "rrr");
	end(&scene);
}

/* The end of a pipe is told too. */
static void test_hang_up(void)
{
	struct scene scene;

	begin(&scene, 1);
	close(scene.ends[1]);
	scene.ends[1] = -1;
	CU_ASSERT_EQUAL(loop_watch(scene.loop, scene.ends[0], on_readable, &scene, NULL, NULL), 0);
	run(&scene);
	CU_ASSERT_STRING_EQUAL(scene.log, "e");
	end(&scene);
}

static void remove_all(void *data)
{
	struct scene *scene = data;

	note(scene, 'x');
	loop_remove(scene->loop, &scene->watch);
	loop_remove(scene->loop, &scene->other);
	CU_ASSERT_PTR_NULL(scene->watch);
	CU_ASSERT_PTR_NULL(scene->other);
	loop_remove(scene->loop, &scene->other);
	/* Readable from now on: nobody may be told. */
	CU_ASSERT_EQUAL(write(scene->ends[1], "x", 1), 1);
}

static void test_removal(void)
{
	struct scene scene;
	struct loop_source *last = NULL;

	begin(&scene, 2);
	CU_ASSERT_EQUAL(loop_watch(scene.loop, scene.ends[0], on_readable, &scene, &scene.watch, NULL), 0);
	CU_ASSERT_EQUAL(loop_timer(scene.loop, 5 * MS, remove_all, &scene, &scene.timer, NULL), 0);
	CU_ASSERT_EQUAL(loop_timer(scene.loop, 15 * MS, on_a, &scene, &scene.other, NULL), 0);
	CU_ASSERT_EQUAL(loop_timer(scene.loop, 40 * MS, on_b, &scene, &last, NULL), 0);
	run(&scene);
	CU_ASSERT_STRING_EQUAL(scene.log, "xb");
	end(&scene);
}

static void remove_self(void *data)
{
	struct scene *scene = data;

	loop_remove(scene->loop, &scene->watch);
	note(scene, 's');
}

/* A watch that removes itself from its callback, with its descriptor still readable. */
static void test_removal_of_itself(void)
{
	struct scene scene;

	begin(&scene, 2);
	CU_ASSERT_EQUAL(write(scene.ends[1], "x", 1), 1);
	CU_ASSERT_EQUAL(loop_watch(scene.loop, scene.ends[0], remove_self, &scene, &scene.watch, NULL), 0);
	CU_ASSERT_EQUAL(loop_timer(scene.loop, 20 * MS, on_a, &scene, &scene.timer, NULL), 0);
	run(&scene);
	CU_ASSERT_STRING_EQUAL(scene.log, "sa");
	end(&scene);
}

/* More sources than the ring has places. */
static void test_many(void)
{
	static struct loop_source *timers[300];
	struct scene scene;

	begin(&scene, 1);
	for (size_t round = 0; round < 3; round++)
		for (size_t i = 0; i < 300; i++)
			CU_ASSERT_EQUAL(loop_timer(scene.loop, 3600 * NANOSECONDS_PER_SECOND, on_a, &scene,
						   &timers[i], NULL),
					0);
	CU_ASSERT_EQUAL(loop_timer(scene.loop, 1 * MS, on_b, &scene, &scene.timer, NULL), 0);
	run(&scene);
	CU_ASSERT_STRING_EQUAL(scene.log, "b");
	end(&scene);
}

static void test_nothing_left(void)
{
	size_t before = resources_descriptors();
	struct scene scene;

	begin(&scene, 1);
	CU_ASSERT_EQUAL(loop_watch(scene.loop, scene.ends[0], on_readable, &scene, NULL, NULL), 0);
	CU_ASSERT_EQUAL(
		loop_timer(scene.loop, 3600 * NANOSECONDS_PER_SECOND, on_a, &scene, &scene.timer, NULL), 0);
	end(&scene);
	loop_close(NULL);
	CU_ASSERT_EQUAL(resources_descriptors(), before);
}

CU_TestInfo loop_tests[] = {
	{"timers in order", test_timers},
	{"a timer that is set again", test_timer_set_again},
	{"a timer set from its callback", test_periodic_timer},
	{"a descriptor is watched again and again", test_watch},
	{"the end of a pipe", test_hang_up},
	{"removed sources are silent", test_removal},
	{"a source removes itself", test_removal_of_itself},
	{"many sources", test_many},
	{"nothing is left", test_nothing_left},
	CU_TEST_INFO_NULL,
};
