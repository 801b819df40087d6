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

static char *find_root(void)
{
	cleanup_with(cleanup_close_file) FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *mount;

	while (mounts && (mount = getmntent(mounts)))
		if (!strcmp(mount->mnt_type, "cgroup2"))
			return file_path("%s", mount->mnt_dir);
	return NULL;
}

/* The line "0::/PATH" of /proc/self/cgroup, or NULL. */
static char *find_own(void)
{
	cleanup_free char *text = NULL;
	const char *line;

	if (file_read("/proc/self/cgroup", &text, NULL, NULL))
		return NULL;
	line = strstr(text, "0::/");
	return line ? file_path("%.*s", (int)strcspn(line + 3, "\n"), line + 3) : NULL;
}

static bool offers_cpu(const char *group)
{
	cleanup_free char *path = file_path("%s/cgroup.subtree_control", group), *text = NULL;
	cleanup_free char *padded = NULL;

	if (file_read(path, &text, NULL, NULL))
		return false;
	padded = file_path(" %.*s ", (int)strcspn(text, "\n"), text);
	return strstr(padded, " cpu ");
}

bool cpu_share_parent(const char *root, const char *own, char **parent, char *reason, size_t size)
{
	cleanup_free char *group = file_path("%s%s", root, own);

	/* From the process's own group upwards: the nearest is what was delegated to us, if any was. */
	for (;; *strrchr(group, '/') = '\0') {
		if (offers_cpu(group)) {
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
	snprintf(reason, size, "cgroup v2 has no cpu controller here (in none of the groups from %s%s up)",
		 root, own);
	return false;
}

static bool find_parent(char **parent, char *reason, size_t size)
{
	cleanup_free char *root = find_root(), *own = find_own();

	if (root && own)
		return cpu_share_parent(root, own, parent, reason, size);
	snprintf(reason, size, "cgroup v2 is not mounted");
	return false;
}

bool cpu_share_possible(char *reason, size_t size)
{
	cleanup_free char *parent = NULL;

	return find_parent(&parent, reason, size);
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

static int make_groups(struct cpu_share *share, const struct process *qemu, struct hl_error *err)
{
	cleanup_free char *parent = NULL, *vcpus = NULL;
	char reason[256], pid[16];
	int r;

	if (!find_parent(&parent, reason, sizeof(reason)))
		return hl_error_set(err, ENOTSUP, "%s", reason);
	share->group = file_path("%s/hanglab-%d", parent, (int)qemu->pid);
	vcpus = file_path("%s/" VCPUS, share->group);
	snprintf(pid, sizeof(pid), "%d", (int)qemu->pid);
	if (mkdir(share->group, 0755) || mkdir(vcpus, 0755))
		return hl_error_errno(err, errno, "make the control group %s", vcpus);
	r = start_remover(qemu, share->group, err);
	if (!r)
		r = set(share->group, "cgroup.procs", pid, err);
	if (!r)
		r = set(vcpus, "cgroup.type", "threaded", err);
	return r ? r : set(share->group, "cgroup.subtree_control", "+cpu", err);
}

static int check_thread(const struct process *qemu, pid_t thread, struct hl_error *err)
{
	cleanup_free char *path = file_path("/proc/%d/task/%d", (int)qemu->pid, (int)thread);

	if (qemu->pid > 0 && thread > 0 && !access(path, F_OK))
		return 0;
	return hl_error_set(err, EPERM, "thread %d does not belong to the QEMU of this run", (int)thread);
}

static int set_limit(const struct cpu_share *share, const char *limit, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/" VCPUS "/cpu.max", share->group);

	return file_set(path, limit, err);
}

int cpu_share_limit(struct cpu_share *share, const struct process *qemu, const pid_t *threads, size_t count,
		    int percent, struct hl_error *err)
{
	char limit[64], thread[16];
	int r = 0;

	for (size_t i = 0; !r && i < count; i++)
		r = check_thread(qemu, threads[i], err);
	if (!r && !share->group)
		r = make_groups(share, qemu, err);
	for (size_t i = 0; !r && i < count; i++) {
		snprintf(thread, sizeof(thread), "%d", (int)threads[i]);
		r = set(share->group, VCPUS "/cgroup.threads", thread, err);
	}
	snprintf(limit, sizeof(limit), "%d %d", PERIOD_US / 100 * percent, PERIOD_US);
	return r ? r : set_limit(share, limit, err);
}

int cpu_share_lift(const struct cpu_share *share, struct hl_error *err)
{
	return set_limit(share, "max", err);
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
