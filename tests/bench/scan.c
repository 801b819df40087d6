// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Speed and memory of "hanglab scan" beside GNU grep, on the same files in one run. The logs are generated:
 * lines such as a busy server prints, with a report every so many lines.
 */
#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MEBIBYTE (1024 * 1024ull)
#define ROUNDS	 3 /* the best of so many counts: other work on the machine only ever adds */
#define PATTERNS "blocked for more than|soft lockup|hard LOCKUP|detected stall|Kernel panic|BUG:|Oops:"

/**
 * struct measure - what one command took
 * @seconds: wall time, best of ROUNDS
 * @resident: most memory, KiB
 */
struct measure {
	double seconds;
	long resident;
};

static bool missed;

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

static unsigned long long written, clock_microseconds;
static FILE *generated;

static void print_line(const char *line, size_t length)
{
	clock_microseconds += 10 + random_number(400);
	written +=
		(unsigned long long)fprintf(generated, "[%5llu.%06llu] %.*s\n", clock_microseconds / 1000000,
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

/* A log of at least @size bytes at @path; 0 @lines_per_report: reports only. */
static int generate(const char *path, unsigned long long size, unsigned long lines_per_report)
{
	size_t report = 0;

	generated = fopen(path, "w");
	if (!generated)
		return -errno;
	written = 0;
	clock_microseconds = 1000000;
	random_state = 1;
	for (unsigned long line = 0; written < size; line++) {
		unsigned int a = random_number(99999);

		if (!lines_per_report || line % lines_per_report == lines_per_report - 1) {
			print_text(reports[report++ % (sizeof(reports) / sizeof(*reports))], a, a);
			clock_microseconds += 7000000;
		} else {
			print_text(quiet_lines[random_number(sizeof(quiet_lines) / sizeof(*quiet_lines))], a,
				   random_number(99999));
		}
	}
	/* What the kernel still has to write would be measured with what comes next. */
	if (fflush(generated) || fsync(fileno(generated)))
		return -errno;
	return fclose(generated) ? -errno : 0;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* grep stops at the first match when it writes to /dev/null, so the output goes to a file. */
static pid_t start(const char *const *arguments, const char *output)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd >= 0)
		dup2(fd, STDOUT_FILENO);
	setenv("LC_ALL", "C", 1);
	execvp(arguments[0], (char *const *)arguments);
	_exit(127);
}

static struct measure run(const char *const *arguments, const char *output)
{
	struct measure best = {.seconds = 1e9};

	for (int i = 0; i < ROUNDS; i++) {
		double begin = now(), took;
		struct rusage usage;
		int status;
		pid_t pid = start(arguments, output);

		if (pid < 0 || wait4(pid, &status, 0, &usage) < 0 || !WIFEXITED(status) ||
		    WEXITSTATUS(status) > 1) {
			printf("  %s failed\n", arguments[0]);
			missed = true;
			break;
		}
		took = now() - begin;
		if (took < best.seconds)
			best.seconds = took;
		if (usage.ru_maxrss > best.resident)
			best.resident = usage.ru_maxrss;
	}
	return best;
}

static void check(const char *name, double value, const char *relation, double limit)
{
	bool good = *relation == '<' ? value <= limit : value >= limit;

	printf("  %-40s %10.2f   (%s %g: %s)\n", name, value, relation, limit, good ? "ok" : "MISSED");
	missed |= !good;
}

static struct measure scan(const char *path, const char *output)
{
	const char *const arguments[] = {"./hanglab", "scan", "--format", "jsonl", path, NULL};

	return run(arguments, output);
}

static void measure_sparse(const char *path, const char *output, unsigned long long size)
{
	const char *const grep_arguments[] = {"grep", "-E", PATTERNS, path, NULL};
	struct measure scanned, searched;

	generate(path, size, 100000);
	searched = run(grep_arguments, output);
	scanned = scan(path, output);
	printf("log of %llu MiB, a report every 100,000 lines\n", size / MEBIBYTE);
	printf("  %-40s %10.2f\n", "grep -E, GB/s", (double)written / searched.seconds / 1e9);
	check("hanglab scan, GB/s", (double)written / scanned.seconds / 1e9, ">=", 1.5);
	check("times as fast as grep -E", searched.seconds / scanned.seconds, ">=", 3);
	check("resident, KiB", (double)scanned.resident, "<=", 65536);
}

static void measure_dense(const char *path, const char *output)
{
	struct measure scanned;

	generate(path, 64 * MEBIBYTE, 0);
	scanned = scan(path, output);
	printf("log of 64 MiB, nothing but reports\n");
	check("hanglab scan, MB/s", (double)written / scanned.seconds / 1e6, ">=", 100);
}

static void measure_growth(const char *path, const char *output)
{
	const char *const pipe_arguments[] = {
		"sh", "-c", "for i in 1 2 3 4; do cat \"$0\"; done | ./hanglab scan --format jsonl -", path,
		NULL};
	struct measure small, large;

	generate(path, MEBIBYTE, 100000);
	small = scan(path, output);
	generate(path, 1024 * MEBIBYTE, 100000);
	large = run(pipe_arguments, output);
	printf("resident memory from 1 MiB to 4 GiB\n");
	check("growth, KiB", (double)(large.resident - small.resident), "<=", 4096);
}

int main(int argc, char **argv)
{
	char folder[] = "/var/tmp/hanglab-bench.XXXXXX";
	unsigned long long size = (argc > 1 ? strtoull(argv[1], NULL, 10) : 1024) * MEBIBYTE;
	cleanup_free char *log = NULL, *output = NULL;

	if (!mkdtemp(folder)) {
		perror(folder);
		return 1;
	}
	log = file_path("%s/log", folder);
	output = file_path("%s/output", folder);
	measure_sparse(log, output, size);
	measure_dense(log, output);
	measure_growth(log, output);
	file_remove_tree(folder, NULL);
	return missed;
}
