// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/units.h"
#include "cmd/command.h"
#include "inject/plan.h"
#include "run/run.h"
#include "server/server.h"
#include "vm-images/initramfs.h"
#include "vm-images/kernel_store.h"
#include "vm/accel.h"
#include "vm/qemu.h"

#include <liburing.h>
#include <stdarg.h>
#include <string.h>
#include <sys/statvfs.h>

#define NOT_READY 2

/* A kernel's package and what it unpacks to, a few initramfs and run folders. */
#define ROOM_NEEDED	     (1ULL << 30)
/* A default VM, QEMU itself and hanglab. */
#define MEMORY_NEEDED	     (768ULL << 20)
#define APT_CACHE_TIMEOUT_MS 30000

/** enum state - LIMITED costs something, but "make demo" works; without what is MISSING it does not */
enum state { OK, LIMITED, MISSING };

static const char *const state_names[] = {"ok", "limited", "missing"};

/**
 * struct doctor - an examination
 * @kernels: in the store; empty also when it could not be read
 * @findings: array of {name, state, text}
 * @worst: of all findings
 */
struct doctor {
	struct kernel_list kernels;
	json_t *findings;
	enum state worst;
};

static void find(struct doctor *doctor, const char *name, enum state state, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void find(struct doctor *doctor, const char *name, enum state state, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_append_new(doctor->findings, json_pack("{s:s, s:s, s:s}", "name", name, "state",
							  state_names[state], "text", text));
	if (state > doctor->worst)
		doctor->worst = state;
}

/* Round, for reading: "76G", "900M". @text holds at least 32 bytes. */
static const char *round_size(uint64_t bytes, char *text, size_t size)
{
	unsigned int unit = bytes < 4ULL << 30 ? 20 : 30;

	return units_format_size(bytes >> unit << unit, text, size);
}

/* ---- the checks ---- */

static void check_qemu(struct doctor *doctor, const char *name)
{
	struct hl_error err = HL_ERROR_INIT;
	unsigned int version;
	char text[32];

	if (qemu_version(&version, text, sizeof(text), &err))
		find(doctor, name, MISSING, "%s (make deps installs it)", err.text);
	else if (version < QEMU_VIRTUAL_TIME_SMP)
		find(doctor, name, MISSING,
		     "%s: too old for several vCPUs in virtual time, such scenarios are SKIPped (8.1 or "
		     "newer is needed)",
		     text);
	else
		find(doctor, name, OK, "%s, virtual time with several vCPUs", text);
}

static void check_io_uring(struct doctor *doctor, const char *name)
{
	struct io_uring ring;
	int r = io_uring_queue_init(4, &ring, 0);

	if (r) {
		find(doctor, name, MISSING,
		     "io_uring_setup: %s: no scenario can run (sysctl kernel.io_uring_disabled, or a "
		     "container that forbids it)",
		     strerror(-r));
		return;
	}
	io_uring_queue_exit(&ring);
	find(doctor, name, OK, "permitted");
}

static int probe_kvm(const struct kernel *kernel, bool *usable, char *why, size_t size, struct hl_error *err)
{
	cleanup_free char *guest = run_guest_program(), *initramfs = NULL;
	struct initramfs_request request = {.kernel = kernel, .guest_program = guest};
	int r = initramfs_build(&request, &initramfs, err);

	return r ? r : accel_probe_kvm(kernel->vmlinuz, initramfs, usable, why, size, err);
}

static void check_kvm(struct doctor *doctor, const char *name)
{
	static const char cost[] =
		"using TCG, slower for scenarios in real time; virtual time does not need KVM";
	struct hl_error err = HL_ERROR_INIT;
	char why[400];
	bool usable;

	if (access("/dev/kvm", F_OK))
		find(doctor, name, LIMITED, "absent: %s", cost);
	else if (!doctor->kernels.count)
		find(doctor, name, LIMITED, "present, not tried: there is no kernel to boot yet");
	else if (probe_kvm(doctor->kernels.kernels[0], &usable, why, sizeof(why), &err))
		find(doctor, name, LIMITED, "present, not tried (%s): %s", err.text, cost);
	else if (!usable)
		find(doctor, name, LIMITED, "present but %s: %s", why, cost);
	else
		find(doctor, name, OK, "present, a probe boot worked");
}

static void check_kernels(struct doctor *doctor, const char *name)
{
	struct hl_error err = HL_ERROR_INIT;

	if (kernel_store_list(&doctor->kernels, &err))
		find(doctor, name, MISSING, "%s", err.text);
	else if (!doctor->kernels.count)
		find(doctor, name, LIMITED, "empty: hanglab kernel fetch debian gets one");
	for (size_t i = 0; i < doctor->kernels.count; i++)
		find(doctor, name, OK, "%s", doctor->kernels.kernels[i]->name);
}

static void check_apt(struct doctor *doctor, const char *name)
{
	static const char *const command[] = {"apt-cache", "show", "--no-all-versions",
					      "linux-image-cloud-amd64", NULL};
	struct hl_error err = HL_ERROR_INIT;

	if (!process_run(command, APT_CACHE_TIMEOUT_MS, NULL, &err))
		find(doctor, name, OK, "it knows linux-image-cloud-amd64");
	else
		find(doctor, name, doctor->kernels.count ? LIMITED : MISSING,
		     "%s: hanglab kernel fetch cannot work (Debian only; perhaps apt-get update is needed)",
		     err.text);
}

static void check_guest(struct doctor *doctor, const char *name)
{
	cleanup_free char *path = run_guest_program();

	if (access(path, R_OK))
		find(doctor, name, MISSING, "%s: %s: no scenario can run (make builds it)", path,
		     strerror(errno));
	else
		find(doctor, name, OK, "%s", path);
}

/* What is missing of the programs that something copies into its guest; newly allocated, "" for nothing. */
static char *missing_tools(const struct needs *needs)
{
	char *missing = file_path("%s", "");

	for (const char *const *tool = needs->tools; tool && *tool; tool++) {
		cleanup_free char *found = process_find_program(*tool), *before = missing;

		missing = found ? take_pointer(before)
				: file_path("%s%s%s", before, *before ? ", " : "", *tool);
	}
	return missing;
}

/* @user, @kind: "ext4", "disks"; @state: when a tool is missing */
static void check_tools_of(struct doctor *doctor, const char *name, const char *user, const char *kind,
			   const struct needs *needs, enum state state)
{
	cleanup_free char *missing = missing_tools(needs);

	if (!needs->tools)
		return;
	if (*missing)
		find(doctor, name, state, "%s not installed: scenarios with %s %s are SKIPped (make deps)",
		     missing, user, kind);
	else
		find(doctor, name, OK, "all that %s %s need", user, kind);
}

static void check_disk_tools(struct doctor *doctor, const char *name)
{
	for (int fs = PLAN_FS_NONE; plan_fs_names[fs]; fs++)
		check_tools_of(doctor, name, plan_fs_names[fs], "disks", plan_fs_needs((enum plan_fs)fs),
			       fs == PLAN_FS_EXT4 ? MISSING : LIMITED);
	for (int via = PLAN_VIA_RAM; plan_via_names[via]; via++) {
		const char *const server[] = {server_program((enum plan_via)via), NULL};
		struct needs needs = {.tools = server[0] ? server : NULL};

		check_tools_of(doctor, name, plan_via_names[via], "servers", &needs, LIMITED);
		check_tools_of(doctor, name, plan_via_names[via], "disks", plan_via_needs((enum plan_via)via),
			       LIMITED);
	}
	for (int layer = PLAN_LAYER_NONE; plan_layer_names[layer]; layer++)
		check_tools_of(doctor, name, plan_layer_names[layer], "layers",
			       plan_layer_needs((enum plan_layer)layer), LIMITED);
}

static void check_tools(struct doctor *doctor, const char *name)
{
	check_disk_tools(doctor, name);
	for (const struct injector *const *injector = injector_list(); *injector; injector++)
		check_tools_of(doctor, name, (*injector)->name, "injections", &(*injector)->needs, LIMITED);
	for (const struct workload *const *workload = workload_list(); *workload; workload++)
		check_tools_of(doctor, name, (*workload)->name, "workloads", &(*workload)->needs, LIMITED);
}

static void check_cache(struct doctor *doctor, const char *name)
{
	cleanup_free char *folder = NULL;
	cleanup_fd int probe = -1;
	struct hl_error err = HL_ERROR_INIT;
	struct statvfs status;
	uint64_t room;
	char text[32];

	if (!file_cache_folder("kernels", &folder, &err))
		probe = file_open_unnamed(folder, &err);
	if (probe >= 0 && fstatvfs(probe, &status))
		hl_error_errno(&err, errno, "look for room in %s", folder);
	if (err.code) {
		find(doctor, name, MISSING, "%s: kernels and initramfs go there (XDG_CACHE_HOME moves it)",
		     err.text);
		return;
	}
	room = (uint64_t)status.f_bavail * status.f_frsize;
	round_size(room, text, sizeof(text));
	if (room < ROOM_NEEDED)
		find(doctor, name, LIMITED, "%s: only %s free; kernels and initramfs need about 1G", folder,
		     text);
	else
		find(doctor, name, OK, "%s, %s free", folder, text);
}

static void check_machine(struct doctor *doctor, const char *name)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t memory = 0;
	cleanup_free char *info = NULL;
	const char *available;
	char text[32];

	if (!file_read("/proc/meminfo", &info, NULL, NULL) && (available = strstr(info, "MemAvailable:")))
		memory = strtoull(available + strlen("MemAvailable:"), NULL, 10) << 10;
	round_size(memory, text, sizeof(text));
	find(doctor, name, memory < MEMORY_NEEDED ? LIMITED : OK, "%ld cores, %s of memory available%s",
	     cores, text, memory < MEMORY_NEEDED ? ": a VM has 512M by default" : "");
}

