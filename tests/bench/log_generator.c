// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Writes a kernel log of a given size: log-generator BYTES LINES-PER-REPORT. The lines between the reports
 * are such as a busy server prints; the reports take turns. 0 lines per report: reports only.
 */

/* Small and the same everywhere, so that two runs compare. */
static unsigned int random_state = 1;

static unsigned int random_number(unsigned int limit)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % limit;
}

static const char *const quiet_lines[] = {
	"audit: type=1400 audit(1731000000.123:%u): apparmor=\"STATUS\" operation=\"profile_load\" "
	"name=\"lab\" pid=%u",
	"br-%04x: port 1(veth%05x) entered forwarding state",
	"IPv6: ADDRCONF(NETDEV_CHANGE): veth%05x: link becomes ready, index %u",
	"device veth%05x entered promiscuous mode, users %u",
	"usb 1-%u: new high-speed USB device number %u using xhci_hcd",
	"EXT4-fs (dm-%u): mounted filesystem with ordered data mode. Opts: errors=remount-ro, id %u",
	"XFS (sd%u): Mounting V5 Filesystem, ending clean mount %u",
	"nf_conntrack: default automatic helper assignment has been turned off for security reasons %u-%u",
	"TCP: request_sock_TCP: Possible SYN flooding on port %u. Sending cookies. Check SNMP counters. %u",
	"systemd[1]: Started Session %u of user operator with leader %u.",
	"cgroup: cgroup: disabling cgroup2 socket matching due to net_prio or net_cls activation %u/%u",
	"perf: interrupt took too long (%u > 2500), lowering kernel.perf_event_max_sample_rate to %u",
	"kauditd_printk_skb: %u callbacks suppressed, backlog %u",
	"e1000e 0000:00:1f.6 eno1: NIC Link is Up %u Mbps Full Duplex, Flow Control: Rx/Tx, errors %u",
};

static const char *const reports[] = {
	"INFO: task java:%u blocked for more than 120 seconds.\n"
	"      Not tainted 5.10.0-28-amd64 #1\n"
	"\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.\n"
	"task:java            state:D stack:    0 pid:%5u ppid:     1 flags:0x00000000\n"
	"Call Trace:\n"
	" __schedule+0x282/0x880\n"
	" schedule+0x46/0xb0\n"
	" jbd2_log_wait_commit+0xac/0x120 [jbd2]\n"
	" ? add_wait_queue_exclusive+0x70/0x70\n"
	" ext4_sync_file+0x1b9/0x380 [ext4]\n"
	" do_fsync+0x38/0x70\n"
	" __x64_sys_fsync+0x10/0x20\n"
	" do_syscall_64+0x33/0x80\n"
	" entry_SYSCALL_64_after_hwframe+0x61/0xc6\n"
	"RIP: 0033:0x7f1f6b0e2b27\n",
	"watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [worker:%u]\n"
	"Modules linked in: act_mirred cls_matchall sch_htb dummy xt_conntrack nf_conntrack ext4 jbd2\n"
	"CPU: 3 PID: 2210 Comm: worker Not tainted 6.1.0-50-cloud-amd64 #1  Debian 6.1.170-3\n"
	"Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.2\n"
	"RIP: 0010:native_queued_spin_lock_slowpath+0x6e/0x2c0\n"
	"Code: f0 0f ba 2b 08 0f 92 c2 8b 03 0f b6 d2 c1 e2 08 30 e4 09 d0 3d ff 00 00 00 77 64 85\n"
	"RSP: 0018:ffffb1e5c0393b48 EFLAGS: 00000202\n"
	"RAX: 0000000000000001 RBX: ffff9c5dc4a5a0fc RCX: 0000000000000000\n"
	"Call Trace:\n"
	" <TASK>\n"
	" _raw_spin_lock+0x25/0x30\n"
	" __dev_queue_xmit+0x4c7/0xd90\n"
	" tcf_mirred_act+0x3a1/0x5b0 [act_mirred]\n"
	" __sys_sendto+0xed/0x140\n"
	" do_syscall_64+0x55/0xb0\n"
	" entry_SYSCALL_64_after_hwframe+0x6e/0xd8\n"
	" </TASK>\n",
	"I/O error, dev sdb, sector %u op 0x1:(WRITE) flags 0x8800 phys_seg 1 prio class 2\n",
	" connection1:0: detected conn error (1022) %u\n",
};

static unsigned long long written;
static unsigned long long clock_microseconds = 1000000;

static void print_line(const char *line, size_t length)
{
	clock_microseconds += 10 + random_number(400);
	written += (unsigned long long)printf("[%5llu.%06llu] %.*s\n", clock_microseconds / 1000000,
					      clock_microseconds % 1000000, (int)length, line);
}

static void print_text(const char *format, unsigned int a, unsigned int b)
{
	char text[2048];
	const char *line = text, *end;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof(text), format, a, b);
#pragma GCC diagnostic pop
	for (; (end = strchr(line, '\n')); line = end + 1)
		print_line(line, (size_t)(end - line));
	if (*line)
		print_line(line, strlen(line));
}

int main(int argc, char **argv)
{
	unsigned long long bytes = argc > 1 ? strtoull(argv[1], NULL, 10) : 1 << 20;
	unsigned long lines_per_report = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000;
	unsigned int report = 0;

	for (unsigned long line = 0; written < bytes; line++) {
		if (!lines_per_report || line % lines_per_report == lines_per_report - 1) {
			unsigned int pid = random_number(99999);

			print_text(reports[report % (sizeof(reports) / sizeof(*reports))], pid, pid);
			report++;
			clock_microseconds += 7000000;
		} else {
			print_text(quiet_lines[random_number(sizeof(quiet_lines) / sizeof(*quiet_lines))],
				   random_number(99999), random_number(99999));
		}
	}
	return fflush(stdout) != 0;
}
