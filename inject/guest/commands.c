// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/commands.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"
#include "inject/command_result.h"
#include "inject/guest/channel.h"
#include "inject/livelock.h"
#include "inject/tool.h"

#include <ctype.h>
#include <dirent.h>
#include <string.h>

/* A trigger that has not ended after this time is looked at. */
#define SETTLE	  (1 * NANOSECONDS_PER_SECOND)
/* What sh answers for a program that is not there. */
#define NOT_FOUND 127
/* Between two looks at the processes of a trigger. */
#define LOOK	  (1 * NANOSECONDS_PER_SECOND)

/**
 * struct task - a process of a command
 * @user, @system: ticks (of 10 ms) that it used
 */
struct task {
	pid_t pid;
	char comm[32], state;
	unsigned long user, system;
};

/**
 * struct command - a command of the plan
 * @child: it; its process leads the session of all that it starts. NULL once it has ended
 * @confirmed: trigger: it is known to act, or to have acted
 * @failure: trigger of a known bug: how it ended, when not as the scenario says; the arena's
 * @failed_at: since when
 * @loop: the process that may run in the kernel without end, as last seen; pid 0 for none
 * @loop_since: since when
 * @looked_at: when the processes were looked at last
 */
struct command {
	struct guest *guest;
	size_t step;
	const struct plan_step *planned;
	struct child *child;
	bool confirmed, loop_reported;
	struct task loop;
	int64_t started_at, loop_since, looked_at, failed_at;
	const char *failure;
	struct command *next;
};

static struct command *commands;

static bool is_trigger(const struct command *command)
{
	return command->planned->trigger;
}

static const char *text_of(const struct command *command)
{
	return is_trigger(command) ? command->planned->trigger : command->planned->shell;
}

static void run_command(struct child *child, void *data)
{
	const struct command *command = data;
	const char *const arguments[] = {"sh", "-c", text_of(command), NULL};
	struct hl_error err = HL_ERROR_INIT;
	char output[400] = "", seed[32];
	int status;

	snprintf(seed, sizeof(seed), "%lld", (long long)command->guest->plan.seed);
	setenv("HANGLAB_SEED", seed, 1);
	setsid();
	if (tool_run(arguments, &status, output, sizeof(output), &err))
		child_report(child, json_pack("{s:s}", "error", err.text));
	else
		child_report(child, json_pack("{s:i, s:s}", "exit", status, "output", output));
}

/* ---- the processes of a command ---- */

/* "PID (COMM) STATE PPID PGRP SESSION ...": comm may hold anything, brackets too (proc(5)). */
static bool read_task(const char *pid, pid_t session, struct task *task)
{
	cleanup_free char *path = file_path("/proc/%s/stat", pid), *text = NULL;
	const char *from, *to;
	int found;

	if (file_read(path, &text, NULL, NULL))
		return false;
	from = strchr(text, '(');
	to = strrchr(text, ')');
	if (!from || !to)
		return false;
	task->pid = (pid_t)strtol(pid, NULL, 10);
	snprintf(task->comm, sizeof(task->comm), "%.*s", (int)(to - from - 1), from + 1);
	return sscanf(to + 1, " %c %*d %*d %d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &task->state, &found,
		      &task->user, &task->system) == 4 &&
	       found == session && task->pid != session;
}

/* The process of a command that used most processor time. */
static bool find_busiest(const struct command *command, struct task *busiest)
{
	pid_t session = child_pid(command->child);
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	while (processes && (entry = readdir(processes))) {
		struct task task;

		if (!isdigit((unsigned char)entry->d_name[0]) || !read_task(entry->d_name, session, &task))
			continue;
		if (!found || task.user + task.system >= busiest->user + busiest->system)
			*busiest = task;
		found = true;
	}
	if (processes)
		closedir(processes);
	return found;
}

/* ---- triggers ---- */

static void send_injection(const struct command *command, const char *state, const char *evidence)
{
	json_t *message = json_pack("{s:I, s:s, s:s}", "step", (json_int_t)command->step, "injector",
				    "trigger", "state", state);

	if (evidence)
		json_object_set_new(message, "evidence", json_string(evidence));
	channel_send("injection", workload_now(), message);
}

static void confirm(struct command *command, const char *evidence)
{
	command->confirmed = true;
	send_injection(command, "active", evidence);
	judge_fault(command->guest->judge, workload_now());
}

static void confirm_running(struct command *command, int64_t now)
{
	char evidence[200];
	struct task task;

	if (!find_busiest(command, &task))
		return;
	snprintf(evidence, sizeof(evidence),
		 "%s (pid %d) has not ended after %.1f s: state %c, %.2f s in the kernel", task.comm,
		 (int)task.pid, (double)(now - command->started_at) / 1e9, task.state,
		 (double)task.system / 100);
	confirm(command, evidence);
}

static void report_loop(struct command *command, int64_t now)
{
	int64_t age = now - command->loop_since;
	struct hl_event event;

	command->loop_reported = true;
	channel_send("livelock", now,
		     json_pack("{s:s, s:I, s:I}", "comm", command->loop.comm, "pid",
			       (json_int_t)command->loop.pid, "age", (json_int_t)age));
	livelock_event(&event, command->loop.comm, command->loop.pid, age, now);
	judge_event(command->guest->judge, &event, now);
	timeline_event(command->guest, &event, now);
}

