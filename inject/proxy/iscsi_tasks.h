/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_PROXY_ISCSI_TASKS_H
#define HANGLAB_INJECT_PROXY_ISCSI_TASKS_H

#include "iscsi_pdu.h"

/*
 * Which logical unit a PDU belongs to. A SCSI Response has no LUN field and a Data-Out or Data-In PDU need
 * not fill it in (RFC 7143 sections 11.4, 11.7.4), so the LUN of each SCSI command is kept until its final
 * response.
 */

/** The LUN of a task is not known. */
#define ISCSI_LUN_UNKNOWN (-1)

/**
 * struct iscsi_tasks - the tasks of one connection; all zero is empty
 * @list: in no order
 * @count: how many
 * @room: allocated
 */
struct iscsi_tasks {
	struct iscsi_task {
		uint32_t tag;
		uint16_t lun;
	} * list;
	size_t count, room;
};

/** iscsi_tasks_free() - forget all */
void iscsi_tasks_free(struct iscsi_tasks *tasks);

/**
 * iscsi_tasks_see() - keep account of a PDU and tell its LUN
 * @header: of a PDU of either direction
 *
 * More tasks than any target accepts are not kept account of, so that a flood of commands costs no memory.
 *
 * Return: the LUN of a SCSI Command, SCSI Response, Data-Out or Data-In PDU; ISCSI_LUN_UNKNOWN for all
 * others.
 */
int iscsi_tasks_see(struct iscsi_tasks *tasks, const uint8_t *header);

#endif
