// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/host_thread.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* The state follows the name, which is in parentheses and may hold some itself. */
static char state_of(const char *status)
{
	const char *name_end = strrchr(status, ')');

	return name_end && name_end[1] == ' ' ? name_end[2] : '?';
}

/* schedstat begins with the nanoseconds on a CPU (Documentation/scheduler/sched-stats.rst). */
int host_thread_look(pid_t process, pid_t thread, struct host_thread *seen, struct hl_error *err)
{
	cleanup_free char *stat_path = file_path("/proc/%d/task/%d/stat", (int)process, (int)thread);
	cleanup_free char *time_path = file_path("/proc/%d/task/%d/schedstat", (int)process, (int)thread);
	cleanup_free char *status = NULL, *time = NULL;
	int r = file_read(stat_path, &status, NULL, err);

	if (!r)
		r = file_read(time_path, &time, NULL, err);
	if (r)
		return r;
	*seen = (struct host_thread){state_of(status), strtoull(time, NULL, 10)};
	return 0;
}

static int add_thread(pid_t process, pid_t thread, struct host_threads *threads, struct hl_error *err)
{
	struct host_thread one;
	int r = host_thread_look(process, thread, &one, err);

	/* It may have ended meanwhile. */
	if (r == -ENOENT || r == -ESRCH || (!r && (one.state == 'Z' || one.state == 'X')))
		return 0;
	if (r)
		return r;
	threads->count++;
	threads->stopped += one.state == 'T';
	threads->traced += one.state == 't';
	threads->run_nanoseconds += one.run_nanoseconds;
	return 0;
}

int host_threads_look(pid_t process, struct host_threads *seen, struct hl_error *err)
{
	cleanup_free char *path = file_path("/proc/%d/task", (int)process);
	DIR *folder = opendir(path);
	struct host_threads threads = {0};
	struct dirent *entry;
	int r = folder ? 0 : hl_error_errno(err, errno, "open %s", path);

	while (!r && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			r = add_thread(process, (pid_t)strtol(entry->d_name, NULL, 10), &threads, err);
	if (folder)
		closedir(folder);
	if (!r)
		*seen = threads;
	return r;
}

bool host_threads_stand_still(const struct host_threads *threads)
{
	return threads->stopped + threads->traced == threads->count;
}
