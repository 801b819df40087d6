/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_SYSTEM_SLURM_H
#define TESTS_SYSTEM_SLURM_H

#include "base/process.h"

#include <stdbool.h>

/**
 * struct slurm - a cluster of one node, this one, of two CPUs: on loopback, with a configuration, a key and
 * ports of its own
 */
struct slurm {
	struct process munged, slurmctld, slurmd;
	char *folder;
};

/**
 * slurm_start() - start the daemons; SLURM_CONF then names their configuration
 * @slurm: zeroed; slurm_end() it also after a failure
 * @err: why it cannot be had here
 *
 * Return: 0 or -errno.
 */
int slurm_start(struct slurm *slurm, struct hl_error *err);

/** slurm_end() - end the daemons, by their pids */
void slurm_end(struct slurm *slurm);

#endif
