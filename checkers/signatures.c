// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#define SIGNATURE(id, kind, anchor, parser, ...) extern const struct report_parser parser_##parser;
#include "signatures.def"
#undef SIGNATURE

const struct signature signatures[] = {
#define SIGNATURE(id, kind, anchor, parser, kernels, sample, near_miss)                                      \
	{#id, HL_EVENT_##kind, anchor, &parser_##parser, kernels, sample, near_miss},
#include "signatures.def"
#undef SIGNATURE
};

const size_t signature_count = sizeof(signatures) / sizeof(*signatures);
