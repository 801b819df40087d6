/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_BLAME_H
#define HANGLAB_CHECKERS_BLAME_H

#include "report.h"

/**
 * blame_find() - choose the stack and the function to blame; sets @report->event.function
 *
 * Return: index of the blamed stack; stack_count when there is none.
 */
size_t blame_find(struct report *report);

#endif
