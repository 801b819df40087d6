// SPDX-License-Identifier: GPL-2.0-or-later
/* What every injector promises, and that none of those on the host's side can be aimed at the host. */
#include "base/arena.h"
#include "inject/disk.h"
#include "inject/inject.h"
#include "inject/lab_vm.h"
#include "vm/qemu.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

static void test_steps(void)
{
	for (const struct injector *const *injector = injector_list(); *injector; injector++) {
		CU_ASSERT_TRUE((*injector)->inject && (*injector)->confirm && (*injector)->release &&
			       ((*injector)->confirm_released || (*injector)->guest_confirm_released));
		CU_ASSERT_TRUE((*injector)->side == INJECTOR_HOST ||
			       (!(*injector)->proved_later && !(*injector)->guest_confirm));
		CU_ASSERT_FALSE((*injector)->proved_later && (*injector)->stops_vm);
	}
}

/* A default that its own table refuses would be dropped without a word. */
static void test_defaults(void)
{
	for (const struct injector *const *injector = injector_list(); *injector; injector++)
		for (const struct parameter *parameter = (*injector)->parameters;
		     parameter && parameter->name; parameter++) {
			char *values = calloc(1, (*injector)->parameters_size + 16);

			CU_ASSERT_FALSE(parameter->fallback &&
					parameter_set(parameter, parameter->fallback, values, NULL));
			free(values);
		}
}

/* They get a VM to act on (struct injection_vm) and nothing that could name anything else. */
static void test_no_way_to_the_host(void)
{
	static const char *const names[] = {"pid",    "process", "thread", "tid",  "vm",   "qemu", "qmp",
					    "socket", "path",	 "file",   "host", "port", "group"};

	for (const struct injector *const *injector = injector_list(); *injector; injector++) {
		if ((*injector)->side != INJECTOR_HOST)
			continue;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			CU_ASSERT_PTR_NULL(parameter_find((*injector)->parameters, names[i]));
		for (const struct parameter *parameter = (*injector)->parameters;
		     parameter && parameter->name; parameter++)
			CU_ASSERT_NOT_EQUAL(parameter->type, PARAMETER_PATH);
	}
}

static const char *any_value(const struct parameter *parameter)
{
	switch (parameter->type) {
	case PARAMETER_PATH:
		return "/not/there";
	case PARAMETER_STRING:
		return "not-there";
	case PARAMETER_DURATION:
		return "10s";
	case PARAMETER_CHOICE:
		return parameter->choices[0];
	default:
		return "1";
	}
}

/* None of what they name is there. */
static void give_required_parameters(const struct parameter *table, void *values)
{
	parameters_set_defaults(table, values);
	for (; table && table->name; table++)
		if (table->required)
			CU_ASSERT_EQUAL(parameter_set(table, any_value(table), values, NULL), 0);
}

/* Those that run in the guest would find the host's file systems, disks, memory and clock here. */
static void test_guest_side_refuses(void)
{
	CU_ASSERT_EQUAL_FATAL(lab_vm_require(NULL), -EPERM);
	for (const struct injector *const *injector = injector_list(); *injector; injector++) {
		void *parameters = calloc(1, (*injector)->parameters_size + 1),
		     *state = calloc(1, (*injector)->state_size + 1);
		struct injection injection = {.parameters = parameters, .state = state};
		struct hl_error err = HL_ERROR_INIT;
		int r = -EPERM;

		if ((*injector)->side == INJECTOR_GUEST) {
			give_required_parameters((*injector)->parameters, parameters);
			r = (*injector)->inject(&injection, &err);
		}
		CU_ASSERT_EQUAL(r, -EPERM);
		if (r != -EPERM)
			printf("\n    %s: %s", (*injector)->name, err.text);
		free(parameters);
		free(state);
	}
}

static pid_t named;

static pid_t name_process(void *vm)
{
	(void)vm;
	return named;
}

static pid_t name_server(void *vm, const char *disk, struct hl_error *err)
{
	(void)vm;
	(void)disk;
	(void)err;
	return named;
}

/* Numbers that kill(2) takes for everybody, for this group and for the init process. */
static void test_signals_reach_one_process(void)
{
	static const char *const names[] = {"vm-pause", "server-stop"};
	static const struct disk_parameter disk = {"data"};
	static const pid_t wrong[] = {-1, 0, 1};
	struct injection_vm vm = {.process = name_process, .server_pid = name_server};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t j = 0; j < sizeof(wrong) / sizeof(wrong[0]); j++) {
			char state[256] = "";
			struct injection injection = {.parameters = &disk, .state = state, .vm = &vm};
			struct hl_error err = HL_ERROR_INIT;

			named = wrong[j];
			CU_ASSERT(injector_find(names[i])->inject(&injection, &err) < 0);
			CU_ASSERT(injector_find(names[i])->release(&injection, &err) < 0);
		}
}

static bool has_argument(unsigned int features, const char *text)
{
	struct plan_vm vm = {.cpus = 1, .memory = 512ULL << 20, .boot = ""};
	struct plan plan = {.scenario = "s", .vm = &vm};
	struct qemu_request request = {
		.plan = &plan, .features = features, .image = "k", .initramfs = "i", .run_folder = "RUN"};
	struct arena arena = {NULL};
	bool found = false;

	for (const char *const *argument = qemu_command(&request, &arena); *argument; argument++)
		found |= strstr(*argument, text) != NULL;
	arena_free(&arena);
	return found;
}

/* Only a VM whose plan needs it can be reached from outside, or has the hardware. */
static void test_features(void)
{
	static const struct {
		unsigned int feature;
		const char *text;
	} features[] = {
		{VM_MEMORY_ACCESS, "qtest"},	{VM_ERROR_SOURCES, "HEST"}, {VM_ROOT_PORT, "pcie-root-port"},
		{VM_NETWORK, "virtio-net-pci"}, {VM_WATCHDOG, "i6300esb"},
	};

	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		CU_ASSERT_TRUE(has_argument(features[i].feature, features[i].text));
		CU_ASSERT_FALSE(has_argument(~features[i].feature, features[i].text));
	}
}

CU_TestInfo injectors_tests[] = {
	{"every step is there", test_steps},
	{"defaults", test_defaults},
	{"no way to the host", test_no_way_to_the_host},
	{"those of the guest refuse the host", test_guest_side_refuses},
	{"signals reach one process", test_signals_reach_one_process},
	{"features of the VM", test_features},
	CU_TEST_INFO_NULL,
};
