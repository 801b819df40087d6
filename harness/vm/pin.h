/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_PIN_H
#define HANGLAB_VM_PIN_H

#include <sched.h>

/*
 * Each VM in virtual time stays on one CPU. QEMU's vCPU thread and its main loop take turns there; on two
 * CPUs the order of the two is not always the same (measured: 1 of 24 consoles differed; pinned, none of
 * 24). It costs no speed, as long as the VMs share the CPUs evenly: each takes the one that the fewest others
 * have, whichever hanglab started those.
 */

/**
 * pin_take() - take the CPU that is taken by the fewest
 * @pool: name of those that share the CPUs
 * @allowed: CPUs to choose from
 * @cpu: receives the CPU
 *
 * A place on a CPU is a UNIX socket address without a file: the kernel gives it to one process at a time, and
 * takes it back however that ends.
 *
 * Return: a descriptor that holds the place until it is closed, or -errno.
 */
int pin_take(const char *pool, const cpu_set_t *allowed, int *cpu);

/**
 * pin_process() - keep this process, and the QEMU that it will start, on one CPU
 *
 * Return: a descriptor that must stay open as long as QEMU runs; -errno when it could not be done, which
 * costs exactness only.
 */
int pin_process(void);

#endif
