// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One run: folder, journal, VM, listen, act when the guest stops itself, end, judge, write the result.
 *
 * The guest decides what happens when; hanglab only listens to the two files that QEMU writes and to QMP.
 * Where the host has to act (an injector on its side) the guest says so and stops the VM: hanglab sees the
 * QMP event STOP, acts, and continues it.
 */
#include "run/state.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "vm-images/kernel.h"
#include "vm/pin.h"
#include "vm/vm.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>

/* Wall clock limits of the harness itself, all stretched by the multiplier. */
#define BOOT_LIMIT    (90 * NANOSECONDS_PER_SECOND)
#define SILENCE_LIMIT (120 * NANOSECONDS_PER_SECOND)
#define SILENCE_LOOKS 8 /* in that time */

/* Bochs is that much slower than QEMU (measured: 23 s for a boot that takes QEMU 5 s). */
#define BOCHS_FACTOR 4

static int64_t limit_of(const struct run *run, int64_t nanoseconds)
{
	return run_stretched(run, run->plan->vm->machine == PLAN_MACHINE_BOCHS ? BOCHS_FACTOR * nanoseconds
									       : nanoseconds);
}

static void read_streams(struct run *run)
{
	if (stream_read(&run->channel, &run->err) || stream_read(&run->console, &run->err))
		run_finish(run, GUEST_BROKE_OFF, "%s", run->err.text);
	run_show_progress(run);
}

static void on_files_changed(void *data)
{
	char events[4096] __attribute__((aligned(8)));
	struct run *run = data;

	(void)!read(run->inotify, events, sizeof(events));
	read_streams(run);
}

static void on_boot_limit(void *data)
{
	struct run *run = data;

	run_finish(run, GUEST_SILENT, "the guest was not ready within %.0f s",
		   (double)limit_of(run, BOOT_LIMIT) / 1e9);
}

static void watch_silence(struct run *run);

/*
 * Looks now and then whether anything came since; cheaper than a timer per message. The console does not
 * count: a locked up kernel may go on talking for ever.
 */
static void on_silence_look(void *data)
{
	struct run *run = data;
	size_t total = run->channel.total;

	/* While hanglab itself keeps it from running it owes none. */
	run->silent_looks =
		total == run->seen && !run->hold_timer && !run->debugged ? run->silent_looks + 1 : 0;
	run->seen = total;
	if (run->silent_looks < SILENCE_LOOKS)
		watch_silence(run);
	else
		run_finish(run, GUEST_SILENT, "the guest program gave no sign of life for %.0f s",
			   (double)limit_of(run, SILENCE_LIMIT) / 1e9);
}

static void watch_silence(struct run *run)
{
	if (loop_timer(run->loop, limit_of(run, SILENCE_LIMIT / SILENCE_LOOKS), on_silence_look, run,
		       &run->silence_timer, &run->err))
		run_finish(run, GUEST_BROKE_OFF, "%s", run->err.text);
}

/* The guest stopped itself: because it is done, because the host is to act, or because it panicked. */
static void on_stopped(struct run *run)
{
	read_streams(run);
	if (run->done)
		return;
	if (run->snapshot_offered) {
		run_save_snapshot(run);
	} else if (run->settings->debug && !run->debugged && (run->postmortem_due[0] || run->call.step < 0)) {
		run_offer_debugger(run, run->postmortem_due[0] ? run->postmortem_due : "panic");
		run->postmortem_due[0] = '\0';
	} else if (run->postmortem_due[0]) {
		run_take_postmortem(run, run->postmortem_due);
		run->postmortem_due[0] = '\0';
		run_continue_vm(run);
	} else if (run->call.step < 0) {
		run_finish(run, GUEST_PANICKED, "the guest panicked and stopped");
	} else {
		run_answer_call(run);
	}
}

/* What it does to the guest besides sending it an NMI is the guest's end. */
static void take_watchdog(struct run *run, const json_t *action)
{
	run->watchdog_ended = strcmp(json_string_value(action), "inject-nmi") != 0;
}

static void on_qmp_event(void *data, const char *name, const json_t *event)
{
	const json_t *info = json_object_get(json_object_get(event, "data"), "info");
	const char *type = json_string_value(json_object_get(info, "type"));
	struct run *run = data;

	if (type && !strcmp(type, "hyper-v"))
		run_take_crash_registers(run, info);
	if (!strcmp(name, "GUEST_PANICKED"))
		run->stopped = true;
	if (!strcmp(name, "WATCHDOG"))
		take_watchdog(run, json_object_get(json_object_get(event, "data"), "action"));
	if (!strcmp(name, "SHUTDOWN") || !strcmp(name, "RESET"))
		run->shut_down = true;
	json_object_set(run->qmp_events, name, (json_t *)event);
}

