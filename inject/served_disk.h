/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_SERVED_DISK_H
#define HANGLAB_INJECT_SERVED_DISK_H

#include "inject/disk.h"
#include "inject/inject.h"

/*
 * What all injectors have in common that act on the server behind a disk: their parameters begin with struct
 * disk_parameter, and the proof comes from inside the guest.
 */

/** A table with nothing but DISK_PARAMETER. */
extern const struct parameter served_disk_parameters[];

/** What an injector can break, for disk_vias: any disk with a server; those on nbdkit; those whose client is
 * QEMU; those on tgt */
extern const char *const served_disk_vias[],
	*const served_disk_nbdkit_vias[], *const served_disk_qemu_vias[], *const served_disk_iscsi_vias[];

/** served_disk_stalled() - guest_confirm(): the disk does not answer */
int served_disk_stalled(struct injection *injection, struct hl_error *err);

/** served_disk_moves() - guest_confirm_released(): the disk answers */
int served_disk_moves(struct injection *injection, struct hl_error *err);

/** served_disk_lost() - guest_confirm(): the disk has lost a request */
int served_disk_lost(struct injection *injection, struct hl_error *err);

/** served_disk_fails() - guest_confirm(): the disk answers with errors */
int served_disk_fails(struct injection *injection, struct hl_error *err);

#endif
