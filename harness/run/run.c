// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One run: folder, journal, VM, listen, act when the guest stops itself, end, judge, write the result.
 *
 * The guest decides what happens when; hanglab only listens to the two files that QEMU writes and to QMP.
 * Where the host has to act (an injector on its side) the guest says so and stops the VM: hanglab sees the
 * QMP event STOP, acts, and continues it.
 */
#include "run/run.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"
#include "inject/stall.h"
#include "run/folder.h"
#include "run/journal.h"
#include "run/loop.h"
#include "run/record.h"
#include "run/stream.h"
#include "vm-images/kernel.h"
#include "vm/vm.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>

/* Wall clock limits of the harness itself, all stretched by the multiplier. */
#define QMP_LIMIT_MS   10000
#define BOOT_LIMIT     (90 * NANOSECONDS_PER_SECOND)
#define SILENCE_LIMIT  (120 * NANOSECONDS_PER_SECOND)
#define PROGRESS_EVERY (NANOSECONDS_PER_SECOND / 5)

/**
 * struct host_call - what the guest asked the host to do before it stopped itself
 * @step: of the plan; -1 for nothing
 * @release: release it, else inject it
 */
struct host_call {
	int step;
	bool release;
};

/**
 * struct host_fault - an injection on the host side that is in force
 */
struct host_fault {
	struct injection injection;
	struct injection_vm vm;
};

/**
 * struct run - state of a run
 * @done: the loop may end
 * @call: see struct host_call
 * @ended: the guest said that it is done ("end"), or why not ("broken")
 * @shut_down: QEMU reported a shutdown or reset of the guest
 * @guest_now: guest time of the last message
 * @last_kmsg_event: kernel time of the last event seen in the kmsg stream
 * @next_sequence: expected of the next message
 * @seen: bytes that had come from the guest when the silence timer last looked
 */
struct run {
	const struct plan *plan;
	const struct run_settings *settings;
	struct arena arena;
	char *folder;
	struct run_preparation preparation;
	struct journal journal;
	struct record *record;
	struct loop *loop;
	struct vm vm;
	struct stream channel, console;
	int inotify, signals;
	FILE *kmsg_log, *events_log;
	struct hl_log *log;
	struct run_facts facts;
	struct host_fault *host_faults;
	bool done, end_known, shut_down, stopped;
	struct host_call call;
	int64_t guest_now, started, last_progress;
	double last_kmsg_event;
	json_int_t next_sequence;
	size_t seen;
	struct loop_source *boot_timer, *silence_timer, *hold_timer;
	struct run_progress progress;
	struct hl_error err;
};

static int64_t stretched(const struct run *run, int64_t nanoseconds)
{
	return (int64_t)((double)nanoseconds * run->settings->multiplier);
}

