// SPDX-License-Identifier: GPL-2.0-or-later
#include "events.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

/*
 * What kernels of other times, architectures and vendors print, shortened to what matters, and what healthy
 * machines print. Messages of one line are samples in checkers/signatures.def.
 */

struct wording {
	const char *name;
	const char *log;
	enum hl_event_kind kind;
	int cpu; /* -1: not named */
	const char *comm;
	const char *function;
};

static const struct wording wordings[] = {
	{"2.6.32, hung task",
	 "Feb 12 10:11:12 lab kernel: INFO: task flush-253:3:2054 blocked for more than 120 seconds.\n"
	 "Feb 12 10:11:12 lab kernel: flush-253:3   D 0000000000000003     0  2054      2 0x00000000\n"
	 "Feb 12 10:11:12 lab kernel: Call Trace:\n"
	 "Feb 12 10:11:12 lab kernel: [<ffffffff81551a83>] io_schedule+0x73/0xc0\n"
	 "Feb 12 10:11:12 lab kernel: [<ffffffff8126f319>] blk_queue_bio+0x99/0x620\n",
	 HL_EVENT_HUNG_TASK, -1, "flush-253:3", "blk_queue_bio"},
	{"3.10, RCU stall of one line",
	 "INFO: rcu_sched self-detected stall on CPU { 9}  (t=60000 jiffies g=35523413 c=35523412 q=12)\n",
	 HL_EVENT_RCU_STALL, 9, NULL, NULL},
	{"6.1, expedited RCU stall",
	 "rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-...D P105 } 5284 jiffies s: "
	 "105 root: 0x2/.\n",
	 HL_EVENT_RCU_STALL, 1, NULL, NULL},
	{"3.10, an interrupt handler in a hard lockup",
	 "[ 4302.341222] NMI watchdog: Watchdog detected hard LOCKUP on cpu 17\n"
	 "[ 4302.341260] CPU: 17 PID: 0 Comm: swapper/17 Not tainted 3.10.0 #1\n"
	 "[ 4302.341263] Call Trace:\n"
	 "[ 4302.341265]  <NMI>  [<ffffffff8178130a>] dump_stack+0x19/0x1b\n"
	 "[ 4302.341270]  [<ffffffff8114e9c2>] watchdog_overflow_callback+0xa2/0xd0\n"
	 "[ 4302.341282]  [<ffffffff8178b0c1>] perf_event_nmi_handler+0x31/0x50\n"
	 "[ 4302.341291]  [<ffffffff8178bf1d>] end_repeat_nmi+0x1e/0x81\n"
	 "[ 4302.341296]  <EOE>  <IRQ>  [<ffffffff8178a5d7>] _raw_spin_lock_irqsave+0x37/0x40\n"
	 "[ 4302.341300]  [<ffffffffa04a1b2c>] lab_isr+0x2c/0xb0 [lab]\n"
	 "[ 4302.341303]  [<ffffffff81151c84>] __handle_irq_event_percpu+0x44/0x1c0\n"
	 "[ 4302.341306]  [<ffffffff8179942c>] common_interrupt+0x16c/0x16c\n"
	 "[ 4302.341308]  <EOI>  [<ffffffff815c9c47>] cpuidle_enter_state+0x57/0xd0\n"
	 "[ 4302.341310]  [<ffffffff810fcb7a>] cpu_startup_entry+0x14a/0x1e0\n",
	 HL_EVENT_HARD_LOCKUP, 17, "swapper/17", "lab_isr"},
	{"powerpc, hard lockup",
	 "watchdog: CPU 6 self-detected hard LOCKUP @ _raw_spin_lock_irqsave+0x9c/0x110\n"
	 "CPU: 6 PID: 4511 Comm: kworker/6:2 Not tainted 5.14.0 #1\n"
	 "NIP [c000000000f3a1dc] _raw_spin_lock_irqsave+0x9c/0x110\n"
	 "LR [c000000000f3a1b0] _raw_spin_lock_irqsave+0x70/0x110\n"
	 "Call Trace:\n"
	 "[c00000002c3bfa90] [c00000002c3bfad0] 0xc00000002c3bfad0 (unreliable)\n"
	 "[c00000002c3bfad0] [c00000000093a1b8] lab_queue+0x88/0x3c0\n",
	 HL_EVENT_HARD_LOCKUP, 6, "kworker/6:2", "lab_queue"},
	{"powerpc, NULL dereference",
	 "BUG: Kernel NULL pointer dereference on read at 0x00000010\n"
	 "Faulting instruction address: 0xc0000000004a2f10\n"
	 "Oops: Kernel access of bad area, sig: 11 [#1]\n"
	 "CPU: 12 PID: 1922 Comm: cat Not tainted 5.14.0 #1\n"
	 "NIP [c0000000004a2f10] seq_read_iter+0x1a0/0x640\n",
	 HL_EVENT_OOPS, 12, "cat", "seq_read_iter"},
	{"s390, oops",
	 "Unable to handle kernel pointer dereference in virtual kernel address space\n"
	 "Failing address: 0000000000000000 TEID: 0000000000000483\n"
	 "Oops: 0004 ilc:3 [#1] SMP\n"
	 "CPU: 1 PID: 712 Comm: modprobe Not tainted 5.4.0 #1\n"
	 "Krnl PSW : 0704c00180000000 000003ff8010c0e8 (lab_init+0x18/0x40 [lab])\n"
	 "Call Trace:\n"
	 "([<000000005e1ab2f4>] do_one_initcall+0x3c/0x1f8)\n",
	 HL_EVENT_OOPS, 1, "modprobe", "lab_init"},
	{"arm64, soft lockup",
	 "watchdog: BUG: soft lockup - CPU#11 stuck for 23s! [stress:20311]\n"
	 "CPU: 11 PID: 20311 Comm: stress Not tainted 5.10.0 #1\n"
	 "pstate: 20400009 (nzCv daif +PAN -UAO -TCO BTYPE=--)\n"
	 "pc : queued_spin_lock_slowpath+0x1e4/0x3a0\n"
	 "lr : lab_reclaim+0x1dc/0x2a0\n"
	 "Call trace:\n"
	 " queued_spin_lock_slowpath+0x1e4/0x3a0\n"
	 " lab_reclaim+0x1dc/0x2a0\n"
	 " __arm64_sys_madvise+0x24/0x34\n"
	 " el0_svc_common.constprop.0+0x78/0x1c4\n",
	 HL_EVENT_SOFT_LOCKUP, 11, "stress", "__arm64_sys_madvise"},
	{"arm64, external abort",
	 "Internal error: synchronous external abort: 96000210 [#1] SMP\n"
	 "CPU: 2 PID: 55 Comm: sh Not tainted 6.1.0 #1\n"
	 "pc : lab_read+0x40/0x2c0 [lab]\n"
	 "lr : vfs_read+0x240/0x250\n",
	 HL_EVENT_OOPS, 2, "sh", "lab_read"},
	{"arm, oops",
	 "Unable to handle kernel NULL pointer dereference at virtual address 00000004\n"
	 "Internal error: Oops: 17 [#1] PREEMPT SMP ARM\n"
	 "CPU: 0 PID: 111 Comm: irq/45-gpio Not tainted 4.9.28 #1\n"
	 "PC is at lab_handler+0x14/0x80\n"
	 "LR is at irq_thread_fn+0x20/0x38\n"
	 "[<c0501234>] (lab_handler) from [<c0171234>] (irq_thread_fn+0x20/0x38)\n",
	 HL_EVENT_OOPS, 0, "irq/45-gpio", "lab_handler"},
	{"6.17, warning",
	 "WARNING: net/sched/sch_generic.c:525 at dev_watchdog+0x207/0x210, CPU#2: swapper/2/0\n",
	 HL_EVENT_WARNING, 2, "swapper/2", "dev_watchdog"},
	{"stack protector",
	 "Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: lab_xmit+0x123/0x124 "
	 "[lab]\n"
	 "CPU: 1 PID: 1 Comm: init Not tainted 6.1.0 #1\n"
	 "Call Trace:\n"
	 " panic+0x1/0x2\n"
	 " __stack_chk_fail+0x1/0x2\n",
	 HL_EVENT_PANIC, 1, "init", "lab_xmit"},
	{"Android, CPU and task behind the stamp",
	 "<3>[ 1201.220112] c4  89 INFO: task Binder:611_3:1420 blocked for more than 120 seconds.\n"
	 "<6>[ 1201.220140] c4  89 Binder:611_3    D    0  1420    578 0x00000008\n"
	 "<6>[ 1201.220150] c4  89 Call trace:\n"
	 "<4>[ 1201.220160] c4  89 [<ffffff9ad6e8736c>] __switch_to+0xb8/0xd4\n"
	 "<4>[ 1201.220200] c4  89 [<ffffff9ad701c4c0>] f2fs_write_checkpoint+0x8c/0xe80\n",
	 HL_EVENT_HUNG_TASK, -1, "Binder:611_3", "f2fs_write_checkpoint"},
	{"Android, CPU and task in brackets",
	 "[ 1201.220112]  (4)[89:khungtaskd]INFO: task main:1420 blocked for more than 120 seconds.\n"
	 "[ 1201.220150] -(4)[89:khungtaskd]Call trace:\n"
	 "[ 1201.220200] -(4)[89:khungtaskd] f2fs_write_checkpoint+0x8c/0xe80\n",
	 HL_EVENT_HUNG_TASK, -1, "main", "f2fs_write_checkpoint"},
	{"Android, CPU, name and task",
	 "[ 1201.220112] [4:     khungtaskd:   89] INFO: task main:1420 blocked for more than 120 seconds.\n"
	 "[ 1201.220150] [4:     khungtaskd:   89] Call trace:\n"
	 "[ 1201.220200] [4:     khungtaskd:   89]  f2fs_write_checkpoint+0x8c/0xe80\n",
	 HL_EVENT_HUNG_TASK, -1, "main", "f2fs_write_checkpoint"},
};

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void test_wordings(void)
{
	for (size_t i = 0; i < sizeof(wordings) / sizeof(*wordings); i++) {
		const struct wording *wording = &wordings[i];
		struct events events = events_read(wording->log, strlen(wording->log), 65536);
		const struct hl_event *event = events.list;
		bool right = events.count == 1 && event->kind == wording->kind &&
			     event->stack.cpu == wording->cpu && same(event->stack.comm, wording->comm) &&
			     same(event->function, wording->function);

		if (!right)
			printf("\n    %s: %zu events, %s CPU %d %s in %s", wording->name, events.count,
			       event ? hl_event_kind_name(event->kind) : "", event ? event->stack.cpu : -1,
			       event && event->stack.comm ? event->stack.comm : "nobody",
			       event && event->function ? event->function : "nothing");
		CU_ASSERT_TRUE(right);
		events_free(&events);
	}
}

