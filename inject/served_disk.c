// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/served_disk.h"

#include "inject/evidence.h"

const struct parameter served_disk_parameters[] = {
	DISK_PARAMETER,
	{.name = NULL},
};

const char *const served_disk_vias[] = {"nbd", "nvme", "virtio_scsi", "guest_nbd", "iscsi", NULL};
const char *const served_disk_nbdkit_vias[] = {"nbd", "nvme", "virtio_scsi", "guest_nbd", NULL};
const char *const served_disk_iscsi_vias[] = {"iscsi", NULL};
const char *const served_disk_qemu_vias[] = {"nbd", "nvme", "virtio_scsi", NULL};

static const char *disk_of(const struct injection *injection)
{
	return ((const struct disk_parameter *)injection->parameters)->disk;
}

int served_disk_stalled(struct injection *injection, struct hl_error *err)
{
	return evidence_stalled(disk_of(injection), injection, err);
}

int served_disk_moves(struct injection *injection, struct hl_error *err)
{
	return evidence_moves(disk_of(injection), injection, err);
}

int served_disk_lost(struct injection *injection, struct hl_error *err)
{
	return evidence_lost(disk_of(injection), injection, err);
}

int served_disk_fails(struct injection *injection, struct hl_error *err)
{
	return evidence_fails(disk_of(injection), injection, err);
}
