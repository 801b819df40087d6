// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/record.h"

#include "base/units.h"
#include "base/version.h"
#include "run/exactness.h"
#include "vm-images/kernel.h"

#include <string.h>
#include <sys/resource.h>

/**
 * struct record - a result in the making
 * @result: its members that are known
 * @injections: one object per injection, in the order of their beginning
 * @by_step: index of a step's injection in @injections plus 1, 0 for none
 * @workloads: name to object
 * @waits: what is waited for, by whom
 * @began_at, @injected_at: guest time of the timeline and of the first injection, 0 before
 * @reported_at: guest time of the kernel's first report after that, 0 before
 * @released_at: guest time when the last release began, 0 before
 */
struct record {
	json_t *result, *injections, *workloads, *waits, *events, *command;
	size_t *by_step;
	int64_t began_at, injected_at, reported_at, released_at;
};

static json_t *seconds(int64_t nanoseconds)
{
	return json_real((double)nanoseconds / 1e9);
}

static const char *accelerator(const struct plan *plan, const struct run_preparation *preparation)
{
	if (plan->vm->machine == PLAN_MACHINE_BOCHS)
		return "bochs";
	return preparation->kvm ? "kvm" : "tcg";
}

static json_t *new_result(const struct plan *plan, const struct run_preparation *preparation)
{
	json_t *result =
		json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "schema", RESULT_SCHEMA, "hanglab",
			  HANGLAB_VERSION, "scenario", plan->scenario, "qemu", preparation->qemu, "accel",
			  accelerator(plan, preparation), "clock", plan_clock_names[plan->vm->clock], "exact",
			  exactness_of_plan(plan), "seed", (json_int_t)plan->seed);

	if (plan->case_name)
		json_object_set_new(result, "case", json_string(plan->case_name));
	json_object_set_new(result, "kernel",
			    json_string(plan->vm->guest != PLAN_GUEST_LINUX
						? plan_guest_names[plan->vm->guest]
					: preparation->kernel ? preparation->kernel->name
							      : plan->vm->kernel));
	return result;
}

void record_start(struct record *record, const char *start, const char *snapshot)
{
	const char *exact = json_string_value(json_object_get(record->result, "exact"));

	json_object_set_new(record->result, "start", json_string(start));
	if (snapshot)
		json_object_set_new(record->result, "snapshot", json_string(snapshot));
	/* When a guest that was stopped in the middle goes on depends on the host. */
	if (!strcmp(start, "save") && !strcmp(exact, "bytes"))
		json_object_set_new(record->result, "exact", json_string("events"));
}

struct record *record_new(const struct plan *plan, const struct run_preparation *preparation)
{
	struct record *record = calloc(1, sizeof(*record));

	if (record)
		record->by_step = calloc(plan->step_count + 1, sizeof(*record->by_step));
	if (!record || !record->by_step)
		abort();
	record->result = new_result(plan, preparation);
	record->injections = json_array();
	record->workloads = json_object();
	record->waits = json_array();
	record->events = json_array();
	return record;
}

void record_folder(struct record *record, const char *folder)
{
	json_object_set_new(record->result, "folder", json_string(folder));
}

void record_command(struct record *record, const char *const *command)
{
	record->command = json_array();
	for (; *command; command++)
		json_array_append_new(record->command, json_string(*command));
}

json_t *record_command_json(const struct record *record)
{
	return record->command;
}

void record_boot(struct record *record, const json_t *message)
{
	json_object_set(record->result, "release", json_object_get(message, "release"));
	json_object_set(record->result, "clocksource", json_object_get(message, "clocksource"));
}

static const enum hl_event_kind detectors[] = {
	HL_EVENT_HUNG_TASK,	   HL_EVENT_SOFT_LOCKUP,    HL_EVENT_HARD_LOCKUP, HL_EVENT_RCU_STALL,
	HL_EVENT_WORKQUEUE_LOCKUP, HL_EVENT_CLOCK_WATCHDOG, HL_EVENT_STALLED};

static json_t *deadlines(const struct detector_settings *settings)
{
	json_t *json = json_object();

	for (size_t i = 0; i < sizeof(detectors) / sizeof(detectors[0]); i++) {
		int64_t deadline = detector_deadline(settings, detectors[i]);

		json_object_set_new(json, hl_event_kind_name(detectors[i]),
				    deadline > 0 ? seconds(deadline) : json_null());
	}
	return json;
}

