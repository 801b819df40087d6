/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_SERVED_DISK_H
#define HANGLAB_INJECT_SERVED_DISK_H

#include "inject/inject.h"

/*
 * What all injectors have in common that act on the server behind a disk: the parameter that names the disk,
 * and the proof from inside the guest.
 */

/** struct served_disk - parameters of such an injector; further ones follow in a struct of its own */
struct served_disk {
	const char *disk;
};

/** The entry of a parameter table for struct served_disk. */
#define SERVED_DISK_PARAMETER                                                                                \
	{                                                                                                    \
		.name = "disk", .type = PARAMETER_STRING, .offset = offsetof(struct served_disk, disk),      \
		.required = true, .help = "name of a disk with a server (via: nbd, nvme, iscsi)"             \
	}

/** A table with nothing but that entry. */
extern const struct parameter served_disk_parameters[];

/** served_disk_stalled() - guest_confirm(): the disk does not answer */
int served_disk_stalled(struct injection *injection, struct hl_error *err);

/** served_disk_moves() - guest_confirm_released(): the disk answers */
int served_disk_moves(struct injection *injection, struct hl_error *err);

/** served_disk_fails() - guest_confirm(): the disk answers with errors */
int served_disk_fails(struct injection *injection, struct hl_error *err);

#endif
