// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file.h"
#include "checkers/symbols.h"
#include "events.h"
#include "package_fixture.h"

#include <CUnit/CUnit.h>
#include <archive.h>
#include <archive_entry.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The test program stands for a kernel: it has functions, some inlined, and debugging information. */

static uintptr_t place;

void symbols_note_place(void);
void symbols_target(void);

__attribute__((noinline)) void symbols_note_place(void)
{
	place = (uintptr_t)__builtin_return_address(0);
}

static inline __attribute__((always_inline)) void inlined_part(void)
{
	symbols_note_place();
}

static inline __attribute__((always_inline)) void outer_part(void)
{
	inlined_part();
}

__attribute__((noinline)) void symbols_target(void)
{
	outer_part();
	place += !place; /* no tail call */
}

static const struct hl_frame *frame_of(const struct hl_event *event, const char *function)
{
	for (size_t i = 0; i < event->stack.count; i++)
		if (strcmp(event->stack.frames[i].function, function) == 0)
			return &event->stack.frames[i];
	return NULL;
}

static void check_frame(const struct hl_frame *frame, bool inlined)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(frame);
	CU_ASSERT_PTR_NOT_NULL_FATAL(frame->file);
	CU_ASSERT_PTR_NOT_NULL(strstr(frame->file, "test_symbols.c"));
	CU_ASSERT_TRUE(frame->file_line > 10 && frame->file_line < 40);
	CU_ASSERT_EQUAL(frame->inlined, inlined);
}

static void test_places(void)
{
	struct hl_symbols *symbols;
	struct hl_event resolved;
	struct hl_error err = HL_ERROR_INIT;
	struct events events;
	char log[512];

	symbols_target();
	snprintf(log, sizeof(log),
		 "BUG: soft lockup - CPU#1 stuck for 26s! [ping:105]\n"
		 "Call Trace:\n"
		 " [<ffffffff81000000>] no_such_function+0x10/0x20\n"
		 " [<ffffffff81000010>] symbols_target+0x%lx/0x40\n"
		 " [<ffffffff81000020>] symbols_target+0x1/0x40 [module]\n",
		 (unsigned long)(place - (uintptr_t)symbols_target));
	events = events_read(log, strlen(log), 4096);
	CU_ASSERT_EQUAL_FATAL(events.count, 1);
	CU_ASSERT_EQUAL_FATAL(hl_symbols_open(&symbols, "/proc/self/exe", &err), 0);
	CU_ASSERT_EQUAL_FATAL(hl_symbols_resolve(symbols, &events.list[0], &resolved), 0);
	/* Inlined functions come first, the innermost before its caller. */
	CU_ASSERT_EQUAL_FATAL(resolved.stack.count, 5);
	CU_ASSERT_PTR_NULL(resolved.stack.frames[0].file);
	CU_ASSERT_STRING_EQUAL(resolved.stack.frames[1].function, "inlined_part");
	CU_ASSERT_STRING_EQUAL(resolved.stack.frames[2].function, "outer_part");
	check_frame(frame_of(&resolved, "inlined_part"), true);
	check_frame(frame_of(&resolved, "outer_part"), true);
	check_frame(frame_of(&resolved, "symbols_target"), false);
	CU_ASSERT_TRUE(frame_of(&resolved, "inlined_part")->file_line <
		       frame_of(&resolved, "outer_part")->file_line);
	CU_ASSERT_TRUE(frame_of(&resolved, "outer_part")->file_line <
		       frame_of(&resolved, "symbols_target")->file_line);
	/* A module's function of the same name is another one. */
	CU_ASSERT_PTR_NULL(resolved.stack.frames[4].file);
	hl_event_free(&resolved);
	hl_symbols_close(symbols);
	events_free(&events);
}

