// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/similar.h"
#include "cases.h"
#include "expect.h"
#include "version.h"

#include <ctype.h>
#include <fnmatch.h>
#include <glob.h>
#include <libfyaml.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SYMPTOMS 16
#define MAX_CPUS     1024
#define LEAST_SCORE  0.3 /* less than a third of the symptoms explains nothing */

/**
 * struct symptom - one entry of "symptoms:" and what was seen of it
 * @json: the entry
 * @kind: its event
 * @weight: what it counts
 * @cpus: from how many CPUs, 0 for any
 * @required: without it the case is out
 * @seen: events that match
 * @seen_cpus: bit for each CPU they are from
 */
struct symptom {
	const json_t *json;
	enum hl_event_kind kind;
	double weight;
	long cpus;
	bool required;
	size_t seen;
	unsigned char seen_cpus[MAX_CPUS / 8];
};

struct known_case {
	json_t *json;
	struct symptom symptoms[MAX_SYMPTOMS];
	size_t symptom_count;
	size_t events; /* that match any symptom */
	uint64_t first_line;
	char kernel[128];
};

struct hl_cases {
	struct known_case *list;
	struct hl_diagnosis *diagnoses;
	size_t count;
	char kernel[128]; /* of any event, for cases whose own events do not name one */
	bool several_kernels;
};

const char *kernel_state_name(enum kernel_state state)
{
	static const char *const names[] = {"unknown", "affected", "fixed", "older", "any"};

	return names[state];
}

/* YAML to JSON. Errors point at the node. */

struct source {
	const char *path;
	struct hl_error *err;
};

static int fail_at(const struct source *source, struct fy_node *node, const char *problem, const char *name)
{
	struct fy_token *token = node ? fy_node_get_scalar_token(node) : NULL;
	const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;

	if (mark)
		return hl_error_set(source->err, EINVAL, "%s:%d:%d: %s \"%s\"", source->path, mark->line + 1,
				    mark->column + 1, problem, name);
	return hl_error_set(source->err, EINVAL, "%s: %s \"%s\"", source->path, problem, name);
}

static json_t *node_to_json(struct fy_node *node)
{
	void *iterator = NULL;
	json_t *value;

	if (fy_node_is_mapping(node)) {
		struct fy_node_pair *pair;

		value = json_object();
		while ((pair = fy_node_mapping_iterate(node, &iterator)))
			json_object_set_new(value, fy_node_get_scalar0(fy_node_pair_key(pair)),
					    node_to_json(fy_node_pair_value(pair)));
		return value;
	}
	if (fy_node_is_sequence(node)) {
		struct fy_node *item;

		value = json_array();
		while ((item = fy_node_sequence_iterate(node, &iterator)))
			json_array_append_new(value, node_to_json(item));
		return value;
	}
	value = json_string(fy_node_get_scalar0(node));
	return value ? value : json_string("");
}

static int check_keys(const struct source *source, struct fy_node *node, const char *const *known,
		      size_t count, const char *what)
{
	struct fy_node_pair *pair;
	void *iterator = NULL;

	if (!node || !fy_node_is_mapping(node))
		return fail_at(source, node, "not a mapping:", what);
	while ((pair = fy_node_mapping_iterate(node, &iterator))) {
		const char *key = fy_node_get_scalar0(fy_node_pair_key(pair));
		const char *meant;
		char problem[160];
		bool found = false;

		for (size_t i = 0; key && i < count; i++)
			found |= strcmp(key, known[i]) == 0;
		if (found)
			continue;
		meant = key ? similar_find(key, known, count) : NULL;
		snprintf(problem, sizeof(problem),
			 meant ? "did you mean \"%s\"? Unknown key in %s:" : "%sunknown key in %s:",
			 meant ? meant : "", what);
		return fail_at(source, fy_node_pair_key(pair), problem, key ? key : "");
	}
	return 0;
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static int check_items(const struct source *source, struct fy_node *root, const char *name,
		       const char *const *known, size_t count)
{
	struct fy_node *list = fy_node_mapping_lookup_by_string(root, name, FY_NT), *item;
	void *iterator = NULL;

	if (!list)
		return 0;
	if (!fy_node_is_sequence(list))
		return fail_at(source, list, "not a list:", name);
	while ((item = fy_node_sequence_iterate(list, &iterator))) {
		struct fy_node *event;
		enum hl_event_kind kind;
		int status = check_keys(source, item, known, count, name);

		if (status)
			return status;
		event = fy_node_mapping_lookup_by_string(item, "event", FY_NT);
		if (event && hl_event_kind_parse(fy_node_get_scalar0(event), &kind, NULL))
			return fail_at(source, event, "no kind of event:", fy_node_get_scalar0(event));
	}
	return 0;
}

static int check_case(const struct source *source, struct fy_node *root)
{
	static const char *const keys[] = {"case",  "title",	"systems",    "symptoms", "kernels",
					   "cause", "remedies", "references", "scenario"};
	static const char *const symptom_keys[] = {"event",  "functions", "comm",    "cpus",
						   "fields", "weight",	  "required"};
	static const char *const kernel_keys[] = {"release", "from", "before", "through", "advice"};
	static const char *const needed[] = {"case", "title", "symptoms", "cause", "remedies"};
	int status = check_keys(source, root, keys, COUNT(keys), "a case");

	for (size_t i = 0; i < COUNT(needed) && !status; i++)
		if (!fy_node_mapping_lookup_by_string(root, needed[i], FY_NT))
			status = fail_at(source, NULL, "missing key", needed[i]);
	if (!status)
		status = check_items(source, root, "symptoms", symptom_keys, COUNT(symptom_keys));
	if (!status)
		status = check_items(source, root, "kernels", kernel_keys, COUNT(kernel_keys));
	return status;
}

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static void load_symptoms(struct known_case *known)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(known->json, "symptoms"), i, entry) {
		struct symptom *symptom = &known->symptoms[known->symptom_count];
		const char *weight = text_of(entry, "weight"), *cpus = text_of(entry, "cpus");
		const char *required = text_of(entry, "required"), *event = text_of(entry, "event");

		if (known->symptom_count == MAX_SYMPTOMS || !event ||
		    hl_event_kind_parse(event, &symptom->kind, NULL))
			continue;
		symptom->json = entry;
		symptom->weight = weight ? atof(weight) : 1;
		symptom->cpus = cpus ? atol(cpus) : 0;
		symptom->required = required && strcmp(required, "true") == 0;
		known->symptom_count++;
	}
}

