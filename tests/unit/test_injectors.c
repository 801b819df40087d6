// SPDX-License-Identifier: GPL-2.0-or-later
/* What every injector promises, and that none of those on the host's side can be aimed at the host. */
#include "base/arena.h"
#include "inject/inject.h"
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
	static const char *const names[] = {"pid", "process", "path", "file", "socket", "host", "port"};

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
	{"features of the VM", test_features},
	CU_TEST_INFO_NULL,
};
