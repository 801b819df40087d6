// SPDX-License-Identifier: GPL-2.0-or-later
#include "checkers/expect.h"

#include "base/units.h"

#include <CUnit/CUnit.h>
#include <string.h>

#define S NANOSECONDS_PER_SECOND

static struct hl_frame frames[] = {
	{.function = "percpu_rwsem_wait", .reliable = true},
	{.function = "vfs_write.isra.0", .reliable = true},
};

static struct hl_event make_event(void)
{
	struct hl_event event;

	hl_event_init(&event, HL_EVENT_HUNG_TASK);
	event.title = "hung task in vfs_write";
	event.function = "vfs_write";
	event.stack.comm = "writer-3";
	event.stack.cpu = 1;
	event.stack.frames = frames;
	event.stack.count = sizeof(frames) / sizeof(frames[0]);
	return event;
}

static void check_match(const struct event_pattern *pattern, const char *mismatch)
{
	struct hl_event event = make_event();
	char found[256] = "stale";

	CU_ASSERT_EQUAL(event_matches(pattern, &event, found, sizeof(found)), mismatch == NULL);
	CU_ASSERT_EQUAL(event_matches(pattern, &event, NULL, 0), mismatch == NULL);
	CU_ASSERT_STRING_EQUAL(found, mismatch ? mismatch : "");
}

static void test_patterns(void)
{
	struct event_pattern pattern = {.kind = HL_EVENT_HUNG_TASK, .cpu = -1};

	check_match(&pattern, NULL);
	pattern.comm = "writer-?";
	pattern.title = "hung task in *";
	pattern.function = "vfs_*";
	pattern.cpu = 1;
	check_match(&pattern, NULL);
	pattern.comm = "writer";
	check_match(&pattern, "comm is writer-3, not writer");
	pattern.comm = NULL;
	pattern.cpu = 0;
	check_match(&pattern, "CPU is 1, not 0");
	pattern.cpu = -1;
	pattern.function = "ext4_*";
	check_match(&pattern, "function is vfs_write, not ext4_*");
	pattern.function = NULL;
	pattern.title = "x";
	check_match(&pattern, "title is hung task in vfs_write, not x");
}

static void test_seconds(void)
{
	struct event_seconds seconds = {.min = 60, .max = 72};
	struct event_pattern pattern = {.kind = HL_EVENT_SOFT_LOCKUP, .cpu = -1, .seconds = &seconds};
	static const struct {
		double seconds;
		bool matches;
	} samples[] = {{59, false}, {60, true}, {72, true}, {73, false}};
	struct hl_event event;
	char found[256];

	hl_event_init(&event, HL_EVENT_SOFT_LOCKUP);
	CU_ASSERT_FALSE(event_matches(&pattern, &event, NULL, 0));
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		event.seconds = samples[i].seconds;
		CU_ASSERT_EQUAL(event_matches(&pattern, &event, found, sizeof(found)), samples[i].matches);
	}
	CU_ASSERT_STRING_EQUAL(found, "seconds is 73, not 60 to 72");
}

static void test_fields(void)
{
	struct event_pattern pattern = {.kind = HL_EVENT_HARDWARE_ERROR, .cpu = -1};
	struct hl_event event;
	char found[256];

	hl_event_init(&event, HL_EVENT_HARDWARE_ERROR);
	event.fields = json_pack("{s:s, s:i, s:[]}", "device_id", "0000:00:03.0", "source", 1, "sections");
	pattern.fields = json_pack("{s:s, s:s, s:s}", "device_id", "0000:*:03.?", "source", "1", "@device_id",
				   "a position");
	CU_ASSERT_TRUE(event_matches(&pattern, &event, found, sizeof(found)));
	json_object_set_new((json_t *)pattern.fields, "source", json_string("2"));
	CU_ASSERT_FALSE(event_matches(&pattern, &event, found, sizeof(found)));
	CU_ASSERT_STRING_EQUAL(found, "source is 1, not 2");
	json_object_set_new((json_t *)pattern.fields, "source", json_string("*"));
	json_object_set_new((json_t *)pattern.fields, "sections", json_string("*"));
	CU_ASSERT_FALSE(event_matches(&pattern, &event, found, sizeof(found)));
	CU_ASSERT_STRING_EQUAL(found, "sections is unknown, not *");
	/* An event that has no fields at all. */
	json_decref(event.fields);
	event.fields = NULL;
	CU_ASSERT_FALSE(event_matches(&pattern, &event, NULL, 0));
	json_decref((json_t *)pattern.fields);
}

