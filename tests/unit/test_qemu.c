// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/arena.h"
#include "vm/qemu.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

/* Value of @option in the command line for a guest with @boot, newly allocated; NULL without the option. */
static char *value_of(const char *option, const char *boot, const char *snapshot)
{
	struct plan_vm vm = {.cpus = 1, .memory = 512ULL << 20, .boot = (char *)boot};
	struct plan plan = {.scenario = "s", .vm = &vm};
	struct qemu_request request = {.plan = &plan,
				       .image = "k",
				       .initramfs = "i",
				       .run_folder = "RUN",
				       .start = "cold",
				       .snapshot = snapshot};
	struct arena arena = {NULL};
	char *value = NULL;

	for (const char *const *argument = qemu_command(&request, &arena); *argument; argument++)
		if (!strcmp(*argument, option))
			value = strdup(argument[1]);
	arena_free(&arena);
	return value;
}

static void check_boot(const char *boot, const char *has, const char *has_not)
{
	char *line = value_of("-append", boot, NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(line);
	CU_ASSERT_PTR_NOT_NULL(strstr(line, has));
	CU_ASSERT_PTR_NULL(strstr(line, has_not));
	free(line);
}

/* A parameter of the scenario takes the place of ours with the same name, and of no other. */
static void test_boot_parameters(void)
{
	check_boot("", " panic=-1 nokaslr ", "  ");
	check_boot("isolcpus=1", "panic=-1 nokaslr", "  ");
	check_boot("panic=5 isolcpus=1", " panic=5 isolcpus=1", "panic=-1");
	check_boot("isolcpus=1  panic", "isolcpus=1  panic", "panic=-1");
	check_boot("panic_on_oops=1 nopanic=1", "panic=-1", "  ");
	check_boot("initcall_blacklist=none", "initcall_blacklist=none", "trace_eval_init");
	check_boot("console=tty0", "console=ttyS0 ", "  ");
	check_boot("console=tty0", " console=tty0", "  ");
}

static void test_warm(void)
{
	static const char *const options[] = {"-kernel", "-initrd", "-append"};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		char *cold = value_of(options[i], "", NULL), *warm = value_of(options[i], "", "SNAPSHOT");

		CU_ASSERT_PTR_NOT_NULL(cold);
		CU_ASSERT_PTR_NULL(warm);
		free(cold);
		free(warm);
	}
}

CU_TestInfo qemu_tests[] = {
	{"boot parameters", test_boot_parameters},
	{"a restored guest has its kernel", test_warm},
	CU_TEST_INFO_NULL,
};
