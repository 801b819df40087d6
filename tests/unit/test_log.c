// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "checkers/scanner.h"
#include "events.h"
#include "package_fixture.h"

#include <CUnit/CUnit.h>
#include <dirent.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Logs of our own making; the values asserted below are those that stand in them. */

static const char hung_task[] =
	"[    0.000000] Linux version 6.1.0-55-cloud-amd64 (builder@lab) #1 SMP\n"
	"[  244.115312] INFO: task rs:main Q:Reg:107 blocked for more than 120 seconds.\n"
	"[  244.115909]       Not tainted 6.1.0-55-cloud-amd64 #1 Debian 6.1.192-1\n"
	"[  244.116251] \"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.\n"
	"[  244.116702] task:rs:main Q:Reg   state:D stack:0     pid:107   ppid:1      flags:0x00004002\n"
	"[  244.117260] Call Trace:\n"
	"[  244.117402]  <TASK>\n"
	"[  244.117522]  __schedule+0x34d/0x9e0\n"
	"[  244.117712]  schedule+0x5a/0xd0\n"
	"[  244.117885]  percpu_rwsem_wait+0x115/0x140\n"
	"[  244.118099]  ? __percpu_rwsem_trylock.part.0+0x60/0x60\n"
	"[  244.118371]  __percpu_down_read+0x5e/0x80\n"
	"[  244.118581]  vfs_write+0x2ec/0x3f0\n"
	"[  244.118763]  ksys_write+0x6b/0xf0\n"
	"[  244.118937]  do_syscall_64+0x55/0xb0\n"
	"[  244.119127]  entry_SYSCALL_64_after_hwframe+0x6e/0xd8\n"
	"[  244.119389]  </TASK>\n";

static const char soft_lockup[] =
	"[   30.000123] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [ping:105]\n"
	"[   30.000456] Modules linked in: act_mirred cls_matchall sch_htb dummy\n"
	"[   30.000789] CPU: 1 PID: 105 Comm: ping Not tainted 6.1.0-50-cloud-amd64 #1  Debian 6.1.170-3\n"
	"[   30.001012] Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.2\n"
	"[   30.001301] RIP: 0010:native_queued_spin_lock_slowpath+0x6e/0x2c0\n"
	"[   30.001512] Code: f0 0f ba 2b 08 0f 92 c2 8b 03 <0f> b6\n"
	"[   30.001708] RSP: 0018:ffffb1e5c0393b48 EFLAGS: 00000202\n"
	"[   30.001999] Call Trace:\n"
	"[   30.002101]  <TASK>\n"
	"[   30.002204]  _raw_spin_lock+0x25/0x30\n"
	"[   30.002377]  __dev_queue_xmit+0x4c7/0xd90\n"
	"[   30.002580]  tcf_mirred_act+0x3a1/0x5b0 [act_mirred]\n"
	"[   30.002822]  raw_sendmsg+0x8e3/0xe00\n"
	"[   30.003005]  sock_sendmsg+0x5a/0x60\n"
	"[   30.003183]  __sys_sendto+0xed/0x140\n"
	"[   30.003360]  do_syscall_64+0x55/0xb0\n"
	"[   30.003544]  entry_SYSCALL_64_after_hwframe+0x6e/0xd8\n"
	"[   30.003799]  </TASK>\n"
	"[   30.004100] Kernel panic - not syncing: softlockup: hung tasks\n"
	"[   30.004402] CPU: 1 PID: 105 Comm: ping Tainted: G             L     6.1.0-50-cloud-amd64 #1\n"
	"[   30.004603] Call Trace:\n"
	"[   30.004702]  <IRQ>\n"
	"[   30.004801]  dump_stack_lvl+0x44/0x5c\n"
	"[   30.004901]  panic+0x118/0x2f4\n"
	"[   30.005001]  watchdog_timer_fn.cold+0xc/0x16\n"
	"[   30.005101]  </IRQ>\n"
	"[   30.005201] ---[ end Kernel panic - not syncing: softlockup: hung tasks ]---\n";

static struct events read_text(const char *text)
{
	return events_read(text, strlen(text), 65536);
}