/* Another kind is no near miss: nothing is said about it. */
static void test_other_kind(void)
{
	const struct event_pattern pattern = {.kind = HL_EVENT_PANIC, .cpu = -1};

	check_match(&pattern, "");
}

static void test_unknown_members(void)
{
	const struct event_pattern pattern = {.kind = HL_EVENT_OOPS, .cpu = -1, .comm = "*"};
	struct hl_event event;
	char found[256];

	hl_event_init(&event, HL_EVENT_OOPS);
	CU_ASSERT_FALSE(event_matches(&pattern, &event, found, sizeof(found)));
	CU_ASSERT_STRING_EQUAL(found, "comm is unknown, not *");
}

static void test_stacks(void)
{
	const char *none[] = {NULL}, *both[] = {"vfs_write", "percpu_rwsem_wait", NULL},
		   *wrong[] = {"vfs_write", "vfs_read", NULL};
	const char *other[] = {"io_schedule", "vfs_read", NULL};
	struct event_stack stack = {.all = both, .any = none};
	struct event_pattern pattern = {.kind = HL_EVENT_HUNG_TASK, .cpu = -1, .stack = &stack};

	check_match(&pattern, NULL);
	stack.any = wrong;
	check_match(&pattern, NULL);
	stack.any = other;
	check_match(&pattern, "none of io_schedule ... is on the stack");
	stack.all = wrong;
	check_match(&pattern, "vfs_read is not on the stack");
	stack.all = stack.any = none;
	check_match(&pattern, NULL);
}

static struct detector_settings settings_of(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	struct detector_settings settings;

	CU_ASSERT_PTR_NOT_NULL_FATAL(json);
	detector_settings_load(&settings, json);
	json_decref(json);
	return settings;
}

static void test_settings(void)
{
	struct detector_settings settings =
		settings_of("{\"kernel.hung_task_timeout_secs\": 20, \"kernel.soft_watchdog\": 0,"
			    " \"workqueue.watchdog_thresh\": \"30\"}");
	json_t *json = detector_settings_json(&settings), *expected;

	CU_ASSERT_EQUAL(settings.hung_task_timeout, 20);
	CU_ASSERT_EQUAL(settings.hung_task_interval, -1);
	CU_ASSERT_EQUAL(settings.soft_watchdog, 0);
	CU_ASSERT_EQUAL(settings.workqueue_thresh, -1);
	expected =
		json_loads("{\"kernel.hung_task_timeout_secs\": 20, \"kernel.soft_watchdog\": 0}", 0, NULL);
	CU_ASSERT_TRUE(json_equal(json, expected));
	json_decref(json);
	json_decref(expected);
}

/*
 * What khungtaskd does (kernel/hung_task.c): it looks every interval; the first time that a task has not been
 * scheduled since the look before it notes the time, later it reports when that is a timeout ago. Before 4.20
 * there was no interval and no noted time: it looks every timeout and reports at the second look.
 *
 * Return: when a task that blocks at 0 is reported, for a first look at @first.
 */
static int64_t simulate_khungtaskd(int64_t timeout, int64_t interval, int64_t first)
{
	int64_t every = interval > 0 && interval < timeout ? interval : timeout, look = first;

	do
		look += every;
	while (look - first < timeout);
	return look;
}

static void test_hung_task_deadline(void)
{
	for (int64_t timeout = 1; timeout <= 130; timeout += 7)
		for (int64_t interval = -1; interval <= 140; interval++) {
			struct detector_settings settings = {.hung_task_timeout = timeout,
							     .hung_task_interval = interval};
			int64_t every = interval > 0 && interval < timeout ? interval : timeout;
			int64_t deadline = detector_deadline(&settings, HL_EVENT_HUNG_TASK);
			int64_t latest = simulate_khungtaskd(timeout, interval, every) * S;

			CU_ASSERT_TRUE_FATAL(deadline > latest);
			/* Not needlessly late either. */
			CU_ASSERT_TRUE_FATAL(deadline <= latest + 5 * S);
		}
}

