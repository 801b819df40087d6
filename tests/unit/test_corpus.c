// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file.h"
#include "events.h"

#include <CUnit/CUnit.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Real console logs with the title that an expert gave them (../shared/corpus/README.md). Read from there
 * when they are there; the shares that are asked for are those of the project's design.
 */

#define KIND(name) (1u << HL_EVENT_##name)

/* What the beginning of a title says about the kind; the first entry that fits counts. */
static const struct {
	const char *title;
	unsigned int kinds;
} classes[] = {
	{"BUG: soft lockup", KIND(SOFT_LOCKUP)},
	{"INFO: rcu detected stall", KIND(RCU_STALL)},
	{"INFO: task hung", KIND(HUNG_TASK)},
	{"INFO: task can't die", KIND(HUNG_TASK)},
	{"BUG: workqueue lockup", KIND(WORKQUEUE_LOCKUP)},
	{"KASAN", KIND(SANITIZER)},
	{"KCSAN", KIND(SANITIZER)},
	{"KMSAN", KIND(SANITIZER)},
	{"KFENCE", KIND(SANITIZER)},
	{"UBSAN", KIND(SANITIZER)},
	{"memory leak", KIND(SANITIZER)},
	{"possible deadlock", KIND(LOCKDEP)},
	{"inconsistent lock state", KIND(LOCKDEP)},
	{"INFO: trying to register", KIND(LOCKDEP)},
	{"WARNING: suspicious RCU", KIND(LOCKDEP)},
	{"WARNING: bad unlock", KIND(LOCKDEP)},
	{"WARNING: held lock", KIND(LOCKDEP)},
	{"WARNING: still has locks", KIND(LOCKDEP)},
	{"WARNING: nested lock", KIND(LOCKDEP)},
	{"WARNING: locking bug", KIND(LOCKDEP) | KIND(WARNING)},
	{"BUG: held lock", KIND(LOCKDEP)},
	{"BUG: using ", KIND(BUG) | KIND(LOCKDEP)},
	{"BUG: unable to handle", KIND(OOPS)},
	{"BUG: stack guard", KIND(OOPS)},
	{"general protection", KIND(OOPS)},
	{"divide error", KIND(OOPS)},
	{"kernel panic", KIND(PANIC)},
	{"WARNING", KIND(WARNING)},
	{"unregister_netdevice", KIND(WARNING)},
	{"VFS: Close", KIND(BUG)},
	{"kernel BUG", KIND(BUG)},
	{"BUG: ", KIND(BUG)},
	{"attempt to add with overflow", KIND(BUG)},
};

#define HANGS (KIND(HUNG_TASK) | KIND(SOFT_LOCKUP) | KIND(RCU_STALL))
#define NOT_IN_QUIET_LOGS                                                                                    \
	(HANGS | KIND(HARD_LOCKUP) | KIND(WORKQUEUE_LOCKUP) | KIND(OOPS) | KIND(BUG) | KIND(PANIC))

struct sample {
	char *text;
	size_t size;
	const char *log; /* behind the header */
	size_t log_size;
	char title[512];
	unsigned int kinds;
	bool corrupted;
};

struct score {
	size_t titled, right_class, hangs, right_function, found[HL_EVENT_KIND_COUNT];
};

static bool read_sample(struct sample *sample, const char *path)
{
	const char *end, *report, *title;

	*sample = (struct sample){0};
	if (file_read(path, &sample->text, &sample->size, NULL))
		return false;
	end = *sample->text == '\n' ? sample->text : strstr(sample->text, "\n\n");
	if (!end)
		return false;
	sample->log = end + (end == sample->text ? 1 : 2);
	report = memmem(sample->log, sample->size - (size_t)(sample->log - sample->text), "\nREPORT:\n", 9);
	sample->log_size = (report ? (size_t)(report - sample->text) : sample->size) -
			   (size_t)(sample->log - sample->text);
	title = strstr(sample->text, "TITLE: ");
	if (title && title < end)
		snprintf(sample->title, sizeof(sample->title), "%.*s", (int)strcspn(title + 7, "\n"),
			 title + 7);
	sample->corrupted = memmem(sample->text, (size_t)(end - sample->text), "\nCORRUPTED: Y", 13) != NULL;
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes) && !sample->kinds; i++)
		if (strncmp(sample->title, classes[i].title, strlen(classes[i].title)) == 0)
			sample->kinds = classes[i].kinds;
	return true;
}

/* " in FUNCTION" at the end of the title, of an ALT title, or FRAME. */
static bool header_names(const struct sample *sample, const char *function)
{
	size_t length = strlen(function);

	for (const char *at = strstr(sample->text, function); at && at < sample->log;
	     at = strstr(at + 1, function))
		if (at[length] == '\n' && at > sample->text + 4 && at[-1] == ' ')
			return true;
	return false;
}

static void score_sample(const struct sample *sample, struct score *score)
{
	struct events events = events_read(sample->log, sample->log_size, 65536);
	const struct hl_event *match = NULL;

	for (size_t i = 0; i < events.count && !match; i++)
		if (sample->kinds & (1u << events.list[i].kind))
			match = &events.list[i];
	if (!*sample->title) {
		for (size_t i = 0; i < events.count; i++)
			CU_ASSERT_FALSE(NOT_IN_QUIET_LOGS & (1u << events.list[i].kind));
	} else if (sample->kinds && !sample->corrupted) {
		score->titled++;
		score->right_class += match == events.list && match != NULL;
	}
	if (match)
		score->found[match->kind]++;
	if ((sample->kinds & HANGS) && !sample->corrupted) {
		score->hangs++;
		score->right_function += match && match->function && header_names(sample, match->function);
	}
	events_free(&events);
}

static void test_corpus(void)
{
	struct score score = {0};
	glob_t files = {0};

	if (glob("../shared/corpus/kernel-logs/*", 0, NULL, &files)) {
		printf("SKIP (no ../shared/corpus) ");
		return;
	}
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct sample sample;

		CU_ASSERT_TRUE(read_sample(&sample, files.gl_pathv[i]));
		score_sample(&sample, &score);
		free(sample.text);
	}
	globfree(&files);
	printf("class %zu/%zu, function %zu/%zu ", score.right_class, score.titled, score.right_function,
	       score.hangs);
	CU_ASSERT_TRUE(score.titled > 150);
	CU_ASSERT_TRUE(score.right_class * 100 >= score.titled * 98);
	CU_ASSERT_TRUE(score.right_function * 100 >= score.hangs * 85);
	/* 18 that hang, and one that cannot die. */
	CU_ASSERT_EQUAL(score.found[HL_EVENT_HUNG_TASK], 19);
	CU_ASSERT_EQUAL(score.found[HL_EVENT_SOFT_LOCKUP], 7);
	CU_ASSERT_EQUAL(score.found[HL_EVENT_RCU_STALL], 33);
}

CU_TestInfo corpus_tests[] = {
	{"titles that experts gave", test_corpus},
	CU_TEST_INFO_NULL,
};