static void test_hung_task(void)
{
	struct events events = read_text(hung_task);
	const struct hl_event *event = events.list;

	CU_ASSERT_EQUAL_FATAL(events.count, 1);
	CU_ASSERT_EQUAL(event->kind, HL_EVENT_HUNG_TASK);
	CU_ASSERT_EQUAL(event->line, 2);
	CU_ASSERT_DOUBLE_EQUAL(event->time, 244.115312, 1e-9);
	CU_ASSERT_EQUAL(event->seconds, 120);
	CU_ASSERT_STRING_EQUAL(event->stack.comm, "rs:main Q:Reg");
	CU_ASSERT_EQUAL(event->stack.pid, 107);
	CU_ASSERT_STRING_EQUAL(event->kernel, "6.1.0-55-cloud-amd64");
	CU_ASSERT_STRING_EQUAL(event->tainted, "");
	CU_ASSERT_STRING_EQUAL(event->function, "vfs_write");
	CU_ASSERT_STRING_EQUAL(event->title, "hung task in vfs_write");
	CU_ASSERT_EQUAL_FATAL(event->stack.count, 9);
	CU_ASSERT_STRING_EQUAL(event->stack.frames[2].function, "percpu_rwsem_wait");
	CU_ASSERT_EQUAL(event->stack.frames[2].offset, 0x115);
	CU_ASSERT_EQUAL(event->stack.frames[2].size, 0x140);
	CU_ASSERT_TRUE(event->stack.frames[2].reliable);
	CU_ASSERT_FALSE(event->stack.frames[3].reliable);
	CU_ASSERT_TRUE(hl_event_has_function(event, "__percpu_rwsem_trylock"));
	CU_ASSERT_FALSE(hl_event_has_function(event, "vfs_writ"));
	CU_ASSERT_FALSE(event->panics);
	events_free(&events);
}

static void test_soft_lockup_and_panic(void)
{
	struct events events = read_text(soft_lockup);

	CU_ASSERT_EQUAL_FATAL(events.count, 2);
	CU_ASSERT_EQUAL(events.list[0].kind, HL_EVENT_SOFT_LOCKUP);
	CU_ASSERT_EQUAL(events.list[0].stack.cpu, 1);
	CU_ASSERT_EQUAL(events.list[0].seconds, 26);
	CU_ASSERT_STRING_EQUAL(events.list[0].stack.comm, "ping");
	CU_ASSERT_STRING_EQUAL(events.list[0].stack.frames[0].function, "native_queued_spin_lock_slowpath");
	CU_ASSERT_STRING_EQUAL(events.list[0].stack.frames[3].module, "act_mirred");
	CU_ASSERT_TRUE(events.list[0].panics);
	CU_ASSERT_EQUAL(events.list[1].kind, HL_EVENT_PANIC);
	CU_ASSERT_STRING_EQUAL(events.list[1].title, "panic: softlockup: hung tasks");
	CU_ASSERT_STRING_EQUAL(events.list[1].tainted, "GL");
	events_free(&events);
}

/* However the bytes arrive, the events are the same. */
static void test_parts(void)
{
	struct events whole = read_text(soft_lockup);

	for (size_t part = 1; part < 200; part += 7) {
		struct events parts = events_read(soft_lockup, sizeof(soft_lockup) - 1, part);

		CU_ASSERT_EQUAL_FATAL(parts.count, whole.count);
		for (size_t i = 0; i < whole.count; i++) {
			json_t *a = hl_event_to_json(&whole.list[i]);
			json_t *b = hl_event_to_json(&parts.list[i]);

			CU_ASSERT_TRUE(json_equal(a, b));
			json_decref(a);
			json_decref(b);
		}
		events_free(&parts);
	}
	events_free(&whole);
}

static int count_event(const struct hl_event *event, void *data)
{
	(void)event;
	++*(int *)data;
	return 0;
}

/* A live log: a flush reports what is pending, and reading goes on. */
static void test_flush(void)
{
	struct hl_log *log;
	int count = 0;

	CU_ASSERT_EQUAL_FATAL(hl_log_open(&log, NULL, count_event, &count, NULL), 0);
	CU_ASSERT_EQUAL(hl_log_feed(log, hung_task, sizeof(hung_task) - 1, NULL), 0);
	CU_ASSERT_EQUAL(count, 0);
	CU_ASSERT_EQUAL(hl_log_flush(log, NULL), 0);
	CU_ASSERT_EQUAL(count, 1);
	CU_ASSERT_EQUAL(hl_log_feed(log, soft_lockup, sizeof(soft_lockup) - 1, NULL), 0);
	CU_ASSERT_EQUAL(hl_log_flush(log, NULL), 0);
	CU_ASSERT_EQUAL(count, 3);
	hl_log_close(log);
}

