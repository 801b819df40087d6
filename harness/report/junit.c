// SPDX-License-Identifier: GPL-2.0-or-later
/* JUnit XML: FAIL is a failure, BROKEN an error, so that "says nothing about the kernel" stays visible. */
#include "report/report.h"

#include <string.h>

static void print_escaped(const char *text, FILE *out)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '&')
			fputs("&amp;", out);
		else if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if (c >= ' ' || c == '\n' || c == '\t')
			fputc(c, out);
	}
}

static size_t count(const json_t *results, const char *verdict)
{
	const json_t *result;
	size_t i, found = 0;

	json_array_foreach (results, i, result)
		found += !strcmp(result_text(result, "verdict"), verdict);
	return found;
}

static void print_outcome(const json_t *result, FILE *out)
{
	const char *verdict = result_text(result, "verdict");
	const char *element = !strcmp(verdict, "FAIL")	   ? "failure"
			      : !strcmp(verdict, "BROKEN") ? "error"
			      : !strcmp(verdict, "SKIP")   ? "skipped"
							   : NULL;

	if (!element)
		return;
	fprintf(out, "    <%s message=\"", element);
	print_escaped(result_text(result, "reason"), out);
	fprintf(out, "\"/>\n");
}

static void print(const json_t *results, FILE *out)
{
	const json_t *result;
	size_t i;

	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	fprintf(out,
		"<testsuite name=\"hanglab\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
		"skipped=\"%zu\">\n",
		json_array_size(results), count(results, "FAIL"), count(results, "BROKEN"),
		count(results, "SKIP"));
	json_array_foreach (results, i, result) {
		fprintf(out, "  <testcase classname=\"");
		print_escaped(result_text(result, "kernel"), out);
		fprintf(out, "\" name=\"");
		print_escaped(result_text(result, "scenario"), out);
		fprintf(out, "\" time=\"%.3f\">\n", result_number(result, "wall_seconds"));
		print_outcome(result, out);
		fprintf(out, "  </testcase>\n");
	}
	fprintf(out, "</testsuite>\n");
}

const struct report_format report_junit = {.name = "junit", .print = print};
