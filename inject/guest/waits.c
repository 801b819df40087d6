// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/waits.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "inject/disk.h"
#include "inject/guest/channel.h"
#include "inject/guest/child.h"
#include "inject/wait_layer.h"
#include "inject/workload/workload.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <string.h>

struct sample {
	struct waiter waiters[MOST_WAITERS];
	size_t count;
};

/**
 * struct wait - what a task waits for
 * @state: its letter in /proc/PID/stat
 */
struct wait {
	enum wait_layer layer;
	char function[64], comm[64], state;
};

/* "PID (COMM) STATE ...": comm may hold anything, brackets too (proc(5)). */
static bool read_state(const char *task, struct wait *wait)
{
	cleanup_free char *path = file_path("%s/stat", task), *text = NULL;
	char *from, *to;

	if (file_read(path, &text, NULL, NULL))
		return false;
	from = strchr(text, '(');
	to = strrchr(text, ')');
	if (!from || !to || !to[1])
		return false;
	snprintf(wait->comm, sizeof(wait->comm), "%.*s", (int)(to - from - 1), from + 1);
	wait->state = to[2];
	return true;
}

/* A kernel without CONFIG_STACKTRACE still says where a task sleeps. */
static bool read_wait(const char *task, struct wait *wait)
{
	cleanup_free char *stack_path = file_path("%s/stack", task),
			  *wchan_path = file_path("%s/wchan", task);
	cleanup_free char *stack = NULL;

	if (!read_state(task, wait))
		return false;
	if ((file_read(stack_path, &stack, NULL, NULL) || !stack[0]) &&
	    file_read(wchan_path, &stack, NULL, NULL))
		return false;
	wait->layer = wait_layer_of_stack(stack, wait->function, sizeof(wait->function));
	return true;
}

/*
 * A workload may wait in a thread that the kernel made for it (iou-wrk-PID): a thread in D state tells more
 * than one that sleeps until it is done, and a known layer more than none.
 */
static int weight(const struct wait *wait)
{
	return (wait->state == 'D' ? 2 : 0) + (wait->layer != WAIT_UNKNOWN ? 1 : 0);
}

static bool find_wait(pid_t pid, struct wait *best)
{
	cleanup_free char *folder = file_path("/proc/%d/task", (int)pid);
	DIR *tasks = opendir(folder);
	struct dirent *entry;
	bool found = false;

	while (tasks && (entry = readdir(tasks))) {
		cleanup_free char *task = file_path("%s/%s", folder, entry->d_name);
		struct wait wait;

		if (!isdigit((unsigned char)entry->d_name[0]) || !read_wait(task, &wait) || wait.state == 'R')
			continue;
		if (!found || weight(&wait) > weight(best))
			*best = wait;
		found = true;
	}
	if (tasks)
		closedir(tasks);
	return found;
}

static bool differs(const char *path, const char *healthy)
{
	cleanup_free char *text = NULL;

	return !file_read(path, &text, NULL, NULL) && strncmp(text, healthy, strlen(healthy)) != 0;
}

/* "/sys/devices/.../NAMEn/..." contains a component that begins with NAME: its whole name. */
static char *component(const char *path, const char *name)
{
	const char *found = strstr(path, name);

	return found ? file_path("%.*s", (int)strcspn(found + 1, "/"), found + 1) : NULL;
}

/*
 * Is the connection below the disk in order? SCSI device and host "running", an NVMe controller "live", an
 * iSCSI session "LOGGED_IN"; what has no such file has no transport of its own.
 */
static bool transport_is_down(const char *disk_name)
{
	cleanup_free char *device = NULL, *state = NULL, *session = NULL, *host = NULL;
	char real[PATH_MAX] = "";
	struct disk disk;

	if (!disk_name || disk_find(disk_name, &disk, NULL))
		return false;
	device = disk_sysfs(disk.below);
	state = file_path("%s/device/state", device);
	if (differs(state, strstr(disk.below, "nvme") ? "live" : "running"))
		return true;
	session = file_path("%s/device", device);
	if (!realpath(session, real))
		return false;
	free(session);
	session = component(real, "/session");
	host = component(real, "/host");
	if (session) {
		cleanup_free char *path = file_path("/sys/class/iscsi_session/%s/state", session);

		if (differs(path, "LOGGED_IN"))
			return true;
	}
	if (host) {
		cleanup_free char *path = file_path("/sys/class/scsi_host/%s/state", host);

		return differs(path, "running");
	}
	return false;
}

static json_t *describe(const struct wait *wait, const char *key, const char *name)
{
	return json_pack("{s:s, s:s, s:s}", key, name, "layer", wait_layer_name(wait->layer), "function",
			 wait->function);
}

static json_t *sample_workloads(const struct sample *sample)
{
	json_t *found = json_array();

	/* The newest comes first in a sample. */
	for (size_t i = sample->count; i-- > 0;) {
		const struct waiter *waiter = &sample->waiters[i];
		struct wait wait = {0};

		if (!waiter->wanted || !find_wait(waiter->pid, &wait))
			continue;
		if ((wait.layer == WAIT_BLOCK || wait.layer == WAIT_JOURNAL) &&
		    transport_is_down(waiter->disk))
			wait.layer = WAIT_TRANSPORT;
		json_array_append_new(found, describe(&wait, "workload", waiter->workload));
	}
	return found;
}

static bool is_waiter(const struct sample *sample, pid_t pid)
{
	for (size_t i = 0; i < sample->count; i++)
		if (sample->waiters[i].pid == pid)
			return true;
	return false;
}

/* Whatever else is in D state: the journal's thread, writeback, error handling ... */
static void sample_others(const struct sample *sample, json_t *found)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	while (processes && (entry = readdir(processes))) {
		cleanup_free char *task = file_path("/proc/%s", entry->d_name);
		struct wait wait;

		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    is_waiter(sample, (pid_t)atoi(entry->d_name)) || !read_state(task, &wait) ||
		    wait.state != 'D' || !read_wait(task, &wait))
			continue;
		json_array_append_new(found, describe(&wait, "task", wait.comm));
	}
	if (processes)
		closedir(processes);
}

static void take_sample(struct child *child, void *data)
{
	const struct sample *sample = data;
	json_t *found = sample_workloads(sample);

	sample_others(sample, found);
	child_report(child, json_pack("{s:o}", "waits", found));
}

static void on_report(void *data, json_t *report)
{
	(void)data;
	channel_send("waits", workload_now(), json_incref(report));
}

static void on_exit_of(void *data, int status)
{
	(void)status;
	free(data);
}

void waits_sample(const struct waiter *waiters, size_t count)
{
	static const struct child_watcher watcher = {on_report, on_exit_of};
	struct sample *sample = calloc(1, sizeof(*sample));

	if (!sample)
		return;
	sample->count = count < MOST_WAITERS ? count : MOST_WAITERS;
	memcpy(sample->waiters, waiters, sample->count * sizeof(*waiters));
	/* Evidence is good to have; a run does not depend on it. */
	if (child_start("hanglab-waits", take_sample, &watcher, sample, NULL, NULL))
		free(sample);
}