/* However many lines belong to a report, what is kept of them is bounded. */
static void test_endless_trace(void)
{
	static const char begin[] = "[    1.0] watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [worker:1]\n"
				    "[    1.0] Call Trace:\n";
	struct hl_log *log;
	size_t before;
	int count = 0;

	CU_ASSERT_EQUAL_FATAL(hl_log_open(&log, NULL, count_event, &count, NULL), 0);
	CU_ASSERT_EQUAL(hl_log_feed(log, begin, sizeof(begin) - 1, NULL), 0);
	before = mallinfo2().uordblks;
	for (int i = 0; i < 100000; i++) {
		char line[120];
		int size =
			snprintf(line, sizeof(line),
				 "[    1.000001]  f%d+0x1/0x20\n[    1.000001] Hardware name: x%d\n", i, i);

		CU_ASSERT_EQUAL_FATAL(hl_log_feed(log, line, (size_t)size, NULL), 0);
	}
	CU_ASSERT(mallinfo2().uordblks < before + 1000000);
	CU_ASSERT_EQUAL(hl_log_flush(log, NULL), 0);
	CU_ASSERT_EQUAL(count, 1);
	hl_log_close(log);
}

static void test_kinds(void)
{
	enum hl_event_kind kind;
	struct hl_error err = HL_ERROR_INIT;

	for (int i = 0; i < HL_EVENT_KIND_COUNT; i++) {
		CU_ASSERT_EQUAL(hl_event_kind_parse(hl_event_kind_name(i), &kind, &err), 0);
		CU_ASSERT_EQUAL((int)kind, i);
	}
	CU_ASSERT_EQUAL(hl_event_kind_parse("soft_lokup", &kind, &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "soft_lockup"));
}

static int keep_json(const struct hl_event *event, void *data)
{
	return json_array_append_new(data, hl_event_to_json(event)) ? -ENOMEM : 0;
}

static json_t *read_filtered(const char *text, size_t size, const struct hl_prefilter *prefilter, size_t part)
{
	struct hl_log_options options = {.prefilter = prefilter};
	json_t *events = json_array();
	struct hl_log *log;

	CU_ASSERT_EQUAL_FATAL(hl_log_open(&log, &options, keep_json, events, NULL), 0);
	for (size_t at = 0; at < size; at += part)
		CU_ASSERT_EQUAL(hl_log_feed(log, text + at, size - at < part ? size - at : part, NULL), 0);
	CU_ASSERT_EQUAL(hl_log_flush(log, NULL), 0);
	hl_log_close(log);
	return events;
}

/* What the pre-filter skips holds no events, and line numbers stay right. */
static void test_prefilter(void)
{
	static const char quiet_line[] =
		"[    7.000000] usb 1-4: new high-speed USB device number 7 using xhci_hcd\n";
	const size_t lines = 60000, distance = 20000;
	char *text = malloc(lines * sizeof(quiet_line) + 8 * sizeof(soft_lockup) + 8 * sizeof(hung_task)),
	     *end = text;
	struct hl_scanner *scanner = NULL;
	json_t *plain;

	for (size_t i = 0; i < lines; i++) {
		end = stpcpy(end, quiet_line);
		if (i % distance == distance - 1)
			end = stpcpy(stpcpy(end, hung_task), soft_lockup);
	}
	plain = read_filtered(text, (size_t)(end - text), NULL, 65536);
	CU_ASSERT_EQUAL(json_array_size(plain), 3 * (lines / distance));
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_array_get(plain, 0), "line")), 20002);
	if (hl_scanner_open(&scanner, NULL)) {
		printf("SKIP (no Hyperscan on this CPU) ");
	} else {
		for (size_t part = 1000; part < 4000000; part = part * 3 + 1) {
			json_t *filtered = read_filtered(text, (size_t)(end - text),
							 hl_scanner_prefilter(scanner), part);

			CU_ASSERT_TRUE(json_equal(plain, filtered));
			json_decref(filtered);
		}
	}
	hl_scanner_close(scanner);
	json_decref(plain);
	free(text);
}