/* Nothing is wrong here, whatever the words. */
static const char healthy[] =
	"[    0.000000] Linux version 6.1.0 (builder@lab) (gcc-12) #1 SMP\n"
	"[    0.000000] Command line: root=/dev/vda1 softlockup_panic=1 hung_task_panic=1 oops=panic\n"
	"[    0.000000] MDS CPU bug present and SMT on, data leak possible.\n"
	"[    0.000000] Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on!\n"
	"[    0.000000] ACPI BIOS Warning (bug): Optional FADT field has zero Address\n"
	"[    0.000000] [Firmware Bug]: TSC_DEADLINE disabled due to Errata\n"
	"[    0.000000] rcu: \tRCU restricting CPUs from NR_CPUS=512 to nr_cpu_ids=4.\n"
	"[    0.000000] NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.\n"
	"[    0.200000] EDAC MC: Ver: 3.0.0\n"
	"[    0.300000] pcieport 0000:00:1c.0: AER: enabled with IRQ 122\n"
	"[    0.300001] GHES: APEI firmware first mode is enabled by APEI bit and WHEA _OSC.\n"
	"[    0.400000] ACPI Error: AE_NOT_FOUND, While resolving a named reference package element\n"
	"[    0.500000] clocksource: Switched to clocksource tsc\n"
	"[    0.600000] usb 1-1: device descriptor read/64, error -110\n"
	"[    0.700000] ata1.00: configured for UDMA/133\n"
	"[    0.800000] EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: errors=remount-ro\n"
	"[    0.800000] systemd[1]: Starting Load kdump: capture on Kernel panic...\n"
	"[    1.000000] WARNING! power/level is deprecated; use power/control instead\n"
	"[    1.100000] traps: app[1234] general protection fault ip:7f1c sp:7ffd error:0 in libc.so.6\n"
	"[    1.200000] TCP: out of memory -- consider tuning tcp_mem\n"
	"[    1.300000] INFO: lkdtm: No crash points registered, enable through debugfs\n"
	"[    1.500000] device-mapper: multipath: Reinstating path 8:16.\n"
	"Jan 10 10:10:10 lab ansible[1]: INFO: task install packages took more than 120 seconds\n"
	"Jan 10 10:10:10 lab nagios: WARNING: CPU: 90% at node1\n"
	"Jan 10 10:10:10 lab app[12]: Oops: something went wrong\n"
	"Jan 10 10:10:10 lab app[12]: BUG: please report\n"
	"Jan 10 10:10:10 lab java[12]: RuntimeException: Kernel panic - not syncing was seen\n"
	"Jan 10 10:10:10 lab app[12]: write error, dev null\n"
	"Jan 10 10:10:10 lab multipathd: sda: Failing path is checked\n"
	"Jan 10 10:10:10 lab kernel: watchdog: /dev/watchdog did not stop!\n"
	"Jan 10 10:10:10 lab kernel: INFO: NMI handler (perf_event_nmi_handler) took too long to run\n";

static void test_healthy(void)
{
	struct events events = events_read(healthy, sizeof(healthy) - 1, 65536);

	for (size_t i = 0; i < events.count; i++)
		printf("\n    line %llu: %s", (unsigned long long)events.list[i].line,
		       hl_event_kind_name(events.list[i].kind));
	CU_ASSERT_EQUAL(events.count, 0);
	events_free(&events);
}

CU_TestInfo wordings_tests[] = {
	{"of other kernels and machines", test_wordings},
	{"of healthy machines", test_healthy},
	CU_TEST_INFO_NULL,
};
