// SPDX-License-Identifier: GPL-2.0-or-later
/* open-iscsi in the guest. The node record is made by hand, because a discovery would return 127.0.0.1. */
#include "inject/guest/iscsi.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"
#include "inject/guest/network.h"
#include "inject/tool.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static int write_configuration(struct hl_error *err)
{
	static const char *const folders[] = {"/etc/iscsi", "/run/lock/iscsi", "/var/lib/iscsi", "/var/lock"};
	static const struct {
		const char *path, *text;
	} files[] = {
		{"/etc/iscsi/initiatorname.iscsi", "InitiatorName=iqn.2026-11.hanglab:guest\n"},
		{"/etc/iscsi/iscsid.conf", "node.startup = manual\n"},
		{"/etc/passwd", "root:x:0:0:root:/:/bin/false\n"},
	};
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(folders) / sizeof(folders[0]); i++)
		r = file_make_folders(folders[i], err);
	for (size_t i = 0; !r && i < sizeof(files) / sizeof(files[0]); i++) {
		cleanup_fd int fd = open(files[i].path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

		if (fd < 0 || file_write_all(fd, files[i].text, strlen(files[i].text)))
			r = hl_error_errno(err, errno, "write %s", files[i].path);
	}
	return r;
}

/* -f keeps it in the foreground; its log goes to the kernel log, so that it is on the same time line. */
static int start_iscsid(struct hl_error *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return hl_error_errno(err, errno, "start iscsid");
	if (!pid) {
		int log = open("/dev/kmsg", O_WRONLY);

		setsid();
		dup2(log, STDOUT_FILENO);
		dup2(log, STDERR_FILENO);
		execlp("iscsid", "iscsid", "-f", NULL);
		_exit(127);
	}
	return 0;
}

static int set_option(const char *target, const char *portal, const char *name, int64_t nanoseconds,
		      struct hl_error *err)
{
	cleanup_free char *value = file_path("%" PRId64, nanoseconds / NANOSECONDS_PER_SECOND);
	const char *const arguments[] = {"iscsiadm", "-m",     "node", "-T", target, "-p",  portal,
					 "-o",	     "update", "-n",   name, "-v",   value, NULL};

	return nanoseconds < 0 ? 0 : tool_must(arguments, NULL, 0, err);
}

static int log_in(const struct plan_disk *disk, const char *target, const char *portal, struct hl_error *err)
{
	const char *const create[] = {"iscsiadm", "-m",	  "node", "-o",	  "new",
				      "-T",	  target, "-p",	  portal, NULL};
	const char *const login[] = {"iscsiadm", "-m", "node", "-T", target, "-p", portal, "--login", NULL};
	int r = tool_must(create, NULL, 0, err);

	if (!r)
		r = set_option(target, portal, "node.session.timeo.replacement_timeout",
			       disk->replacement_timeout, err);
	if (!r)
		r = set_option(target, portal, "node.conn[0].timeo.noop_out_interval", disk->noop_interval,
			       err);
	if (!r)
		r = set_option(target, portal, "node.conn[0].timeo.noop_out_timeout", disk->noop_timeout,
			       err);
	return r ? r : tool_must(login, NULL, 0, err);
}

int iscsi_login(const struct plan_disk *disk, struct hl_error *err)
{
	cleanup_free char *target = file_path("iqn.2026-11.hanglab:%s", disk->name), *portal = NULL;
	static bool ready;
	int port, r = 0;

	if (!ready) {
		r = network_up(err);
		if (!r)
			r = write_configuration(err);
		if (!r)
			r = start_iscsid(err);
		ready = !r;
	}
	if (!r)
		r = network_port(disk->name, &port, err);
	if (r)
		return r;
	portal = file_path(NETWORK_HOST ":%d", port);
	return log_in(disk, target, portal, err);
}

/* "…/session1/target…/2:0:0:1/block/sda": LUN 1 of the session whose target has the disk's name. */
static bool is_lun_of(const char *block, const char *target)
{
	cleanup_free char *link = file_path("/sys/block/%s/device", block), *path = realpath(link, NULL);
	const char *session = path ? strstr(path, "/session") : NULL, *lun = path ? strrchr(path, ':') : NULL;
	cleanup_free char *name_path = NULL, *name = NULL;

	if (!session || !lun || strcmp(lun, ":1") != 0)
		return false;
	name_path = file_path("/sys/class/iscsi_session/%.*s/targetname", (int)strcspn(session + 1, "/"),
			      session + 1);
	if (file_read(name_path, &name, NULL, NULL))
		return false;
	name[strcspn(name, "\n")] = '\0';
	return !strcmp(name, target);
}

int iscsi_device(const struct plan_disk *disk, char *device, size_t size)
{
	cleanup_free char *target = file_path("iqn.2026-11.hanglab:%s", disk->name);
	DIR *blocks = opendir("/sys/block");
	struct dirent *entry;
	int r = -ENODEV;

	while (blocks && r && (entry = readdir(blocks)))
		if (is_lun_of(entry->d_name, target)) {
			snprintf(device, size, "/dev/%.50s", entry->d_name);
			r = 0;
		}
	if (blocks)
		closedir(blocks);
	return r;
}
