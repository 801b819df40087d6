// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/system.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "checkers/expect.h"

#include <fcntl.h>
#include <linux/random.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int mount_one(const char *type, const char *where, const char *options, struct hl_error *err)
{
	mkdir(where, 0755);
	/* EBUSY: devtmpfs may be mounted by the kernel already (CONFIG_DEVTMPFS_MOUNT). */
	if (mount(type, where, type, 0, options) && errno != EBUSY)
		return hl_error_errno(err, errno, "mount %s on %s", type, where);
	return 0;
}

int system_mount(struct hl_error *err)
{
	int r = mount_one("devtmpfs", "/dev", NULL, err);

	if (!r)
		r = mount_one("proc", "/proc", NULL, err);
	if (!r)
		r = mount_one("sysfs", "/sys", NULL, err);
	return r ? r : mount_one("tmpfs", "/run", "size=100%", err);
}

/*
 * A VM has nothing that happens by chance. Unless it is told that these bytes do, the kernel makes up for it
 * with a busy second when a random number is first wanted (try_to_generate_entropy() in
 * drivers/char/random.c; a tenth of all instructions of a boot, measured on 6.1). Nothing in a lab VM is
 * secret.
 */
int system_seed_random(struct hl_error *err)
{
	/* struct rand_pool_info */
	struct {
		int entropy_bits, size;
		uint32_t bytes[16];
	} seed = {8 * sizeof(seed.bytes), sizeof(seed.bytes), {0}};
	cleanup_fd int device = open("/dev/random", O_WRONLY | O_CLOEXEC);

	for (size_t i = 0; i < sizeof(seed.bytes) / sizeof(seed.bytes[0]); i++)
		seed.bytes[i] = (uint32_t)i * 0x9e3779b9U;
	if (device < 0 || ioctl(device, RNDADDENTROPY, &seed))
		return hl_error_errno(err, errno, "seed /dev/random");
	return 0;
}

/* '-' and '_' are the same in names of modules and of their parameters. */
static bool same_word(const char *a, const char *b, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (a[i] != b[i] && !(strchr("-_", a[i]) && strchr("-_", b[i]) && a[i] && b[i]))
			return false;
	return true;
}

/*
 * Parameters of a module on the kernel's command line, "MODULE.PARAMETER=VALUE": the kernel itself sees to
 * them only in what is built in; for modules it is up to the loader (modprobe(8)).
 *
 * Return: newly allocated "PARAMETER=VALUE ...".
 */
static char *module_parameters(const char *module, size_t length)
{
	cleanup_free char *line = NULL;
	char *position = NULL, *parameters = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&parameters, &size);

	if (!out)
		abort();
	if (!file_read("/proc/cmdline", &line, NULL, NULL))
		for (char *word = strtok_r(line, " \n", &position); word;
		     word = strtok_r(NULL, " \n", &position))
			if (strcspn(word, ".=") == length && word[length] == '.' &&
			    same_word(word, module, length))
				fprintf(out, "%s ", word + length + 1);
	fclose(out);
	return parameters;
}

/* @name: "NUMBER-MODULE.ko" */
static int load_module(const char *name, struct hl_error *err)
{
	const char *dash = strchr(name, '-'), *module = dash ? dash + 1 : name;
	cleanup_free char *parameters = module_parameters(module, strcspn(module, "."));
	cleanup_free char *path = file_path("/modules/%s", name);
	cleanup_free char *image = NULL;
	size_t size;
	int r;

	r = file_read(path, &image, &size, err);
	if (r)
		return r;
	if (syscall(SYS_init_module, image, size, parameters) && errno != EEXIST)
		return hl_error_errno(err, errno, "load module %s", name);
	return 0;
}

int system_load_modules(struct hl_error *err)
{
	cleanup_free char *order = NULL;
	char *position = NULL;
	int r;

	/* No list: everything is built in. */
	if (file_read("/modules/order", &order, NULL, NULL))
		return 0;
	for (char *name = strtok_r(order, "\n", &position); name; name = strtok_r(NULL, "\n", &position)) {
		bool optional = name[0] == '-';

		r = load_module(name + optional, err);
		if (r && !optional)
			return r;
	}
	return 0;
}

static char *sysctl_path(const char *key)
{
	char *path = file_path("/proc/sys/%s", key);

	for (char *c = path + strlen("/proc/sys/"); *c; c++)
		if (*c == '.')
			*c = '/';
	return path;
}

