/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_EVIDENCE_H
#define HANGLAB_INJECT_EVIDENCE_H

#include "inject/disk.h"
#include "inject/inject.h"

/*
 * What a disk of the guest shows from the inside. To be called in a child in the guest: by injectors that
 * run there, and by guest_confirm() and guest_confirm_released() of those on the host's side.
 *
 * The probe is a direct read of the disk's last block through io_submit(2): it bypasses every cache, waits
 * for no writer, and its own wait is interruptible, so that no detector reports it.
 */

/**
 * evidence_stalled() - prove that a disk does not answer
 * @disk: its name
 *
 * A probe waits, and for a whole second no request of anybody's completes. Gives up after 20 seconds.
 *
 * Return: 0 with injection->evidence filled in; -ETIMEDOUT when the disk goes on answering; -errno.
 */
int evidence_stalled(const char *disk, struct injection *injection, struct hl_error *err);

/**
 * evidence_lost() - prove that a request got lost: for two seconds the driver has always had one in flight
 * @disk: its name
 *
 * Other requests may go on; a disk that works is idle between those of a workload that pauses. Gives up
 * after 20 seconds.
 *
 * Return: as evidence_stalled().
 */
int evidence_lost(const char *disk, struct injection *injection, struct hl_error *err);

/**
 * evidence_moves() - prove that a disk answers: a probe succeeds within 45 seconds
 *
 * Return: 0 with injection->evidence filled in; -ETIMEDOUT; -errno.
 */
int evidence_moves(const char *disk, struct injection *injection, struct hl_error *err);

/**
 * evidence_fails() - prove that a disk answers with errors: a probe ends with one within 20 seconds
 *
 * Return: 0 with injection->evidence filled in; -EIO when it succeeds; -ETIMEDOUT; -errno.
 */
int evidence_fails(const char *disk, struct injection *injection, struct hl_error *err);

/**
 * evidence_add() - append to injection->evidence, after "; " when there is something already
 */
void evidence_add(struct injection *injection, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * evidence_poll() - until when something must become true
 * @holds: 1 when it is true, 0 when not yet, or -errno
 * @data: for @holds
 * @limit: nanoseconds
 *
 * Return: 0, -ETIMEDOUT without a message, or what @holds returned.
 */
int evidence_poll(int (*holds)(void *data, struct hl_error *err), void *data, int64_t limit,
		  struct hl_error *err);

#endif
