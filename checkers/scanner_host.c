// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"
#include "scanner.h"
#include "scanner_cache.h"

#include "base/hash.h"

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

/*
 * Hyperscan looks at the last bytes of its literals first, so it is two to three times as fast when few
 * places of a log end like one of them. An anchor is therefore cut behind its rarest byte: what is left of it
 * still is in every line that the anchor is in, and the few other lines only cost a closer look.
 */

#define SHORTEST_LITERAL 4
#define MOST_LITERALS	 512

/* The bytes of kernel logs, the most frequent first. */
static const char bytes_by_frequency[] =
	" 0ef1ra62tios48.cn[]53dl:x_97pmub><g/IPCkhy+Rv-AS)(wT,=?BEMDONFULXKGqzHQj'WVY#\"*\\{}&Z@;|!~$J^`";

struct literal {
	const char *text; /* not terminated */
	size_t length;
};

static size_t rarity(char byte)
{
	return strcspn(bytes_by_frequency, (const char[]){byte, '\0'});
}

static struct literal cut_anchor(const char *anchor)
{
	const size_t whole = strlen(anchor);
	struct literal literal = {anchor, whole};
	size_t rarest = 0;

	for (size_t length = SHORTEST_LITERAL; length <= whole; length++) {
		if (rarity(anchor[length - 1]) > rarest) {
			rarest = rarity(anchor[length - 1]);
			literal.length = length;
		}
	}
	return literal;
}

static bool holds(const struct literal *literal, const struct literal *part)
{
	return memmem(literal->text, literal->length, part->text, part->length) != NULL;
}

/* Adds @literal unless there is one already that is wherever it is. Return: the new count. */
static size_t add_literal(struct literal *literals, size_t count, struct literal literal)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (holds(&literal, &literals[i]))
			return count;
	for (size_t i = 0; i < count; i++)
		if (!holds(&literals[i], &literal))
			literals[kept++] = literals[i];
	literals[kept++] = literal;
	return kept;
}

struct literals {
	struct literal list[MOST_LITERALS];
	size_t count;
};

static int collect(struct literals *literals, struct hl_error *err)
{
	literals->count = 0;
	if (signature_count > MOST_LITERALS)
		return hl_error_set(err, E2BIG, "more than %d signatures", MOST_LITERALS);
	for (size_t row = 0; row < signature_count; row++)
		literals->count =
			add_literal(literals->list, literals->count, cut_anchor(signatures[row].anchor));
	return 0;
}

/* Of all that decides what a database is. */
static void make_key(const struct literals *literals, char *key)
{
	const char *version = hs_version();
	hs_platform_info_t platform = {0};
	struct sha256_ctx context;

	hs_populate_platform(&platform);
	sha256_init(&context);
	sha256_update(&context, strlen(version), (const uint8_t *)version);
	sha256_update(&context, sizeof(platform), (const uint8_t *)&platform);
	for (size_t i = 0; i < literals->count; i++) {
		const struct literal *literal = &literals->list[i];

		sha256_update(&context, sizeof(literal->length), (const uint8_t *)&literal->length);
		sha256_update(&context, literal->length, (const uint8_t *)literal->text);
	}
	hash_finish(&context, key);
}

static int compile(const struct literals *literals, hs_database_t **database, struct hl_error *err)
{
	const char *texts[MOST_LITERALS];
	size_t lengths[MOST_LITERALS];
	unsigned int flags[MOST_LITERALS] = {0}, ids[MOST_LITERALS] = {0};
	hs_compile_error_t *problem = NULL;
	int status;

	for (size_t i = 0; i < literals->count; i++) {
		texts[i] = literals->list[i].text;
		lengths[i] = literals->list[i].length;
	}
	if (hs_compile_lit_multi(texts, flags, ids, lengths, (unsigned int)literals->count, HS_MODE_BLOCK,
				 NULL, database, &problem) == HS_SUCCESS)
		return 0;
	status = hl_error_set(err, EINVAL, "compile the anchors: %s",
			      problem ? problem->message : "unknown error");
	hs_free_compile_error(problem);
	return status;
}

static int find_database(hs_database_t **database, struct hl_error *err)
{
	struct literals literals;
	char key[HASH_TEXT_SIZE];
	int status = collect(&literals, err);

	if (status)
		return status;
	make_key(&literals, key);
	*database = scanner_cache_load(key);
	if (*database)
		return 0;
	status = compile(&literals, database, err);
	if (!status)
		scanner_cache_store(key, *database);
	return status;
}

static int prepare(struct hl_scanner *scanner, struct hl_error *err)
{
	int status = find_database(&scanner->database, err);

	if (!status && hs_alloc_scratch(scanner->database, &scanner->scratch) != HS_SUCCESS)
		return hl_error_set(err, ENOMEM, "no memory for the scanner");
	return status;
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
	status = prepare(fresh, err);
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