static int load_case(struct known_case *known, const char *path, struct hl_error *err)
{
	struct source source = {path, err};
	struct fy_parse_cfg config = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG};
	struct fy_document *document = fy_document_build_from_file(&config, path);
	int status;

	if (!document)
		return hl_error_set(err, EINVAL, "%s: not readable as YAML", path);
	status = check_case(&source, fy_document_root(document));
	if (!status) {
		known->json = node_to_json(fy_document_root(document));
		load_symptoms(known);
	}
	fy_document_destroy(document);
	return status;
}

int hl_cases_open(struct hl_cases **cases, const char *folder, struct hl_error *err)
{
	struct hl_cases *fresh = calloc(1, sizeof(*fresh));
	char pattern[4096];
	glob_t files = {0};
	int status = 0;

	if (!fresh)
		return hl_error_set(err, ENOMEM, "no memory for cases");
	snprintf(pattern, sizeof(pattern), "%s/*.yaml", folder);
	if (glob(pattern, 0, NULL, &files) || !files.gl_pathc)
		status = hl_error_set(err, ENOENT, "no cases in %s", folder);
	fresh->list = calloc(files.gl_pathc + 1, sizeof(*fresh->list));
	fresh->diagnoses = calloc(files.gl_pathc + 1, sizeof(*fresh->diagnoses));
	if (!fresh->list || !fresh->diagnoses) {
		hl_error_set(err, ENOMEM, "no memory for cases");
		status = -ENOMEM;
	}
	for (size_t i = 0; !status && i < files.gl_pathc; i++)
		status = load_case(&fresh->list[fresh->count++], files.gl_pathv[i], err);
	globfree(&files);
	if (status)
		hl_cases_close(fresh);
	else
		*cases = fresh;
	return status;
}

void hl_cases_close(struct hl_cases *cases)
{
	if (!cases)
		return;
	for (size_t i = 0; i < cases->count; i++)
		json_decref(cases->list[i].json);
	free(cases->list);
	free(cases->diagnoses);
	free(cases);
}

/* "[a, b]" or a single text: is one of them in the event? No list asks for nothing. */
static bool any_of(const json_t *list, const struct hl_event *event,
		   bool (*test)(const struct hl_event *event, const char *text))
{
	const json_t *item;
	size_t i;

	if (!list)
		return true;
	if (json_is_string(list))
		return test(event, json_string_value(list));
	json_array_foreach (list, i, item)
		if (test(event, json_string_value(item)))
			return true;
	return false;
}

static bool has_comm(const struct hl_event *event, const char *pattern)
{
	return event->stack.comm && fnmatch(pattern, event->stack.comm, 0) == 0;
}

static bool symptom_matches(const struct symptom *symptom, const struct hl_event *event)
{
	return symptom->kind == event->kind &&
	       any_of(json_object_get(symptom->json, "functions"), event, hl_event_has_function) &&
	       any_of(json_object_get(symptom->json, "comm"), event, has_comm) &&
	       event_has_fields(json_object_get(symptom->json, "fields"), event, NULL, 0);
}

