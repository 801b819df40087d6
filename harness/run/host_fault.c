// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Injectors on the host's side: the guest says when, hanglab acts and confirms.
 */
#include "run/state.h"
#include "vm/vcpu_threads.h"
#include "vm/vcpus.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <string.h>
#include <sys/stat.h>

#define PROXY_LIMIT_MS 5000
#define HOLD_LIMIT_MS  10000

static int vm_qmp(void *data, const char *command, json_t *arguments, json_t **answer, struct hl_error *err)
{
	struct run *run = data;

	return qmp_execute(run->vm.qmp, command, arguments, answer, err);
}

static struct server *server_of(const struct run *run, const char *disk, struct hl_error *err)
{
	for (size_t i = 0; i < run->plan->disk_count; i++)
		if (!strcmp(run->plan->disks[i].name, disk) && run->servers[i].process.pid > 0)
			return &run->servers[i];
	hl_error_set(err, ENOENT, "there is no disk '%s' with a server", disk);
	return NULL;
}

static pid_t vm_server_pid(void *data, const char *disk, struct hl_error *err)
{
	struct server *server = server_of(data, disk, err);

	return server ? server->process.pid : -ENOENT;
}

static const char *vm_server_control(void *data, const char *disk, struct hl_error *err)
{
	struct server *server = server_of(data, disk, err);

	if (server && !server->control)
		hl_error_set(err, ENOENT, "the server of disk '%s' cannot be controlled", disk);
	return server ? server->control : NULL;
}

static struct proxy *proxy_of(const struct run *run, const char *disk, struct hl_error *err)
{
	struct server *server = server_of(run, disk, err);

	if (!server)
		return NULL;
	if (server->proxy.process.pid > 0)
		return &server->proxy;
	hl_error_set(err, ENOENT, "there is no proxy in front of disk '%s' (via: iscsi has one)", disk);
	return NULL;
}

static int vm_proxy_set(void *data, const char *disk, const char *fault, bool on, int64_t value,
			struct hl_error *err)
{
	struct proxy *proxy = proxy_of(data, disk, err);

	if (!proxy)
		return -ENOENT;
	return on ? proxy_enable(proxy, fault, value, PROXY_LIMIT_MS, err)
		  : proxy_disable(proxy, fault, PROXY_LIMIT_MS, err);
}

static int vm_proxy_status(void *data, const char *disk, struct proxy_status *status, struct hl_error *err)
{
	struct proxy *proxy = proxy_of(data, disk, err);

	return proxy ? proxy_get_status(proxy, status, PROXY_LIMIT_MS, err) : -ENOENT;
}

static int vm_memory_read(void *data, uint64_t address, void *bytes, size_t size, struct hl_error *err)
{
	struct run *run = data;

	if (!run->vm.qtest)
		return hl_error_set(err, ENOTSUP, "this VM has no VM_MEMORY_ACCESS");
	return qtest_read(run->vm.qtest, address, bytes, size, err);
}

static int vm_memory_write(void *data, uint64_t address, const void *bytes, size_t size, struct hl_error *err)
{
	struct run *run = data;

	if (!run->vm.qtest)
		return hl_error_set(err, ENOTSUP, "this VM has no VM_MEMORY_ACCESS");
	return qtest_write(run->vm.qtest, address, bytes, size, err);
}

static int vm_ram_next(void *data, uint64_t *address, void *bytes, size_t size, size_t *got,
		       struct hl_error *err)
{
	struct run *run = data;
	int r = vm_find_ram(&run->vm, run->plan, err);

	return r ? r : ram_next(&run->vm.ram, address, bytes, size, got, err);
}

static int vm_ram_read(void *data, uint64_t address, void *bytes, size_t size, struct hl_error *err)
{
	struct run *run = data;

	return ram_read(&run->vm.ram, address, bytes, size, err);
}

static int vm_ram_write(void *data, uint64_t address, const void *bytes, size_t size, struct hl_error *err)
{
	struct run *run = data;

	return ram_write(&run->vm.ram, address, bytes, size, err);
}

static char *vm_console(void *data, size_t from, struct hl_error *err)
{
	const struct run *run = data;
	cleanup_free char *path = file_path("%s/console.log", run->folder), *text = NULL;
	size_t size;

	if (file_read(path, &text, &size, err))
		return NULL;
	memmove(text, text + (from < size ? from : size), from < size ? size - from + 1 : 1);
	return take_pointer(text);
}

