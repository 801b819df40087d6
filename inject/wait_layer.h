/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_WAIT_LAYER_H
#define HANGLAB_INJECT_WAIT_LAYER_H

#include <stddef.h>

/*
 * What a blocked task waits for, read off its stack. The same fault gives different stacks from run to run,
 * so the rules know sets of functions; the innermost function that a rule knows decides.
 */

/** What is waited for. The transport is not seen on a stack: it is the block device's connection that is
 * down. */
enum wait_layer { WAIT_UNKNOWN, WAIT_FREEZE, WAIT_JOURNAL, WAIT_BLOCK, WAIT_TRANSPORT };

/** wait_layer_name() - "freeze" ... */
const char *wait_layer_name(enum wait_layer layer);

/**
 * wait_layer_of_stack() - the layer, from a stack as /proc/PID/stack prints it (or a line of /proc/PID/wchan)
 * @stack: "[<0>] FUNCTION+0x..." lines, innermost first
 * @function: receives the function that decided; when none did, the innermost one
 */
enum wait_layer wait_layer_of_stack(const char *stack, char *function, size_t size);

#endif
