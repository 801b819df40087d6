// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The timeline. Steps begin in order; each waits for the one before to be done (a workload has
 * acknowledged something, a fault is confirmed), then for its own "at" and "after". Faults are released
 * by "for" or "until", or when the judge has decided everything.
 */
#include "inject/guest/channel.h"
#include "inject/guest/commands.h"
#include "inject/guest/guest.h"
#include "inject/guest/port.h"
#include "inject/guest/sysrq.h"
#include "inject/guest/system.h"

#include "base/units.h"

#include <string.h>
#include <sys/wait.h>

/* How long a workload may take to its first acknowledgement, and an injector to each of its steps. */
#define PROGRESS_LIMIT (60 * NANOSECONDS_PER_SECOND)
/* Workload progress is shared memory, which nothing can wait for. */
#define POLL_INTERVAL  (10 * 1000000LL)

enum fault_state { FAULT_INJECTING, FAULT_ACTIVE, FAULT_RELEASING, FAULT_RELEASED };

/**
 * struct fault - an injection of the plan
 * @since: when it entered @state
 * @injected_at: when its injection began
 * @event_at: when the event of "until" came, 0 before
 * @confirm_at: when the host is to be asked to confirm it, 0 for not
 */
struct fault {
	struct guest *guest;
	size_t step;
	const struct plan_step *planned;
	const struct injector *injector;
	struct child *child;
	enum fault_state state;
	int64_t since, injected_at, event_at, confirm_at;
	struct fault *next;
};

static struct fault *faults;
static size_t next_step;
static int64_t step_begun_at, awaited_at;
static struct detector_settings settings;

static json_t *describe(const struct fault *fault, const char *state)
{
	return json_pack("{s:I, s:s, s:s}", "step", (json_int_t)fault->step, "injector",
			 fault->injector->name, "state", state);
}

static void enter(struct fault *fault, enum fault_state state, const char *name, const char *evidence)
{
	int64_t now = workload_now();
	json_t *message = describe(fault, name);

	if (evidence)
		json_object_set_new(message, "evidence", json_string(evidence));
	channel_send("injection", now, message);
	fault->state = state;
	fault->since = now;
}

static void enter_active(struct fault *fault, const char *evidence)
{
	enter(fault, FAULT_ACTIVE, "active", evidence);
	if (!plan_step_blackout(fault->planned))
		judge_fault(fault->guest->judge, fault->since);
}

/*
 * The proof of the release may itself be I/O that waits until the storage has recovered, so recovery is
 * counted from when the release began; what shows that workloads move comes after the proof.
 */
static void enter_released(struct fault *fault, const char *evidence)
{
	bool was_commanded = fault->state == FAULT_RELEASING;
	int64_t began = fault->since;

	enter(fault, FAULT_RELEASED, "released", evidence);
	if (!was_commanded)
		began = fault->since;
	/* Of several faults the one that was released last may be proved first. */
	if (began > fault->guest->last_release)
		fault->guest->last_release = began;
	workloads_mark();
}

/* In a child: one step of the injector, reported by name. */
static bool do_step(struct child *child, struct injection *injection, const char *name,
		    int (*step)(struct injection *, struct hl_error *))
{
	struct hl_error err = HL_ERROR_INIT;

	injection->evidence[0] = '\0';
	if (step(injection, &err)) {
		child_report(child, json_pack("{s:s, s:s}", "failed", name, "reason", err.text));
		return false;
	}
	child_report(child, json_pack("{s:s, s:s}", "done", name, "evidence", injection->evidence));
	return true;
}

static bool load_injection(struct child *child, const struct fault *fault, struct injection *injection)
{
	const struct injector *injector = fault->injector;
	struct hl_error err = HL_ERROR_INIT;
	void *parameters = calloc(1, injector->parameters_size + 1);

	injection->parameters = parameters;
	injection->state = calloc(1, injector->state_size + 1);
	if (parameters && injection->state &&
	    !parameters_load(injector->parameters, fault->planned->with, parameters, &err))
		return true;
	child_report(child, json_pack("{s:s, s:s}", "failed", "load", "reason", err.text));
	return false;
}

static void run_injector(struct child *child, void *data)
{
	const struct fault *fault = data;
	const struct injector *injector = fault->injector;
	struct injection injection = {0};

	if (!load_injection(child, fault, &injection) ||
	    !do_step(child, &injection, "inject", injector->inject) ||
	    !do_step(child, &injection, "confirm", injector->confirm))
		return;
	child_await_command(child);
	if (do_step(child, &injection, "release", injector->release))
		do_step(child, &injection, "confirm_released", injector->confirm_released);
}