/* In virtual time the VM goes on when the guest's call is answered. */
static int go_on_in_real_time(struct run *run, struct hl_error *err)
{
	return run->plan->vm->clock == PLAN_CLOCK_REAL ? vm_continue(&run->vm, err) : 0;
}

static int vm_vcpu_hold(void *data, uint64_t cpus, bool hold, struct hl_error *err)
{
	struct run *run = data;
	uint64_t held = hold ? run->vm.held | cpus : run->vm.held & ~cpus;
	int r = vcpus_hold(&run->vm, held, (int)run_stretched(run, HOLD_LIMIT_MS), err);

	return r ? r : go_on_in_real_time(run, err);
}

static int vm_thread_hold(void *data, uint64_t cpus, bool hold, struct hl_error *err)
{
	struct run *run = data;

	if (hold)
		return vcpu_threads_hold(&run->vm, cpus, (int)run_stretched(run, HOLD_LIMIT_MS), err);
	vcpu_threads_let_go(&run->vm, cpus);
	return 0;
}

static int vm_threads(void *data, pid_t *all, struct hl_error *err)
{
	const struct run *run = data;

	return vcpu_threads_find(&run->vm, all, err);
}

static int vm_vcpu_registers(void *data, struct vcpu_registers *all, struct hl_error *err)
{
	struct run *run = data;
	int r = vcpus_read_registers(&run->vm, all, err);

	return r ? r : go_on_in_real_time(run, err);
}

static pid_t vm_process(void *data)
{
	const struct run *run = data;

	return run->vm.process.pid;
}

void run_continue_vm(struct run *run)
{
	struct hl_error err = HL_ERROR_INIT;

	if (run->plan->vm->clock == PLAN_CLOCK_REAL)
		return;
	run->stopped = false;
	if (vm_continue(&run->vm, &err))
		run_finish(run, GUEST_DIED, "%s", err.text);
}

static const json_t *vm_event(void *data, const char *name)
{
	const struct run *run = data;

	return json_object_get(run->qmp_events, name);
}

static void unconfirmed(struct run *run, const struct injector *injector, const char *step,
			const struct hl_error *err)
{
	snprintf(run->facts.unconfirmed, sizeof(run->facts.unconfirmed), "injector %s could not %s: %.400s",
		 injector->name, step, err->text);
	run_finish(run, GUEST_BROKE_OFF, "%s", run->facts.unconfirmed);
}

typedef int (*injector_step)(struct injection *injection, struct hl_error *err);

static bool host_step(struct run *run, size_t step, const char *name, injector_step do_step)
{
	const struct injector *injector = injector_find(run->plan->steps[step].inject);
	struct injection *injection = &run->host_faults[step].injection;
	struct hl_error err = HL_ERROR_INIT;

	if (run_journal(run, name, json_pack("{s:i, s:s}", "step", (int)step, "injector", injector->name)))
		return false;
	injection->evidence[0] = '\0';
	if (!do_step(injection, &err))
		return true;
	unconfirmed(run, injector, name, &err);
	return false;
}

/* A step that proves something. */
static bool host_proof(struct run *run, size_t step, const char *name, injector_step do_step,
		       const char *state)
{
	const struct injection *injection = &run->host_faults[step].injection;

	if (!host_step(run, step, name, do_step))
		return false;
	/* The proof is the guest's. */
	if (!injection->evidence[0])
		return true;
	record_evidence(run->record, step, state, injection->evidence);
	run_note(run, "%s %s: %s", run->plan->steps[step].inject, state, injection->evidence);
	return true;
}

static bool host_confirm(struct run *run, size_t step)
{
	const struct injector *injector = injector_find(run->plan->steps[step].inject);

	run->host_faults[step].unproved = false;
	if (!host_proof(run, step, "confirm", injector->confirm, "active")) {
		record_confirmed(run->record, step, false);
		return false;
	}
	if (!injector->guest_confirm)
		record_confirmed(run->record, step, true);
	return true;
}

static bool host_release(struct run *run, size_t step)
{
	const struct injector *injector = injector_find(run->plan->steps[step].inject);

	return (!run->host_faults[step].unproved || host_confirm(run, step)) &&
	       host_step(run, step, "release", injector->release) &&
	       (!injector->confirm_released ||
		host_proof(run, step, "confirm_released", injector->confirm_released, "released"));
}

void run_prove_faults(struct run *run)
{
	for (size_t step = 0; step < run->plan->step_count; step++)
		if (run->host_faults[step].unproved &&
		    (run->facts.end == GUEST_PANICKED || run->facts.end == GUEST_ENDED_BY_WATCHDOG ||
		     run->facts.end == GUEST_ENDED_BY_PLAN))
			host_confirm(run, step);
}