static void test_deadlines(void)
{
	struct detector_settings defaults =
		settings_of("{\"kernel.hung_task_timeout_secs\": 120, "
			    "\"kernel.hung_task_check_interval_secs\": 0, \"kernel.watchdog_thresh\": 10,"
			    " \"kernel.soft_watchdog\": 1, \"kernel.nmi_watchdog\": 1, "
			    "\"rcupdate.rcu_cpu_stall_timeout\": 21, "
			    "\"workqueue.watchdog_thresh\": 30}");

	CU_ASSERT_EQUAL(detector_deadline(&defaults, HL_EVENT_HUNG_TASK), 243 * S);
	/* Timers that far away may be an eighth late. */
	defaults.hung_task_timeout = 240;
	CU_ASSERT_TRUE(detector_deadline(&defaults, HL_EVENT_HUNG_TASK) > 540 * S);
	CU_ASSERT_TRUE(detector_deadline(&defaults, HL_EVENT_HUNG_TASK) < 550 * S);
	defaults.hung_task_timeout = 120;
	/* RCU may speak first, after 21 s; then the watchdog counts anew. */
	CU_ASSERT_EQUAL(detector_deadline(&defaults, HL_EVENT_SOFT_LOCKUP), (21 + 3 + 28 + 3) * S);
	defaults.rcu_stall_timeout = 60;
	CU_ASSERT_EQUAL(detector_deadline(&defaults, HL_EVENT_SOFT_LOCKUP), 31 * S);
	defaults.rcu_stall_timeout = 21;
	CU_ASSERT_EQUAL(detector_deadline(&defaults, HL_EVENT_HARD_LOCKUP), 23 * S);
	CU_ASSERT_EQUAL(detector_deadline(&defaults, HL_EVENT_RCU_STALL), 24 * S);
	CU_ASSERT_EQUAL(detector_deadline(&defaults, HL_EVENT_WORKQUEUE_LOCKUP), 63 * S);
	CU_ASSERT_EQUAL(detector_deadline(&defaults, HL_EVENT_PANIC), 243 * S);
	CU_ASSERT_EQUAL(detector_deadline(&defaults, HL_EVENT_FS_ERROR), 0);
	/* Switched off, or no counter for it: silence would prove nothing. */
	defaults.nmi_watchdog = 0;
	CU_ASSERT_EQUAL(detector_deadline(&defaults, HL_EVENT_HARD_LOCKUP), -1);
	defaults.stall_limit = 2 * S;
	CU_ASSERT_EQUAL(detector_deadline(&defaults, HL_EVENT_STALLED), 5 * S);
	defaults.hung_task_interval = 10;
	CU_ASSERT_EQUAL(detector_deadline(&defaults, HL_EVENT_HUNG_TASK), 133 * S);
	/* A kernel before 4.20 has no such sysctl. */
	defaults.hung_task_interval = -1;
	CU_ASSERT_EQUAL(detector_deadline(&defaults, HL_EVENT_HUNG_TASK), 243 * S);
}

static void test_detectors_off(void)
{
	struct detector_settings settings = settings_of("{}");

	CU_ASSERT_EQUAL(detector_deadline(&settings, HL_EVENT_HUNG_TASK), -1);
	CU_ASSERT_EQUAL(detector_deadline(&settings, HL_EVENT_SOFT_LOCKUP), -1);
	CU_ASSERT_EQUAL(detector_deadline(&settings, HL_EVENT_HARD_LOCKUP), -1);
	CU_ASSERT_EQUAL(detector_deadline(&settings, HL_EVENT_RCU_STALL), -1);
	CU_ASSERT_EQUAL(detector_deadline(&settings, HL_EVENT_WORKQUEUE_LOCKUP), -1);
	CU_ASSERT_EQUAL(detector_deadline(&settings, HL_EVENT_PANIC), -1);
	CU_ASSERT_EQUAL(detector_deadline(&settings, HL_EVENT_STALLED), -1);
	settings.hung_task_timeout = 0;
	CU_ASSERT_EQUAL(detector_deadline(&settings, HL_EVENT_HUNG_TASK), -1);
	/* The switch is absent before 4.13: then only the threshold counts. */
	settings.watchdog_thresh = 10;
	CU_ASSERT_EQUAL(detector_deadline(&settings, HL_EVENT_SOFT_LOCKUP), 31 * S);
	settings.soft_watchdog = 0;
	CU_ASSERT_EQUAL(detector_deadline(&settings, HL_EVENT_SOFT_LOCKUP), -1);
}

CU_TestInfo expect_tests[] = {
	{"fields", test_fields},
	{"patterns", test_patterns},
	{"seconds", test_seconds},
	{"an event of another kind", test_other_kind},
	{"members that are unknown", test_unknown_members},
	{"sets of stack functions", test_stacks},
	{"settings of the guest", test_settings},
	{"the hung task deadline is never early", test_hung_task_deadline},
	{"deadlines", test_deadlines},
	{"detectors that are off", test_detectors_off},
	CU_TEST_INFO_NULL,
};
