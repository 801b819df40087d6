// SPDX-License-Identifier: GPL-2.0-or-later
#include "executor/job_list.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

static const char *option_value(const wordexp_t *words, const char *option)
{
	for (size_t i = 0; i + 1 < words->we_wordc; i++)
		if (!strcmp(words->we_wordv[i], option))
			return words->we_wordv[i + 1];
	return NULL;
}

static int parse(const char *line, struct job *job)
{
	if (wordexp(line, &job->words, WRDE_NOCMD | WRDE_UNDEF))
		return -EINVAL;
	job->kernel = option_value(&job->words, "--kernel");
	job->result = option_value(&job->words, "--result");
	if (!job->kernel || !job->result) {
		wordfree(&job->words);
		return -EINVAL;
	}
	job->scenario = job->words.we_wordv[job->words.we_wordc - 1];
	return 0;
}

static int add(struct job_list *list, const char *line)
{
	struct job *larger = reallocarray(list->jobs, list->count + 1, sizeof(*larger));

	if (!larger)
		abort();
	list->jobs = larger;
	larger[list->count] = (struct job){0};
	if (parse(line, &larger[list->count]))
		return -EINVAL;
	list->count++;
	return 0;
}

int job_list_read(const char *path, struct job_list *list, struct hl_error *err)
{
	cleanup_file FILE *file = fopen(path, "re");
	cleanup_free char *line = NULL;
	size_t size = 0;

	if (!file)
		return hl_error_errno(err, errno, "read %s", path);
	while (getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (add(list, line))
			return hl_error_set(
				err, EINVAL,
				"%s:%zu: not a line of a plan: hanglab run ... --kernel NAME --result "
				"FILE SCENARIO",
				path, list->count + 1);
	}
	if (ferror(file))
		return hl_error_errno(err, errno, "read %s", path);
	return list->count ? 0 : hl_error_set(err, EINVAL, "%s: an empty plan", path);
}

void job_list_clear(struct job_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		wordfree(&list->jobs[i].words);
	free(list->jobs);
	*list = (struct job_list){0};
}

json_t *job_result(const struct job *job)
{
	json_t *document = json_load_file(job->result, 0, NULL);
	json_t *result = json_incref(json_array_get(json_object_get(document, "results"), 0));

	json_decref(document);
	return result;
}