/* [earliest, latest] of the detectors that are on. */
static json_t *limits(const struct detector_settings *settings)
{
	json_t *json = json_object();

	for (size_t i = 0; i < sizeof(detectors) / sizeof(detectors[0]); i++) {
		int64_t earliest, latest;

		if (detector_limits(settings, detectors[i], &earliest, &latest))
			json_object_set_new(json, hl_event_kind_name(detectors[i]),
					    json_pack("[o, o]", seconds(earliest), seconds(latest)));
	}
	return json;
}

void record_ready(struct record *record, const json_t *message, const struct detector_settings *settings)
{
	json_t *sysctls = json_copy(json_object_get(message, "settings"));

	json_object_update(sysctls, json_object_get(message, "sysctls"));
	json_object_set_new(record->result, "sysctls", sysctls);
	json_object_set_new(record->result, "deadlines", deadlines(settings));
	json_object_set_new(record->result, "limits", limits(settings));
}

void record_debugged(struct record *record)
{
	json_object_set_new(record->result, "debugged", json_true());
}

const char *record_release(const struct record *record)
{
	return json_string_value(json_object_get(record->result, "release")) ?: "";
}

void record_begin(struct record *record, int64_t now)
{
	record->began_at = now;
}

static void begin_release(struct record *record, int64_t now)
{
	json_t *workload;
	const char *name;

	record->released_at = now;
	json_object_foreach (record->workloads, name, workload)
		json_object_del(workload, "recovered_after");
}

static json_t *injection_of(struct record *record, size_t step, const json_t *message)
{
	json_t *injection;

	if (record->by_step[step])
		return json_array_get(record->injections, record->by_step[step] - 1);
	injection = json_pack("{s:I, s:O, s:b}", "step", (json_int_t)step, "injector",
			      json_object_get(message, "injector"), "confirmed", 0);
	json_array_append_new(record->injections, injection);
	record->by_step[step] = json_array_size(record->injections);
	return injection;
}

/* A fault may be proved twice: on the host's side, and from inside the guest. */
static void set_evidence(json_t *injection, const char *state, const json_t *evidence)
{
	const char *key = strcmp(state, "active") ? "release_evidence" : "evidence";
	const char *earlier = json_string_value(json_object_get(injection, key)),
		   *text = json_string_value(evidence);

	if (text && earlier)
		json_object_set_new(injection, key, json_sprintf("%s; %s", earlier, text));
	else if (text)
		json_object_set_new(injection, key, json_string(text));
}

void record_injection(struct record *record, size_t step, const json_t *message)
{
	const char *state = json_string_value(json_object_get(message, "state"));
	int64_t now = json_integer_value(json_object_get(message, "ns"));
	json_t *injection = injection_of(record, step, message);

	if (!strcmp(state, "injecting")) {
		json_object_set_new(injection, "injected_at", seconds(now));
		if (!record->injected_at)
			record->injected_at = now;
	} else if (!strcmp(state, "active")) {
		json_object_set_new(injection, "confirmed", json_true());
	} else if (!strcmp(state, "releasing")) {
		json_object_set_new(injection, "released_at", seconds(now));
		json_object_set_new(injection, "confirmed_released", json_false());
		begin_release(record, now);
	} else if (!strcmp(state, "released")) {
		if (!json_object_get(injection, "released_at"))
			json_object_set_new(injection, "released_at", seconds(now));
		json_object_set_new(injection, "confirmed_released", json_true());
	}
	set_evidence(injection, state, json_object_get(message, "evidence"));
}

void record_evidence(struct record *record, size_t step, const char *state, const char *evidence)
{
	json_t *text = json_string(evidence);

	if (record->by_step[step])
		set_evidence(json_array_get(record->injections, record->by_step[step] - 1), state, text);
	json_decref(text);
}

void record_confirmed(struct record *record, size_t step, bool confirmed)
{
	if (record->by_step[step])
		json_object_set_new(json_array_get(record->injections, record->by_step[step] - 1),
				    "confirmed", json_boolean(confirmed));
}

static json_t *workload_of(struct record *record, const char *name)
{
	json_t *workload = json_object_get(record->workloads, name);

	if (workload)
		return workload;
	workload = json_pack("{s:s}", "name", name);
	json_object_set_new(record->workloads, name, workload);
	return workload;
}

/*
 * How long after the last release began an operation ended that it had held up; it is the workload's longest.
 * That the workload moves is looked at later and less closely.
 */
static void set_recovery(const struct record *record, json_t *workload, const json_t *progress)
{
	int64_t longest = json_integer_value(json_object_get(progress, "longest")),
		ended = json_integer_value(json_object_get(progress, "longest_ended"));

	if (record->released_at && ended >= record->released_at && ended - longest < record->released_at)
		json_object_set_new(workload, "recovered_after", seconds(ended - record->released_at));
}