/* The log of one frame. Return: the file that @path says it is in, to be freed, or NULL. */
static char *resolve_frame(const char *path, const char *frame)
{
	char log[256], *file = NULL;
	struct hl_symbols *symbols;
	struct hl_event resolved;
	struct events events;
	size_t length = (size_t)snprintf(log, sizeof(log),
					 "BUG: soft lockup - CPU#1 stuck for 26s! [ping:105]\n"
					 "Call Trace:\n"
					 " %s\n",
					 frame);

	events = events_read(log, length, 4096);
	CU_ASSERT_EQUAL_FATAL(events.count, 1);
	CU_ASSERT_EQUAL_FATAL(hl_symbols_open(&symbols, path, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(hl_symbols_resolve(symbols, &events.list[0], &resolved), 0);
	CU_ASSERT_EQUAL_FATAL(resolved.stack.count, 1);
	if (resolved.stack.frames[0].file)
		file = strdup(resolved.stack.frames[0].file);
	hl_event_free(&resolved);
	hl_symbols_close(symbols);
	events_free(&events);
	return file;
}

static void check_file(const char *path, const char *frame, bool found)
{
	char *file = resolve_frame(path, frame);

	CU_ASSERT_EQUAL(file != NULL, found);
	CU_ASSERT_TRUE(!file || strstr(file, "test_symbols.c"));
	free(file);
}

struct content {
	const char *path;
	const char *bytes;
	size_t size;
};

static size_t pack(int (*set_format)(struct archive *), const struct content *files, size_t count, char *to,
		   size_t room)
{
	struct archive *archive = archive_write_new();
	size_t used = 0;

	CU_ASSERT_EQUAL_FATAL(set_format(archive), ARCHIVE_OK);
	CU_ASSERT_EQUAL_FATAL(archive_write_open_memory(archive, to, room, &used), ARCHIVE_OK);
	for (size_t i = 0; i < count; i++) {
		struct archive_entry *entry = archive_entry_new();

		archive_entry_set_pathname(entry, files[i].path);
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_size(entry, (la_int64_t)files[i].size);
		archive_write_header(archive, entry);
		archive_write_data(archive, files[i].bytes, files[i].size);
		archive_entry_free(entry);
	}
	archive_write_close(archive);
	archive_write_free(archive);
	return used;
}

static void write_package(const char *path, const struct content *files, size_t count, size_t room)
{
	char *tar = malloc(room), *deb = malloc(room);
	struct content data = {"data.tar", tar,
			       pack(archive_write_set_format_gnutar, files, count, tar, room)};

	fixture_write(path, deb, pack(archive_write_set_format_ar_svr4, &data, 1, deb, room));
	free(tar);
	free(deb);
}

/* The test program again, as a kernel and as its module: in a package, and in the folders that hold them. */
static void test_modules(void)
{
	const char *folder = fixture_folder();
	char *kernel = file_path("%s/boot/vmlinux-6.1.0-9", folder),
	     *package = file_path("%s/dbg.deb", folder),
	     *module = file_path("%s/lib/modules/6.1.0-9/kernel/fs/some-fs.ko", folder), *program;
	size_t size;

	CU_ASSERT_EQUAL_FATAL(file_read("/proc/self/exe", &program, &size, NULL), 0);
	fixture_write(kernel, program, size);
	fixture_write(module, program, size);
	write_package(package,
		      (const struct content[]){{"./usr/lib/debug/boot/vmlinux-6.1.0-9", program, size},
					       {"./usr/lib/debug/lib/modules/some-fs.ko", program, size}},
		      2, 3 * size);
	for (size_t i = 0; i < 2; i++) {
		const char *path = i ? package : kernel;

		check_file(path, "symbols_note_place+0x1/0x40", true);
		check_file(path, "symbols_note_place+0x1/0x40 [some_fs]", true);
		check_file(path, "symbols_note_place+0x1/0x40 [other_fs]", false);
		/* Of another build. */
		check_file(path, "symbols_note_place+0x1/0x1040", false);
	}
	free(program);
	free(kernel);
	free(module);
	free(package);
}

static void test_no_symbols(void)
{
	struct hl_symbols *symbols;
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT_EQUAL(hl_symbols_open(&symbols, "/nonexistent/vmlinux", &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/vmlinux"));
	CU_ASSERT_TRUE(hl_symbols_open(&symbols, "/proc/self/environ", &err) < 0);
}

CU_TestInfo symbols_tests[] = {
	{"file, line and inlined callers", test_places},
	{"modules, in a package and beside vmlinux", test_modules},
	{"a file without symbols", test_no_symbols},
	CU_TEST_INFO_NULL,
};
