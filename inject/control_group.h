/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_CONTROL_GROUP_H
#define HANGLAB_INJECT_CONTROL_GROUP_H

#include "base/error.h"

#include <stdbool.h>

/*
 * Control groups inside the guest, made by injectors that limit a load. The guest program mounts none.
 * A group is named by its path below the root, for example "hanglab/a".
 */

enum control_group_version { CONTROL_GROUP_V1 = 1, CONTROL_GROUP_V2 = 2 };

/**
 * struct control_groups - one hierarchy with the wanted controller
 * @controller: its name
 * @version: of its files: version 2 where the kernel has the controller there, else 1
 * @root: where it is mounted
 */
struct control_groups {
	const char *controller;
	enum control_group_version version;
	const char *root;
};

/**
 * control_groups_mount() - mount a hierarchy with @controller, or find it mounted
 *
 * Return: 0; -EPERM outside a lab VM; -errno.
 */
int control_groups_mount(struct control_groups *groups, const char *controller, struct hl_error *err);

/**
 * control_group_make() - make a group, in whose subgroups the controller can be used too when @parent is true
 *
 * In version 2 such a group may not hold processes itself.
 *
 * Return: 0 or -errno.
 */
int control_group_make(const struct control_groups *groups, const char *group, bool parent,
		       struct hl_error *err);

/** control_group_set() - write a file of a group. Return: 0 or -errno. */
int control_group_set(const struct control_groups *groups, const char *group, const char *file,
		      const char *value, struct hl_error *err);

/** control_group_join() - move this process into a group. Return: 0 or -errno. */
int control_group_join(const struct control_groups *groups, const char *group, struct hl_error *err);

/** control_group_remove() - remove a group without processes and subgroups. Return: 0 or -errno. */
int control_group_remove(const struct control_groups *groups, const char *group, struct hl_error *err);

/** control_group_path() - path of a file of a group, newly allocated */
char *control_group_path(const struct control_groups *groups, const char *group, const char *file);

#endif
