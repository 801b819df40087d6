// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Injectors that run inside the guest refuse this machine, before they change anything. The load itself is
 * tested here as in a lab VM, with workers that only sleep, in a child: its leave holds for a whole process.
 */
#include "base/cleanup.h"
#include "base/file.h"
#include "inject/lab_vm.h"
#include "inject/load.h"
#include "inject/setting.h"
#include "package_fixture.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const char *const guarded[] = {"cgroup-throttle", "clock-jump",	     "cpu-hog",	 "irq-storm",
				      "memory-pressure", "page-fault-storm", "thp-churn"};

/* Another test that failed may have left a child of its own. */
static bool is_childless(void)
{
	return waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT) && errno == ECHILD;
}

static void check_refused(const char *name)
{
	const struct injector *injector = injector_find(name);
	struct injection injection = {0};
	struct hl_error err = HL_ERROR_INIT;
	cleanup_free void *parameters = NULL, *state = NULL;
	bool childless = is_childless();

	CU_ASSERT_PTR_NOT_NULL_FATAL(injector);
	CU_ASSERT_EQUAL_FATAL(injector->side, INJECTOR_GUEST);
	parameters = calloc(1, injector->parameters_size + 1);
	state = calloc(1, injector->state_size + 1);
	parameters_set_defaults(injector->parameters, parameters);
	injection.parameters = parameters;
	injection.state = state;
	CU_ASSERT_EQUAL(injector->inject(&injection, &err), -EPERM);
	CU_ASSERT_STRING_EQUAL(err.text, "this injector runs inside a lab VM only");
	CU_ASSERT_EQUAL(is_childless(), childless);
}

static void test_host_is_refused(void)
{
	for (size_t i = 0; i < sizeof(guarded) / sizeof(guarded[0]); i++)
		check_refused(guarded[i]);
}

/* The parameters that injectors may have are known; none could be a process or a path of the host. */
static void test_guarded_take_no_path(void)
{
	for (size_t i = 0; i < sizeof(guarded) / sizeof(guarded[0]); i++)
		for (const struct parameter *parameter = injector_find(guarded[i])->parameters;
		     parameter->name; parameter++) {
			CU_ASSERT(parameter->type != PARAMETER_PATH && parameter->type != PARAMETER_STRING);
			CU_ASSERT(!strstr(parameter->name, "pid"));
		}
}

/* Runs @body in a child. Return: its exit status. */
static int in_child(int (*body)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(body());
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void sleep_and_count(struct load_worker *worker)
{
	while (load_goes_on(worker)) {
		load_pause(worker, 1000000);
		load_count(worker, 1);
	}
}

static void end_at_once(struct load_worker *worker)
{
	(void)worker;
}

static int open_load(struct load *load, int64_t limit)
{
	lab_vm_entered();
	return load_open(load, limit, NULL);
}

static int stops(void)
{
	struct load load = {0};
	struct injection injection = {0};

	if (open_load(&load, 60000000000) ||
	    load_start_each(&load, "worker", 1, sleep_and_count, NULL, NULL) ||
	    load_start(&load, "worker", -1, sleep_and_count, NULL, NULL))
		return 1;
	while (load_operations(&load) < 2)
		;
	if (!load_confirm_ended(&load, &injection, NULL))
		return 2;
	if (load_stop(&load, NULL))
		return 3;
	return load_confirm_ended(&load, &injection, NULL) ||
	       strncmp(injection.evidence, "all 2 processes of the load have ended; ", 40);
}

static int ends_at_its_limit(void)
{
	struct load load = {0};
	int status;

	if (open_load(&load, 30000000) || load_start(&load, "worker", -1, sleep_and_count, NULL, NULL))
		return 1;
	return waitpid(load.pids[0], &status, 0) != load.pids[0] || status;
}

static int tells_of_early_ends(void)
{
	struct load load = {0};
	struct hl_error err = HL_ERROR_INIT;
	siginfo_t info;

	if (open_load(&load, 60000000000) || load_start(&load, "worker", -1, end_at_once, NULL, NULL) ||
	    load_start(&load, "worker", -1, sleep_and_count, NULL, NULL) ||
	    waitid(P_PID, (id_t)load.pids[0], &info, WEXITED | WNOWAIT))
		return 1;
	if (load_stop(&load, &err) != -ECHILD || !strstr(err.text, "ended before the release"))
		return 2;
	return load_confirm_ended(&load, &(struct injection){0}, NULL);
}

static void test_load(void)
{
	CU_ASSERT_EQUAL(in_child(stops), 0);
	CU_ASSERT_EQUAL(in_child(ends_at_its_limit), 0);
	CU_ASSERT_EQUAL(in_child(tells_of_early_ends), 0);
}

static void check_setting(const char *before, const char *after)
{
	cleanup_free char *path = file_path("%s/setting", fixture_folder()), *text = NULL;
	struct setting setting = {0};

	fixture_write_text(path, before);
	CU_ASSERT_EQUAL(setting_change(&setting, path, "never", NULL), 0);
	CU_ASSERT_EQUAL(truncate(path, 0), 0);
	CU_ASSERT_EQUAL(setting_restore(&setting, NULL), 0);
	CU_ASSERT_EQUAL(file_read(path, &text, NULL, NULL), 0);
	CU_ASSERT_STRING_EQUAL(text, after);
}

static void test_setting(void)
{
	struct setting unchanged = {0};

	check_setting("950000\n", "950000");
	check_setting("always [madvise] never\n", "madvise");
	CU_ASSERT_EQUAL(setting_restore(&unchanged, NULL), 0);
	CU_ASSERT_EQUAL(setting_change(&unchanged, "/no/such/file", "1", NULL), -ENOENT);
}

CU_TestInfo load_tests[] = {
	{"the host is refused", test_host_is_refused},
	{"no parameter names anything of the host", test_guarded_take_no_path},
	{"load", test_load},
	{"setting", test_setting},
	CU_TEST_INFO_NULL,
};