static void update_workload(struct record *record, const json_t *progress)
{
	const char *name = json_string_value(json_object_get(progress, "name"));
	json_t *workload = name ? workload_of(record, name) : NULL;
	int first_errno = (int)json_integer_value(json_object_get(progress, "first_errno"));

	if (!workload)
		return;
	json_object_set(workload, "acknowledged", json_object_get(progress, "acknowledged"));
	json_object_set(workload, "errors", json_object_get(progress, "errors"));
	json_object_set_new(workload, "longest_stall",
			    seconds(json_integer_value(json_object_get(progress, "longest"))));
	if (first_errno)
		json_object_set_new(workload, "first_error", json_string(strerror(first_errno)));
	set_recovery(record, workload, progress);
}

void record_heartbeat(struct record *record, const json_t *message)
{
	const json_t *progress;
	size_t i;

	json_array_foreach (json_object_get(message, "workloads"), i, progress)
		update_workload(record, progress);
}

void record_verification(struct record *record, const json_t *message)
{
	json_t *workload = workload_of(record, json_string_value(json_object_get(message, "name")));

	update_workload(record, message);
	json_object_set(workload, "checked", json_object_get(message, "checked"));
	json_object_set(workload, "lost", json_object_get(message, "lost"));
	json_object_set(workload, "unsynced", json_object_get(message, "unsynced"));
}

/* A list of the result that is only there when it is not empty; @item is consumed. */
static void append(struct record *record, const char *list, json_t *item)
{
	json_t *all = json_object_get(record->result, list);

	if (!all) {
		all = json_array();
		json_object_set_new(record->result, list, all);
	}
	json_array_append_new(all, item);
}

void record_fsck(struct record *record, const json_t *message)
{
	append(record, "fsck",
	       json_pack("{s:O, s:O, s:O}", "disk", json_object_get(message, "disk"), "status",
			 json_object_get(message, "status"), "output", json_object_get(message, "output")));
}

void record_checksum(struct record *record, const char *disk, const char *guest, const char *host)
{
	append(record, "checksums", json_pack("{s:s, s:s, s:s}", "disk", disk, "guest", guest, "host", host));
}

static json_t *last_sysrq(const struct record *record)
{
	const json_t *all = json_object_get(record->result, "sysrq");
	size_t count = json_array_size(all);

	return count ? json_array_get(all, count - 1) : NULL;
}

void record_sysrq(struct record *record, size_t step, const json_t *message)
{
	json_t *task = json_object_get(message, "task"), *disk = json_object_get(message, "disk");

	if (!strcmp(json_string_value(json_object_get(message, "state")), "begun"))
		append(record, "sysrq",
		       json_pack("{s:I, s:O, s:o, s:[], s:[]}", "step", (json_int_t)step, "key",
				 json_object_get(message, "key"), "at",
				 seconds(json_integer_value(json_object_get(message, "ns"))), "tasks",
				 "disks"));
	if (task)
		json_array_append(json_object_get(last_sysrq(record), "tasks"), task);
	if (disk)
		json_array_append(json_object_get(last_sysrq(record), "disks"), disk);
}

size_t record_sysrq_tasks(const struct record *record)
{
	return json_array_size(json_object_get(last_sysrq(record), "tasks"));
}

void record_command_end(struct record *record, const struct plan *plan, const json_t *message)
{
	size_t step = (size_t)json_integer_value(json_object_get(message, "step"));
	json_t *all = json_object_get(record->result, "commands");

	if (!all) {
		all = json_array();
		json_object_set_new(record->result, "commands", all);
	}
	json_array_append_new(all, json_pack("{s:I, s:s, s:O, s:O}", "step", (json_int_t)step, "command",
					     step < plan->step_count && plan->steps[step].trigger
						     ? plan->steps[step].trigger
					     : step < plan->step_count && plan->steps[step].shell
						     ? plan->steps[step].shell
						     : "",
					     "exit", json_object_get(message, "exit"), "output",
					     json_object_get(message, "output")));
}

static bool same_member(const json_t *a, const json_t *b, const char *key)
{
	const json_t *left = json_object_get(a, key), *right = json_object_get(b, key);

	return left ? right && json_equal(left, right) : !right;
}

static bool is_known_wait(const struct record *record, const json_t *wait)
{
	const json_t *known;
	size_t i;

	json_array_foreach (record->waits, i, known) {
		if (same_member(known, wait, "workload") && same_member(known, wait, "task") &&
		    same_member(known, wait, "layer"))
			return true;
	}
	return false;
}

bool record_wait(struct record *record, json_t *wait)
{
	if (is_known_wait(record, wait))
		return false;
	json_array_append(record->waits, wait);
	return true;
}

