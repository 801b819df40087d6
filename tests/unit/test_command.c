// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/command.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/version.h"
#include "package_fixture.h"
#include "program.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND(name) extern const struct command command_##name;
#include "cmd/list.def"
#undef COMMAND

static const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "cmd/list.def"
#undef COMMAND
	NULL,
};

#define RUN(...) program_run((const char *const[]){__VA_ARGS__, NULL})

static void check_usage(struct program_result result, const char *message)
{
	CU_ASSERT_EQUAL(result.code, EXIT_USAGE);
	CU_ASSERT_STRING_EQUAL(result.output, "");
	if (!strstr(result.errors, message))
		printf("\n    %s", result.errors);
	CU_ASSERT_PTR_NOT_NULL(strstr(result.errors, message));
	program_free(&result);
}

static void test_unknown_words(void)
{
	check_usage(RUN("rnu"), "hanglab: unknown command 'rnu'; did you mean 'run'?\n");
	check_usage(RUN("frobnicate"), "hanglab: unknown command 'frobnicate'; see hanglab --help\n");
	check_usage(RUN("run", "--fromat", "json", "x.yaml"),
		    "hanglab run: unknown option '--fromat'; did you mean '--format'?\n");
	check_usage(RUN("run", "--fromat=json", "x.yaml"),
		    "unknown option '--fromat'; did you mean '--format'?\n");
	check_usage(RUN("run", "--zzz"), "hanglab run: unknown option '--zzz'\nSee hanglab run --help.\n");
	check_usage(RUN("run", "-z", "x.yaml"), "hanglab run: unknown option '-z'\n");
	check_usage(RUN("run", "x.yaml", "-vz"), "hanglab run: unknown option '-z'\n");
	check_usage(RUN("run", "-zv", "x.yaml"), "hanglab run: unknown option '-z'\n");
}

static void test_operands(void)
{
	check_usage(RUN("run"), "hanglab run: expected SCENARIO...\n");
	check_usage(RUN("check"), "hanglab check: expected FILE...\n");
	check_usage(RUN("run", "--kernel"), "option '--kernel' needs a value");
	check_usage(RUN("run", "x.yaml", "-k"), "option '-k' needs a value");
	check_usage(RUN("run", "--verbose=3", "x.yaml"), "option '--verbose' takes no value");
	check_usage(RUN("kernel", "frobnicate"), "unknown action 'frobnicate'");
	check_usage(RUN("kernel", "add"), "add needs a path");
	check_usage(RUN("kernel", "build", "--name", "x"), "build needs --source");
	check_usage(RUN("kernel", "build", "--source", "debian:6.1"), "and --name");
	check_usage(RUN("kernel", "build", "--source", "debian:6.1", "--name", "x", "-j", "0"), "from 1 to");
	check_usage(RUN("kernel", "build", "x"), "build takes no operands");
}

static void test_values(void)
{
	static const char scenario[] = "scenarios/fsfreeze-hung-task.yaml";

	check_usage(RUN("run", "--repeat", "0", scenario), "--repeat: '0' is not a count");
	check_usage(RUN("run", "--repeat", "2x", scenario), "--repeat: '2x' is not a count");
	check_usage(RUN("run", "--jobs", "-1", scenario), "--jobs: '-1' is not a count");
	check_usage(RUN("run", "--format", "xml", scenario), "--format: 'xml' is not");
	check_usage(RUN("run", "--timeout-multiplier", "0", scenario), "the timeout multiplier '0'");
	check_usage(RUN("run", "--timeout-multiplier", "nan", scenario), "the timeout multiplier 'nan'");
	check_usage(RUN("run", "--seed", "-1", scenario), "--seed -1: ");
	check_usage(RUN("run", "--clock", "virtul", scenario), "did you mean 'virtual'?");
	check_usage(RUN("run", "--sysctl", "kernel.panic", scenario),
		    "--sysctl: 'kernel.panic' is not KEY=VALUE");
	check_usage(RUN("run", "--sysctl", "=1", scenario), "--sysctl: '=1' is not KEY=VALUE");
	check_usage(RUN("run", "--sysctl", "panic=1", scenario), "'panic' is not a sysctl");
}

/* More switches than there are arguments. */
static void test_many_switches(void)
{
	char switches[4000];

	memset(switches, 'v', sizeof(switches));
	switches[0] = '-';
	switches[sizeof(switches) - 1] = '\0';
	check_usage(RUN("run", switches), "hanglab run: expected SCENARIO...");
}

