// SPDX-License-Identifier: GPL-2.0-or-later
/* Cells as jobs of an executor. */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/shell.h"
#include "cmd/cells.h"
#include "cmd/scenario_options.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Options that a job is given as this command was. */
static bool is_passed_on(const char *option)
{
	static const char *const names[] = {"sysctl", "clock", "accel", "timeout-multiplier"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(option, names[i]))
			return true;
	return false;
}

static void print_option(const char *name, const char *value, FILE *out)
{
	fprintf(out, " --%s ", name);
	shell_print_word(value, out);
}

/* Paths are absolute: a job may start anywhere. */
static void print_absolute(const char *option, const char *path, FILE *out)
{
	cleanup_free char *absolute = realpath(path, NULL);

	if (option)
		fprintf(out, " --%s ", option);
	else
		fputc(' ', out);
	shell_print_word(absolute ? absolute : path, out);
}

static void print_job(const struct cells *cells, const struct cell *cell, int64_t seed, const char *result,
		      FILE *out)
{
	cleanup_free char *program = realpath("/proc/self/exe", NULL), *number = file_path("%" PRId64, seed);

	shell_print_word(program ? program : "hanglab", out);
	fputs(" run", out);
	print_option("kernel", cell->kernel, out);
	print_option("seed", number, out);
	for (size_t i = 0; i < cells->line->given_count; i++)
		if (is_passed_on(cells->line->given[i].name))
			print_option(cells->line->given[i].name, cells->line->given[i].value, out);
	print_absolute("out", cells->settings.out, out);
	print_option("result", result, out);
	print_absolute(NULL, cell->path, out);
	fputc('\n', out);
}

static int print_jobs(const struct cells *cells, const char *list, FILE *out)
{
	for (size_t i = 0; i < cells->count; i++) {
		cleanup_free char *result = file_path("%s.%zu.json", list, i + 1);
		struct plan plan = {0};
		int code = cells_load(cells, &cells->cells[i], &plan);

		if (!code)
			print_job(cells, &cells->cells[i], plan.seed, result, out);
		plan_free(&plan);
		if (code)
			return code;
	}
	return 0;
}

/* Creates the file, so that it has an absolute path, and the folder of the runs. */
static char *make_absolute(const char *path, const char *out, struct hl_error *err)
{
	if (file_make_folders(out, err) || file_write(path, "", 0, err))
		return NULL;
	return realpath(path, NULL);
}

int cells_write_list(const struct cells *cells, const char *path)
{
	struct hl_error err = HL_ERROR_INIT;
	cleanup_free char *list = make_absolute(path, cells->settings.out, &err), *text = NULL;
	size_t size = 0;
	FILE *out = list ? open_memstream(&text, &size) : NULL;
	int code;

	if (!list)
		return command_error(cells->line, verdict_exit_code(VERDICT_BROKEN), &err);
	if (!out)
		abort();
	code = print_jobs(cells, list, out);
	fclose(out);
	if (!code && file_write(list, text, size, &err))
		code = command_error(cells->line, verdict_exit_code(VERDICT_BROKEN), &err);
	return code;
}

static json_t *collect(const struct job_list *list)
{
	json_t *results = json_array();

	for (size_t i = 0; i < list->count; i++) {
		json_t *result = job_result(&list->jobs[i]);

		json_array_append_new(results, result ? result : json_null());
	}
	return results;
}

void cells_read_list(struct cells *cells, const struct job_list *list, json_t **results)
{
	for (size_t i = 0; i < list->count; i++)
		cells_add(cells, list->jobs[i].scenario, list->jobs[i].kernel, 1);
	*results = collect(list);
	cells_fill_missing(cells, *results);
}

static int run_list(struct cells *cells, const char *path, json_t **results, struct hl_error *err)
{
	struct job_list list cleanup_with(job_list_clear) = {0};
	cleanup_free char *absolute = realpath(path, NULL);
	size_t jobs = command_option(cells->line, "jobs") ? cells->jobs : 0;
	int r = executor_run(cells->executor, absolute, jobs, cells->hosts, err);

	if (!r)
		r = job_list_read(absolute, &list, err);
	if (!r)
		*results = collect(&list);
	return r;
}

int cells_run_elsewhere(struct cells *cells, json_t **results)
{
	cleanup_free char *folder = file_path("%s/jobs-XXXXXX", cells->settings.out), *path = NULL;
	struct hl_error err = HL_ERROR_INIT;
	int code, r = file_make_folders(cells->settings.out, &err);

	if (!r && !mkdtemp(folder))
		r = hl_error_errno(&err, errno, "create the folder %s", folder);
	path = file_path("%s/plan", folder);
	code = r ? 0 : cells_write_list(cells, path);
	if (!r && !code)
		r = run_list(cells, path, results, &err);
	return r ? command_error(cells->line, verdict_exit_code(VERDICT_BROKEN), &err) : code;
}
