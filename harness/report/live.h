/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_REPORT_LIVE_H
#define HANGLAB_REPORT_LIVE_H

#include "run/run.h"

#include <stdbool.h>
#include <stdio.h>

/**
 * struct live - what is shown while a run goes on
 * @out: where to: one line that is rewritten on a terminal, plain lines in a pipe
 * @terminal: which of the two
 * @verbose: also print every kernel event in full
 * @name: of the scenario
 */
struct live {
	FILE *out;
	bool terminal, verbose;
	const char *name;
};

/** live_observer() - callbacks that print; @live must stay valid */
struct run_observer live_observer(struct live *live);

/** live_clear() - remove the line that was being rewritten */
void live_clear(const struct live *live);

#endif
