// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/wait_layer.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* Functions of Linux 3.10 to 6.12; the measured ones are those of ext4, xfs and btrfs on 6.1. */
static const struct {
	enum wait_layer layer;
	const char *pattern;
} rules[] = {
	/* A writer waits for the thaw in sb_start_write(), a reader lock of a percpu-rwsem since 4.3. */
	{WAIT_FREEZE, "percpu_rwsem_wait"},
	{WAIT_FREEZE, "*percpu_down_read*"},
	{WAIT_FREEZE, "*sb_start_write*"},
	{WAIT_FREEZE, "*sb_start_pagefault*"},
	{WAIT_FREEZE, "*sb_start_intwrite*"},
	/* The committing thread waits for its own I/O; the others wait for it. */
	{WAIT_BLOCK, "jbd2_journal_commit_transaction"},
	{WAIT_JOURNAL, "*jbd2_*"},
	{WAIT_JOURNAL, "do_get_write_access"},
	{WAIT_JOURNAL, "start_this_handle"},
	{WAIT_JOURNAL, "wait_transaction_locked"},
	{WAIT_JOURNAL, "add_transaction_credits"},
	{WAIT_JOURNAL, "xlog_*"},
	{WAIT_JOURNAL, "*xfs_log_*"},
	{WAIT_JOURNAL, "wait_log_commit*"},
	{WAIT_JOURNAL, "wait_current_trans*"},
	{WAIT_JOURNAL, "btrfs_sync_log"},
	{WAIT_JOURNAL, "btrfs_commit_transaction*"},
	{WAIT_BLOCK, "folio_wait_*"},
	{WAIT_BLOCK, "wait_on_page_*"},
	{WAIT_BLOCK, "*filemap_fdatawait*"},
	{WAIT_BLOCK, "*wait_on_buffer"},
	{WAIT_BLOCK, "submit_bio_wait"},
	{WAIT_BLOCK, "__iomap_dio_rw"},
	{WAIT_BLOCK, "*blockdev_direct_IO*"},
	{WAIT_BLOCK, "blkdev_*"},
	{WAIT_BLOCK, "blk_*"},
	{WAIT_BLOCK, "rq_qos_*"},
	{WAIT_BLOCK, "*rq_qos_throttle"},
	{WAIT_BLOCK, "wbt_wait*"},
	{WAIT_BLOCK, "scsi_*"},
	{WAIT_BLOCK, "dm_*"},
	{WAIT_BLOCK, "xfs_buf_iowait"},
	{WAIT_BLOCK, "btrfs_wait_ordered_*"},
	{WAIT_BLOCK, "btrfs_start_ordered_extent*"},
	{WAIT_BLOCK, "btrfs_wait_tree_block_writeback"},
	{WAIT_BLOCK, "write_all_supers"},
	/* libaio: it was submitted, so only the device can complete it. */
	{WAIT_BLOCK, "read_events"},
	{WAIT_BLOCK, "do_io_getevents"},
};

static const char *const names[] = {"unknown", "freeze", "journal", "block", "transport"};

const char *wait_layer_name(enum wait_layer layer)
{
	return names[layer];
}

static enum wait_layer layer_of_function(const char *function)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!fnmatch(rules[i].pattern, function, 0))
			return rules[i].layer;
	return WAIT_UNKNOWN;
}

/* The function of "[<0>] FUNCTION+0x1/0x2"; also of "FUNCTION". Compiler suffixes (".isra.0") go. */
static void take_function(const char *line, size_t length, char *function, size_t size)
{
	const char *bracket = memchr(line, ']', length);
	const char *start = bracket ? bracket + 1 : line;

	start += strspn(start, " ");
	snprintf(function, size, "%.*s", (int)strcspn(start, "+. \n"), start);
}

enum wait_layer wait_layer_of_stack(const char *stack, char *function, size_t size)
{
	enum wait_layer layer = WAIT_UNKNOWN;
	char innermost[128] = "", name[128] = "";

	while (*stack && layer == WAIT_UNKNOWN) {
		size_t length = strcspn(stack, "\n");

		take_function(stack, length, name, sizeof(name));
		layer = layer_of_function(name);
		if (!innermost[0])
			memcpy(innermost, name, sizeof(innermost));
		stack += length + (stack[length] == '\n');
	}
	snprintf(function, size, "%s", layer == WAIT_UNKNOWN ? innermost : name);
	return layer;
}