static void on_hold_end(void *data)
{
	struct run *run = data;

	/* The release continued the VM: see injector->stops_vm. */
	run->stopped = false;
	host_release(run, run->hold_step);
}

static int vm_cpu_share(void *data, int percent, struct hl_error *err)
{
	struct run *run = data;
	pid_t threads[VM_MOST_CPUS];
	int r;

	if (!percent)
		return cpu_share_lift(&run->vm.cpu_share, err);
	r = vcpu_threads_find(&run->vm, threads, err);
	return r ? r
		 : cpu_share_limit(&run->vm.cpu_share, &run->vm.process, threads, (size_t)run->vm.cpus,
				   percent, err);
}

static int vm_cpu_throttled(void *data, int64_t *periods, struct hl_error *err)
{
	const struct run *run = data;

	return cpu_share_throttled(&run->vm.cpu_share, periods, err);
}

static size_t console_size(const struct run *run)
{
	struct stat status;

	return fstat(run->console.fd, &status) ? 0 : (size_t)status.st_size;
}

static void load_host_fault(struct run *run, size_t step)
{
	const struct plan_step *planned = &run->plan->steps[step];
	const struct injector *injector = injector_find(planned->inject);
	struct host_fault *fault = &run->host_faults[step];
	void *parameters = arena_allocate(&run->arena, injector->parameters_size + 1);

	fault->vm = (struct injection_vm){
		.qmp = vm_qmp,
		.server_pid = vm_server_pid,
		.server_control = vm_server_control,
		.proxy_set = vm_proxy_set,
		.proxy_status = vm_proxy_status,
		.memory_read = vm_memory_read,
		.memory_write = vm_memory_write,
		.ram_next = vm_ram_next,
		.ram_read = vm_ram_read,
		.ram_write = vm_ram_write,
		.console = vm_console,
		.event = vm_event,
		.cpu_share = vm_cpu_share,
		.cpu_throttled = vm_cpu_throttled,
		.memory = run->plan->vm->memory,
		.vcpu_count = (size_t)run->plan->vm->cpus,
		.vcpu_hold = vm_vcpu_hold,
		.vcpu_registers = vm_vcpu_registers,
		.thread_hold = vm_thread_hold,
		.threads = vm_threads,
		.process = vm_process,
		.vm = run,
	};
	fault->injection.vm = &fault->vm;
	fault->injection.console_from = console_size(run);
	fault->injection.parameters = parameters;
	fault->injection.state = arena_allocate(&run->arena, injector->state_size + 1);
	if (parameters_load(injector->parameters, planned->with, parameters, &run->err))
		run_finish(run, GUEST_BROKE_OFF, "%s", run->err.text);
}

static bool host_inject(struct run *run, size_t step)
{
	const struct injector *injector = injector_find(run->plan->steps[step].inject);

	load_host_fault(run, step);
	/* It stops a VM that runs, or it would prove nothing. */
	if (injector->stops_vm)
		run_continue_vm(run);
	if (run->done || !host_step(run, step, "inject", injector->inject))
		return false;
	run->host_faults[step].unproved = true;
	return injector->proved_later || injector->confirm_after || host_confirm(run, step);
}

/* Until then the guest cannot ask for anything. */
static void hold(struct run *run, size_t step)
{
	run->hold_step = step;
	if (loop_timer(run->loop, run->plan->steps[step].hold_for, on_hold_end, run, &run->hold_timer,
		       &run->err))
		run_finish(run, GUEST_BROKE_OFF, "%s", run->err.text);
}

static const struct {
	const char *name;
	bool (*answer)(struct run *run, size_t step);
} actions[HOST_ACTION_COUNT] = {
	[HOST_INJECT] = {"inject", host_inject},
	[HOST_CONFIRM] = {"confirm", host_confirm},
	[HOST_RELEASE] = {"release", host_release},
};

enum host_action run_host_action(const char *name)
{
	int action = 0;

	while (action < HOST_ACTION_COUNT && strcmp(actions[action].name, name) != 0)
		action++;
	return (enum host_action)action;
}

/* Does what the guest asked for. */
void run_answer_call(struct run *run)
{
	size_t step = (size_t)run->call.step;
	enum host_action action = run->call.action;

	run->call.step = -1;
	if (action == HOST_ACTION_COUNT || !actions[action].answer(run, step))
		return;
	if (injector_find(run->plan->steps[step].inject)->stops_vm)
		hold(run, step);
	else
		run_continue_vm(run);
}