/* The guest's part of an injector on the host's side: proof only. */
static void run_guest_proof(struct child *child, void *data)
{
	const struct fault *fault = data;
	const struct injector *injector = fault->injector;
	struct injection injection = {0};

	if (!load_injection(child, fault, &injection))
		return;
	if (injector->guest_confirm && !do_step(child, &injection, "confirm", injector->guest_confirm))
		return;
	child_await_command(child);
	if (injector->guest_confirm_released)
		do_step(child, &injection, "confirm_released", injector->guest_confirm_released);
}

static bool has_guest_proof(const struct injector *injector)
{
	return injector->guest_confirm || injector->guest_confirm_released;
}

static void on_report(void *data, json_t *report)
{
	struct fault *fault = data;
	const char *failed = json_string_value(json_object_get(report, "failed"));
	const char *done = json_string_value(json_object_get(report, "done"));
	const char *evidence = json_string_value(json_object_get(report, "evidence"));

	if (failed)
		guest_fail("injector %s could not %s: %s", fault->injector->name, failed,
			   json_string_value(json_object_get(report, "reason")));
	if (!strcmp(done, "confirm"))
		enter_active(fault, evidence);
	else if (!strcmp(done, "confirm_released"))
		enter_released(fault, evidence);
}

static void on_exit_of(void *data, int status)
{
	struct fault *fault = data;

	fault->child = NULL;
	if (fault->state != FAULT_RELEASED)
		guest_fail("injector %s ended before it was released (wait status %d)", fault->injector->name,
			   status);
}

/*
 * The host acts; it journals, confirms and gives up by itself. In virtual time the VM stands still meanwhile.
 * In real time it must not: QEMU would wait for the disk whose server is stopped before it answers again
 * (measured).
 */
static void call_host(const struct fault *fault, const char *action)
{
	channel_send("host", workload_now(), describe(fault, action));
	if (fault->guest->plan.vm->clock == PLAN_CLOCK_VIRTUAL)
		port_stop_vm();
}

static void start_child(struct fault *fault, child_body body)
{
	static const struct child_watcher watcher = {on_report, on_exit_of};
	struct hl_error err = HL_ERROR_INIT;

	if (child_start("hanglab-inject", body, &watcher, fault, &fault->child, &err))
		guest_fail("injector %s: %s", fault->injector->name, err.text);
}

static void begin_host_fault(struct fault *fault)
{
	const struct injector *injector = fault->injector;
	struct hl_error err = HL_ERROR_INIT;

	if (injector->guest_prepare && injector->guest_prepare(&err))
		guest_fail("injector %s could not inject: %s", injector->name, err.text);
	call_host(fault, "inject");
	if (has_guest_proof(injector))
		start_child(fault, run_guest_proof);
	if (injector->confirm_after)
		fault->confirm_at = fault->since + injector->confirm_after;
	else if (!injector->guest_confirm)
		enter_active(fault, NULL);
	/* The guest could not run while it lasted: it is over already, unless its clock says otherwise. */
	if (injector->stops_vm && !injector->guest_clock_goes_on)
		enter_released(fault, NULL);
}

/* The VM has run for a while, which is what the host looks at. */
static void ask_for_confirmation(struct fault *fault)
{
	fault->confirm_at = 0;
	call_host(fault, "confirm");
	if (!fault->injector->guest_confirm)
		enter_active(fault, NULL);
}

static void begin_fault(struct guest *guest, size_t step)
{
	struct fault *fault = arena_allocate(&guest->plan.arena, sizeof(*fault));

	fault->guest = guest;
	fault->step = step;
	fault->planned = &guest->plan.steps[step];
	fault->injector = injector_find(fault->planned->inject);
	if (!fault->injector)
		guest_fail("there is no injector %s", fault->planned->inject);
	fault->next = faults;
	faults = fault;
	enter(fault, FAULT_INJECTING, "injecting", NULL);
	fault->injected_at = fault->since;
	judge_fault(guest->judge, fault->since + plan_step_blackout(fault->planned));
	if (fault->injector->side == INJECTOR_HOST)
		begin_host_fault(fault);
	else
		start_child(fault, run_injector);
}

static void release(struct fault *fault)
{
	enter(fault, FAULT_RELEASING, "releasing", NULL);
	if (fault->injector->side == INJECTOR_HOST && !fault->injector->stops_vm)
		call_host(fault, "release");
	if (fault->child)
		child_command(fault->child, 'r');
	if (fault->injector->side == INJECTOR_HOST && !fault->injector->guest_confirm_released)
		enter_released(fault, NULL);
}

static int64_t wait_limit(const struct plan_wait *wait)
{
	int64_t limit = wait->within ? wait->within
				     : detector_deadline(&settings, (enum hl_event_kind)wait->pattern.kind);

	return limit > 0 ? limit : PROGRESS_LIMIT;
}

