// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenario/check.h"

#include "base/similar.h"
#include "base/units.h"
#include "inject/command_result.h"
#include "scenario/loader.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

struct checker {
	const char *path;
	const struct plan *plan;
	struct hl_error *err;
};

/* Longest names: a run's folder also holds the date; a virtio disk's serial number has 20 bytes
 * (virtio 1.2, 5.2.6.1). */
#define LONGEST_SCENARIO_NAME 100
/* The product name of a SCSI disk. */
#define LONGEST_DISK_NAME     16

#define CPU_CHARACTERS	  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+,="
#define SYSCTL_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

/* Fails at a key of an object. */
#define fail(checker, source, key, ...)                                                                      \
	scenario_error((checker)->err, (checker)->path, schema_position(source, key), __VA_ARGS__)

/* Names become parts of file names and of QEMU's options. */
static int check_name(const struct checker *checker, const json_t *source, const char *key, const char *name,
		      size_t longest)
{
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
			return fail(checker, source, key,
				    "the name '%s' may hold letters, digits, '-', '_' and '.' only", name);
	if (strlen(name) > longest)
		return fail(checker, source, key, "the name has %zu characters, at most %zu are allowed",
			    strlen(name), longest);
	return *name ? 0 : fail(checker, source, key, "the name is empty");
}

static uint64_t smallest_size(enum plan_fs fs)
{
	/* What the mkfs programs accept, and room for the writers' files. */
	switch (fs) {
	case PLAN_FS_EXT4:
		return 16ULL << 20;
	case PLAN_FS_XFS:
		return 300ULL << 20;
	case PLAN_FS_BTRFS:
		return 128ULL << 20;
	case PLAN_FS_NONE:
		break;
	}
	return 0;
}

static bool is_plain_path(const char *path)
{
	while (*path == '/') {
		size_t length = strcspn(++path, "/");

		if (!length || !strncmp(path, ".", length) || !strncmp(path, "..", length))
			return false;
		path += length;
	}
	return true;
}

/* scsi_debug has one memory for all its disks, and its size is a parameter of the module. */
static int check_kind_of_disk(const struct checker *checker, const struct plan_disk *disk)
{
	if (disk->latency && disk->via != PLAN_VIA_NULL_BLK)
		return fail(checker, disk->source, "latency",
			    "only a disk with 'via: null_blk' has a latency");
	for (const struct plan_disk *other = checker->plan->disks; other < disk; other++)
		if (disk->via == PLAN_VIA_SCSI_DEBUG && other->via == PLAN_VIA_SCSI_DEBUG)
			return fail(checker, disk->source, "via",
				    "only one disk can be 'via: scsi_debug'; '%s' is already", other->name);
	return 0;
}

static int check_disk(const struct checker *checker, size_t index)
{
	const struct plan_disk *disk = &checker->plan->disks[index];
	int r = check_name(checker, disk->source, "name", disk->name, LONGEST_DISK_NAME);

	if (r)
		return r;
	if (disk->size < smallest_size((enum plan_fs)disk->fs))
		return fail(checker, disk->source, "size", "%s needs at least %u MiB",
			    plan_fs_names[disk->fs],
			    (unsigned int)(smallest_size((enum plan_fs)disk->fs) >> 20));
	if (plan_via_needs((enum plan_via)disk->via)->real_clock &&
	    checker->plan->vm->clock == PLAN_CLOCK_VIRTUAL)
		return fail(checker, disk->source, "via",
			    "a disk on a server needs real time: write vm: {clock: real}");
	if (disk->mount && disk->fs == PLAN_FS_NONE)
		return fail(checker, disk->source, "mount", "disk '%s' has a mount but no fs", disk->name);
	if (disk->mount && !disk->mount[1])
		return fail(checker, disk->source, "mount", "the root of the guest cannot be a mount");
	if (disk->mount && !is_plain_path(disk->mount))
		return fail(checker, disk->source, "mount",
			    "write the path without '//', '.', '..' and a '/' at its end");
	for (size_t i = 0; i < index; i++) {
		const struct plan_disk *other = &checker->plan->disks[i];

		if (!strcmp(other->name, disk->name))
			return fail(checker, disk->source, "name", "there are two disks called '%s'",
				    disk->name);
		if (disk->mount && other->mount && !strcmp(other->mount, disk->mount))
			return fail(checker, disk->source, "mount", "disk '%s' is mounted on %s already",
				    other->name, disk->mount);
	}
	return check_kind_of_disk(checker, disk);
}

