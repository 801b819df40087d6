/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_TESTS_CHECKS_H
#define HANGLAB_TESTS_CHECKS_H

#include "base/arena.h"
#include "base/units.h"
#include "inject/plan.h"

/* Plans and kernel events of the tests' own making. */

/** checks_plan() - a plan from JSON with ' for "; plan_free() it */
struct plan checks_plan(const char *json);

/** checks_settings() - detectors of a default kernel: hung task 120 s, soft lockup 10 s ... */
extern const struct detector_settings checks_settings;

/** checks_event() - an event of a kind, by task @comm, which may be NULL */
struct hl_event checks_event(enum hl_event_kind kind, const char *comm);

/** checks_feed() - give @judge an event at @seconds of guest time */
void checks_feed(struct judge *judge, enum hl_event_kind kind, const char *comm, double seconds);

#endif