static bool timeline_finished(const struct guest *guest)
{
	return next_step == guest->plan.step_count;
}

/* When an active fault is to be released; 0 while that is not known. */
static int64_t release_time(const struct fault *fault)
{
	const struct plan_step *planned = fault->planned;

	/* By command only. */
	if (fault->guest->plan.interactive)
		return 0;
	/* Whatever the guest notices of it, it does so afterwards. */
	if (plan_step_blackout(planned))
		return fault->injected_at + plan_step_blackout(planned);
	if (planned->hold_for >= 0)
		return fault->since + planned->hold_for;
	if (planned->until && fault->event_at)
		return fault->event_at + planned->until->hold;
	if (planned->until)
		return fault->since + wait_limit(planned->until);
	if (timeline_finished(fault->guest) && judge_decided(fault->guest->judge))
		return fault->since;
	return 0;
}

static void advance_faults(int64_t now)
{
	for (struct fault *fault = faults; fault; fault = fault->next) {
		int64_t due = fault->state == FAULT_ACTIVE ? release_time(fault) : 0;

		if (fault->confirm_at && now >= fault->confirm_at)
			ask_for_confirmation(fault);
		if (due && now >= due)
			release(fault);
		if ((fault->state == FAULT_INJECTING || fault->state == FAULT_RELEASING) &&
		    now > fault->since + PROGRESS_LIMIT)
			guest_fail("injector %s did not finish to %s within %d s", fault->injector->name,
				   fault->state == FAULT_INJECTING ? "inject" : "release",
				   (int)(PROGRESS_LIMIT / NANOSECONDS_PER_SECOND));
	}
}

static bool fault_settled(size_t step)
{
	for (const struct fault *fault = faults; fault; fault = fault->next)
		if (fault->step == step)
			return fault->state != FAULT_INJECTING;
	return true;
}

static bool step_done(const struct guest *guest, size_t step)
{
	const struct plan_step *planned = &guest->plan.steps[step];

	if (planned->shell || planned->trigger)
		return commands_done(step);
	if (planned->start)
		return workloads_moved(step);
	return planned->inject ? fault_settled(step) : sysrq_ended();
}

/* May the next step begin? The awaited event counts from when everything else was fulfilled. */
static bool step_due(const struct guest *guest, int64_t now)
{
	const struct plan_step *step = &guest->plan.steps[next_step];

	if (next_step && !step_done(guest, next_step - 1)) {
		if (now > step_begun_at + PROGRESS_LIMIT)
			guest_fail("step %zu made no progress within %d s", next_step,
				   (int)(PROGRESS_LIMIT / NANOSECONDS_PER_SECOND));
		return false;
	}
	if (step->at >= 0 && now < guest->begun_at + step->at)
		return false;
	if (!step->after)
		return true;
	if (!awaited_at && now > step_begun_at + wait_limit(step->after))
		guest_fail("the event %s that step %zu waits for did not come",
			   event_kind_names[step->after->pattern.kind], next_step + 1);
	return awaited_at && now >= awaited_at + step->after->hold;
}

static void begin_step(struct guest *guest, int64_t now)
{
	step_begun_at = now;
	awaited_at = 0;
	if (guest->plan.steps[next_step].start)
		workloads_start(guest, next_step);
	else if (guest->plan.steps[next_step].inject && !guest->plan.interactive)
		begin_fault(guest, next_step);
	else if (guest->plan.steps[next_step].shell || guest->plan.steps[next_step].trigger)
		commands_start(guest, next_step);
	else if (guest->plan.steps[next_step].sysrq >= 0)
		sysrq_start(guest, next_step);
	next_step++;
}

static bool all_released(void)
{
	for (const struct fault *fault = faults; fault; fault = fault->next)
		if (fault->state != FAULT_RELEASED)
			return false;
	return true;
}

/* What is not released when the shell ends is released then. */
static void release_all(void)
{
	for (struct fault *fault = faults; fault; fault = fault->next)
		if (fault->state == FAULT_ACTIVE)
			release(fault);
}

static bool last_step_done(const struct guest *guest)
{
	return !guest->plan.step_count || step_done(guest, guest->plan.step_count - 1);
}

void timeline_begin(struct guest *guest)
{
	json_t *in_force = system_detector_settings();

	detector_settings_load(&settings, in_force);
	json_decref(in_force);
	settings.stall_limit = guest->plan.stall;
	judge_settings(guest->judge, &settings);
	/* Without a fault the deadlines count from here. */
	if (!plan_injects(&guest->plan))
		judge_fault(guest->judge, guest->begun_at);
	step_begun_at = guest->last_release = guest->begun_at;
}