void record_event(struct record *record, const struct hl_event *event, int64_t at, FILE *log)
{
	bool by_kernel = event->kind != HL_EVENT_STALLED;

	json_t *json = hl_event_to_json(event);
	char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));

	if (by_kernel && record->injected_at && !record->reported_at)
		record->reported_at = at;
	json_array_append_new(record->events, json);
	if (text)
		fprintf(log, "%s\n", text);
	free(text);
}

void record_postmortem(struct record *record, json_t *details)
{
	json_object_set(record->result, "postmortem", details);
}

static bool began_before(const json_t *injection, int64_t time)
{
	return json_number_value(json_object_get(injection, "injected_at")) < (double)time / 1e9;
}

/*
 * What a scenario for a known bug expects came after its trigger, or its injector, began: no better evidence
 * is needed, and a kernel with the bug may have left nobody who could give any.
 */
static void confirm_by_signature(struct record *record, size_t step, int64_t seen_at)
{
	static const char evidence[] = "what the scenario expects came after it had begun";
	json_t *injection =
		record->by_step[step] ? json_array_get(record->injections, record->by_step[step] - 1) : NULL;

	if (!injection || json_is_true(json_object_get(injection, "confirmed")) ||
	    !began_before(injection, seen_at))
		return;
	record_evidence(record, step, "active", evidence);
	record_confirmed(record, step, true);
}

void record_signature(struct record *record, const struct plan *plan, const struct judge *judge)
{
	int64_t seen_at = plan->bug ? judge_expects_met_at(judge) : 0;

	for (size_t i = 0; seen_at && i < plan->step_count; i++)
		if (plan->steps[i].trigger || plan->steps[i].inject)
			confirm_by_signature(record, i, seen_at);
}

void record_unconfirmed(const struct record *record, const struct plan *plan, struct run_facts *facts)
{
	int64_t seen_at = plan->bug ? judge_expects_met_at(facts->judge) : 0;

	/* Nothing can be released any more in a guest that has ended. */
	if (facts->unconfirmed[0] || facts->end == GUEST_PANICKED || facts->end == GUEST_ENDED_BY_WATCHDOG)
		return;
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct plan_step *step = &plan->steps[i];
		bool lasting = step->trigger || seen_at;
		const json_t *injection;

		if (!step->inject && !step->trigger)
			continue;
		injection = record->by_step[i] ? json_array_get(record->injections, record->by_step[i] - 1)
					       : NULL;
		/* After a refusal the steps behind it were not taken. */
		if (!injection && facts->refused[0])
			continue;
		/* What began when the bug had been seen has no part in that. */
		if (injection && seen_at && !began_before(injection, seen_at))
			continue;
		if (json_is_true(json_object_get(injection, "confirmed")) &&
		    (lasting || json_is_true(json_object_get(injection, "confirmed_released"))))
			continue;
		snprintf(facts->unconfirmed, sizeof(facts->unconfirmed), "the %s of %s %s was not confirmed",
			 json_is_true(json_object_get(injection, "confirmed")) ? "release" : "fault",
			 step->inject ? "injector" : "the trigger",
			 step->inject ? step->inject : step->trigger);
		return;
	}
}

static json_t *describe_check(const struct check *check)
{
	enum check_kind kind = check_kind(check);
	json_t *copy = json_deep_copy(check->source);
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(copy, next, key, value)
	{
		if (key[0] == '@')
			json_object_del(copy, key);
	}
	json_object_set_new(copy, "check", json_string(check_kind_names[kind]));
	return copy;
}

static json_t *check_results(const struct record *record, const struct plan *plan,
			     const struct run_facts *facts)
{
	json_t *array = json_array();

	for (size_t i = 0; i < plan->check_count; i++) {
		struct check_result result = verdict_of_check(plan, facts, i);
		const struct check_status *status = judge_status(facts->judge, i);
		json_t *json = describe_check(&plan->checks[i]);

		json_object_set_new(json, "verdict", json_string(verdict_name(result.verdict)));
		json_object_set_new(json, "reason", json_string(result.reason));
		if (status->at)
			json_object_set_new(json, "at", seconds(status->at));
		if (status->at && record->injected_at)
			json_object_set_new(json, "after", seconds(status->at - record->injected_at));
		if (status->event)
			json_object_set(json, "event", status->event);
		json_array_append_new(array, json);
	}
	return array;
}

