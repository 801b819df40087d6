// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"
#include "scanner.h"

#include <hs/hs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct hl_scanner {
	hs_database_t *database; /* shared by clones */
	hs_scratch_t *scratch;	 /* one for each thread */
	struct hl_prefilter prefilter;
};

struct hit_receiver {
	hl_on_hit on_hit;
	void *data;
};

static int take_match(unsigned int id, unsigned long long from, unsigned long long to, unsigned int flags,
		      void *context)
{
	struct hit_receiver *receiver = context;

	(void)id;
	(void)from;
	(void)flags;
	receiver->on_hit((size_t)to, receiver->data);
	return 0;
}

static int scan(void *state, const char *bytes, size_t size, hl_on_hit on_hit, void *data)
{
	struct hl_scanner *scanner = state;
	struct hit_receiver receiver = {on_hit, data};

	return hs_scan(scanner->database, bytes, (unsigned int)size, 0, scanner->scratch, take_match,
		       &receiver) == HS_SUCCESS
		       ? 0
		       : -EIO;
}

static void *clone_scanner(const void *state)
{
	const struct hl_scanner *scanner = state;
	struct hl_scanner *clone = calloc(1, sizeof(*clone));

	if (!clone)
		return NULL;
	clone->database = scanner->database;
	if (hs_clone_scratch(scanner->scratch, &clone->scratch) == HS_SUCCESS)
		return clone;
	free(clone);
	return NULL;
}

static void release_clone(void *state)
{
	struct hl_scanner *clone = state;

	hs_free_scratch(clone->scratch);
	free(clone);
}

/* An anchor that holds another one need not be looked for: where it is, the other one is too. */
static bool is_covered(size_t row)
{
	for (size_t other = 0; other < signature_count; other++) {
		const char *anchor = signatures[row].anchor, *part = signatures[other].anchor;

		if (strstr(anchor, part) && (strcmp(anchor, part) != 0 || other < row))
			return true;
	}
	return false;
}

static int compile(struct hl_scanner *scanner, struct hl_error *err)
{
	const char *literals[512];
	unsigned int flags[512], ids[512];
	size_t lengths[512];
	unsigned int count = 0;
	hs_compile_error_t *problem = NULL;

	for (size_t row = 0; row < signature_count && count < 512; row++) {
		if (is_covered(row))
			continue;
		literals[count] = signatures[row].anchor;
		lengths[count] = strlen(literals[count]);
		flags[count] = 0;
		ids[count++] = (unsigned int)row;
	}
	if (hs_compile_lit_multi(literals, flags, ids, lengths, count, HS_MODE_BLOCK, NULL,
				 &scanner->database, &problem) != HS_SUCCESS) {
		int status = hl_error_set(err, EINVAL, "compile the anchors: %s",
					  problem ? problem->message : "unknown error");

		hs_free_compile_error(problem);
		return status;
	}
	if (hs_alloc_scratch(scanner->database, &scanner->scratch) != HS_SUCCESS)
		return hl_error_set(err, ENOMEM, "no memory for the scanner");
	return 0;
}

int hl_scanner_open(struct hl_scanner **scanner, struct hl_error *err)
{
	struct hl_scanner *fresh;
	int status;

	if (hs_valid_platform() != HS_SUCCESS)
		return hl_error_set(err, ENOTSUP, "this CPU has no SSSE3, which Hyperscan needs");
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return hl_error_set(err, ENOMEM, "no memory for the scanner");
	fresh->prefilter = (struct hl_prefilter){
		.scan = scan, .clone = clone_scanner, .release = release_clone, .state = fresh};
	status = compile(fresh, err);
	if (status) {
		hl_scanner_close(fresh);
		return status;
	}
	*scanner = fresh;
	return 0;
}

const struct hl_prefilter *hl_scanner_prefilter(const struct hl_scanner *scanner)
{
	return scanner ? &scanner->prefilter : NULL;
}

void hl_scanner_close(struct hl_scanner *scanner)
{
	if (!scanner)
		return;
	hs_free_scratch(scanner->scratch);
	hs_free_database(scanner->database);
	free(scanner);
}
