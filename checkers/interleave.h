/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_INTERLEAVE_H
#define HANGLAB_CHECKERS_INTERLEAVE_H

#include "report.h"

/**
 * interleave_undo() - tell the stacks of several CPUs apart whose lines were printed in turns
 * @report: collected; its stacks are replaced when its lines were mixed, and it is then marked corrupted
 */
void interleave_undo(struct report *report);

#endif