/* From the first injection (or the timeline's begin) to the last event or deadline that decided a check. */
static int64_t decided_span(const struct record *record, const struct plan *plan,
			    const struct run_facts *facts)
{
	int64_t from = record->injected_at ? record->injected_at : record->began_at, to = from;

	for (size_t i = 0; i < plan->check_count; i++) {
		const struct check_status *status = judge_status(facts->judge, i);
		int64_t at = status->at ? status->at : status->state == CHECK_PENDING ? 0 : status->deadline;

		if (at > to)
			to = at;
	}
	return to - from;
}

static json_t *workload_list_json(const struct record *record)
{
	json_t *array = json_array(), *workload;
	const char *name;

	json_object_foreach (record->workloads, name, workload)
		json_array_append(array, workload);
	return array;
}

/* Of the workload that took longest; absent when no release ended a stall. */
static void add_times(const struct record *record, json_t *result)
{
	double recovery = -1;
	const json_t *workload;
	const char *name;

	if (record->reported_at)
		json_object_set_new(result, "first_report_seconds",
				    seconds(record->reported_at - record->injected_at));
	json_object_foreach (record->workloads, name, workload) {
		const json_t *after = json_object_get(workload, "recovered_after");

		if (after && json_number_value(after) > recovery)
			recovery = json_number_value(after);
	}
	if (recovery >= 0)
		json_object_set_new(result, "recovery_seconds", json_real(recovery));
}

/* Most that this process ever had resident: hanglab's own share of a run. */
static json_t *memory_used(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) ? json_null() : json_integer(usage.ru_maxrss);
}

static void set_verdict(json_t *result, enum verdict verdict, const char *reason)
{
	json_object_set_new(result, "verdict", json_string(verdict_name(verdict)));
	json_object_set_new(result, "reason", json_string(reason));
}

static void add_parameters(const struct record *record, const struct plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++)
		if (record->by_step[i] && plan->steps[i].trigger) {
			json_object_set_new(json_array_get(record->injections, record->by_step[i] - 1),
					    "with", json_pack("{s:s}", "command", plan->steps[i].trigger));
		} else if (record->by_step[i] && plan->steps[i].with) {
			json_t *with = json_object(), *value;
			const char *key;

			json_object_foreach ((json_t *)plan->steps[i].with, key, value)
				if (key[0] != '@')
					json_object_set(with, key, value);
			json_object_set_new(json_array_get(record->injections, record->by_step[i] - 1),
					    "with", with);
		}
}

static void add_health(json_t *result, const struct plan *plan, const struct run_facts *facts)
{
	char reason[1200];
	enum verdict health = health_of_run(plan, facts, reason, sizeof(reason));

	json_object_set_new(result, "health",
			    json_pack("{s:s, s:s}", "verdict", verdict_name(health), "reason", reason));
}

static void add_bug(json_t *result, const struct plan *plan)
{
	json_t *bug, *fixed;

	if (!plan->bug)
		return;
	fixed = json_array();
	bug = json_pack("{s:s, s:o}", "title", plan->bug->title, "fixed", fixed);
	for (const char **version = plan->bug->fixed; *version; version++)
		json_array_append_new(fixed, json_string(*version));
	if (plan->bug->cve)
		json_object_set_new(bug, "cve", json_string(plan->bug->cve));
	json_object_set_new(result, "bug", bug);
}

json_t *record_finish(struct record *record, const struct plan *plan, const struct run_facts *facts,
		      enum verdict verdict, const char *reason, int attempts, double wall_seconds)
{
	json_t *result = record->result;

	add_parameters(record, plan);
	set_verdict(result, verdict, reason);
	json_object_set_new(result, "attempts", json_integer(attempts));
	json_object_set_new(result, "wall_seconds", json_real(wall_seconds));
	json_object_set_new(result, "memory_kib", memory_used());
	json_object_set_new(result, "guest_seconds", seconds(decided_span(record, plan, facts)));
	add_times(record, result);
	json_object_set_new(result, "injections", record->injections);
	json_object_set_new(result, "checks", check_results(record, plan, facts));
	json_object_set_new(result, "signature", json_string(signature_name(signature_of_run(plan, facts))));
	add_health(result, plan, facts);
	add_bug(result, plan);
	json_object_set_new(result, "workloads", workload_list_json(record));
	json_object_set_new(result, "waits", record->waits);
	json_object_set_new(result, "events", record->events);
	if (record->command)
		json_object_set_new(result, "command", record->command);
	json_decref(record->workloads);
	free(record->by_step);
	free(record);
	return result;
}

json_t *record_unstarted(const struct plan *plan, const struct run_preparation *preparation,
			 enum verdict verdict, const char *reason)
{
	json_t *result = new_result(plan, preparation);

	set_verdict(result, verdict, reason);
	json_object_set_new(result, "attempts", json_integer(0));
	return result;
}