static void on_qmp(void *data)
{
	struct run *run = data;
	struct hl_error err = HL_ERROR_INIT;

	int r = qmp_dispatch(run->vm.qmp, &err);

	if (run->watchdog_ended) {
		read_streams(run);
		run_finish(run, GUEST_ENDED_BY_WATCHDOG, "the hardware watchdog ended the guest");
		return;
	}
	if (r || run->shut_down) {
		read_streams(run);
		run_finish(run, run->shut_down ? GUEST_PANICKED : GUEST_DIED, "%s",
			   run->shut_down ? "the guest rebooted" : "QEMU died");
		return;
	}
	if (run->stopped) {
		run->stopped = false;
		on_stopped(run);
	}
}

static void on_signal(void *data)
{
	struct run *run = data;
	struct signalfd_siginfo signal;

	if (read(run->signals, &signal, sizeof(signal)) == sizeof(signal))
		run_finish(run, GUEST_INTERRUPTED, "interrupted by signal %u", signal.ssi_signo);
}

static int watch_files(struct run *run)
{
	static const char *const names[] = {"console.log", "channel.log"};

	run->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (run->inotify < 0)
		return hl_error_errno(&run->err, errno, "inotify");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cleanup_free char *path = file_path("%s/%s", run->folder, names[i]);

		if (inotify_add_watch(run->inotify, path, IN_MODIFY) < 0)
			return hl_error_errno(&run->err, errno, "watch %s", path);
	}
	return loop_watch(run->loop, run->inotify, on_files_changed, run, NULL, &run->err);
}

static int watch_signals(struct run *run)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return hl_error_errno(&run->err, errno, "block signals");
	run->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signals < 0)
		return hl_error_errno(&run->err, errno, "signalfd");
	return loop_watch(run->loop, run->signals, on_signal, run, NULL, &run->err);
}

static int console_event(const struct hl_event *event, void *data)
{
	struct run *run = data;

	if (!isnan(event->time) && event->time > run->last_kmsg_event)
		return run_take_event(event, data);
	return 0;
}

/*
 * A guest that died, or whose scheduler did, could not forward its last words: they are on the serial console
 * only. What the kmsg stream reported already is passed over by its time.
 */
static void read_last_words(struct run *run)
{
	cleanup_free char *path = file_path("%s/console.log", run->folder), *text = NULL;
	struct hl_log *log = NULL;
	size_t size;

	if (file_read(path, &text, &size, NULL) || hl_log_open(&log, NULL, console_event, run, NULL))
		return;
	if (!hl_log_feed(log, text, size, NULL))
		hl_log_flush(log, NULL);
	hl_log_close(log);
}

static void on_emulator_ended(void *data)
{
	struct run *run = data;

	read_streams(run);
	run_finish(run, GUEST_DIED, "the emulator ended");
}

/* From here on the guest runs, and only listening is left. Bochs runs it from the start. */
static int set_off(struct run *run)
{
	bool is_qemu = run->vm.qmp;
	int r = is_qemu ? loop_watch(run->loop, qmp_fd(run->vm.qmp), on_qmp, run, NULL, &run->err)
			: loop_watch(run->loop, run->vm.process.pidfd, on_emulator_ended, run, NULL,
				     &run->err);

	if (!r)
		r = loop_timer(run->loop, limit_of(run, BOOT_LIMIT), on_boot_limit, run, &run->boot_timer,
			       &run->err);
	if (!r)
		watch_silence(run);
	if (!r)
		r = run_attach_terminal(run);
	if (!r && run->plan->vm->guest == PLAN_GUEST_IMAGE)
		r = run_speak_for_guest(run);
	return r || !is_qemu ? r : qmp_execute(run->vm.qmp, "cont", NULL, NULL, &run->err);
}

static int go(struct run *run, const char *path)
{
	int r = run_open_folder(run, path);

	if (!r)
		r = loop_open(&run->loop, &run->err);
	if (!r)
		r = watch_files(run);
	if (!r)
		r = watch_signals(run);
	if (!r)
		r = run_start_vm(run, on_qmp_event);
	if (!r)
		r = set_off(run);
	if (!r)
		r = loop_run(run->loop, &run->done, &run->err);
	if (r)
		run_finish(run, GUEST_BROKE_OFF, "%s", run->err.text);
	run_detach_terminal(run);
	if (run_wants_last_postmortem(run))
		run_take_postmortem(run, run->facts.end_reason);
	if (run->facts.end == GUEST_PANICKED || run->facts.end == GUEST_ENDED_BY_WATCHDOG ||
	    run->facts.end == GUEST_SILENT)
		read_last_words(run);
	run_prove_faults(run);
	run_end_vm(run);
	run_compare_disks(run);
	return r;
}

/* A panic is one only when the kernel says so; a reset without a word is a death. */
static void settle_end(struct run *run)
{
	struct run_facts *facts = &run->facts;

	if (facts->end == GUEST_PANICKED && !facts->first_panic[0]) {
		facts->end = GUEST_DIED;
		snprintf(facts->end_reason, sizeof(facts->end_reason),
			 "the guest ended %s without a panic in its log",
			 facts->began ? "in the middle of the timeline" : "before it was ready");
	} else if (facts->end == GUEST_PANICKED) {
		snprintf(facts->end_reason, sizeof(facts->end_reason), "%s%s",
			 facts->began ? "" : "the guest panicked before it was ready: ", facts->first_panic);
	}
	judge_end(facts->judge, facts->end_reason);
	record_signature(run->record, run->plan, facts->judge);
	record_unconfirmed(run->record, run->plan, facts);
}