static void compare_filtered(const char *text, size_t size, size_t events)
{
	struct hl_scanner *scanner = NULL;
	json_t *plain = read_filtered(text, size, NULL, 65536), *filtered;

	CU_ASSERT_EQUAL(json_array_size(plain), events);
	if (hl_scanner_open(&scanner, NULL)) {
		printf("SKIP (no Hyperscan on this CPU) ");
	} else {
		filtered = read_filtered(text, size, hl_scanner_prefilter(scanner), size);
		CU_ASSERT_TRUE(json_equal(plain, filtered));
		json_decref(filtered);
	}
	hl_scanner_close(scanner);
	json_decref(plain);
}

/* Anchors that the pre-filter cannot see as they stand in the file, and more than it has room for. */
static void test_prefilter_hidden(void)
{
	static const char hidden[] =
		"[   30.000123] INFO: task a:1 blocked for mo\0re than 120 seconds.\n"
		"[   40.000123] INFO: task b:2 blocked for \033[1mmore than 120 seconds.\n"
		"Aug  6 11:53:44 host kernel: [   50.000123] INFO: task c:3 blocked for mo\n"
		"re than 120 seconds.\n";
	static const char small[] = "BUG: x\n",
			  last[] = "INFO: task a:1 blocked for more than 120 seconds.\n";
	const size_t count = 36000;
	char *many = malloc(count * sizeof(small) + sizeof(last)), *end = many;

	compare_filtered(hidden, sizeof(hidden) - 1, 3);
	for (size_t i = 0; i < count; i++)
		end = stpcpy(end, small);
	end = stpcpy(end, last);
	compare_filtered(many, (size_t)(end - many), 1);
	free(many);
}

/* Every common way in which logs come; each is the same soft lockup. */
static void test_prefixes(void)
{
	static const char *const lines[] = {
		"BUG: soft lockup - CPU#1 stuck for 26s! [ping:105]\n",
		"<0>BUG: soft lockup - CPU#1 stuck for 26s! [ping:105]\r\n",
		"[   30.000123][    C1] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [ping:105]\n",
		"[   30.000123] [  T105] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [ping:105]\n",
		"Aug  6 11:53:44 host kernel: [   30.000123] BUG: soft lockup - CPU#1 stuck for 26s! "
		"[ping:105]\n",
		"Mar 7 13:38:04 host kernel: NMI watchdog: BUG: soft lockup - CPU#1 stuck for 26s! "
		"[ping:105]\n",
		"2024-01-01T00:00:00.123456+02:00 host kernel: BUG: soft lockup - CPU#1 stuck for 26s! "
		"[ping:105]\n",
		"2017-06-30 16:25:43.012 err kernel: [30.000123] BUG: soft lockup - CPU#1 stuck for 26s! "
		"[ping:105]\n",
		"[Mon Jan  1 12:00:00 2024] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [ping:105]\n",
		"> > [   30.000123] BUG: soft lockup - CPU#1 stuck for 26s! [ping:105]\n",
		"kernel:BUG: soft lockup - CPU#1 stuck for 26s! [ping:105]\n",
		"host login: [   30.000123] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [ping:105]\n",
		"\033[1;31m[   30.000123] watchdog: BUG: soft lockup\033[0m - CPU#1 stuck for 26s! "
		"[ping:105]\n",
		"Aug  6 11:53:44 a-host-with-a-name kernel: NMI watchdog: BUG: soft lockup - CPU#1 stuck for "
		"26s! [pi\nng:105]\n",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct events events = read_text(lines[i]);

		if (events.count != 1)
			printf("\n    %s", lines[i]);
		CU_ASSERT_EQUAL_FATAL(events.count, 1);
		CU_ASSERT_EQUAL(events.list[0].kind, HL_EVENT_SOFT_LOCKUP);
		CU_ASSERT_EQUAL(events.list[0].stack.cpu, 1);
		CU_ASSERT_EQUAL(events.list[0].stack.pid, 105);
		CU_ASSERT_STRING_EQUAL(events.list[0].stack.comm, "ping");
		if (strstr(lines[i], "30.000123"))
			CU_ASSERT_DOUBLE_EQUAL(events.list[0].time, 30.000123, 1e-9);
		if (strstr(lines[i], "2024-01-01T"))
			CU_ASSERT_DOUBLE_EQUAL(events.list[0].host_time, 1704060000.123456, 1e-5);
		events_free(&events);
	}
}

