/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_PROXY_FAULTS_H
#define HANGLAB_INJECT_PROXY_FAULTS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The faults of the proxy are failure points of libfiu, so that whoever can reach the process through
 * libfiu's remote control (fiu-ctrl) can switch them as well as its own control channel can. libfiu is the
 * only place that knows which are on; faults_read() takes a snapshot, and is called whenever one may have
 * changed.
 */

/** enum proxy_fault - one for each line of faults.def */
enum proxy_fault {
#define FAULT(identifier, name, unit, value, help) PROXY_##identifier,
#include "faults.def"
#undef FAULT
	PROXY_FAULTS
};

enum fault_unit {
	FAULT_NONE,
	FAULT_MILLISECONDS,
	FAULT_BYTES_PER_SECOND,
	FAULT_LUN,
};

/**
 * struct fault_kind - what faults.def says about a fault
 * @name: of the failure point
 * @unit: of its value
 * @value: used when none is given
 * @help: one line
 */
struct fault_kind {
	const char *name;
	enum fault_unit unit;
	int64_t value;
	const char *help;
};

/** No value: a number takes its default, a LUN means every LUN. */
#define FAULT_NO_VALUE (-1)

/**
 * struct fault_state - one fault in a snapshot
 * @on: whether it is enabled
 * @value: in its unit; FAULT_NO_VALUE for every LUN
 */
struct fault_state {
	bool on;
	int64_t value;
};

/** struct faults - a snapshot of all faults, indexed by enum proxy_fault */
struct faults {
	struct fault_state state[PROXY_FAULTS];
};

extern const struct fault_kind fault_kinds[PROXY_FAULTS];

/** fault_unit_name() - "ms", "bytes/s", "LUN", or "" */
const char *fault_unit_name(enum fault_unit unit);

/**
 * faults_read() - ask libfiu which faults are on
 *
 * In libfiu the value of a fault is its failinfo. libfiu cannot tell "failinfo=0" from none, so 0 is no
 * value; LUN 0 is written "failnum=2,failinfo=0".
 */
void faults_read(struct faults *faults);

/**
 * faults_enable() - switch on a fault, or a group of them
 * @name: "proxy/stall/up", or "proxy/stall" for all that begin with "proxy/stall/"
 * @value: in the fault's unit, or FAULT_NO_VALUE
 * @err: names the nearest fault when there is none of this name
 *
 * Return: 0, -ENOENT, -EINVAL or -ERANGE.
 */
int faults_enable(const char *name, int64_t value, struct hl_error *err);

/** faults_disable() - switch off a fault or a group of them; one that is off is no error. Return: 0 or
 * -ENOENT. */
int faults_disable(const char *name, struct hl_error *err);

#endif
