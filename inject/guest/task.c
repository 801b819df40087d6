// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/task.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <ctype.h>
#include <dirent.h>
#include <string.h>

/* What the guest program calls its own children. */
#define OWN "hanglab-"

/* "PID (COMM) STATE ...": comm may hold anything, brackets too (proc(5)). */
static bool read_state(const char *folder, struct task *task)
{
	cleanup_free char *path = file_path("%s/stat", folder), *text = NULL;
	char *from, *to;

	if (file_read(path, &text, NULL, NULL))
		return false;
	from = strchr(text, '(');
	to = strrchr(text, ')');
	if (!from || !to || !to[1])
		return false;
	snprintf(task->comm, sizeof(task->comm), "%.*s", (int)(to - from - 1), from + 1);
	task->state = to[2];
	return true;
}

static void read_stack(const char *folder, struct task *task)
{
	cleanup_free char *stack_path = file_path("%s/stack", folder),
			  *wchan_path = file_path("%s/wchan", folder);
	cleanup_free char *stack = NULL, *wchan = NULL;

	if (!file_read(stack_path, &stack, NULL, NULL) && stack[0])
		snprintf(task->stack, sizeof(task->stack), "%s", stack);
	else if (!file_read(wchan_path, &wchan, NULL, NULL))
		snprintf(task->stack, sizeof(task->stack), "%s", wchan);
	task->layer = wait_layer_of_stack(task->stack, task->function, sizeof(task->function));
}

static char *folder_of(pid_t process, pid_t pid)
{
	return file_path("/proc/%d/task/%d", (int)process, (int)pid);
}

bool task_read(pid_t process, pid_t pid, struct task *task)
{
	cleanup_free char *folder = folder_of(process, pid);

	*task = (struct task){.pid = pid, .process = process};
	if (!read_state(folder, task))
		return false;
	read_stack(folder, task);
	return true;
}

/* The next entry that is a number; 0 at the end. */
static pid_t next_pid(DIR *folder)
{
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (isdigit((unsigned char)entry->d_name[0]))
			return (pid_t)strtol(entry->d_name, NULL, 10);
	return 0;
}

static void each_thread(pid_t process, const char *states, void (*each)(void *data, const struct task *task),
			void *data)
{
	cleanup_free char *path = file_path("/proc/%d/task", (int)process);
	DIR *threads = opendir(path);
	struct task task;
	pid_t pid;

	while ((pid = next_pid(threads))) {
		cleanup_free char *folder = folder_of(process, pid);

		/* Most are passed over by their state, which is cheap to read. */
		if (read_state(folder, &task) && strchr(states, task.state) &&
		    strncmp(task.comm, OWN, strlen(OWN)) && task_read(process, pid, &task))
			each(data, &task);
	}
	if (threads)
		closedir(threads);
}

void task_each(pid_t process, const char *states, void (*each)(void *data, const struct task *task),
	       void *data)
{
	DIR *processes = process ? NULL : opendir("/proc");
	pid_t next;

	if (process)
		each_thread(process, states, each, data);
	while ((next = next_pid(processes)))
		each_thread(next, states, each, data);
	if (processes)
		closedir(processes);
}