/* A hung task is only one at the start of a message, so here the mail's quotes must really go. */
static void test_quotes(void)
{
	static const char quoted[] = ">> > INFO: task dd:107 blocked for more than 120 seconds.\n";
	static const char prose[] = "he saw INFO: task dd:107 blocked for more than 120 seconds.\n";
	struct events events = read_text(quoted);

	CU_ASSERT_EQUAL(events.count, 1);
	events_free(&events);
	events = read_text(prose);
	CU_ASSERT_EQUAL(events.count, 0);
	events_free(&events);
}

/* Two CPUs with caller ids print in turns: each line finds its report. */
static void test_caller_ids(void)
{
	static const char mixed[] =
		"[    5.000001][  T10] WARNING: CPU: 0 PID: 10 at fs/inode.c:330 drop_nlink+0x3e/0x50\n"
		"[    5.000002][  T20] BUG: unable to handle page fault for address: ffffed1020000000\n"
		"[    5.000003][  T10] CPU: 0 PID: 10 Comm: a Not tainted 6.1.0 #1\n"
		"[    5.000004][  T20] CPU: 1 PID: 20 Comm: b Not tainted 6.1.0 #1\n"
		"[    5.000005][  T10] RIP: 0010:drop_nlink+0x3e/0x50\n"
		"[    5.000006][  T20] RIP: 0010:crash_here+0x1/0x20\n"
		"[    5.000007][  T10] Call Trace:\n"
		"[    5.000008][  T20] Call Trace:\n"
		"[    5.000009][  T10]  vfs_rmdir+0x10/0x20\n"
		"[    5.000010][  T20]  vfs_open+0x10/0x20\n";
	struct events events = read_text(mixed);

	CU_ASSERT_EQUAL_FATAL(events.count, 2);
	CU_ASSERT_STRING_EQUAL(events.list[0].function, "drop_nlink");
	CU_ASSERT_STRING_EQUAL(events.list[0].stack.frames[1].function, "vfs_rmdir");
	CU_ASSERT_EQUAL(events.list[0].stack.count, 2);
	CU_ASSERT_STRING_EQUAL(events.list[1].function, "crash_here");
	CU_ASSERT_STRING_EQUAL(events.list[1].stack.frames[1].function, "vfs_open");
	CU_ASSERT_FALSE(events.list[0].corrupted);
	events_free(&events);
}

/* 6.16 and newer: the holder of the lock is named, and its stack is printed too. */
static void test_holder(void)
{
	static const char log[] =
		"INFO: task victim:100 blocked for more than 122 seconds.\n"
		"      Not tainted 6.16.3 #1\n"
		"\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.\n"
		"task:victim          state:D stack:0     pid:100   tgid:100   ppid:1      flags:0x00000000\n"
		"Call Trace:\n"
		" __schedule+0x1/0x20\n"
		" __mutex_lock+0x1/0x20\n"
		" reader_path+0x1/0x20\n"
		"INFO: task victim:100 is blocked on a mutex likely owned by task holder:200.\n"
		"task:holder          state:S stack:0     pid:200   tgid:200   ppid:1      flags:0x00000000\n"
		"Call Trace:\n"
		" __schedule+0x1/0x20\n"
		" msleep+0x1/0x20\n"
		" holder_path+0x1/0x20\n";
	struct events events = read_text(log);
	const struct hl_event *event = events.list;

	CU_ASSERT_EQUAL_FATAL(events.count, 1);
	CU_ASSERT_STRING_EQUAL(event->stack.comm, "victim");
	CU_ASSERT_STRING_EQUAL(event->stack.frames[2].function, "reader_path");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(event->fields, "holder_comm")), "holder");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(event->fields, "holder_pid")), 200);
	CU_ASSERT_EQUAL_FATAL(event->other_count, 1);
	CU_ASSERT_STRING_EQUAL(event->others[0].comm, "holder");
	CU_ASSERT_STRING_EQUAL(event->function, "holder_path");
	events_free(&events);
}

