// SPDX-License-Identifier: GPL-2.0-or-later
/* Stacks as /proc/PID/stack printed them in our runs on Debian's 6.1, shortened at their outer ends. */
#include "inject/wait_layer.h"

#include <CUnit/CUnit.h>

static const struct {
	const char *stack;
	enum wait_layer layer;
	const char *function;
} samples[] = {
	{"[<0>] percpu_rwsem_wait+0x114/0x150\n[<0>] __percpu_down_read+0x57/0x90\n[<0>] "
	 "vfs_write+0x2e1/0x3f0\n",
	 WAIT_FREEZE, "percpu_rwsem_wait"},
	{"[<0>] folio_wait_bit_common+0x13d/0x350\n[<0>] folio_wait_writeback+0x28/0x80\n[<0>] "
	 "__filemap_fdatawait_range+0x81/0xe0\n"
	 "[<0>] ext4_sync_file+0x97/0x320\n",
	 WAIT_BLOCK, "folio_wait_bit_common"},
	{"[<0>] __iomap_dio_rw+0x549/0x850\n[<0>] iomap_dio_rw+0xe/0x30\n[<0>] "
	 "ext4_file_write_iter+0x4d3/0x8b0\n",
	 WAIT_BLOCK, "__iomap_dio_rw"},
	/* Waits for a buffer of the journal, although the innermost functions are those of any I/O. */
	{"[<0>] bit_wait_io+0xd/0x60\n[<0>] __wait_on_bit+0x44/0x110\n[<0>] "
	 "out_of_line_wait_on_bit+0x91/0xb0\n"
	 "[<0>] do_get_write_access+0x264/0x3d0 [jbd2]\n",
	 WAIT_JOURNAL, "do_get_write_access"},
	{"[<0>] jbd2_log_wait_commit+0xe1/0x150 [jbd2]\n[<0>] ext4_sync_file+0x1a1/0x320\n", WAIT_JOURNAL,
	 "jbd2_log_wait_commit"},
	{"[<0>] io_cqring_wait+0x4d4/0x5f0\n[<0>] __do_sys_io_uring_enter+0x3b2/0x610\n", WAIT_UNKNOWN,
	 "io_cqring_wait"},
	/* libaio: submitted, so the device has to complete it. */
	{"[<0>] read_events+0x8e/0x1a0\n[<0>] do_io_getevents+0x6a/0xc0\n", WAIT_BLOCK, "read_events"},
	{"[<0>] wait_transaction_locked+0x86/0xb0\n[<0>] add_transaction_credits+0x1cb/0x2e0\n", WAIT_JOURNAL,
	 "wait_transaction_locked"},
	/* Of /proc/PID/wchan, and with a compiler's suffix. */
	{"percpu_rwsem_wait", WAIT_FREEZE, "percpu_rwsem_wait"},
	{"[<0>] xlog_wait_on_iclog.isra.0+0x1/0x2\n", WAIT_JOURNAL, "xlog_wait_on_iclog"},
	{"", WAIT_UNKNOWN, ""},
	{"0", WAIT_UNKNOWN, "0"},
	{"[<0>]", WAIT_UNKNOWN, ""},
	{"\n\n[<0>] submit_bio_wait+0x1/0x2", WAIT_BLOCK, "submit_bio_wait"},
};

static void test_samples(void)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		char function[64] = "untouched";

		CU_ASSERT_EQUAL(wait_layer_of_stack(samples[i].stack, function, sizeof(function)),
				samples[i].layer);
		CU_ASSERT_STRING_EQUAL(function, samples[i].function);
	}
}

static void test_short_buffer(void)
{
	char function[8];

	CU_ASSERT_EQUAL(wait_layer_of_stack(samples[0].stack, function, sizeof(function)), WAIT_FREEZE);
	CU_ASSERT_STRING_EQUAL(function, "percpu_");
}

static void test_names(void)
{
	CU_ASSERT_STRING_EQUAL(wait_layer_name(WAIT_FREEZE), "freeze");
	CU_ASSERT_STRING_EQUAL(wait_layer_name(WAIT_TRANSPORT), "transport");
	CU_ASSERT_STRING_EQUAL(wait_layer_name(WAIT_UNKNOWN), "unknown");
}

CU_TestInfo wait_layer_tests[] = {
	{"stacks of our runs", test_samples},
	{"a short buffer", test_short_buffer},
	{"names", test_names},
	CU_TEST_INFO_NULL,
};
