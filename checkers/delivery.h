/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_DELIVERY_H
#define HANGLAB_CHECKERS_DELIVERY_H

#include "checkers.h"

struct delivery;
struct report;

/**
 * deliver_report() - make the event of a complete report and hand it to its receiver
 * @report: emptied, whatever happens
 * @on_event: the receiver
 * @data: its second argument
 *
 * Return: 0 or what @on_event returned.
 */
int deliver_report(struct report *report, hl_on_event on_event, void *data);

/**
 * delivery_start() - deliver from a thread of its own, while the caller goes on reading
 * @delivery: result, to be ended with delivery_stop()
 * @on_event: called by that thread, in the order of the reports
 * @data: its second argument
 * @err: message
 *
 * Return: 0 or -errno.
 */
int delivery_start(struct delivery **delivery, hl_on_event on_event, void *data, struct hl_error *err);

/**
 * delivery_exchange() - give a complete report, get an empty one
 * @delivery: the thread; waited for when it lags far behind
 * @report: allocated with malloc(); replaced by another one, which is the caller's now
 *
 * Return: 0 or what the receiver returned for an earlier report; from then on it is given no more.
 */
int delivery_exchange(struct delivery *delivery, struct report **report);

/** delivery_hurry() - what was given so far may be all for a while: deliver it now */
void delivery_hurry(struct delivery *delivery);

/** delivery_stop() - wait until all is delivered and end the thread. Return: as delivery_exchange(). */
int delivery_stop(struct delivery *delivery);

#endif
