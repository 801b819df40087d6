// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/sysrq.h"

#include "inject/guest/channel.h"
#include "inject/guest/task.h"
#include "inject/guest/transport.h"
#include "inject/workload/workload.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <string.h>

#define TRIGGER "/proc/sysrq-trigger"
/* What /proc/PID/stack prints instead of each address. */
#define HIDDEN	"[<0>] "

/**
 * struct request - the step that is under way, or the last one
 */
static struct request {
	const struct guest *guest;
	size_t step;
	bool ended;
} request;

/* root may always, whatever kernel.sysrq says (Documentation/admin-guide/sysrq.rst). */
static int pull_trigger(const char *key, struct hl_error *err)
{
	cleanup_fd int fd = open(TRIGGER, O_WRONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : file_write_all(fd, key, 1);

	return r ? hl_error_errno(err, -r, "write %s to " TRIGGER, key) : 0;
}

static void report_task(void *data, const struct task *task)
{
	json_t *frames = json_array();

	for (const char *line = task->stack; *line;) {
		size_t length = strcspn(line, "\n"),
		       address = strncmp(line, HIDDEN, strlen(HIDDEN)) ? 0 : strlen(HIDDEN);

		json_array_append_new(frames, json_stringn(line + address, length - address));
		line += length + (line[length] == '\n');
	}
	child_report(data, json_pack("{s:{s:s, s:i, s:s, s:s, s:o}}", "task", "comm", task->comm, "pid",
				     (int)task->pid, "layer", wait_layer_name(task->layer), "function",
				     task->function, "stack", frames));
}

static void take_sample(struct child *child, void *data)
{
	const struct plan *plan = &request.guest->plan;
	const char *key = plan_sysrq_names[plan->steps[request.step].sysrq];
	struct hl_error err = HL_ERROR_INIT;

	(void)data;
	if (pull_trigger(key, &err)) {
		child_report(child, json_pack("{s:s}", "error", err.text));
		return;
	}
	for (size_t i = 0; i < plan->disk_count; i++)
		child_report(child, json_pack("{s:o}", "disk", transport_describe(plan->disks[i].name)));
	task_each(0, "D", report_task, child);
}

static void send(const char *state, json_t *message)
{
	const struct plan_step *step = &request.guest->plan.steps[request.step];

	json_object_set_new(message, "step", json_integer((json_int_t)request.step));
	json_object_set_new(message, "key", json_string(plan_sysrq_names[step->sysrq]));
	json_object_set_new(message, "state", json_string(state));
	channel_send("sysrq", workload_now(), message);
}

static void on_report(void *data, json_t *report)
{
	const char *error = json_string_value(json_object_get(report, "error"));

	(void)data;
	if (error)
		guest_fail("sysrq: %s", error);
	send("found", json_incref(report));
}

static void on_exit_of(void *data, int status)
{
	(void)data;
	if (status)
		guest_fail("sysrq ended with wait status %d", status);
	request.ended = true;
	send("done", json_object());
}

void sysrq_start(struct guest *guest, size_t step)
{
	static const struct child_watcher watcher = {on_report, on_exit_of};
	struct hl_error err = HL_ERROR_INIT;

	request = (struct request){guest, step, false};
	send("begun", json_object());
	if (child_start("hanglab-sysrq", take_sample, &watcher, NULL, NULL, &err))
		guest_fail("sysrq: %s", err.text);
}

bool sysrq_ended(void)
{
	return request.ended;
}