static int read_value(const char *path, char **text)
{
	int r = file_read(path, text, NULL, NULL);

	if (!r)
		(*text)[strcspn(*text, "\n")] = '\0';
	return r;
}

/* Of a module "rcupdate" or of the kernel itself, as in "rcupdate.rcu_cpu_stall_timeout". */
static bool is_boot_parameter(const char *key)
{
	const char *dot = strchr(key, '.');
	cleanup_free char *path = NULL;

	if (!dot)
		return false;
	path = file_path("/sys/module/%.*s/parameters/%s", (int)(dot - key), key, dot + 1);
	return !access(path, F_OK);
}

static int no_such_sysctl(const char *key, struct hl_error *err)
{
	return hl_error_set(err, ENOENT, "this kernel has no sysctl %s%s", key,
			    is_boot_parameter(key)
				    ? ", but a boot parameter of that name: set it with vm: {boot: ...}"
				    : "");
}

static int set_sysctl(const char *key, const char *value, json_t *in_force, struct hl_error *err)
{
	cleanup_free char *path = sysctl_path(key);
	cleanup_free char *found = NULL;
	int r;

	if (access(path, F_OK))
		return no_such_sysctl(key, err);
	r = file_set(path, value, err);
	if (r)
		return r;
	r = read_value(path, &found);
	if (r)
		return hl_error_errno(err, -r, "read %s back", key);
	json_object_set_new(in_force, key, json_string(found));
	return 0;
}

/*
 * The kernel falls silent after ten hung-task reports. -1 lifts the limit; kernels before 3.14 keep it in
 * an unsigned long and want a large number instead.
 */
static void lift_hung_task_limit(json_t *in_force)
{
	if (set_sysctl("kernel.hung_task_warnings", "-1", in_force, NULL))
		set_sysctl("kernel.hung_task_warnings", "1000000000", in_force, NULL);
}

/*
 * Of what wakes up in an idle guest every second, kcompactd (twice) and the folding of counters were two
 * thirds (measured, 6.1). Kernels that lack one of them stay as they are.
 */
static void calm(json_t *in_force)
{
	set_sysctl("vm.compaction_proactiveness", "0", in_force, NULL);
	set_sysctl("vm.stat_interval", "60", in_force, NULL);
}

int system_set_sysctls(const json_t *wanted, bool virtual_time, json_t **in_force, struct hl_error *err)
{
	const char *key;
	json_t *value;

	*in_force = json_object();
	lift_hung_task_limit(*in_force);
	if (virtual_time)
		calm(*in_force);
	json_object_foreach ((json_t *)wanted, key, value) {
		int r;

		if (key[0] == '@')
			continue;
		r = set_sysctl(key, json_string_value(value), *in_force, err);
		if (r)
			return r;
	}
	return 0;
}

static int64_t read_number(const char *path)
{
	cleanup_free char *text = NULL;
	char *end;
	long long number;

	if (read_value(path, &text))
		return -1;
	number = strtoll(text, &end, 10);
	return end == text ? -1 : number;
}

json_t *system_detector_settings(void)
{
	struct detector_settings settings = {
		.hung_task_timeout = read_number("/proc/sys/kernel/hung_task_timeout_secs"),
		.hung_task_interval = read_number("/proc/sys/kernel/hung_task_check_interval_secs"),
		.watchdog_thresh = read_number("/proc/sys/kernel/watchdog_thresh"),
		.soft_watchdog = read_number("/proc/sys/kernel/soft_watchdog"),
		.rcu_stall_timeout = read_number("/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout"),
		.nmi_watchdog = read_number("/proc/sys/kernel/nmi_watchdog"),
		.workqueue_thresh = read_number("/sys/module/workqueue/parameters/watchdog_thresh"),
	};

	return detector_settings_json(&settings);
}

/* The kernel leaves out those that the VM does not have. */
void system_keep_off_cpus(uint64_t cpus)
{
	cpu_set_t allowed;

	CPU_ZERO(&allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (cpu >= 64 || !(cpus >> cpu & 1))
			CPU_SET(cpu, &allowed);
	sched_setaffinity(0, sizeof(allowed), &allowed);
}

const char *system_clocksource(void)
{
	static char name[64];
	cleanup_free char *text = NULL;

	if (!read_value("/sys/devices/system/clocksource/clocksource0/current_clocksource", &text))
		snprintf(name, sizeof(name), "%s", text);
	return name;
}
