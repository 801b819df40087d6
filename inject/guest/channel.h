/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_GUEST_CHANNEL_H
#define HANGLAB_INJECT_GUEST_CHANNEL_H

#include "base/error.h"

#include <jansson.h>
#include <stdint.h>

/*
 * The way out of the guest: a port that ends in a file of the run directory. One line each:
 * 'K' and a record as read from /dev/kmsg, or a JSON object with "type", "ns" (CLOCK_MONOTONIC of the
 * guest) and "sequence" (0, 1, 2 ...: a gap means that something was lost). Nothing ever comes back.
 */

/** channel_open() - open the serial port where there is no port of QEMU's. Return: 0 or -errno. */
int channel_open(struct hl_error *err);

/** channel_send_record() - forward a record of /dev/kmsg, without its newline */
void channel_send_record(const char *record, size_t size);

/**
 * channel_send() - send a message
 * @type: what it is
 * @ns: guest time
 * @message: further members; the reference is consumed; NULL for none
 */
void channel_send(const char *type, int64_t ns, json_t *message);

/** channel_flush() - wait until all that was sent has left a serial port; other channels need no waiting */
void channel_flush(void);

#endif