static void finish(struct run *run, enum guest_end end, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The first reason stands. */
static void finish(struct run *run, enum guest_end end, const char *format, ...)
{
	va_list args;

	run->done = true;
	if (run->end_known)
		return;
	run->end_known = true;
	run->facts.end = end;
	va_start(args, format);
	vsnprintf(run->facts.end_reason, sizeof(run->facts.end_reason), format, args);
	va_end(args);
}

static void note(const struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(const struct run *run, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (!run->settings->observer.note)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	run->settings->observer.note(run->settings->observer.data, (double)run->guest_now / 1e9, text);
}

static void set_awaited(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void set_awaited(struct run *run, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(run->progress.awaited, sizeof(run->progress.awaited), format, args);
	va_end(args);
}

static void show_progress(struct run *run)
{
	int64_t now = workload_now();

	if (!run->settings->observer.progress || now - run->last_progress < PROGRESS_EVERY)
		return;
	run->last_progress = now;
	run->progress.guest_seconds = (double)run->guest_now / 1e9;
	run->progress.wall_seconds = (double)(now - run->started) / 1e9;
	run->settings->observer.progress(run->settings->observer.data, &run->progress);
}

/* A line of the journal; a run that cannot be journalled ends. */
static int journal(struct run *run, const char *action, json_t *details)
{
	struct hl_error err = HL_ERROR_INIT;
	int r = journal_write(&run->journal, action, details, &err);

	if (r)
		finish(run, GUEST_BROKE_OFF, "%s", err.text);
	return r;
}

static void count_event(struct run *run, const struct hl_event *event, int64_t at)
{
	judge_event(run->facts.judge, event, at);
	record_event(run->record, event, run->events_log);
	if (run->settings->observer.event)
		run->settings->observer.event(run->settings->observer.data, event);
}

static int on_event(const struct hl_event *event, void *data)
{
	struct run *run = data;
	int64_t at = isnan(event->time) ? run->guest_now : (int64_t)(event->time * 1e9);

	if (!isnan(event->time))
		run->last_kmsg_event = event->time;
	if (event->kind == HL_EVENT_PANIC && !run->facts.first_panic[0])
		snprintf(run->facts.first_panic, sizeof(run->facts.first_panic), "%s", event->title);
	if (run->facts.began)
		count_event(run, event, at);
	return 0;
}

/* "LEVEL,SEQUENCE,MICROSECONDS,FLAGS;TEXT" */
static int take_kmsg(struct run *run, const char *text, size_t size)
{
	unsigned long long sequence, microseconds;
	const char *message = memchr(text, ';', size);
	unsigned int level;
	char stamp[48];
	int length;

	if (!message || sscanf(text, "%u,%llu,%llu", &level, &sequence, &microseconds) != 3)
		return 0;
	length = snprintf(stamp, sizeof(stamp), "[%5llu.%06llu] ", microseconds / 1000000, microseconds % 1000000);
	fprintf(run->kmsg_log, "<%u>%s%s\n", level & 7, stamp, message + 1);
	if (hl_log_feed(run->log, stamp, (size_t)length, &run->err) ||
	    hl_log_feed(run->log, message + 1, (size_t)(text + size - message - 1), &run->err))
		return -run->err.code;
	return hl_log_feed(run->log, "\n", 1, &run->err);
}

static const char *text_of(const json_t *message, const char *key)
{
	const char *text = json_string_value(json_object_get(message, key));

	return text ? text : "";
}

static size_t step_of(const struct run *run, const json_t *message)
{
	json_int_t step = json_integer_value(json_object_get(message, "step"));

	return step >= 0 && (size_t)step < run->plan->step_count ? (size_t)step : 0;
}

static void on_boot(struct run *run, const json_t *message)
{
	run->progress.phase = "prepare";
	record_boot(run->record, message);
	set_awaited(run, "disks and file systems");
	journal(run, "boot", json_deep_copy(message));
}

static void on_ready(struct run *run, const json_t *message)
{
	struct detector_settings settings;

	detector_settings_load(&settings, json_object_get(message, "settings"));
	settings.stall_limit = run->plan->stall;
	judge_settings(run->facts.judge, &settings);
	record_ready(run->record, message, &settings);
}

static void on_begin(struct run *run, const json_t *message)
{
	(void)message;
	loop_remove(run->loop, &run->boot_timer);
	/* The guest's mark follows: what the kernel said before is not judged. */
	hl_log_flush(run->log, NULL);
	run->facts.began = true;
	run->progress.phase = "timeline";
	record_begin(run->record, run->guest_now);
	if (!plan_injects(run->plan))
		judge_fault(run->facts.judge, run->guest_now);
	set_awaited(run, "the first step");
	note(run, "guest ready, timeline begins");
	journal(run, "begin", NULL);
}

static void on_workload(struct run *run, const json_t *message)
{
	note(run, "workload %s %s", text_of(message, "name"), text_of(message, "state"));
	journal(run, "workload", json_deep_copy(message));
}

/* What the run waits for once a fault is active. */
static void await_after_fault(struct run *run, const struct plan_step *step)
{
	int64_t deadline = judge_next_deadline(run->facts.judge);

	if (step->until)
		set_awaited(run, "%s by %.0f s", event_kind_names[step->until->pattern.kind], (double)deadline / 1e9);
	else if (step->hold_for >= 0)
		set_awaited(run, "release at %.0f s", (double)(run->guest_now + step->hold_for) / 1e9);
	else
		set_awaited(run, "the checks, by %.0f s", (double)deadline / 1e9);
}

static void on_injection(struct run *run, const json_t *message)
{
	const char *state = text_of(message, "state"), *evidence = text_of(message, "evidence");
	size_t step = step_of(run, message);

	journal(run, "injection", json_deep_copy(message));
	record_injection(run->record, step, message);
	if (!strcmp(state, "injecting") || !strcmp(state, "active"))
		judge_fault(run->facts.judge, run->guest_now);
	if (!strcmp(state, "active"))
		await_after_fault(run, &run->plan->steps[step]);
	if (!strcmp(state, "released"))
		set_awaited(run, "recovery and the last deadlines");
	if (strcmp(state, "injecting") != 0 && strcmp(state, "releasing") != 0)
		note(run, "%s %s%s%s", text_of(message, "injector"), state, evidence[0] ? ": " : "", evidence);
}

static void on_host(struct run *run, const json_t *message)
{
	run->call.step = (int)step_of(run, message);
	run->call.release = !strcmp(text_of(message, "state"), "release");
}

static void on_recovery(struct run *run, const json_t *message)
{
	run->progress.phase = "recovery";
	run->facts.recovery_known = true;
	journal(run, "recovery", json_deep_copy(message));
	note(run, "workload %s %s", text_of(message, "name"), text_of(message, "state"));
	if (!strcmp(text_of(message, "state"), "stuck") && !run->facts.not_recovered[0])
		snprintf(run->facts.not_recovered, sizeof(run->facts.not_recovered),
			 "workload %s did not move again within %.1f s of the release", text_of(message, "name"),
			 (double)plan_recovery_limit(run->plan) / 1e9);
}

static void set_data_problem(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void set_data_problem(struct run *run, const char *format, ...)
{
	va_list args;

	if (run->facts.data_problem[0])
		return;
	va_start(args, format);
	vsnprintf(run->facts.data_problem, sizeof(run->facts.data_problem), format, args);
	va_end(args);
}

static void on_fsck(struct run *run, const json_t *message)
{
	json_int_t status = json_integer_value(json_object_get(message, "status"));

	run->progress.phase = "verify";
	journal(run, "fsck", json_deep_copy(message));
	record_fsck(run->record, message);
	note(run, "fsck of disk %s: status %lld", text_of(message, "disk"), (long long)status);
	if (status)
		set_data_problem(run, "fsck of disk %s ended with status %lld: %s", text_of(message, "disk"),
				 (long long)status, text_of(message, "output"));
}

static void on_verification(struct run *run, const json_t *message)
{
	json_int_t lost = json_integer_value(json_object_get(message, "lost"));

	run->facts.data_known = true;
	journal(run, "verification", json_deep_copy(message));
	record_verification(run->record, message);
	note(run, "workload %s: %lld acknowledged, %lld checked, %lld lost", text_of(message, "name"),
	     (long long)json_integer_value(json_object_get(message, "acknowledged")),
	     (long long)json_integer_value(json_object_get(message, "checked")), (long long)lost);
	if (lost)
		set_data_problem(run, "%lld acknowledged operations are lost; %s", (long long)lost, text_of(message, "detail"));
}

static void on_stalled(struct run *run, const json_t *message)
{
	struct hl_event event;

	stall_event(&event, text_of(message, "name"), (long)json_integer_value(json_object_get(message, "pid")),
		    json_integer_value(json_object_get(message, "age")), run->guest_now);
	count_event(run, &event, run->guest_now);
}

static void on_waits(struct run *run, const json_t *message)
{
	json_t *wait;
	size_t i;

	journal(run, "waits", json_deep_copy(message));
	json_array_foreach(json_object_get(message, "waits"), i, wait) {
		if (record_wait(run->record, wait) && json_object_get(wait, "workload"))
			note(run, "workload %s waits for: %s, in %s", text_of(wait, "workload"), text_of(wait, "layer"),
			     text_of(wait, "function"));
	}
}

static void on_heartbeat(struct run *run, const json_t *message)
{
	record_heartbeat(run->record, message);
	judge_time(run->facts.judge, run->guest_now);
}

static void on_quiet(struct run *run, const json_t *message)
{
	(void)message;
	hl_log_flush(run->log, NULL);
}

static void on_lost(struct run *run, const json_t *message)
{
	(void)message;
	run->facts.log_lost = true;
	journal(run, "lost", NULL);
}

static void on_broken(struct run *run, const json_t *message)
{
	finish(run, GUEST_BROKE_OFF, "%s", text_of(message, "reason"));
}

static void on_end(struct run *run, const json_t *message)
{
	(void)message;
	hl_log_flush(run->log, NULL);
	judge_time(run->facts.judge, run->guest_now);
	finish(run, GUEST_ENDED_BY_PLAN, "the guest answered to the end");
}

static const struct {
	const char *type;
	void (*handle)(struct run *run, const json_t *message);
} handlers[] = {
	{"begin", on_begin},       {"boot", on_boot},     {"broken", on_broken}, {"end", on_end},
	{"fsck", on_fsck},         {"host", on_host},     {"heartbeat", on_heartbeat}, {"injection", on_injection},
	{"lost", on_lost},         {"quiet", on_quiet},   {"ready", on_ready},   {"recovery", on_recovery},
	{"stalled", on_stalled},
	{"verification", on_verification}, {"waits", on_waits}, {"workload", on_workload},
};

static void take_message(struct run *run, const json_t *message)
{
	json_int_t sequence = json_integer_value(json_object_get(message, "sequence"));
	const char *type = text_of(message, "type");

	if (sequence != run->next_sequence)
		run->facts.log_lost = true;
	run->next_sequence = sequence + 1;
	run->guest_now = json_integer_value(json_object_get(message, "ns"));
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (!strcmp(handlers[i].type, type))
			handlers[i].handle(run, message);
}

static int on_channel_line(void *data, char *line, size_t size)
{
	struct run *run = data;
	json_t *message;

	if (run->end_known)
		return 0;
	if (line[0] == 'K')
		return take_kmsg(run, line + 1, size - 1);
	message = json_loadb(line, size, 0, NULL);
	if (message)
		take_message(run, message);
	else
		run->facts.log_lost = true;
	json_decref(message);
	return 0;
}

static void read_streams(struct run *run)
{
	if (stream_read(&run->channel, &run->err) || stream_read(&run->console, &run->err))
		finish(run, GUEST_BROKE_OFF, "%s", run->err.text);
	show_progress(run);
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

	finish(run, GUEST_SILENT, "the guest was not ready within %.0f s", (double)stretched(run, BOOT_LIMIT) / 1e9);
}

/* Looks every limit whether anything came since; cheaper than a timer per message. */
static void on_silence_limit(void *data)
{
	struct run *run = data;
	size_t total = run->channel.total + run->console.total;

	if (total == run->seen) {
		finish(run, GUEST_SILENT, "the guest gave no sign of life for %.0f s", (double)stretched(run, SILENCE_LIMIT) / 1e9);
		return;
	}
	run->seen = total;
	if (loop_timer(run->loop, stretched(run, SILENCE_LIMIT), on_silence_limit, run, &run->silence_timer, &run->err))
		finish(run, GUEST_BROKE_OFF, "%s", run->err.text);
}

static int vm_qmp(void *data, const char *command, json_t *arguments, json_t **answer, struct hl_error *err)
{
	struct run *run = data;

	return qmp_execute(run->vm.qmp, command, arguments, answer, err);
}

static void continue_vm(struct run *run)
{
	struct hl_error err = HL_ERROR_INIT;

	run->stopped = false;
	if (qmp_execute(run->vm.qmp, "cont", NULL, NULL, &err))
		finish(run, GUEST_DIED, "%s", err.text);
}

static void unconfirmed(struct run *run, const struct injector *injector, const char *step, const struct hl_error *err)
{
	snprintf(run->facts.unconfirmed, sizeof(run->facts.unconfirmed), "injector %s could not %s: %.400s", injector->name,
		 step, err->text);
	finish(run, GUEST_BROKE_OFF, "%s", run->facts.unconfirmed);
}

/* One half of an injection on the host side: act, then confirm. */
static bool host_steps(struct run *run, size_t step, const char *state, const char *names[2],
		       int (*const steps[2])(struct injection *, struct hl_error *))
{
	const struct injector *injector = injector_find(run->plan->steps[step].inject);
	struct injection *injection = &run->host_faults[step].injection;
	struct hl_error err = HL_ERROR_INIT;

	for (int i = 0; i < 2; i++) {
		if (journal(run, names[i], json_pack("{s:i, s:s}", "step", (int)step, "injector", injector->name)))
			return false;
		injection->evidence[0] = '\0';
		if (steps[i](injection, &err)) {
			unconfirmed(run, injector, names[i], &err);
			return false;
		}
	}
	record_evidence(run->record, step, state, injection->evidence);
	note(run, "%s %s: %s", injector->name, state, injection->evidence);
	return true;
}

static bool host_release(struct run *run, size_t step)
{
	const struct injector *injector = injector_find(run->plan->steps[step].inject);
	const char *names[] = {"release", "confirm_released"};

	return host_steps(run, step, "released", names,
			  (int (*const[2])(struct injection *, struct hl_error *)){injector->release,
										   injector->confirm_released});
}

static void on_hold_end(void *data)
{
	struct run *run = data;

	/* The release continued the VM: see injector->stops_vm. */
	run->stopped = false;
	host_release(run, (size_t)run->call.step);
}

static void load_host_fault(struct run *run, size_t step)
{
	const struct plan_step *planned = &run->plan->steps[step];
	const struct injector *injector = injector_find(planned->inject);
	struct host_fault *fault = &run->host_faults[step];
	void *parameters = arena_allocate(&run->arena, injector->parameters_size + 1);

	fault->vm = (struct injection_vm){.qmp = vm_qmp, .vm = run};
	fault->injection.vm = &fault->vm;
	fault->injection.parameters = parameters;
	fault->injection.state = arena_allocate(&run->arena, injector->state_size + 1);
	if (parameters_load(injector->parameters, planned->with, parameters, &run->err))
		finish(run, GUEST_BROKE_OFF, "%s", run->err.text);
}

static void host_inject(struct run *run, size_t step)
{
	const struct plan_step *planned = &run->plan->steps[step];
	const struct injector *injector = injector_find(planned->inject);
	const char *names[] = {"inject", "confirm"};

	load_host_fault(run, step);
	/* It stops a VM that runs, or it would prove nothing. */
	if (injector->stops_vm)
		continue_vm(run);
	if (run->done || !host_steps(run, step, "active", names,
				     (int (*const[2])(struct injection *, struct hl_error *)){injector->inject,
											      injector->confirm}))
		return;
	if (!injector->stops_vm)
		continue_vm(run);
	else if (loop_timer(run->loop, planned->hold_for, on_hold_end, run, &run->hold_timer, &run->err))
		finish(run, GUEST_BROKE_OFF, "%s", run->err.text);
}

/* The guest stopped itself: because it is done, because the host is to act, or because it panicked. */
static void on_stopped(struct run *run)
{
	struct host_call call = run->call;

	read_streams(run);
	if (run->done)
		return;
	call = run->call;
	if (call.step < 0) {
		finish(run, GUEST_PANICKED, "the guest panicked and stopped");
		return;
	}
	if (!call.release) {
		host_inject(run, (size_t)call.step);
	} else if (host_release(run, (size_t)call.step)) {
		run->call.step = -1;
		continue_vm(run);
		return;
	}
	if (!run->hold_timer)
		run->call.step = -1;
}

static void on_qmp_event(void *data, const char *name, const json_t *event)
{
	struct run *run = data;

	(void)event;
	if (!strcmp(name, "GUEST_PANICKED"))
		run->stopped = true;
	if (!strcmp(name, "SHUTDOWN") || !strcmp(name, "RESET"))
		run->shut_down = true;
}

static void on_qmp(void *data)
{
	struct run *run = data;
	struct hl_error err = HL_ERROR_INIT;

	if (qmp_dispatch(run->vm.qmp, &err) || run->shut_down) {
		read_streams(run);
		finish(run, run->shut_down ? GUEST_PANICKED : GUEST_DIED, "%s",
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
		finish(run, GUEST_INTERRUPTED, "interrupted by signal %u", signal.ssi_signo);
}

static char *disk_path(const struct run *run, const struct plan_disk *disk)
{
	return file_path("%s/disk-%s.img", run->folder, disk->name);
}

/* Raw disks of the run, sparse. */
static int create_disks(struct run *run)
{
	for (size_t i = 0; i < run->plan->disk_count; i++) {
		const struct plan_disk *disk = &run->plan->disks[i];
		cleanup_free char *path = disk_path(run, disk);
		cleanup_fd int fd = -1;

		if (disk->via != PLAN_VIA_VIRTIO)
			continue;
		fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);
		if (fd < 0 || ftruncate(fd, (off_t)disk->size))
			return hl_error_errno(&run->err, errno, "create %s", path);
	}
	return 0;
}

static int write_json(const struct run *run, const char *name, const json_t *json, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/%s", run->folder, name);
	cleanup_free char *text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(12));

	if (!text)
		return hl_error_errno(err, ENOMEM, "write %s", path);
	return file_write(path, text, strlen(text), err);
}

static FILE *create_log(struct run *run, const char *name)
{
	cleanup_free char *path = file_path("%s/%s", run->folder, name);
	FILE *file = fopen(path, "we");

	if (!file)
		hl_error_errno(&run->err, errno, "create %s", path);
	return file;
}

static int copy_scenario(struct run *run, const char *path)
{
	cleanup_free char *text = NULL, *copy = file_path("%s/scenario.yaml", run->folder);
	size_t size;
	int r = file_read(path, &text, &size, &run->err);

	return r ? r : file_write(copy, text, size, &run->err);
}

/* Everything that must be on disk before the VM starts. */
static int open_folder(struct run *run, const char *path)
{
	cleanup_free char *journal_path = NULL, *console = NULL, *channel = NULL;
	int r = run_folder_create(run->settings->out, run->plan->scenario, &run->folder, &run->err);

	if (r)
		return r;
	record_folder(run->record, run->folder);
	journal_path = file_path("%s/journal.jsonl", run->folder);
	console = file_path("%s/console.log", run->folder);
	channel = file_path("%s/channel.log", run->folder);
	r = journal_open(&run->journal, journal_path, &run->err);
	if (!r)
		r = copy_scenario(run, path);
	if (!r)
		r = write_json(run, "plan.json", run->plan->json, &run->err);
	if (!r)
		r = stream_create(&run->console, console, NULL, NULL, &run->err);
	if (!r)
		r = stream_create(&run->channel, channel, on_channel_line, run, &run->err);
	if (r)
		return r;
	run->kmsg_log = create_log(run, "kmsg.log");
	run->events_log = create_log(run, "events.jsonl");
	if (!run->kmsg_log || !run->events_log)
		return -run->err.code;
	r = hl_log_open(&run->log, NULL, on_event, run, &run->err);
	return r ? r : create_disks(run);
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

static int start_vm(struct run *run)
{
	struct qemu_request request = {
		.plan = run->plan,
		.kvm = run->preparation.kvm,
		.vmlinuz = run->preparation.kernel->vmlinuz,
		.initramfs = run->preparation.initramfs,
		.run_folder = run->folder,
	};
	const char *const *command = NULL;
	int r;

	r = vm_start(&run->vm, &request, &run->arena, &command, (int)stretched(run, QMP_LIMIT_MS), on_qmp_event, run,
		     &run->err);
	if (r)
		return r;
	record_command(run->record, command);
	r = journal_write(&run->journal, "start", json_pack("{s:i, s:O}", "qemu_pid", (int)run->vm.process.pid, "command",
							    record_command_json(run->record)), &run->err);
	if (!r)
		r = loop_watch(run->loop, qmp_fd(run->vm.qmp), on_qmp, run, NULL, &run->err);
	if (!r)
		r = loop_timer(run->loop, stretched(run, BOOT_LIMIT), on_boot_limit, run, &run->boot_timer, &run->err);
	if (!r)
		r = loop_timer(run->loop, stretched(run, SILENCE_LIMIT), on_silence_limit, run, &run->silence_timer, &run->err);
	return r ? r : qmp_execute(run->vm.qmp, "cont", NULL, NULL, &run->err);
}

static int console_event(const struct hl_event *event, void *data)
{
	struct run *run = data;

	if (!isnan(event->time) && event->time > run->last_kmsg_event)
		return on_event(event, data);
	return 0;
}

/*
 * A guest that died could not forward its last words: they are on the serial console only. What the kmsg
 * stream reported already is passed over by its time.
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

static int go(struct run *run, const char *path)
{
	int r = open_folder(run, path);

	if (!r)
		r = loop_open(&run->loop, &run->err);
	if (!r)
		r = watch_files(run);
	if (!r)
		r = watch_signals(run);
	if (!r)
		r = start_vm(run);
	if (!r)
		r = loop_run(run->loop, &run->done, &run->err);
	if (r)
		finish(run, GUEST_BROKE_OFF, "%s", run->err.text);
	vm_end(&run->vm);
	if (run->facts.end == GUEST_PANICKED)
		read_last_words(run);
	return r;
}

/* A panic is one only when the kernel says so; a reset without a word is a death. */
static void settle_end(struct run *run)
{
	struct run_facts *facts = &run->facts;

	if (facts->end == GUEST_PANICKED && !facts->first_panic[0]) {
		facts->end = GUEST_DIED;
		snprintf(facts->end_reason, sizeof(facts->end_reason), "the guest ended %s without a panic in its log",
			 facts->began ? "in the middle of the timeline" : "before it was ready");
	} else if (facts->end == GUEST_PANICKED) {
		snprintf(facts->end_reason, sizeof(facts->end_reason), "%s%s",
			 facts->began ? "" : "the guest panicked before it was ready: ", facts->first_panic);
	}
	judge_end(facts->judge, facts->end_reason);
	record_unconfirmed(run->record, run->plan, facts);
}

static void free_run(struct run *run)
{
	vm_end(&run->vm);
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
	free(run->folder);
	arena_free(&run->arena);
	judge_free(run->facts.judge);
}

static bool logs_are_whole(struct run *run)
{
	if (!run->kmsg_log || !run->events_log)
		return true;
	return !fflush(run->kmsg_log) && !fflush(run->events_log) && !ferror(run->kmsg_log) && !ferror(run->events_log);
}

/* The images are evidence only where something went wrong. */
static void remove_disks(const struct run *run)
{
	for (size_t i = 0; run->folder && i < run->plan->disk_count; i++) {
		cleanup_free char *path = disk_path(run, &run->plan->disks[i]);

		unlink(path);
	}
}

/* One attempt. Return: true when it died before the timeline began and may be tried again. */
static bool attempt(const struct plan *plan, const char *path, const struct run_settings *settings,
		    struct run_preparation *preparation, int number, enum verdict *verdict, json_t **result)
{
	struct run run = {
		.plan = plan, .settings = settings, .preparation = *preparation, .journal = JOURNAL_NONE, .vm = VM_NONE,
		.channel = STREAM_NONE, .console = STREAM_NONE, .inotify = -1, .signals = -1, .call = {-1, false},
		.last_kmsg_event = -1, .started = workload_now(), .progress = {.phase = "boot"},
	};
	char reason[1200];
	struct hl_error err = HL_ERROR_INIT;
	bool again;

	run.record = record_new(plan, preparation);
	run.facts.judge = judge_new(plan->checks, plan->check_count);
	run.host_faults = arena_allocate(&run.arena, (plan->step_count + 1) * sizeof(*run.host_faults));
	go(&run, path);
	settle_end(&run);
	if (!logs_are_whole(&run))
		finish(&run, GUEST_BROKE_OFF, "the logs of the run could not be written");
	*verdict = verdict_of_run(plan, &run.facts, reason, sizeof(reason));
	if (run.journal.fd >= 0 && journal_write(&run.journal, "verdict", json_pack("{s:s, s:s}", "verdict",
										     verdict_name(*verdict), "reason", reason), &err) &&
	    *verdict != VERDICT_BROKEN) {
		*verdict = VERDICT_BROKEN;
		snprintf(reason, sizeof(reason), "%.1000s", err.text);
	}
	*result = record_finish(run.record, plan, &run.facts, *verdict, reason, number,
				(double)(workload_now() - run.started) / 1e9);
	if (run.folder && write_json(&run, "result.json", *result, &err) && *verdict != VERDICT_BROKEN) {
		*verdict = VERDICT_BROKEN;
		json_object_set_new(*result, "verdict", json_string(verdict_name(*verdict)));
		json_object_set_new(*result, "reason", json_string(err.text));
	}
	if (*verdict == VERDICT_PASS)
		remove_disks(&run);
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
	return verdict;
}
