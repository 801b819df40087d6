// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/report.h"

static void print(const json_t *results, FILE *out)
{
	json_t *document = json_pack("{s:i, s:O}", "schema", 1, "results", (json_t *)results);

	json_dumpf(document, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	fputc('\n', out);
	json_decref(document);
}

const struct report_format report_json = {.name = "json", .print = print};
