// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/cpu_share.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "inject/counter.h"

#include <fcntl.h>
#include <mntent.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VCPUS	       "vcpus"
#define PERIOD_US      100000
/* The kernel lets go of a process's group a moment after the process was reaped. */
#define REMOVE_MS      2000
#define REMOVE_STEP_MS 5

/* Where cgroup v2 is mounted, or the hierarchy of version 1 that has the cpu controller. */
static char *find_root(enum control_group_version version)
{
	cleanup_with(cleanup_close_file) FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *mount;

	while (mounts && (mount = getmntent(mounts)))
		if (version == CONTROL_GROUP_V2
			    ? !strcmp(mount->mnt_type, "cgroup2")
			    : !strcmp(mount->mnt_type, "cgroup") && hasmntopt(mount, "cpu"))
			return file_path("%s", mount->mnt_dir);
	return NULL;
}

static bool has_cpu(const char *controllers, size_t length)
{
	cleanup_free char *padded = file_path(",%.*s,", (int)length, controllers);

	return strstr(padded, ",cpu,");
}

/* The path of "0::/PATH" (version 2) or "N:cpu,cpuacct:/PATH" in /proc/self/cgroup (cgroups(7)), or NULL. */
static char *find_own(enum control_group_version version)
{
	cleanup_free char *text = NULL;

	if (file_read("/proc/self/cgroup", &text, NULL, NULL))
		return NULL;
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *controllers = line + strcspn(line, ":\n"), *path;

		controllers += *controllers == ':';
		path = controllers + strcspn(controllers, ":\n");
		if (*path == ':' &&
		    (version == CONTROL_GROUP_V2 ? path == controllers
						 : has_cpu(controllers, (size_t)(path - controllers))))
			return file_path("%.*s", (int)strcspn(path + 1, "\n"), path + 1);
	}
	return NULL;
}

/* In version 1 every group of the hierarchy does; one that another mount namespace hides does not exist. */
static bool offers_cpu(enum control_group_version version, const char *group)
{
	cleanup_free char *path =
		file_path("%s/%s", group, version == CONTROL_GROUP_V2 ? "cgroup.subtree_control" : "tasks");
	cleanup_free char *text = NULL, *padded = NULL;

	if (version == CONTROL_GROUP_V1)
		return !access(path, F_OK);
	if (file_read(path, &text, NULL, NULL))
		return false;
	padded = file_path(" %.*s ", (int)strcspn(text, "\n"), text);
	return strstr(padded, " cpu ");
}

bool cpu_share_parent(enum control_group_version version, const char *root, const char *own, char **parent,
		      char *reason, size_t size)
{
	cleanup_free char *group = file_path("%s%s", root, own);

	/* From the process's own group upwards: the nearest is what was delegated to us, if any was. */
	for (;; *strrchr(group, '/') = '\0') {
		if (offers_cpu(version, group)) {
			if (access(group, W_OK)) {
				snprintf(reason, size, "no control group may be made in %s", group);
				return false;
			}
			*parent = take_pointer(group);
			return true;
		}
		if (strlen(group) <= strlen(root))
			break;
	}
	snprintf(reason, size, "cgroup v%d has no cpu controller here (in none of the groups from %s%s up)",
		 version, root, own);
	return false;
}

static bool find_parent_of(enum control_group_version version, char **parent, char *reason, size_t size)
{
	cleanup_free char *root = find_root(version), *own = find_own(version);

	if (root && own)
		return cpu_share_parent(version, root, own, parent, reason, size);
	snprintf(reason, size, "cgroup v%d is not mounted", version);
	return false;
}

/* A kernel has the controller in one of the two. */
static bool find_parent(enum control_group_version *version, char **parent, char *reason, size_t size)
{
	char why[2][256];

	for (*version = CONTROL_GROUP_V2; *version >= CONTROL_GROUP_V1; (*version)--)
		if (find_parent_of(*version, parent, why[*version - CONTROL_GROUP_V1], sizeof(why[0])))
			return true;
	snprintf(reason, size, "%s; %s", why[1], why[0]);
	return false;
}

bool cpu_share_possible(char *reason, size_t size)
{
	enum control_group_version version;
	cleanup_free char *parent = NULL;

	return find_parent(&version, &parent, reason, size);
}

static int set(const char *group, const char *file, const char *value, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/%s", group, file);

	return file_set(path, value, err);
}