void timeline_advance(struct guest *guest, int64_t now)
{
	/* A report of the kernel's that is not complete yet comes first. */
	if (!kernel_log_next()) {
		workloads_find_stalls(guest, now);
		judge_time(guest->judge, now);
	}
	commands_watch(now);
	/* A bug that has shown itself may leave nothing that can be released. */
	if (guest->plan.bug && judge_expects_met(guest->judge)) {
		guest->phase = PHASE_END;
		return;
	}
	advance_faults(now);
	while (!timeline_finished(guest) && step_due(guest, now))
		begin_step(guest, now);
	if (guest->plan.interactive && timeline_finished(guest) && last_step_done(guest))
		release_all();
	if (timeline_finished(guest) && last_step_done(guest) && all_released() &&
	    judge_decided(guest->judge))
		guest->phase = PHASE_RECOVERY;
}

static struct fault *fault_of_step(size_t step)
{
	for (struct fault *fault = faults; fault; fault = fault->next)
		if (fault->step == step && fault->state != FAULT_RELEASED)
			return fault;
	return NULL;
}

/* The first step that injects @name; the number of steps for none. */
static size_t find_step(const struct guest *guest, const char *name)
{
	size_t step = 0;

	while (step < guest->plan.step_count &&
	       (!guest->plan.steps[step].inject || strcmp(guest->plan.steps[step].inject, name) != 0))
		step++;
	return step;
}

const char *timeline_inject(struct guest *guest, const char *name)
{
	size_t step = find_step(guest, name);

	if (step == guest->plan.step_count)
		return "the scenario has no such fault (fault list)";
	if (fault_of_step(step))
		return "it is in force already";
	begin_fault(guest, step);
	return "injecting";
}

const char *timeline_release(const char *name)
{
	for (struct fault *fault = faults; fault; fault = fault->next)
		if (!strcmp(fault->injector->name, name) && fault->state == FAULT_ACTIVE) {
			release(fault);
			return "releasing";
		}
	return "it is not in force";
}

void timeline_list_faults(const struct guest *guest, FILE *out)
{
	static const char *const states[] = {"injecting", "active", "releasing", "released"};

	for (size_t i = 0; i < guest->plan.step_count; i++)
		if (guest->plan.steps[i].inject) {
			const struct fault *fault = fault_of_step(i);

			fprintf(out, "%s: %s\n", guest->plan.steps[i].inject,
				fault ? states[fault->state] : "not in force");
		}
}

void timeline_refused(struct guest *guest, const char *reason)
{
	next_step = guest->plan.step_count;
	judge_refused(guest->judge, workload_now(), reason);
}

static void earliest(int64_t *next, int64_t candidate)
{
	if (candidate && (!*next || candidate < *next))
		*next = candidate;
}

int64_t timeline_next(const struct guest *guest)
{
	int64_t next = judge_next_deadline(guest->judge);

	if (next)
		next++;
	if (!kernel_log_next())
		earliest(&next, workloads_next_stall(guest));
	earliest(&next, commands_next());
	for (const struct fault *fault = faults; fault; fault = fault->next)
		earliest(&next, fault->state == FAULT_ACTIVE ? release_time(fault) : fault->confirm_at);
	if (!timeline_finished(guest)) {
		const struct plan_step *step = &guest->plan.steps[next_step];

		if (next_step && !step_done(guest, next_step - 1))
			earliest(&next, workload_now() + POLL_INTERVAL);
		else if (step->at >= 0)
			earliest(&next, guest->begun_at + step->at);
		if (step->after && awaited_at)
			earliest(&next, awaited_at + step->after->hold);
	} else if (!last_step_done(guest)) {
		earliest(&next, workload_now() + POLL_INTERVAL);
	}
	return next;
}

/* The hang holds now: the host takes the memory, once. */
static void call_for_postmortem(const struct guest *guest, const struct hl_event *event)
{
	static bool called;

	if (called || !plan_wants_postmortem(&guest->plan, event->kind))
		return;
	called = true;
	channel_send("postmortem", workload_now(),
		     json_pack("{s:s}", "event", event_kind_names[event->kind]));
	if (guest->plan.vm->clock == PLAN_CLOCK_VIRTUAL)
		port_stop_vm();
}

void timeline_event(struct guest *guest, const struct hl_event *event, int64_t at)
{
	call_for_postmortem(guest, event);
	for (struct fault *fault = faults; fault; fault = fault->next)
		if (!fault->event_at && fault->planned->until && at >= fault->injected_at &&
		    event_matches(&fault->planned->until->pattern, event, NULL, 0))
			fault->event_at = at;
	if (!timeline_finished(guest) && !awaited_at) {
		const struct plan_wait *after = guest->plan.steps[next_step].after;

		if (after && event_matches(&after->pattern, event, NULL, 0))
			awaited_at = at;
	}
}
