// SPDX-License-Identifier: GPL-2.0-or-later
/* KTAP version 1 (Documentation/dev-tools/ktap.rst): one test per run, one subtest per check. */
#include "report/report.h"

#include <string.h>

/* "#" begins a directive. */
static void print_text(const char *text, FILE *out)
{
	for (; *text; text++)
		fputc(*text == '#' ? '+' : *text, out);
}

static void print_line(const char *indent, const json_t *test, size_t number, const char *name, FILE *out)
{
	const char *verdict = result_text(test, "verdict");
	bool skipped = !strcmp(verdict, "SKIP"), passed = skipped || !strcmp(verdict, "PASS");

	if (!passed) {
		fprintf(out, "%s# %s: ", indent, verdict);
		print_text(result_text(test, "reason"), out);
		fputc('\n', out);
	}
	fprintf(out, "%s%sok %zu %s", indent, passed ? "" : "not ", number, name);
	if (skipped) {
		fprintf(out, " # SKIP ");
		print_text(result_text(test, "reason"), out);
	}
	fputc('\n', out);
}

static void print_checks(const json_t *checks, FILE *out)
{
	const json_t *check;
	size_t i;

	if (!json_array_size(checks))
		return;
	fprintf(out, "    KTAP version 1\n    1..%zu\n", json_array_size(checks));
	json_array_foreach (checks, i, check)
		print_line("    ", check, i + 1, result_text(check, "check"), out);
}

static void print(const json_t *results, FILE *out)
{
	json_t *printable = results_printable(results), *result;
	size_t i;

	fprintf(out, "KTAP version 1\n1..%zu\n", json_array_size(printable));
	json_array_foreach (printable, i, result) {
		print_checks(json_object_get(result, "checks"), out);
		print_line("", result, i + 1, result_text(result, "scenario"), out);
	}
	json_decref(printable);
}

const struct report_format report_ktap = {.name = "ktap", .print = print};
