// SPDX-License-Identifier: GPL-2.0-or-later
/* hanglab new and init: what they write can be used as it is. */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LIMIT_MS 60000

static char folder[] = "/tmp/hanglab-new-XXXXXX";

/* What a shell command prints when it is run in the folder; $HANGLAB is the program, $TREE the sources. */
static char *shell(const char *command)
{
	cleanup_free char *program = realpath(getenv("HANGLAB") ? getenv("HANGLAB") : "./hanglab", NULL);
	cleanup_free char *tree = realpath(".", NULL), *script = NULL;
	struct hl_error err = HL_ERROR_INIT;
	const char *arguments[] = {"sh", "-c", NULL, NULL};
	char *output = NULL;

	script = file_path("cd %s && HANGLAB=%s TREE=%s && { %s; } 2>&1", folder, program, tree, command);
	arguments[2] = script;
	if (process_run(arguments, LIMIT_MS, &output, &err))
		printf("\n    %s", err.text);
	return output ? output : strdup("");
}

static void check_says(const char *command, const char *message)
{
	cleanup_free char *output = shell(command);

	if (!strstr(output, message))
		printf("\n    %s: %s", command, output);
	CU_ASSERT_PTR_NOT_NULL(strstr(output, message));
}

static void make_folder(void)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
}

static void test_scenario(void)
{
	make_folder();
	check_says("$HANGLAB new scenario my-freeze", "wrote my-freeze.yaml");
	check_says("$HANGLAB check my-freeze.yaml", "my-freeze.yaml: my-freeze is valid");
	check_says("$HANGLAB new scenario my-freeze; echo $?", "write my-freeze.yaml: File exists\n2\n");
	check_says("$HANGLAB new scenario ../x || echo $?", "'../x' is no name");
	check_says("$HANGLAB new inector x || echo $?", "did you mean 'injector'?");
	file_remove_tree(folder, NULL);
}

/* Each compiles without a warning, and has its line where it belongs. */
static void test_source(void)
{
	static const char compile[] =
		"gcc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -I$TREE "
		"-I$TREE/harness -I$TREE/checkers";
	cleanup_free char *command = NULL;

	make_folder();
	check_says("$HANGLAB new injector clock-stop || echo $?", "in the source tree of hanglab");
	check_says("mkdir -p scenarios && for list in inject/list.def inject/workload/list.def "
		   "checkers/signatures.def; do mkdir -p $(dirname $list) && cp $TREE/$list $list; done && "
		   "$HANGLAB new injector clock-stop && LC_ALL=C grep INJECTOR inject/list.def | LC_ALL=C "
		   "sort -c "
		   "&& grep -F 'INJECTOR(clock_stop)' inject/list.def",
		   "INJECTOR(clock_stop)\n");
	check_says(
		"$HANGLAB new workload my-load && LC_ALL=C grep WORKLOAD inject/workload/list.def | LC_ALL=C "
		"sort -c && echo sorted",
		"sorted\n");
	check_says("$HANGLAB new checker strange && tail -n 1 checkers/signatures.def",
		   "\nSIGNATURE(strange, WARNING, ");
	check_says("$HANGLAB new checker strange || echo $?", "File exists\n2\n");
	command =
		file_path("%s inject/clock_stop.c inject/workload/my_load.c checkers/parse_strange.c && echo "
			  "compiled",
			  compile);
	check_says(command, "compiled\n");
	file_remove_tree(folder, NULL);
}

static void test_init(void)
{
	make_folder();
	check_says("$HANGLAB init lockups && $HANGLAB check lockups/first.yaml", "first is valid");
	check_says("cat lockups/.gitignore", "runs/\n");
	check_says("$HANGLAB init lockups; echo $?", "File exists\n2\n");
	file_remove_tree(folder, NULL);
}

static void test_manual(void)
{
	make_folder();
	check_says("$HANGLAB manual", ".SS \"hanglab run [OPTION]... SCENARIO...\"\n");
	check_says("$HANGLAB manual", ".B \\-k, \\-\\-kernel \\fINAME\\fR\n");
	check_says("$HANGLAB manual | grep -c '^[.][a-z]' || true", "0\n");
	file_remove_tree(folder, NULL);
}

/* As bash calls it: the words so far, and the number of the one to complete. */
#define COMPLETE(words, number)                                                                              \
	"$HANGLAB completion bash > script && bash -c 'source ./script; COMP_WORDS=(hanglab " words          \
	"); COMP_CWORD=" number "; _hanglab; echo \"[${COMPREPLY[*]}]\"'"

static void test_completion(void)
{
	make_folder();
	check_says(COMPLETE("dia", "1"), "[diagnose]\n");
	check_says(COMPLETE("run --cl", "2"), "[--clock]\n");
	check_says(COMPLETE("run --clock v", "3"), "[virtual]\n");
	check_says(COMPLETE("list inj", "2"), "[injectors]\n");
	check_says(COMPLETE("run --kernel x", "3"), "[]\n");
	check_says("$HANGLAB completion fish || echo $?", "unknown shell 'fish': bash or zsh");
	check_says("$HANGLAB completion zsh", "--clock'[");
	file_remove_tree(folder, NULL);
}

CU_TestInfo new_tests[] = {
	{"a scenario", test_scenario},
	{"injector, workload, checker", test_source},
	{"init", test_init},
	{"man page", test_manual},
	{"completion", test_completion},
	CU_TEST_INFO_NULL,
};
