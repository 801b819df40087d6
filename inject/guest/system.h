/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_SYSTEM_H
#define HANGLAB_INJECT_GUEST_SYSTEM_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/** system_mount() - /dev, /proc, /sys and a tmpfs on /run. Return: 0 or -errno. */
int system_mount(struct hl_error *err);

/** system_seed_random() - give the kernel its random numbers, the same in every VM. Return: 0 or -errno. */
int system_seed_random(struct hl_error *err);

/** system_load_modules() - those that /modules/order lists. Return: 0 or -errno. */
int system_load_modules(struct hl_error *err);

/**
 * system_set_sysctls() - our defaults, then the scenario's
 * @wanted: object of texts, or NULL
 * @virtual_time: what an idle kernel does is not waited for, but costs: it shall do little
 * @in_force: receives a new object with what /proc/sys says afterwards
 *
 * Return: 0 or -errno (-ENOENT for a sysctl that this kernel lacks).
 */
int system_set_sysctls(const json_t *wanted, bool virtual_time, json_t **in_force, struct hl_error *err);

/** system_detector_settings() - a new object with the lockup detectors' settings, read from the kernel */
json_t *system_detector_settings(void);

/** system_keep_off_cpus() - this process and its children run on other CPUs; @cpus is a bit set, 0 for none
 */
void system_keep_off_cpus(uint64_t cpus);

/** system_clocksource() - name of the current clocksource, in static memory */
const char *system_clocksource(void);

#endif