void hl_cases_event(struct hl_cases *cases, const struct hl_event *event)
{
	if (event->kernel && cases->kernel[0] && strcmp(event->kernel, cases->kernel) != 0)
		cases->several_kernels = true;
	if (event->kernel)
		snprintf(cases->kernel, sizeof(cases->kernel), "%s", event->kernel);
	for (size_t i = 0; i < cases->count; i++) {
		struct known_case *known = &cases->list[i];
		bool any = false;

		for (size_t j = 0; j < known->symptom_count; j++) {
			struct symptom *symptom = &known->symptoms[j];

			if (!symptom_matches(symptom, event))
				continue;
			symptom->seen++;
			if (event->stack.cpu >= 0 && event->stack.cpu < MAX_CPUS)
				symptom->seen_cpus[event->stack.cpu / 8] |=
					(unsigned char)(1 << event->stack.cpu % 8);
			any = true;
		}
		if (!any)
			continue;
		known->events++;
		if (!known->first_line)
			known->first_line = event->line;
		if (event->kernel && !known->kernel[0])
			snprintf(known->kernel, sizeof(known->kernel), "%s", event->kernel);
	}
}

static long count_cpus(const struct symptom *symptom)
{
	long count = 0;

	for (size_t i = 0; i < sizeof(symptom->seen_cpus); i++)
		count += __builtin_popcount(symptom->seen_cpus[i]);
	return count;
}

/* In its range? -1 before it, 1 behind it. */
static int place_in_range(const json_t *range, const char *kernel)
{
	const char *from = text_of(range, "from"), *before = text_of(range, "before"),
		   *through = text_of(range, "through");

	if (from && version_compare(kernel, from) < 0)
		return -1;
	if (before && version_compare(kernel, before) >= 0)
		return 1;
	if (through && version_compare(kernel, through) > 0)
		return 1;
	return 0;
}

static void judge_kernel(const struct known_case *known, struct hl_diagnosis *diagnosis)
{
	const json_t *range;
	const char *deciding = NULL; /* a vendor's kernel is not judged by upstream's numbers */
	bool behind = false, in_front = false;
	size_t i;

	if (!json_object_get(known->json, "kernels"))
		diagnosis->state = KERNEL_ANY;
	if (!known->kernel[0])
		return;
	diagnosis->kernel = known->kernel;
	if (diagnosis->state == KERNEL_ANY)
		return;
	json_array_foreach (json_object_get(known->json, "kernels"), i, range) {
		const char *release = text_of(range, "release");
		int place;

		if (!release)
			release = "*";
		if (deciding ? strcmp(release, deciding) != 0 : fnmatch(release, known->kernel, 0) != 0)
			continue;
		deciding = release;
		place = place_in_range(range, known->kernel);
		if (place == 0) {
			diagnosis->state = KERNEL_AFFECTED;
			diagnosis->advice = text_of(range, "advice");
			return;
		}
		behind |= place > 0;
		in_front |= place < 0;
	}
	diagnosis->state = behind ? KERNEL_FIXED : in_front ? KERNEL_OLDER : KERNEL_UNKNOWN;
}

static bool diagnose_case(const struct hl_cases *cases, struct known_case *known,
			  struct hl_diagnosis *diagnosis)
{
	double seen = 0, all = 0;

	*diagnosis = (struct hl_diagnosis){
		.name = text_of(known->json, "case"),
		.title = text_of(known->json, "title"),
		.cause = text_of(known->json, "cause"),
		.scenario = text_of(known->json, "scenario"),
		.remedies = json_object_get(known->json, "remedies"),
		.references = json_object_get(known->json, "references"),
		.events = known->events,
		.first_line = known->first_line,
	};
	for (size_t i = 0; i < known->symptom_count; i++) {
		const struct symptom *symptom = &known->symptoms[i];
		bool there = symptom->seen && count_cpus(symptom) >= symptom->cpus;

		if (symptom->required && !there)
			return false;
		all += symptom->weight;
		seen += there ? symptom->weight : 0;
	}
	diagnosis->score = all > 0 ? seen / all : 0;
	if (!known->kernel[0] && !cases->several_kernels)
		strcpy(known->kernel, cases->kernel);
	judge_kernel(known, diagnosis);
	return diagnosis->score >= LEAST_SCORE;
}

/* Better explained first; an affected kernel before an unknown one before a fixed one; then by place. */
static int compare_diagnoses(const void *a, const void *b)
{
	static const int rank[] = {[KERNEL_AFFECTED] = 0,
				   [KERNEL_UNKNOWN] = 1,
				   [KERNEL_ANY] = 1,
				   [KERNEL_OLDER] = 2,
				   [KERNEL_FIXED] = 3};
	const struct hl_diagnosis *x = a, *y = b;

	if (fabs(x->score - y->score) > 1e-9)
		return x->score > y->score ? -1 : 1;
	if (rank[x->state] != rank[y->state])
		return rank[x->state] - rank[y->state];
	return x->first_line < y->first_line ? -1 : x->first_line > y->first_line;
}

size_t hl_cases_diagnose(struct hl_cases *cases, const struct hl_diagnosis **diagnoses)
{
	size_t count = 0;

	for (size_t i = 0; i < cases->count; i++)
		count += diagnose_case(cases, &cases->list[i], &cases->diagnoses[count]);
	qsort(cases->diagnoses, count, sizeof(*cases->diagnoses), compare_diagnoses);
	*diagnoses = cases->diagnoses;
	return count;
}
