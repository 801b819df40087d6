// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/stream.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"
#include "resources.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <fiu-control.h>
#include <fiu.h>
#include <string.h>

/**
 * struct reader - a stream, its writer and what came out
 * @text: all lines, each followed by '|'
 * @result: what the callback returns
 */
struct reader {
	struct stream stream;
	int writer;
	char text[512];
	size_t lines, longest;
	int result;
};

static int on_line(void *data, char *line, size_t size)
{
	struct reader *reader = data;
	size_t used = strlen(reader->text);

	CU_ASSERT_EQUAL(line[size], '\0');
	if (used + size < sizeof(reader->text) - 2)
		snprintf(reader->text + used, sizeof(reader->text) - used, "%s|", line);
	reader->lines++;
	if (size > reader->longest)
		reader->longest = size;
	return reader->result;
}

static void open_reader(struct reader *reader, stream_on_line callback)
{
	cleanup_free char *path = file_path("%s/channel.log", fixture_folder());

	memset(reader, 0, sizeof(*reader));
	CU_ASSERT_EQUAL_FATAL(stream_create(&reader->stream, path, callback, reader, NULL), 0);
	reader->writer = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	CU_ASSERT_TRUE_FATAL(reader->writer >= 0);
}

static void close_reader(struct reader *reader)
{
	stream_close(&reader->stream);
	close(reader->writer);
}

static int feed(struct reader *reader, const char *text)
{
	CU_ASSERT_EQUAL(file_write_all(reader->writer, text, strlen(text)), 0);
	return stream_read(&reader->stream, NULL);
}

static void test_cut_lines(void)
{
	size_t before = resources_descriptors();
	struct reader reader;

	open_reader(&reader, on_line);
	CU_ASSERT_EQUAL(stream_read(&reader.stream, NULL), 0);
	CU_ASSERT_EQUAL(feed(&reader, "fir"), 0);
	CU_ASSERT_STRING_EQUAL(reader.text, "");
	CU_ASSERT_EQUAL(feed(&reader, "st\n\nsecond\nthi"), 0);
	CU_ASSERT_STRING_EQUAL(reader.text, "first||second|");
	CU_ASSERT_EQUAL(feed(&reader, "r"), 0);
	CU_ASSERT_EQUAL(feed(&reader, "d\n"), 0);
	CU_ASSERT_STRING_EQUAL(reader.text, "first||second|third|");
	CU_ASSERT_EQUAL(reader.stream.total, strlen("first\n\nsecond\nthird\n"));
	close_reader(&reader);
	CU_ASSERT_EQUAL(resources_descriptors(), before);
}

/* However the bytes arrive, the lines are the same. */
static void test_parts(void)
{
	static const char text[] = "one\ntwo two\n\nthree\n";

	for (size_t part = 1; part < sizeof(text); part++) {
		struct reader reader;

		open_reader(&reader, on_line);
		for (size_t at = 0; at < sizeof(text) - 1; at += part) {
			char piece[sizeof(text)];

			snprintf(piece, sizeof(piece), "%.*s", (int)part, text + at);
			CU_ASSERT_EQUAL(feed(&reader, piece), 0);
		}
		CU_ASSERT_STRING_EQUAL(reader.text, "one|two two||three|");
		close_reader(&reader);
	}
}

static char *long_line(size_t length)
{
	char *text = malloc(length + 2);

	memset(text, 'x', length);
	strcpy(text + length, "\n");
	return text;
}

static void test_longest_line(void)
{
	cleanup_free char *fits = long_line(STREAM_LONGEST_LINE),
			  *too_long = long_line(STREAM_LONGEST_LINE + 1);
	struct hl_error err = HL_ERROR_INIT;
	struct reader reader;

	open_reader(&reader, on_line);
	/* Wherever the line lies in the blocks that are read. */
	for (size_t shift = 1; shift <= 65536; shift *= 4) {
		cleanup_free char *before = long_line(shift - 1);

		CU_ASSERT_EQUAL(file_write_all(reader.writer, before, shift), 0);
		CU_ASSERT_EQUAL(feed(&reader, fits), 0);
	}
	CU_ASSERT_EQUAL(reader.lines, 18);
	CU_ASSERT_EQUAL(reader.longest, STREAM_LONGEST_LINE);
	CU_ASSERT_EQUAL(file_write_all(reader.writer, too_long, strlen(too_long)), 0);
	CU_ASSERT_EQUAL(stream_read(&reader.stream, &err), -EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "a line of more than 1048576 bytes"));
	close_reader(&reader);
}

static void test_endless_line(void)
{
	cleanup_free char *part = long_line(1 << 20);
	struct reader reader;
	int r = 0;

	part[1 << 20] = '\0';
	open_reader(&reader, on_line);
	for (int i = 0; !r && i < 4; i++)
		r = feed(&reader, part);
	CU_ASSERT_EQUAL(r, -EBADMSG);
	CU_ASSERT_TRUE(reader.stream.room <= 4 << 20);
	close_reader(&reader);
}

static void test_callback_error(void)
{
	struct reader reader;

	open_reader(&reader, on_line);
	reader.result = -EPROTO;
	CU_ASSERT_EQUAL(feed(&reader, "a\nb\nc"), -EPROTO);
	CU_ASSERT_STRING_EQUAL(reader.text, "a|");
	close_reader(&reader);
}

static void test_count_only(void)
{
	struct reader reader;

	open_reader(&reader, NULL);
	CU_ASSERT_EQUAL(feed(&reader, "a\nb"), 0);
	CU_ASSERT_EQUAL(reader.stream.total, 3);
	CU_ASSERT_EQUAL(reader.stream.used, 0);
	close_reader(&reader);
}

static void test_failure_point(void)
{
	struct hl_error err = HL_ERROR_INIT;
	struct reader reader;

	fiu_init(0);
	open_reader(&reader, on_line);
	CU_ASSERT_EQUAL(feed(&reader, "before\nhal"), 0);
	CU_ASSERT_EQUAL_FATAL(fiu_enable("channel/read", 1, NULL, FIU_ONETIME), 0);
	CU_ASSERT_EQUAL(file_write_all(reader.writer, "f\n", 2), 0);
	CU_ASSERT_EQUAL(stream_read(&reader.stream, &err), -EIO);
	CU_ASSERT_STRING_EQUAL(err.text, "read from the guest: Input/output error");
	/* Nothing was lost by it. */
	CU_ASSERT_EQUAL(stream_read(&reader.stream, &err), 0);
	CU_ASSERT_STRING_EQUAL(reader.text, "before|half|");
	close_reader(&reader);
	fiu_disable("channel/read");
}

CU_TestInfo stream_tests[] = {
	{"cut lines", test_cut_lines},
	{"bytes in parts of any size", test_parts},
	{"the longest line", test_longest_line},
	{"a line without end", test_endless_line},
	{"an error of the callback", test_callback_error},
	{"counting only", test_count_only},
	{"failure point channel/read", test_failure_point},
	CU_TEST_INFO_NULL,
};
