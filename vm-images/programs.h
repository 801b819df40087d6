/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_PROGRAMS_H
#define HANGLAB_VM_IMAGES_PROGRAMS_H

#include "base/error.h"

/**
 * programs_use() - add hanglab's own programs to the end of PATH
 *
 * Some programs come in packages that also start services (tgt, open-iscsi). They are not installed:
 * harness/setup/install-packages unpacks them below the cache, in hanglab/programs. Those of the machine itself
 * come first.
 *
 * Return: 0 or -errno; without such a folder nothing is changed.
 */
int programs_use(struct hl_error *err);

#endif