static int check_sysctls(const struct checker *checker)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)checker->plan->sysctl, key, value) {
		if (key[0] == '@')
			continue;
		if (!strchr(key, '.') || strstr(key, "..") || key[strspn(key, SYSCTL_CHARACTERS)])
			return fail(checker, checker->plan->sysctl, key,
				    "'%s' is not a sysctl (write for example kernel.hung_task_timeout_secs)",
				    key);
	}
	return 0;
}

/* It becomes one value of QEMU's command line. */
static int check_cpu(const struct checker *checker)
{
	const struct plan_vm *vm = checker->plan->vm;

	if (!vm->cpu || (vm->cpu[0] && !vm->cpu[strspn(vm->cpu, CPU_CHARACTERS)]))
		return 0;
	return fail(checker, vm->source, "cpu",
		    "'%s' is not a CPU model with features (write for example EPYC,svm=on,npt=on)", vm->cpu);
}

static int check_parameters(const struct checker *checker, const struct plan_step *step,
			    const struct parameter *table, const char *user)
{
	char room[512] __attribute__((aligned(16))) = {0};
	const char *name, *names[64], *near;
	struct hl_error why = HL_ERROR_INIT;
	size_t count = 0;
	json_t *value;

	for (const struct parameter *known = table; known && known->name && count < 64; known++)
		names[count++] = known->name;
	json_object_foreach ((json_t *)step->with, name, value) {
		const struct parameter *parameter = parameter_find(table, name);

		if (name[0] == '@')
			continue;
		near = similar_find(name, names, count);
		if (!parameter)
			return fail(checker, step->with, name, "%s has no parameter '%s'%s%s%s", user, name,
				    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
		if (parameter_set(parameter, json_string_value(value), room, &why))
			return fail(checker, step->with, name, "'%s': %s", name, why.text);
	}
	for (; table && table->name; table++)
		if (table->required && !json_object_get(step->with, table->name))
			return fail(checker, step->source, NULL, "%s needs 'with: {%s: ...}' (%s)", user,
				    table->name, table->help);
	return 0;
}

static int check_workload_step(const struct checker *checker, size_t index)
{
	const struct plan_step *step = &checker->plan->steps[index];
	const struct workload *workload = workload_find(step->start);
	const char *names[64], *near;
	size_t count = 0;

	if (!workload) {
		for (const struct workload *const *known = workload_list(); *known && count < 64; known++)
			names[count++] = (*known)->name;
		near = similar_find(step->start, names, count);
		return fail(checker, step->source, "start", "there is no workload '%s'%s%s%s", step->start,
			    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	if (strlen(step->name) > 15 || strchr(step->name, '/'))
		return fail(checker, step->source, "name",
			    "a process name has at most 15 characters and no '/'");
	for (size_t i = 0; i < index; i++)
		if (checker->plan->steps[i].start && !strcmp(checker->plan->steps[i].name, step->name))
			return fail(checker, step->source, "start",
				    "there are two workloads called '%s': give this one a 'name'",
				    step->name);
	if (step->hold_for >= 0 || step->until)
		return fail(checker, step->source, step->until ? "until" : "for",
			    "only an injection is released: a workload runs to the end");
	return check_parameters(checker, step, workload->parameters, step->start);
}

static bool is_one_of(const char *name, const char *const *allowed)
{
	while (*allowed && strcmp(*allowed, name) != 0)
		allowed++;
	return *allowed;
}

/* "a, b or c" */
static void list_choices(const char *const *choices, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (; *choices && used < size; choices++) {
		const char *between = !used ? "" : choices[1] ? ", " : " or ";

		used += (size_t)snprintf(text + used, size - used, "%s%s", between, *choices);
	}
}

static int check_choice(const struct checker *checker, const struct plan_step *step, const char *key,
			const char *value, const char *const *allowed)
{
	char choices[200];

	if (!allowed || is_one_of(value, allowed))
		return 0;
	list_choices(allowed, choices, sizeof(choices));
	return fail(checker, step->with, "disk", "%s needs a disk with '%s: %s'", step->inject, key, choices);
}

/* The disk that an injector's parameter names is there, and is of a kind that it can break. */
static int check_disk_of_step(const struct checker *checker, const struct plan_step *step,
			      const struct injector *injector)
{
	const char *name = json_string_value(json_object_get(step->with, "disk"));
	const struct plan_disk *disk = name ? plan_disk_find(checker->plan, name) : NULL;
	int r;

	if (!name)
		return 0;
	if (!disk)
		return fail(checker, step->with, "disk", "there is no disk called '%s'", name);
	r = check_choice(checker, step, "via", plan_via_names[disk->via], injector->disk_vias);
	return r ? r
		 : check_choice(checker, step, "layer", plan_layer_names[disk->layer], injector->disk_layers);
}

/* Bits of a list that names CPUs; "all" are those that are there. */
static int check_cpus(const struct checker *checker, const struct plan_step *step,
		      const struct parameter *table)
{
	int64_t cpus = checker->plan->vm->cpus;

	for (; table && table->name; table++) {
		const char *text = json_string_value(json_object_get(step->with, table->name));
		uint64_t mask;

		if (table->type != PARAMETER_CPUS || !text || units_parse_cpus(text, &mask, NULL))
			continue;
		if (mask != UINT64_MAX && cpus < 64 && mask >> cpus)
			return fail(checker, step->with, table->name,
				    "'%s' names a CPU that the VM does not have: its CPUs are 0 to %d", text,
				    (int)cpus - 1);
	}
	return 0;
}

static int check_together(const struct checker *checker, const struct plan_step *step,
			  const struct injector *injector)
{
	struct hl_error why = HL_ERROR_INIT;
	void *parameters;
	int r;

	if (!injector->check)
		return 0;
	parameters = calloc(1, injector->parameters_size);
	if (!parameters)
		return hl_error_errno(checker->err, ENOMEM, "check %s", step->inject);
	r = parameters_load(injector->parameters, step->with, parameters, &why);
	if (!r)
		r = injector->check(parameters, &why);
	free(parameters);
	return r ? fail(checker, step->source, "with", "%s: %s", step->inject, why.text) : 0;
}

/* One vCPU goes on whatever stands still: the guest program runs there, and asks for the release. */
static int check_held_vcpus(const struct checker *checker, const struct plan_step *step)
{
	uint64_t held = 0, all = UINT64_MAX >> (64 - checker->plan->vm->cpus);

	for (const struct plan_step *other = checker->plan->steps; other <= step; other++)
		held |= plan_step_held_vcpus(other);
	if (plan_step_held_vcpus(step) && (held & all) == all)
		return fail(
			checker, step->with, "cpus",
			"every vCPU would stand still: leave out one, on which the guest program can run");
	return 0;
}

static unsigned int features_of(const struct plan_step *step)
{
	const struct needs *further = plan_step_further_needs(step);

	return further ? further->vm_features : 0;
}

/* The stub stops the whole VM to look at it, and QEMU would wait for a thread that is stopped already. */
static int check_one_method(const struct checker *checker, const struct plan_step *step)
{
	const unsigned int methods = VM_GDB | VM_TRACE;
	unsigned int all = features_of(step) & methods;

	if (!all)
		return 0;
	for (const struct plan_step *other = checker->plan->steps; other < step; other++)
		all |= features_of(other) & methods;
	return all == methods
		       ? fail(checker, step->source, "with",
			      "%s: one scenario cannot have both methods, stub and thread", step->inject)
		       : 0;
}

/* Whatever continues the whole VM, vCPUs included, would end a vcpu-stall that is still in force. */
static int check_stops_no_held_vcpu(const struct checker *checker, const struct plan_step *step,
				    const struct injector *injector)
{
	if (!injector->stops_vm || injector->guest_clock_goes_on)
		return 0;
	for (const struct plan_step *other = checker->plan->steps; other < step; other++)
		if (plan_step_held_vcpus(other))
			return fail(checker, step->source, "inject",
				    "%s would let the vCPUs of %s go when it continues the VM: put it before "
				    "that step",
				    injector->name, other->inject);
	return 0;
}

static int check_clock(const struct checker *checker, const struct plan_step *step,
		       const struct injector *injector)
{
	const struct needs *further = plan_step_further_needs(step);

	if (checker->plan->vm->clock != PLAN_CLOCK_VIRTUAL)
		return 0;
	if (injector->needs.real_clock)
		return fail(checker, step->source, "inject", "%s needs real time: write vm: {clock: real}",
			    injector->name);
	if (further && further->real_clock)
		return fail(checker, step->source, "with",
			    "%s needs real time with these parameters: write vm: {clock: real}",
			    injector->name);
	return 0;
}

static int check_injection_step(const struct checker *checker, const struct plan_step *step)
{
	const struct injector *injector = injector_find(step->inject);
	const char *names[64], *near;
	size_t count = 0;
	int r;

	if (!injector) {
		for (const struct injector *const *known = injector_list(); *known && count < 64; known++)
			names[count++] = (*known)->name;
		near = similar_find(step->inject, names, count);
		return fail(checker, step->source, "inject", "there is no injector '%s'%s%s%s", step->inject,
			    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	if (step->hold_for >= 0 && step->until)
		return fail(checker, step->source, "until", "a release has either 'for' or 'until'");
	if (injector->stops_vm && step->hold_for < 0)
		return fail(checker, step->source, "inject", "%s stops the VM, so it needs 'for'",
			    injector->name);
	r = check_parameters(checker, step, injector->parameters, step->inject);
	if (!r)
		r = check_clock(checker, step, injector);
	if (!r)
		r = check_cpus(checker, step, injector->parameters);
	if (!r)
		r = check_together(checker, step, injector);
	if (!r)
		r = check_held_vcpus(checker, step);
	if (!r)
		r = check_one_method(checker, step);
	if (!r)
		r = check_stops_no_held_vcpu(checker, step, injector);
	return r ? r : check_disk_of_step(checker, step, injector);
}

static int check_sysrq_step(const struct checker *checker, const struct plan_step *step)
{
	static const char *const others[] = {"name", "with", "for", "until"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (json_object_get(step->source, others[i]))
			return fail(checker, step->source, others[i], "'%s' does not belong to 'sysrq'",
				    others[i]);
	return 0;
}

/* Of five: a step is one of these. */
static int count_actions(const struct plan_step *step)
{
	return !!step->start + !!step->inject + !!step->shell + !!step->trigger + (step->sysrq >= 0);
}

static int check_command_key(const struct checker *checker, const struct plan_step *step, const char *key,
			     bool command)
{
	bool there = json_object_get(step->source, key);

	if (command && there && (!strcmp(key, "with") || !strcmp(key, "for") || !strcmp(key, "until")))
		return fail(checker, step->source, key, "a command has no '%s'", key);
	if (!command && there && (!strcmp(key, "exit") || !strcmp(key, "refused")))
		return fail(checker, step->source, key, "only a step with 'shell' or 'trigger' has '%s'",
			    key);
	return 0;
}

static int check_command_keys(const struct checker *checker, const struct plan_step *step)
{
	static const char *const keys[] = {"with", "for", "until", "exit", "refused"};
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(keys) / sizeof(keys[0]); i++)
		r = check_command_key(checker, step, keys[i], step->shell || step->trigger);
	for (const char **status = step->exit; !r && *status; status++)
		if (command_status_parse(*status) < 0)
			r = fail(checker, step->source, "exit", "'%s' is not an exit status from 0 to 255",
				 *status);
	for (const char **how = step->refused; !r && *how; how++)
		if (command_status_parse(*how) < 1 && !command_errno_parse(*how))
			r = fail(checker, step->source, "refused",
				 "'%s' is neither an error such as EINVAL nor an exit status from 1 to 255",
				 *how);
	return r;
}

static int check_step(const struct checker *checker, size_t index, int64_t *latest)
{
	const struct plan_step *step = &checker->plan->steps[index];

	int r;

	if (count_actions(step) != 1)
		return fail(checker, step->source, NULL,
			    "a step has exactly one of 'start', 'inject', 'shell', 'trigger' and 'sysrq'");
	r = check_command_keys(checker, step);
	if (r)
		return r;
	if (step->at >= 0 && step->at < *latest)
		return fail(checker, step->source, "at",
			    "impossible timeline: this step is earlier than the one before");
	if (step->at >= 0)
		*latest = step->at;
	if (step->sysrq >= 0)
		return check_sysrq_step(checker, step);
	if (step->shell || step->trigger)
		return 0;
	return step->start ? check_workload_step(checker, index) : check_injection_step(checker, step);
}

static int check_forbidden_kinds(const struct checker *checker, const struct check *check)
{
	for (const char **name = check->forbid; *name; name++) {
		enum hl_event_kind kind;
		struct hl_error why = HL_ERROR_INIT;

		if (hl_event_kind_parse(*name, &kind, &why))
			return fail(checker, check->source, "forbid", "%s", why.text);
	}
	return *check->forbid
		       ? 0
		       : fail(checker, check->source, "forbid", "nothing is forbidden: the list is empty");
}

/* A key that only some kinds of check have. */
static int check_belongs(const struct checker *checker, const struct check *check, enum check_kind kind,
			 const char *key)
{
	bool is_time = !strcmp(key, "within") || !strcmp(key, "not_before");

	if (!json_object_get(check->source, key) || kind == CHECK_EXPECT ||
	    (kind == CHECK_FORBID && !is_time))
		return 0;
	return fail(checker, check->source, key, "'%s' does not belong to '%s'", key, check_kind_names[kind]);
}

static bool has_writer(const struct plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].start)
			return true;
	return false;
}

/* Without one "absent" would be said at once. */
static bool has_detector(enum hl_event_kind kind)
{
	static const struct detector_settings all_on = {1, 1, 1, 1, 1, 1, 1, 1, 1};

	return detector_deadline(&all_on, kind) > 0;
}

static int check_check(const struct checker *checker, const struct check *check)
{
	static const char *const event_keys[] = {"comm",  "function", "title",	"cpu",	     "seconds",
						 "stack", "fields",   "within", "not_before"};
	enum check_kind kind = check_kind(check);
	int r = 0;

	if (kind == CHECK_KIND_COUNT)
		return fail(checker, check->source, NULL,
			    "a check has exactly one of 'expect', 'forbid', 'recovers', 'data' and 'ends'");
	for (size_t i = 0; !r && i < sizeof(event_keys) / sizeof(event_keys[0]); i++)
		r = check_belongs(checker, check, kind, event_keys[i]);
	if (!r && kind == CHECK_EXPECT && !check->within &&
	    !has_detector((enum hl_event_kind)check->pattern.kind))
		r = fail(checker, check->source, "expect",
			 "no detector says how long to wait for %s: add for example 'within: 10s'",
			 hl_event_kind_name((enum hl_event_kind)check->pattern.kind));
	if (!r && check->within && check->not_before >= check->within)
		r = fail(checker, check->source, "not_before",
			 "nothing comes both within that time and not before this");
	if (!r && kind == CHECK_FORBID)
		r = check_forbidden_kinds(checker, check);
	if (!r && (kind == CHECK_RECOVERS || kind == CHECK_DATA) && !has_writer(checker->plan))
		r = fail(checker, check->source, check_kind_names[kind],
			 "no workload is started, so nothing could %s",
			 kind == CHECK_DATA ? "be verified" : "recover");
	if (!r && kind == CHECK_DATA && !plan_verifies(checker->plan))
		r = fail(checker, check->source, "data", "none of the workloads has anything to verify");
	return r;
}

static int check_program(const struct checker *checker, size_t index)
{
	const struct plan_program *programs = checker->plan->programs, *program = &programs[index];
	const char *named_by = json_object_get(program->source, "name") ? "name" : "source";

	if (access(program->file, R_OK))
		return fail(checker, program->source, "source",
			    "the program cannot be read: %s; its path counts from the scenario's folder",
			    strerror(errno));
	for (size_t other = 0; other < index; other++)
		if (!strcmp(programs[other].name, program->name))
			return fail(checker, program->source, named_by,
				    "two programs are called '%s'; give one another 'name'", program->name);
	return check_name(checker, program->source, named_by, program->name, LONGEST_SCENARIO_NAME);
}

/* A bug is known by its signature. */
static int check_bug(const struct checker *checker)
{
	const struct plan *plan = checker->plan;

	if (plan->bug && !plan_has_check(plan, CHECK_EXPECT))
		return fail(checker, plan->source, "bug",
			    "a scenario with a bug has an 'expect' that says how the bug shows itself");
	if (plan->bug && !plan_injects(plan))
		return fail(checker, plan->source, "bug",
			    "a scenario with a bug has a step with 'inject' or 'trigger'");
	return 0;
}

/* How the guest ends if not by the plan, in words; NULL when it does. */
static const char *early_end(const struct plan *plan)
{
	for (size_t i = 0; i < plan->check_count; i++) {
		const struct check *check = &plan->checks[i];

		if (check_kind(check) == CHECK_ENDS && check->ends != CHECK_END_RUNNING)
			return check->ends == CHECK_END_PANIC ? "panic" : "watchdog";
	}
	return NULL;
}

static int check_checks(const struct checker *checker)
{
	const struct plan *plan = checker->plan;

	if (!plan->check_count)
		return fail(checker, plan->source, NULL, "there are no checks: such a run would say nothing");
	for (size_t i = 0; i < plan->check_count; i++) {
		enum check_kind kind = check_kind(&plan->checks[i]);
		int r = check_check(checker, &plan->checks[i]);

		if (r)
			return r;
		if ((kind == CHECK_RECOVERS || kind == CHECK_DATA) && early_end(plan))
			return fail(checker, plan->checks[i].source, check_kind_names[kind],
				    "'%s' cannot hold in a guest that ends by %s", check_kind_names[kind],
				    early_end(plan));
	}
	return 0;
}

int scenario_check(const char *path, const struct plan *plan, struct hl_error *err)
{
	struct checker checker = {path, plan, err};
	int64_t latest = 0;
	int r = check_name(&checker, plan->source, "scenario", plan->scenario, LONGEST_SCENARIO_NAME);

	if (!r)
		r = check_cpu(&checker);
	for (size_t i = 0; !r && i < plan->disk_count; i++)
		r = check_disk(&checker, i);
	if (!r)
		r = check_sysctls(&checker);
	for (size_t i = 0; !r && i < plan->program_count; i++)
		r = check_program(&checker, i);
	for (size_t i = 0; !r && i < plan->step_count; i++)
		r = check_step(&checker, i, &latest);
	if (!r)
		r = scenario_check_guest(path, plan, err);
	if (!r)
		r = check_checks(&checker);
	return r ? r : check_bug(&checker);
}
