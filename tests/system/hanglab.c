// SPDX-License-Identifier: GPL-2.0-or-later
#include "hanglab.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <CUnit/CUnit.h>
#include <dirent.h>
#include <libgen.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* A run takes seconds; this is for a machine that is very busy. */
#define HANGLAB_TIMEOUT_MS 240000

void outcome_free(struct outcome *outcome)
{
	free(outcome->output);
	free(outcome->errors);
	json_decref(outcome->results);
	memset(outcome, 0, sizeof(*outcome));
}

static char folder[] = "/tmp/hanglab-system-XXXXXX";

static void remove_runs(void)
{
	if (CU_get_number_of_failures())
		fprintf(stderr, "The runs are kept in %s\n", folder);
	else
		file_remove_tree(folder, NULL);
}

const char *runs_folder(void)
{
	static bool made;

	if (!made) {
		made = mkdtemp(folder) != NULL;
		atexit(remove_runs);
	}
	return folder;
}

const char *program(void)
{
	static char path[4096];
	cleanup_free char *self = realpath("/proc/self/exe", NULL);

	snprintf(path, sizeof(path), "%s/hanglab", dirname(dirname(self)));
	return path;
}

static char *read_memory(int fd)
{
	cleanup_free char *path = file_path("/proc/self/fd/%d", fd);
	char *text = NULL;

	if (file_read(path, &text, NULL, NULL))
		text = strdup("");
	return text;
}

void run_command(const char *const *arguments, int timeout_ms, struct outcome *outcome)
{
	cleanup_fd int output = memfd_create("output", MFD_CLOEXEC),
		       errors = memfd_create("errors", MFD_CLOEXEC);
	struct process_files files = {-1, output, errors, NULL, 0};
	struct process child = PROCESS_NONE;
	struct hl_error err = HL_ERROR_INIT;
	json_t *document;
	int status = -1;

	memset(outcome, 0, sizeof(*outcome));
	if (process_start(&child, arguments, &files, &err) ||
	    process_wait(&child, timeout_ms, &status, &err)) {
		process_kill(&child);
		CU_FAIL("the command did not end in time");
		fprintf(stderr, "%s\n", err.text);
	}
	outcome->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	outcome->output = read_memory(output);
	outcome->errors = read_memory(errors);
	document = json_loads(outcome->output, 0, NULL);
	outcome->results = json_incref(json_object_get(document, "results"));
	json_decref(document);
}

#define MOST_SCENARIOS 120
#define MOST_ARGUMENTS (MOST_SCENARIOS + 10)

void run_hanglab(struct outcome *outcome, const char *const *arguments)
{
	const char *all[MOST_ARGUMENTS] = {program()};
	size_t count = 1;

	for (; *arguments && count < MOST_ARGUMENTS - 2; arguments++) {
		all[count++] = *arguments;
		if (count == 2 && !strcmp(*arguments, "run")) {
			all[count++] = "--out";
			all[count++] = runs_folder();
		}
	}
	/* Many arguments are many scenarios. */
	run_command(all, HANGLAB_TIMEOUT_MS + (int)count * 30000, outcome);
}

/* One at a time would wait most of its time: a VM in virtual time keeps to one CPU, one in real time sleeps.
 */
void run_scenarios(enum start start, char *const *paths, size_t count,
		   void (*look)(const char *path, const json_t *result))
{
	const char *arguments[MOST_SCENARIOS + 7] = {"run", "--format", "json", "--jobs", "2"};
	const size_t options = start == START_WARM ? 6 : 5;
	struct outcome outcome;

	CU_ASSERT_FATAL(count <= MOST_SCENARIOS);
	if (start == START_WARM)
		arguments[5] = "--warm";
	memcpy(arguments + options, paths, count * sizeof(*paths));
	run_hanglab(&outcome, arguments);
	CU_ASSERT_EQUAL_FATAL(json_array_size(outcome.results), count);
	for (size_t i = 0; i < count; i++)
		look(paths[i], json_array_get(outcome.results, i));
	outcome_free(&outcome);
}

const char *text_in(const struct outcome *outcome, const char *key)
{
	const char *text = json_string_value(json_object_get(json_array_get(outcome->results, 0), key));

	return text ? text : "";
}

double number_in(const struct outcome *outcome, const char *key)
{
	const json_t *number = json_object_get(json_array_get(outcome->results, 0), key);

	return json_is_number(number) ? json_number_value(number) : -1;
}

static bool names(const char *pid, const char *text)
{
	cleanup_free char *path = file_path("/proc/%s/cmdline", pid), *line = NULL;
	size_t size;

	return !file_read(path, &line, &size, NULL) && memmem(line, size, text, strlen(text));
}

int processes_naming(const char *text)
{
	cleanup_free char *self = file_path("%d", (int)getpid());
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	while (processes && (entry = readdir(processes)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && strcmp(entry->d_name, self) != 0)
			count += names(entry->d_name, text);
	if (processes)
		closedir(processes);
	return count;
}

/* Parent and start time, proc(5); a process that is dead but not waited for counts as gone. */
static bool read_process(pid_t pid, pid_t *parent, unsigned long long *started)
{
	cleanup_free char *path = file_path("/proc/%d/stat", (int)pid), *text = NULL;
	const char *after;
	char state;

	if (file_read(path, &text, NULL, NULL) || !(after = strrchr(text, ')')))
		return false;
	return sscanf(after + 1,
		      " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		      &state, parent, started) == 3 &&
	       state != 'Z' && state != 'X';
}

static void add_member(struct family *family, pid_t pid, unsigned long long started)
{
	if (family->count == sizeof(family->members) / sizeof(family->members[0]))
		return;
	family->members[family->count].pid = pid;
	family->members[family->count++].started = started;
}

static void add_children(struct family *family, pid_t parent)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	while (processes && (entry = readdir(processes))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10), found;
		unsigned long long started;

		if (pid > 0 && read_process(pid, &found, &started) && found == parent)
			add_member(family, pid, started);
	}
	if (processes)
		closedir(processes);
}

void family_of(pid_t pid, struct family *family)
{
	unsigned long long started;
	pid_t parent;

	family->count = 0;
	if (read_process(pid, &parent, &started))
		add_member(family, pid, started);
	for (size_t i = 0; i < family->count; i++)
		add_children(family, family->members[i].pid);
}

size_t family_alive(const struct family *family)
{
	size_t alive = 0;

	for (size_t i = 0; i < family->count; i++) {
		unsigned long long started;
		pid_t parent;

		alive += read_process(family->members[i].pid, &parent, &started) &&
			 started == family->members[i].started;
	}
	return alive;
}
