/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_BENCH_TARGET_H
#define TESTS_BENCH_TARGET_H

/* A benchmark prints each target beside its figure, and exits with 1 when one was missed. */

/**
 * target() - print a figure beside its target, and remember a miss
 * @relation: "<=" or ">="
 */
void target(const char *name, double value, const char *relation, double limit);

/** target_missed() - something else that must hold did not; prints it */
void target_missed(const char *what);

/** targets_status() - exit status of the benchmark: 0, or 1 after a miss */
int targets_status(void);

#endif
