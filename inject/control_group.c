// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/control_group.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "inject/lab_vm.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define V2_ROOT "/run/cgroup2"
#define V1_ROOT "/run/cgroup"

static int mount_at(const char *root, const char *type, const char *options, struct hl_error *err)
{
	if (mkdir(root, 0755) && errno == EEXIST)
		return 0;
	if (mount("none", root, type, 0, options)) {
		int r = -errno;

		rmdir(root);
		return hl_error_errno(err, -r, "mount %s", type);
	}
	return 0;
}

static bool has_word(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (; *text; text += strcspn(text, " \n"), text += strspn(text, " \n"))
		if (!strncmp(text, word, length) && strchr(" \n", text[length]))
			return true;
	return false;
}

static bool use_version_2(struct control_groups *groups)
{
	cleanup_free char *controllers = NULL;

	groups->version = CONTROL_GROUP_V2;
	groups->root = V2_ROOT;
	return !mount_at(V2_ROOT, "cgroup2", NULL, NULL) &&
	       !file_read(V2_ROOT "/cgroup.controllers", &controllers, NULL, NULL) &&
	       has_word(controllers, groups->controller);
}

static int enable_below(const struct control_groups *groups, const char *group, struct hl_error *err)
{
	char word[32];

	snprintf(word, sizeof(word), "+%s", groups->controller);
	return control_group_set(groups, group, "cgroup.subtree_control", word, err);
}

int control_groups_mount(struct control_groups *groups, const char *controller, struct hl_error *err)
{
	int r = lab_vm_require(err);

	if (r)
		return r;
	groups->controller = controller;
	if (use_version_2(groups))
		return enable_below(groups, "", err);
	groups->version = CONTROL_GROUP_V1;
	groups->root = V1_ROOT;
	return mount_at(V1_ROOT, "cgroup", controller, err);
}

char *control_group_path(const struct control_groups *groups, const char *group, const char *file)
{
	return file_path("%s/%s/%s", groups->root, group, file);
}

int control_group_make(const struct control_groups *groups, const char *group, bool parent,
		       struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/%s", groups->root, group);

	if (mkdir(path, 0755))
		return hl_error_errno(err, errno, "make the control group %s", group);
	return parent && groups->version == CONTROL_GROUP_V2 ? enable_below(groups, group, err) : 0;
}

int control_group_set(const struct control_groups *groups, const char *group, const char *file,
		      const char *value, struct hl_error *err)
{
	cleanup_free char *path = control_group_path(groups, group, file);

	return file_set(path, value, err);
}

int control_group_join(const struct control_groups *groups, const char *group, struct hl_error *err)
{
	return control_group_set(groups, group, "cgroup.procs", "0", err);
}

int control_group_remove(const struct control_groups *groups, const char *group, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/%s", groups->root, group);

	return rmdir(path) ? hl_error_errno(err, errno, "remove the control group %s", group) : 0;
}