static void check_libfiu(struct doctor *doctor, const char *name)
{
	cleanup_free char *run = process_find_program("fiu-run");

	if (run)
		find(doctor, name, OK, "failure points are built in, %s switches them on", run);
	else
		find(doctor, name, LIMITED,
		     "failure points are built in, but fiu-run is not installed: its tests are SKIPped "
		     "(make deps)");
}

/* In this order: kernels are read before the checks that use them. */
static const struct {
	const char *name;
	void (*check)(struct doctor *doctor, const char *name);
} checks[] = {
	{"QEMU", check_qemu},	     {"io_uring", check_io_uring}, {"guest program", check_guest},
	{"kernels", check_kernels},  {"apt", check_apt},	   {"KVM", check_kvm},
	{"host tools", check_tools}, {"cache", check_cache},	   {"machine", check_machine},
	{"libfiu", check_libfiu},
};

/* ---- the command ---- */

static void print_pretty(const struct doctor *doctor)
{
	const json_t *finding;
	size_t i;

	json_array_foreach (doctor->findings, i, finding)
		printf("%-14s %-8s %s\n", json_string_value(json_object_get(finding, "name")),
		       json_string_value(json_object_get(finding, "state")),
		       json_string_value(json_object_get(finding, "text")));
	if (doctor->worst == MISSING)
		printf("\nThis machine is not ready: see what is missing above.\n");
	else
		printf("\nThis machine is ready: make demo.\n");
}