static void free_run(struct run *run)
{
	run_end_vm(run);
	loop_close(run->loop);
	stream_close(&run->channel);
	stream_close(&run->console);
	journal_close(&run->journal);
	hl_log_close(run->log);
	if (run->kmsg_log)
		fclose(run->kmsg_log);
	if (run->events_log)
		fclose(run->events_log);
	if (run->inotify >= 0)
		close(run->inotify);
	if (run->signals >= 0)
		close(run->signals);
	if (run->folder_fd >= 0)
		close(run->folder_fd);
	free(run->folder);
	free(run->snapshot);
	json_decref(run->checksums);
	arena_free(&run->arena);
	judge_free(run->facts.judge);
	json_decref(run->qmp_events);
}

static bool logs_are_whole(struct run *run)
{
	if (!run->kmsg_log || !run->events_log)
		return true;
	return !fflush(run->kmsg_log) && !fflush(run->events_log) && !ferror(run->kmsg_log) &&
	       !ferror(run->events_log);
}

/* One attempt. Return: true when it died before the timeline began and may be tried again. */
static bool attempt(const struct plan *plan, const char *path, const struct run_settings *settings,
		    struct run_preparation *preparation, int number, enum verdict *verdict, json_t **result)
{
	struct run run = {
		.plan = plan,
		.settings = settings,
		.preparation = *preparation,
		.journal = JOURNAL_NONE,
		.vm = VM_NONE,
		.channel = STREAM_NONE,
		.console = STREAM_NONE,
		.inotify = -1,
		.folder_fd = -1,
		.signals = -1,
		.call = {-1, HOST_INJECT},
		.last_kmsg_event = -1,
		.started = workload_now(),
		.progress = {.phase = "boot"},
		.qmp_events = json_object(),
	};
	char reason[1200];
	struct hl_error err = HL_ERROR_INIT;
	bool again;

	run.record = record_new(plan, preparation);
	run.checksums = json_object();
	run.facts.judge = judge_new(plan->checks, plan->check_count);
	run.host_faults = arena_allocate(&run.arena, (plan->step_count + 1) * sizeof(*run.host_faults));
	run.servers = arena_allocate(&run.arena, (plan->disk_count + 1) * sizeof(*run.servers));
	for (size_t i = 0; i < plan->disk_count; i++)
		run.servers[i] = (struct server)SERVER_NONE;
	go(&run, path);
	settle_end(&run);
	if (!logs_are_whole(&run))
		run_finish(&run, GUEST_BROKE_OFF, "the logs of the run could not be written");
	*verdict = verdict_of_run(plan, &run.facts, reason, sizeof(reason));
	if (run.journal.fd >= 0 &&
	    journal_write(&run.journal, "verdict",
			  json_pack("{s:s, s:s}", "verdict", verdict_name(*verdict), "reason", reason),
			  &err) &&
	    *verdict != VERDICT_BROKEN) {
		*verdict = VERDICT_BROKEN;
		snprintf(reason, sizeof(reason), "%.1000s", err.text);
	}
	*result = record_finish(run.record, plan, &run.facts, *verdict, reason, number,
				(double)(workload_now() - run.started) / 1e9);
	if (run.folder && run_write_json(&run, "result.json", *result, &err) && *verdict != VERDICT_BROKEN) {
		*verdict = VERDICT_BROKEN;
		json_object_set_new(*result, "verdict", json_string(verdict_name(*verdict)));
		json_object_set_new(*result, "reason", json_string(err.text));
	}
	if (*verdict == VERDICT_PASS)
		run_remove_disks(&run);
	again = !run.facts.began && (run.facts.end == GUEST_DIED || run.facts.end == GUEST_PANICKED);
	free_run(&run);
	return again;
}

#define MOST_ATTEMPTS 2

enum verdict run_scenario(const struct plan *plan, const char *path, const struct run_settings *settings,
			  json_t **result)
{
	struct run_preparation preparation = {0};
	struct hl_error err = HL_ERROR_INIT;
	enum verdict verdict = VERDICT_BROKEN;
	int place = plan->vm->clock == PLAN_CLOCK_VIRTUAL ? pin_process() : -1;

	if (run_prepare(plan, settings, &preparation, &err)) {
		*result = record_unstarted(plan, &preparation, verdict, err.text);
	} else if (preparation.skip[0]) {
		verdict = VERDICT_SKIP;
		*result = record_unstarted(plan, &preparation, verdict, preparation.skip);
	} else {
		for (int number = 1; number <= MOST_ATTEMPTS; number++) {
			json_decref(*result);
			if (!attempt(plan, path, settings, &preparation, number, &verdict, result))
				break;
		}
	}
	run_preparation_clear(&preparation);
	if (place >= 0)
		close(place);
	return verdict;
}
