// SPDX-License-Identifier: GPL-2.0-or-later
#include "checkers/symbols.h"
#include "events.h"

#include <CUnit/CUnit.h>
#include <stdint.h>
#include <stdio.h>
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
	{"a file without symbols", test_no_symbols},
	CU_TEST_INFO_NULL,
};