static void remove_group(const char *group)
{
	for (int waited = 0; rmdir(group) && errno == EBUSY && waited < REMOVE_MS; waited += REMOVE_STEP_MS)
		poll(NULL, 0, REMOVE_STEP_MS);
}

static void remove_both(const char *group)
{
	cleanup_free char *vcpus = file_path("%s/" VCPUS, group);

	remove_group(vcpus);
	remove_group(group);
}

/* However hanglab ends, QEMU ends with it; this small process outlives both and removes the groups. */
static int start_remover(const struct process *qemu, const char *group, struct hl_error *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return hl_error_errno(err, errno, "watch %s", group);
	if (pid)
		return 0;
	setsid();
	for (int fd = 0; fd < 1024; fd++)
		if (fd != qemu->pidfd)
			close(fd);
	poll(&(struct pollfd){.fd = qemu->pidfd, .events = POLLIN}, 1, -1);
	remove_both(group);
	_exit(0);
}

/* The vCPU threads alone may be in the inner group: in version 2 it has to be a threaded one. */
static int make_threaded(const struct cpu_share *share, const struct process *qemu, const char *vcpus,
			 struct hl_error *err)
{
	char pid[16];
	int r;

	if (share->version == CONTROL_GROUP_V1)
		return 0;
	snprintf(pid, sizeof(pid), "%d", (int)qemu->pid);
	r = set(share->group, "cgroup.procs", pid, err);
	if (!r)
		r = set(vcpus, "cgroup.type", "threaded", err);
	return r ? r : set(share->group, "cgroup.subtree_control", "+cpu", err);
}

static int make_groups(struct cpu_share *share, const struct process *qemu, struct hl_error *err)
{
	cleanup_free char *parent = NULL, *vcpus = NULL;
	char reason[600];
	int r;

	if (!find_parent(&share->version, &parent, reason, sizeof(reason)))
		return hl_error_set(err, ENOTSUP, "%s", reason);
	share->group = file_path("%s/hanglab-%d", parent, (int)qemu->pid);
	vcpus = file_path("%s/" VCPUS, share->group);
	if (mkdir(share->group, 0755) || mkdir(vcpus, 0755))
		return hl_error_errno(err, errno, "make the control group %s", vcpus);
	r = start_remover(qemu, share->group, err);
	return r ? r : make_threaded(share, qemu, vcpus, err);
}

static int check_thread(const struct process *qemu, pid_t thread, struct hl_error *err)
{
	if (process_has_thread(qemu, thread))
		return 0;
	return hl_error_set(err, EPERM, "thread %d does not belong to the QEMU of this run", (int)thread);
}

/* @quota: microseconds in each period, 0 for no limit. */
static int set_limit(const struct cpu_share *share, int quota, struct hl_error *err)
{
	bool new = share->version == CONTROL_GROUP_V2;
	cleanup_free char *path =
		file_path("%s/" VCPUS "/%s", share->group, new ? "cpu.max" : "cpu.cfs_quota_us");
	char limit[64];

	/* The period of version 1 is the same by default (Documentation/scheduler/sched-bwc.rst). */
	snprintf(limit, sizeof(limit), new ? "%d %d" : "%d", quota, PERIOD_US);
	return file_set(path, quota ? limit : new ? "max" : "-1", err);
}

int cpu_share_limit(struct cpu_share *share, const struct process *qemu, const pid_t *threads, size_t count,
		    int percent, struct hl_error *err)
{
	char thread[16];
	int r = 0;

	for (size_t i = 0; !r && i < count; i++)
		r = check_thread(qemu, threads[i], err);
	if (!r && !share->group)
		r = make_groups(share, qemu, err);
	for (size_t i = 0; !r && i < count; i++) {
		snprintf(thread, sizeof(thread), "%d", (int)threads[i]);
		r = set(share->group,
			share->version == CONTROL_GROUP_V2 ? VCPUS "/cgroup.threads" : VCPUS "/tasks", thread,
			err);
	}
	return r ? r : set_limit(share, PERIOD_US / 100 * percent, err);
}

int cpu_share_lift(const struct cpu_share *share, struct hl_error *err)
{
	return set_limit(share, 0, err);
}

int cpu_share_throttled(const struct cpu_share *share, int64_t *periods, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/" VCPUS "/cpu.stat", share->group);
	const struct counter counter = {path, "nr_throttled", 0};

	return counter_read(&counter, periods, err);
}

void cpu_share_end(struct cpu_share *share)
{
	if (share->group)
		remove_both(share->group);
	free(take_pointer(share->group));
}
