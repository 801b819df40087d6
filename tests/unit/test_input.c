// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file.h"
#include "checkers/input.h"
#include "checkers/scanner.h"

#include <CUnit/CUnit.h>
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Files as they come: plain, compressed, cut, journal exports. */

static const char log_text[] = "[   30.000123] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [ping:105]\n"
			       "[   40.000123] Kernel panic - not syncing: softlockup: hung tasks\n";

struct seen {
	size_t count;
	size_t most;   /* then the receiver has had enough; 0: never */
	bool in_order; /* the lines ascended */
	uint64_t line;
	double time;
	char comm[32];
};

static int on_event(const struct hl_event *event, void *data)
{
	struct seen *seen = data;

	seen->in_order &= event->line > seen->line;
	seen->line = event->line;
	if (!seen->count++) {
		seen->time = event->time;
		snprintf(seen->comm, sizeof(seen->comm), "%s", event->stack.comm ? event->stack.comm : "");
	}
	return seen->count == seen->most ? -EPIPE : 0;
}

static int read_path(const char *path, struct seen *seen, struct hl_error *err)
{
	struct hl_scanner *scanner = NULL;
	struct hl_log_options options = {0};
	struct hl_log *log;
	int status;

	*seen = (struct seen){.in_order = true, .most = seen->most};
	hl_scanner_open(&scanner, NULL);
	options.prefilter = hl_scanner_prefilter(scanner);
	CU_ASSERT_EQUAL_FATAL(hl_log_open(&log, &options, on_event, seen, err), 0);
	status = hl_input_read(log, path, err);
	hl_log_close(log);
	hl_scanner_close(scanner);
	return status;
}

static int read_bytes(const void *bytes, size_t size, struct seen *seen, struct hl_error *err)
{
	char path[] = "/tmp/hanglab-input.XXXXXX";
	int fd = mkstemp(path), status;

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(file_write_all(fd, bytes, size), 0);
	close(fd);
	status = read_path(path, seen, err);
	unlink(path);
	return status;
}

static size_t compress(int (*add_filter)(struct archive *), const char *text, size_t size, char *to,
		       size_t room)
{
	struct archive *archive = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	size_t used = 0;

	archive_write_set_format_raw(archive);
	CU_ASSERT_EQUAL_FATAL(add_filter(archive), ARCHIVE_OK);
	CU_ASSERT_EQUAL_FATAL(archive_write_open_memory(archive, to, room, &used), ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_write_header(archive, entry);
	archive_write_data(archive, text, size);
	archive_entry_free(entry);
	archive_write_close(archive);
	archive_write_free(archive);
	return used;
}

static void test_compressed(void)
{
	static int (*const filters[])(struct archive *) = {
		archive_write_add_filter_gzip, archive_write_add_filter_xz, archive_write_add_filter_zstd};
	struct hl_error err = HL_ERROR_INIT;
	struct seen seen = {0};
	char packed[65536];

	CU_ASSERT_EQUAL(read_bytes(log_text, sizeof(log_text) - 1, &seen, &err), 0);
	CU_ASSERT_EQUAL(seen.count, 2);
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		size_t size = compress(filters[i], log_text, sizeof(log_text) - 1, packed, sizeof(packed));

		CU_ASSERT_EQUAL(read_bytes(packed, size, &seen, &err), 0);
		CU_ASSERT_EQUAL(seen.count, 2);
		CU_ASSERT_STRING_EQUAL(seen.comm, "ping");
	}
}

