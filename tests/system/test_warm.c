// SPDX-License-Identifier: GPL-2.0-or-later
/* A guest that starts from a snapshot sees the same as one that was booted. */
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

/* An odd amount of memory: no snapshot of it can be there already. */
#define SCENARIO                                                                                             \
	"scenario: warm\n"                                                                                   \
	"vm: {memory: 301M, shift: %d}\n"                                                                    \
	"disks: [{name: data, size: 64M, fs: ext4, mount: /data, via: %s}]\n"                                \
	"sysctl: {kernel.hung_task_timeout_secs: 10}\n"                                                      \
	"timeline:\n"                                                                                        \
	"  - {start: writer, with: {dir: /data}}\n"                                                          \
	"  - {at: 2s, inject: fsfreeze, with: {mount: /data}, until: {event: hung_task, hold: 1s}}\n"        \
	"checks:\n"                                                                                          \
	"  - {expect: hung_task, comm: writer}\n"                                                            \
	"  - {forbid: [panic, oops, soft_lockup, fs_error]}\n"                                               \
	"  - {recovers: {within: 5s}}\n"

static char *scenario(int shift, const char *via)
{
	char *path = file_path("%s/warm-%d-%s.yaml", runs_folder(), shift, via);
	cleanup_free char *text = file_path(SCENARIO, shift, via);

	CU_ASSERT_EQUAL_FATAL(file_write(path, text, strlen(text), NULL), 0);
	return path;
}

/* Kind and title of each event, in order. */
static char *events_of(const struct outcome *outcome)
{
	const json_t *result = json_array_get(outcome->results, 0), *event;
	char *text = NULL;
	size_t size = 0, i;
	FILE *out = open_memstream(&text, &size);

	json_array_foreach (json_object_get(result, "events"), i, event)
		fprintf(out, "%s: %s\n", json_string_value(json_object_get(event, "kind")),
			json_string_value(json_object_get(event, "title")));
	fclose(out);
	return text;
}

/* The events of a run that started as @start says. */
static char *run_started(const char *path, const char *how, const char *start, const char *exact)
{
	struct outcome outcome;
	char *events;

	HANGLAB(&outcome, "run", "--format", "json", how, path);
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "verdict"), "PASS");
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "start"), start);
	CU_ASSERT_STRING_EQUAL(text_in(&outcome, "exact"), exact);
	events = events_of(&outcome);
	CU_ASSERT_PTR_NOT_NULL(strstr(events, "hung_task: "));
	outcome_free(&outcome);
	return events;
}

/* The folder of the snapshot that the newest run made, from its journal; newly allocated. */
static char *snapshot_folder(void)
{
	cleanup_free char *path = file_path("%s/latest/journal.jsonl", runs_folder()), *text = NULL;
	const char *folder, *key = "\"action\":\"snapshot\",\"folder\":\"";

	CU_ASSERT_EQUAL_FATAL(file_read(path, &text, NULL, NULL), 0);
	folder = strstr(text, key);
	CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
	folder += strlen(key);
	return strndup(folder, strcspn(folder, "\""));
}

static void hash_newest(const char *name, char *hash)
{
	cleanup_free char *path = file_path("%s/latest/%s", runs_folder(), name);

	CU_ASSERT(!hash_file(path, hash, NULL));
}

static void warm_equals_warm(const char *path, const char *cold)
{
	char console[2][HASH_TEXT_SIZE], kmsg[2][HASH_TEXT_SIZE];

	for (size_t i = 0; i < 2; i++) {
		cleanup_free char *warm = run_started(path, "--warm", "warm", "bytes");

		CU_ASSERT_STRING_EQUAL(warm, cold);
		hash_newest("console.log", console[i]);
		hash_newest("kmsg.log", kmsg[i]);
	}
	CU_ASSERT_STRING_EQUAL(console[0], console[1]);
	CU_ASSERT_STRING_EQUAL(kmsg[0], kmsg[1]);
}

/* Guest time of a message of the newest run. */
static double message_time(const char *type)
{
	cleanup_free char *path = file_path("%s/latest/channel.log", runs_folder()), *text = NULL;
	cleanup_free char *key = file_path("\"type\":\"%s\",\"ns\":", type);
	const char *at;

	CU_ASSERT_EQUAL_FATAL(file_read(path, &text, NULL, NULL), 0);
	at = strstr(text, key);
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	return strtod(at + strlen(key), NULL) / 1e9;
}

/* The guest goes on from the same snapshot, and its clock from where it stood. */
static void another_rate_starts_warm(const char *cold)
{
	cleanup_free char *path = scenario(6, "ram"), *warm = run_started(path, "--warm", "warm", "bytes");

	CU_ASSERT_STRING_EQUAL(warm, cold);
	CU_ASSERT(message_time("ready") > message_time("snapshot"));
	CU_ASSERT(message_time("ready") < message_time("snapshot") + 1);
}

static void warm_equals_cold(void)
{
	cleanup_free char *path = scenario(4, "ram"), *folder = NULL, *devices = NULL;
	cleanup_free char *cold = run_started(path, "--seed=1", "cold", "bytes");
	cleanup_free char *save = run_started(path, "--warm", "save", "events"), *again = NULL;

	folder = snapshot_folder();
	CU_ASSERT_STRING_EQUAL(save, cold);
	warm_equals_warm(path, cold);
	another_rate_starts_warm(cold);
	/* One that was cut is made again. */
	devices = file_path("%s/devices", folder);
	CU_ASSERT_EQUAL(file_write(devices, "QEVM", 4, NULL), 0);
	again = run_started(path, "--warm", "save", "events");
	CU_ASSERT_STRING_EQUAL(again, cold);
	file_remove_tree(folder, NULL);
}

/* What a server or a file holds is not part of the snapshot. */
static void disks_outside_start_cold(void)
{
	cleanup_free char *path = scenario(4, "virtio"),
			  *events = run_started(path, "--warm", "cold", "events");

	CU_ASSERT_PTR_NOT_NULL(events);
}

CU_TestInfo warm_tests[] = {
	{"a warm start gives the events of a cold one, and the bytes of another warm one", warm_equals_cold},
	{"a disk on the host starts cold", disks_outside_start_cold},
	CU_TEST_INFO_NULL,
};