/* Was this process in the kernel all the time since the last look? */
static bool stayed_in_kernel(const struct command *command, const struct task *task, int64_t now)
{
	unsigned long ticks = (unsigned long)((now - command->looked_at) / (NANOSECONDS_PER_SECOND / 100));

	return task->pid == command->loop.pid && task->state == 'R' && task->user == command->loop.user &&
	       task->system - command->loop.system >= ticks * 8 / 10;
}

static void look_for_loop(struct command *command, int64_t now)
{
	struct task task = {0};
	bool found = find_busiest(command, &task);

	if (!found || !stayed_in_kernel(command, &task, now))
		command->loop_since = now;
	command->loop = task;
	command->looked_at = now;
	if (found && !command->loop_reported && now - command->loop_since >= command->guest->plan.stall)
		report_loop(command, now);
}

void commands_watch(int64_t now)
{
	for (struct command *command = commands; command; command = command->next) {
		if (command->failure && !kernel_log_next() && now >= command->failed_at + SETTLE)
			guest_fail("%s", command->failure);
		if (!command->child || !is_trigger(command))
			continue;
		if (!command->confirmed && now >= command->started_at + SETTLE)
			confirm_running(command, now);
		if (now >= command->looked_at + LOOK)
			look_for_loop(command, now);
	}
}

int64_t commands_next(void)
{
	int64_t next = 0;

	for (const struct command *command = commands; command; command = command->next) {
		int64_t look = command->failure ? command->failed_at + SETTLE : command->looked_at + LOOK;

		if ((command->child || command->failure) && is_trigger(command) && (!next || look < next))
			next = look;
	}
	return next;
}

/* ---- the end of a command ---- */

/*
 * The oops that a bug is known by kills the trigger, and the OOM killer may take the process that watches it:
 * the kernel's report, which is read a moment later, is what counts then.
 */
static void give_up(struct command *command, const char *reason)
{
	if (!is_trigger(command) || !command->guest->plan.bug)
		guest_fail("%s", reason);
	command->failure = arena_string(&command->guest->plan.arena, reason);
	command->failed_at = workload_now();
}

static void fail(struct command *command, int status, const char *output)
{
	char text[900];

	snprintf(text, sizeof(text), "step %zu (%.200s) ended with status %d: %s%s", command->step + 1,
		 text_of(command), status, output,
		 status == NOT_FOUND ? "; programs other than sh must be in the scenario's tools" : "");
	give_up(command, text);
}

static void refuse(struct command *command, const char *how, const char *output)
{
	char reason[500];

	snprintf(reason, sizeof(reason), "the kernel refuses step %zu, as the scenario names it (%s): %s",
		 command->step + 1, how, output);
	channel_send("refused", workload_now(),
		     json_pack("{s:I, s:s, s:s}", "step", (json_int_t)command->step, "how", how, "output",
			       output));
	timeline_refused(command->guest, reason);
}

static void on_report(void *data, json_t *report)
{
	struct command *command = data;
	const char *error = json_string_value(json_object_get(report, "error"));
	const char *output = json_string_value(json_object_get(report, "output"));
	int status = (int)json_integer_value(json_object_get(report, "exit"));
	const char *refusal;
	char evidence[500];

	if (error)
		guest_fail("step %zu: %s", command->step + 1, error);
	json_object_set_new(report, "step", json_integer((json_int_t)command->step));
	channel_send("command", workload_now(), json_incref(report));
	refusal = command_refusal(command->planned, status, output ? output : "");
	if (!command_succeeded(command->planned, status) && !refusal) {
		fail(command, status, output ? output : "");
		return;
	}
	snprintf(evidence, sizeof(evidence), "ended with status %d: %.400s", status, output ? output : "");
	if (is_trigger(command) && !command->confirmed)
		confirm(command, evidence);
	if (refusal)
		refuse(command, refusal, output ? output : "");
}

static void on_exit_of(void *data, int status)
{
	struct command *command = data;
	char text[80];

	command->child = NULL;
	if (!status)
		return;
	snprintf(text, sizeof(text), "step %zu ended with wait status %d", command->step + 1, status);
	give_up(command, text);
}

void commands_start(struct guest *guest, size_t step)
{
	static const struct child_watcher watcher = {on_report, on_exit_of};
	struct command *command = arena_allocate(&guest->plan.arena, sizeof(*command));
	struct hl_error err = HL_ERROR_INIT;

	command->guest = guest;
	command->step = step;
	command->planned = &guest->plan.steps[step];
	command->started_at = command->looked_at = command->loop_since = workload_now();
	command->next = commands;
	commands = command;
	if (is_trigger(command)) {
		send_injection(command, "injecting", NULL);
		judge_fault(guest->judge, command->started_at);
	}
	if (child_start("hanglab-command", run_command, &watcher, command, &command->child, &err))
		guest_fail("step %zu: %s", step + 1, err.text);
}

bool commands_done(size_t step)
{
	for (const struct command *command = commands; command; command = command->next)
		if (command->step == step)
			return is_trigger(command) ? command->confirmed : !command->child;
	return true;
}