/* What can be read of a cut archive is read, and the cut is an error. */
static void test_cut(void)
{
	const size_t size = 4 * 1024 * 1024;
	char *text = malloc(size), *packed = malloc(size);
	struct hl_error err = HL_ERROR_INIT;
	struct seen seen = {0};
	size_t used;

	strcpy(text, log_text);
	for (size_t i = sizeof(log_text) - 1; i < size; i++)
		text[i] = i % 97 ? (char)('a' + (i * i / 7) % 26) : '\n';
	used = compress(archive_write_add_filter_gzip, text, size, packed, size);
	CU_ASSERT_TRUE(read_bytes(packed, used - used / 3, &seen, &err) < 0);
	CU_ASSERT_EQUAL(seen.count, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/tmp/hanglab-input."));
	free(text);
	free(packed);
}

/* systemd's journal export format: text fields, binary fields with a size, an empty line behind each entry.
 */
static void test_journal(void)
{
	static const char export[] =
		"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1700000000000000\n__MONOTONIC_TIMESTAMP=30000123\n"
		"SYSLOG_IDENTIFIER=kernel\nMESSAGE=watchdog: BUG: soft lockup - CPU#1 stuck for 26s! "
		"[ping:105]\n\n"
		"__CURSOR=s=2\n__MONOTONIC_TIMESTAMP=30000456\nSYSLOG_IDENTIFIER=kernel\n"
		"MESSAGE\n\x15\0\0\0\0\0\0\0Modules linked in:\nab\n\n"
		"__CURSOR=s=3\n__MONOTONIC_TIMESTAMP=99000000\nSYSLOG_IDENTIFIER=iscsid\n"
		"MESSAGE=Kernel reported iSCSI connection 1:0 error (1020 - closed) state (3)\n\n";
	struct hl_error err = HL_ERROR_INIT;
	struct seen seen = {0};

	CU_ASSERT_EQUAL(read_bytes(export, sizeof(export) - 1, &seen, &err), 0);
	CU_ASSERT_EQUAL(seen.count, 2);
	CU_ASSERT_DOUBLE_EQUAL(seen.time, 30.000123, 1e-9);
	CU_ASSERT_STRING_EQUAL(seen.comm, "ping");
}

/* A large file goes through several threads, and gives the same. */
static void test_large(void)
{
	const size_t size = 24 * 1024 * 1024;
	char *text = malloc(size + sizeof(log_text));
	struct hl_error err = HL_ERROR_INIT;
	struct seen seen = {0};

	for (size_t i = 0; i < size; i++)
		text[i] = i % 101 ? (char)('a' + i % 23) : '\n';
	/* Over a border between pieces, and at the very end. */
	memcpy(text + 5 * 1024 * 1024 - 40, log_text, sizeof(log_text) - 1);
	strcpy(text + size, log_text);
	text[5 * 1024 * 1024 - 41] = text[size - 1] = '\n';
	CU_ASSERT_EQUAL(read_bytes(text, size + sizeof(log_text) - 1, &seen, &err), 0);
	CU_ASSERT_EQUAL(seen.count, 4);
	free(text);
}

/* Every line is an event, so the thread that makes them is busy; it may give up. */
static void test_large_dense(void)
{
	static const char line[] = "[   30.000123] I/O error, dev sdb, sector 2048\n";
	const size_t length = sizeof(line) - 1, count = 200 * 1000;
	char *text = malloc(length * count);
	struct hl_error err = HL_ERROR_INIT;
	struct seen seen = {0};

	for (size_t i = 0; i < count; i++)
		memcpy(text + i * length, line, length);
	CU_ASSERT_EQUAL(read_bytes(text, length * count, &seen, &err), 0);
	CU_ASSERT_EQUAL(seen.count, count);
	CU_ASSERT_TRUE(seen.in_order);
	seen.most = 1000;
	CU_ASSERT_EQUAL(read_bytes(text, length * count, &seen, &err), -EPIPE);
	CU_ASSERT_EQUAL(seen.count, 1000);
	free(text);
}

static void test_missing(void)
{
	struct hl_error err = HL_ERROR_INIT;
	struct seen seen = {0};

	CU_ASSERT_EQUAL(read_path("/nonexistent.log", &seen, &err), -ENOENT);
	CU_ASSERT_STRING_EQUAL(err.text, "read /nonexistent.log: open: No such file or directory");
	CU_ASSERT_EQUAL(read_bytes("", 0, &seen, &err), 0);
	CU_ASSERT_EQUAL(seen.count, 0);
}

CU_TestInfo input_tests[] = {
	{"gzip, xz and zstd", test_compressed},
	{"a cut archive", test_cut},
	{"a journal export", test_journal},
	{"a large file", test_large},
	{"a large file of nothing but events", test_large_dense},
	{"a missing and an empty file", test_missing},
	CU_TEST_INFO_NULL,
};