static void print_json(const struct doctor *doctor)
{
	json_t *report = json_pack("{s:i, s:b, s:O}", "schema", 1, "ready", doctor->worst != MISSING,
				   "findings", doctor->findings);

	json_dumpf(report, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(report);
}

static const struct {
	const char *name;
	void (*print)(const struct doctor *doctor);
} formats[] = {{"pretty", print_pretty}, {"json", print_json}};

static int doctor(const struct command_line *line)
{
	const char *format = command_option(line, "format");
	struct doctor examined = {.findings = json_array()};
	void (*print)(const struct doctor *doctor) = format ? NULL : print_pretty;

	for (size_t i = 0; format && i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i].name, format))
			print = formats[i].print;
	if (!print) {
		json_decref(examined.findings);
		return command_usage_error(line, "--format: '%s' is not pretty or json", format);
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i].check(&examined, checks[i].name);
	print(&examined);
	kernel_list_free(&examined.kernels);
	json_decref(examined.findings);
	return examined.worst == MISSING ? NOT_READY : 0;
}

static const struct command_option options[] = {
	{"format", 'f', "pretty|json", "form of the answer; default pretty"},
	{NULL, 0, NULL, NULL},
};

const struct command command_doctor = {
	.name = "doctor",
	.summary = "say what this machine has, what it lacks and what that costs",
	.help = "One line per finding: ok, limited (costs something, but make demo works) or missing. The "
		"first time\n"
		"after a boot of this machine KVM is tried by booting a guest, which may take some "
		"seconds.\n\n"
		"Exit code: 0 all that make demo needs is there, 2 something is missing.\n",
	.example = "hanglab doctor\n"
		   "hanglab doctor --format json\n",
	.options = options,
	.run = doctor,
};