/* Bytes that no log should hold: no crash, bounded memory, and what is readable is read. */
static void test_hostile(void)
{
	const size_t size = 20 * 1024 * 1024;
	char *text = malloc(size + 4096);
	struct events events;

	memset(text, 'x', size);
	strcpy(text + size, "\nBUG: soft lockup - CPU#1 stuck for 26s! [pi\xc3:105]\n\xe4\xb8");
	events = events_read(text, size + strlen(text + size), 100000);
	CU_ASSERT_EQUAL_FATAL(events.count, 1);
	CU_ASSERT_EQUAL(events.list[0].line, 2);
	events_free(&events);
	memset(text, 0, 4096);
	memcpy(text + 100, "\nBUG: soft lock\0up - CPU#1 stuck for 26s! [a:1]\n", 49);
	events = events_read(text, 4096, 7);
	CU_ASSERT_EQUAL(events.count, 1);
	events_free(&events);
	free(text);
}

/* Escape sequences, DEL and U+009B of UTF-8, which is an escape sequence of one character. */
static void test_control_characters(void)
{
	static const char log[] =
		"BUG: soft lockup - CPU#1 stuck for 26s! [\033[31mp\x7fi\xc2\x9bng \xc3\xa9\xc2\xa0x:1]\n";
	struct events events = events_read(log, sizeof(log) - 1, sizeof(log));

	CU_ASSERT_EQUAL_FATAL(events.count, 1);
	CU_ASSERT_STRING_EQUAL(events.list[0].stack.comm, "ping \xc3\xa9\xc2\xa0x");
	events_free(&events);
}

/* The only file in @folder. */
static char *only_file(const char *folder)
{
	DIR *files = opendir(folder);
	struct dirent *entry;
	char *path = NULL;

	while (files && (entry = readdir(files)))
		if (entry->d_name[0] != '.' && !path)
			path = file_path("%s/%s", folder, entry->d_name);
	if (files)
		closedir(files);
	return path;
}

static void open_scanner(void)
{
	struct hl_scanner *scanner = NULL;

	CU_ASSERT_EQUAL(hl_scanner_open(&scanner, NULL), 0);
	hl_scanner_close(scanner);
}

/* What was compiled is kept, and made again when it was damaged. */
static void test_scanner_cache(void)
{
	cleanup_free char *folder = file_path("%s/cache/hanglab/scanner", fixture_folder()), *path = NULL,
			  *made = NULL, *again = NULL;
	size_t made_size = 0, again_size = 0;

	open_scanner();
	path = only_file(folder);
	CU_ASSERT_PTR_NOT_NULL_FATAL(path);
	CU_ASSERT_EQUAL_FATAL(file_read(path, &made, &made_size, NULL), 0);
	made[made_size / 2] ^= 1;
	CU_ASSERT_EQUAL(file_write(path, made, made_size, NULL), 0);
	open_scanner();
	made[made_size / 2] ^= 1;
	CU_ASSERT_EQUAL_FATAL(file_read(path, &again, &again_size, NULL), 0);
	CU_ASSERT(made_size == again_size && !memcmp(made, again, made_size));
}

CU_TestInfo log_tests[] = {
	{"hung task", test_hung_task},
	{"soft lockup that ends in a panic", test_soft_lockup_and_panic},
	{"bytes in parts of any size", test_parts},
	{"flush of a live log", test_flush},
	{"a trace without an end", test_endless_trace},
	{"names of kinds", test_kinds},
	{"the pre-filter skips no event", test_prefilter},
	{"what is hidden from the pre-filter", test_prefilter_hidden},
	{"nothing steers the terminal", test_control_characters},
	{"prefixes of every sort", test_prefixes},
	{"quoted in a mail", test_quotes},
	{"reports told apart by caller id", test_caller_ids},
	{"the holder of a lock", test_holder},
	{"hostile bytes", test_hostile},
	{"the compiled anchors are kept", test_scanner_cache},
	CU_TEST_INFO_NULL,
};
