// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/channel.h"
#include "inject/guest/disks.h"
#include "inject/guest/fault_commands.h"
#include "inject/guest/guest.h"
#include "inject/guest/port.h"
#include "inject/guest/system.h"
#include "inject/lab_vm.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"

#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>

#define HIGHEST_PRIORITY (-20)
/* Where there is no fw_cfg device: harness/vm/bochs.h. */
#define PLAN_FILE	 "/hanglab/plan.json"
#define HEARTBEAT	 NANOSECONDS_PER_SECOND
/* While only shared memory changes (recovery), nothing else wakes the loop. */
#define POLL_INTERVAL	 (10 * 1000000LL)

static struct guest guest;
static bool channel_ready;

/* The VM stands still before this returns; hanglab then ends it. */
static void stop_for_good(void) __attribute__((noreturn));
static void stop_for_good(void)
{
	channel_flush();
	for (;;) {
		port_stop_vm();
		/* Only without pvpanic do we get here. */
		reboot(RB_POWER_OFF);
	}
}

void guest_fail(const char *format, ...)
{
	char reason[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	if (channel_ready)
		channel_send("broken", workload_now(), json_pack("{s:s}", "reason", reason));
	else
		fprintf(stderr, "hanglab: %s\n", reason);
	stop_for_good();
}

void guest_end(void)
{
	channel_send("end", workload_now(), NULL);
	stop_for_good();
}

/*
 * From the start: a CPU on which this process never ran needs no interrupt when its memory changes
 * (mm_cpumask()), and would not answer one while it stands still.
 */
static void keep_off_held_vcpus(void)
{
	uint64_t held = 0;

	for (size_t i = 0; i < guest.plan.step_count; i++)
		held |= plan_step_held_vcpus(&guest.plan.steps[i]);
	system_keep_off_cpus(held);
}

static void load_plan(void)
{
	cleanup_free char *text = NULL;
	struct hl_error err = HL_ERROR_INIT;
	json_t *json;
	size_t size;

	if (port_is_qemu() ? port_read_firmware_file("opt/hanglab/plan", &text, &size, &err)
			   : file_read(PLAN_FILE, &text, &size, &err))
		guest_fail("%s", err.text);
	lab_vm_entered();
	json = json_loadb(text, size, 0, NULL);
	if (!json)
		guest_fail("the plan is not valid JSON");
	if (plan_load(&guest.plan, json, &err))
		guest_fail("the plan: %s", err.text);
	json_decref(json);
	keep_off_held_vcpus();
	guest.judge = judge_new(guest.plan.checks, guest.plan.check_count);
}

/* Is @mode how the host started this VM: "cold", "save" (cold, to be kept) or "warm" (from what was kept)? */
static bool started(const char *mode)
{
	cleanup_free char *text = NULL;
	size_t size;

	return !port_read_firmware_file("opt/hanglab/start", &text, &size, NULL) && !strcmp(text, mode);
}

static void send_boot(void)
{
	struct utsname name;

	uname(&name);
	channel_send("boot", workload_now(),
		     json_pack("{s:s, s:s, s:s}", "release", name.release, "version", name.version,
			       "clocksource", system_clocksource()));
}

static void prepare_disks(struct child *child, void *data)
{
	struct hl_error err = HL_ERROR_INIT;

	(void)data;
	if (disks_prepare(&guest.plan, &err))
		child_report(child, json_pack("{s:s}", "error", err.text));
}

static void on_prepare_report(void *data, json_t *report)
{
	(void)data;
	guest_fail("disks: %s", json_string_value(json_object_get(report, "error")));
}

static void send_ready(const json_t *sysctls)
{
	channel_send("ready", workload_now(),
		     json_pack("{s:o, s:O}", "settings", system_detector_settings(), "sysctls",
			       (json_t *)sysctls));
}

/*
 * The guest stops here so that the host can keep it as it is. In a VM that is started from what was kept it
 * goes on behind the stop, with the plan of that run; its host has what was said until then.
 */
static void offer_snapshot(void)
{
	if (!started("save"))
		return;
	channel_send("snapshot", workload_now(), NULL);
	port_stop_vm();
	if (!started("warm"))
		return;
	plan_free(&guest.plan);
	judge_free(guest.judge);
	load_plan();
}

/* Everything is in place: the timeline begins. Messages of level 6 (INFO) and above go to the console. */
static void on_prepared(void *data, int status)
{
	json_t *sysctls = NULL, *printk = json_pack("{s:s}", "kernel.printk", "7 4 1 7"), *ignored = NULL;
	bool virtual_time = guest.plan.vm->clock == PLAN_CLOCK_VIRTUAL;
	struct hl_error err = HL_ERROR_INIT;
	int64_t clock_offset;
	char mark[256];

	(void)data;
	if (status)
		guest_fail("setting up the disks ended with wait status %d", status);
	offer_snapshot();
	if (system_set_sysctls(printk, false, &ignored, &err) ||
	    system_set_sysctls(guest.plan.sysctl, virtual_time, &sysctls, &err))
		guest_fail("%s", err.text);
	send_ready(sysctls);
	snprintf(mark, sizeof(mark), "scenario %s seed %lld begins", guest.plan.scenario,
		 (long long)guest.plan.seed);
	clock_offset = kernel_log_mark(mark);
	/* The host counts its deadlines from the same instant. */
	guest.begun_at = workload_now();
	channel_send("begin", guest.begun_at, json_pack("{s:I}", "clock_offset", (json_int_t)clock_offset));
	timeline_begin(&guest);
	guest.phase = PHASE_TIMELINE;
	json_decref(printk);
	json_decref(ignored);
	json_decref(sysctls);
}

static void boot(void)
{
	static const struct child_watcher watcher = {on_prepare_report, on_prepared};
	struct hl_error err = HL_ERROR_INIT;

	/*
	 * It comes before the workloads. A VM that was paused charges the pause to whatever ran at that
	 * moment, which then has to wait until the others have had as much; the higher its priority, the less
	 * it is charged.
	 */
	setpriority(PRIO_PROCESS, 0, HIGHEST_PRIORITY);
	if (system_mount(&err) || system_seed_random(&err) || port_open(&err) || system_load_modules(&err) ||
	    channel_open(&err))
		guest_fail("%s", err.text);
	channel_ready = true;
	send_boot();
	load_plan();
	if ((guest.plan.interactive && fault_commands_open(&err)) || kernel_log_open(&guest, &err) ||
	    child_start("hanglab-disks", prepare_disks, &watcher, NULL, NULL, &err))
		guest_fail("%s", err.text);
}

static void advance(int64_t now)
{
	if (guest.phase == PHASE_TIMELINE)
		timeline_advance(&guest, now);
	if (guest.phase > PHASE_TIMELINE && guest.phase < PHASE_END)
		aftermath_advance(&guest, now);
	if (guest.phase == PHASE_END)
		guest_end();
}

static void earliest(int64_t *next, int64_t candidate)
{
	if (candidate && candidate < *next)
		*next = candidate;
}

static int64_t next_wake(int64_t heartbeat, int64_t now)
{
	int64_t next = heartbeat;

	earliest(&next, kernel_log_next());
	if (guest.phase == PHASE_TIMELINE)
		earliest(&next, timeline_next(&guest));
	else if (guest.phase > PHASE_TIMELINE)
		earliest(&next, now + POLL_INTERVAL);
	return next;
}

static void wait_for_anything(int signals, int64_t until)
{
	struct pollfd fds[64];
	size_t count;
	int64_t wait = until - workload_now();
	struct timespec timeout = {0, 0};
	struct signalfd_siginfo signal;

	if (wait > 0)
		timeout = (struct timespec){wait / NANOSECONDS_PER_SECOND, wait % NANOSECONDS_PER_SECOND};
	fds[0] = (struct pollfd){.fd = kernel_log_fd(), .events = POLLIN};
	fds[1] = (struct pollfd){.fd = signals, .events = POLLIN};
	fds[2] = (struct pollfd){.fd = fault_commands_fd(), .events = POLLIN};
	count = 3 + child_poll_fill(fds + 3, sizeof(fds) / sizeof(fds[0]) - 3);
	ppoll(fds, count, &timeout, NULL);
	if (fds[1].revents)
		(void)!read(signals, &signal, sizeof(signal));
}

/*
 * In virtual time waiting costs nothing but its wake-ups. While every workload waits they are as rare as may
 * be: an operation that begins meanwhile is seen before it counts as stalled.
 */
static int64_t heartbeat_interval(int64_t now)
{
	bool rare = guest.plan.vm->clock == PLAN_CLOCK_VIRTUAL && guest.phase == PHASE_TIMELINE &&
		    workloads_all_stalled(&guest, now);

	return rare && guest.plan.stall > HEARTBEAT ? guest.plan.stall : HEARTBEAT;
}

int main(void)
{
	int64_t heartbeat;
	sigset_t children;
	int signals;

	/* Started by mistake on somebody's machine, this program must do nothing at all. */
	if (getpid() != 1) {
		fprintf(stderr, "This is the first process of a lab VM; it does not run anywhere else.\n");
		return 1;
	}
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, NULL);
	signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
	boot();
	heartbeat = workload_now() + HEARTBEAT;
	for (;;) {
		int64_t now = workload_now();

		kernel_log_dispatch(now);
		child_dispatch();
		fault_commands_dispatch(&guest);
		advance(now);
		if (now >= heartbeat) {
			channel_send("heartbeat", now,
				     json_pack("{s:o}", "workloads", workloads_heartbeat(now)));
			heartbeat = now + heartbeat_interval(now);
		}
		wait_for_anything(signals, next_wake(heartbeat, now));
	}
}
