/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_TESTS_RESOURCES_H
#define HANGLAB_TESTS_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>

/* What this process holds: tests compare it before and after. */

/** resources_descriptors() - open file descriptors of this process */
size_t resources_descriptors(void);

/** resources_has_children() - does this process have children, dead or alive? */
bool resources_has_children(void);

#endif