static void check_help(struct program_result result, const char *const *parts)
{
	CU_ASSERT_EQUAL(result.code, 0);
	CU_ASSERT_STRING_EQUAL(result.errors, "");
	for (; *parts; parts++) {
		if (!strstr(result.output, *parts))
			printf("\n    \"%s\" is not in %.60s", *parts, result.output);
		CU_ASSERT_PTR_NOT_NULL(strstr(result.output, *parts));
	}
	program_free(&result);
}

/* Every command explains itself in the same form, with an example and each of its options. */
static void test_help(void)
{
	const char *names[64] = {NULL};

	for (size_t i = 0; commands[i]; i++) {
		cleanup_free char *usage = file_path("Usage: hanglab %s", commands[i]->name);
		const char *const parts[] = {
			usage, "\nOptions:\n", "--help", "\nExamples:\n  hanglab ", commands[i]->summary,
			NULL};
		const struct command_option *option = commands[i]->options;
		const char *option_names[64] = {NULL};

		names[i] = commands[i]->name;
		for (size_t o = 0; option && option[o].name; o++)
			option_names[o] = option[o].name;
		check_help(RUN(commands[i]->name, "--help"), parts);
		check_help(RUN(commands[i]->name, "-h"), option_names);
		check_help(RUN("help", commands[i]->name), parts);
		CU_ASSERT_EQUAL(strncmp(commands[i]->example, "hanglab ", 8), 0);
	}
	check_help(RUN("--help"), names);
	check_help(RUN("-h"), names);
	check_help(RUN("help"), names);
}

static void test_version(void)
{
	struct program_result result cleanup_with(program_free) = RUN("--version");

	CU_ASSERT_EQUAL(result.code, 0);
	CU_ASSERT_STRING_EQUAL(result.output, "hanglab " HANGLAB_VERSION "\n");
}

static void test_no_command(void)
{
	struct program_result result cleanup_with(program_free) = program_run((const char *const[]){NULL});

	CU_ASSERT_EQUAL(result.code, EXIT_USAGE);
}

static void test_missing_scenario(void)
{
	struct program_result result cleanup_with(program_free) = RUN("run", "no-such-scenario.yaml");

	CU_ASSERT_EQUAL(result.code, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(result.errors, "no-such-scenario.yaml: No such file or directory"));
}

/* Options may stand before and behind the operands. */
static void test_order(void)
{
	cleanup_free char *path = file_path("%s/good.yaml", fixture_folder());
	struct program_result result = {0, NULL, NULL};

	fixture_write_text(path, "scenario: good\nchecks:\n  - forbid: panic\n");
	check_usage(RUN("run", path, "--repeat", "x"), "--repeat: 'x'");
	check_usage(RUN("run", "--repeat=x", path), "--repeat: 'x'");
	check_usage(RUN("run", "-rx", path), "--repeat: 'x'");
	result = RUN("check", "--", path);
	CU_ASSERT_EQUAL(result.code, 0);
	program_free(&result);
}

/* To "git bisect run" any other code below 128 would be an answer. */
static void check_cannot_be_tested(struct program_result result, const char *message)
{
	CU_ASSERT_EQUAL(result.code, 125);
	CU_ASSERT_PTR_NOT_NULL(strstr(result.errors, message));
	program_free(&result);
}

static void test_bisect_without_a_kernel(void)
{
	static const char scenario[] = "scenarios/exfat-loop-livelock.yaml";
	char folder[] = "/tmp/hanglab-unit-XXXXXX";
	cleanup_free char *tree = NULL;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	tree = file_path("tree:%s", folder);
	check_cannot_be_tested(RUN("bisect", scenario, tree), "no kernel was built in");
	/* Neither make nor, where it cannot be installed, a compiler finds anything to do. */
	check_cannot_be_tested(RUN("bisect", "--build", scenario, tree), "make");
	check_usage(RUN("bisect", "--build", scenario, "debian"), "it builds one kernel, named tree:FOLDER");
	rmdir(folder);
}

CU_TestInfo command_tests[] = {
	{"unknown commands and options", test_unknown_words},
	{"missing operands and values", test_operands},
	{"bad values", test_values},
	{"more switches than arguments", test_many_switches},
	{"help", test_help},
	{"version", test_version},
	{"no command", test_no_command},
	{"a missing scenario", test_missing_scenario},
	{"options before and behind operands", test_order},
	{"bisect of a tree without a kernel", test_bisect_without_a_kernel},
	CU_TEST_INFO_NULL,
};
