// SPDX-License-Identifier: GPL-2.0-or-later
#include "iscsi_tasks.h"

#include <stdlib.h>

/* open-iscsi accepts a node.session.cmds_max of 2 to 2048; its default is 128. */
#define MOST_TASKS 4096

void iscsi_tasks_free(struct iscsi_tasks *tasks)
{
	free(tasks->list);
	*tasks = (struct iscsi_tasks){0};
}

static struct iscsi_task *find_task(const struct iscsi_tasks *tasks, uint32_t tag)
{
	for (size_t i = 0; i < tasks->count; i++)
		if (tasks->list[i].tag == tag)
			return &tasks->list[i];
	return NULL;
}

static bool make_room(struct iscsi_tasks *tasks)
{
	size_t room = tasks->room ? 2 * tasks->room : 64;
	struct iscsi_task *larger;

	if (tasks->count < tasks->room)
		return true;
	if (room > MOST_TASKS)
		return false;
	larger = realloc(tasks->list, room * sizeof(*larger));
	if (!larger)
		return false;
	tasks->list = larger;
	tasks->room = room;
	return true;
}

static void add_task(struct iscsi_tasks *tasks, uint32_t tag, uint16_t lun)
{
	struct iscsi_task *task = find_task(tasks, tag);

	if (task)
		task->lun = lun;
	else if (make_room(tasks))
		tasks->list[tasks->count++] = (struct iscsi_task){tag, lun};
}

static int task_lun(const struct iscsi_tasks *tasks, uint32_t tag)
{
	const struct iscsi_task *task = find_task(tasks, tag);

	return task ? task->lun : ISCSI_LUN_UNKNOWN;
}

static void remove_task(struct iscsi_tasks *tasks, uint32_t tag)
{
	struct iscsi_task *task = find_task(tasks, tag);

	if (task)
		*task = tasks->list[--tasks->count];
}

int iscsi_tasks_see(struct iscsi_tasks *tasks, const uint8_t *header)
{
	enum iscsi_opcode opcode = iscsi_opcode(header);
	uint32_t tag = iscsi_task_tag(header);
	int lun;

	if (opcode == ISCSI_SCSI_COMMAND) {
		add_task(tasks, tag, iscsi_lun(header));
		return iscsi_lun(header);
	}
	if (opcode != ISCSI_DATA_OUT && opcode != ISCSI_DATA_IN && opcode != ISCSI_SCSI_RESPONSE)
		return ISCSI_LUN_UNKNOWN;
	lun = task_lun(tasks, tag);
	if (opcode == ISCSI_SCSI_RESPONSE || (opcode == ISCSI_DATA_IN && iscsi_carries_status(header)))
		remove_task(tasks, tag);
	return lun;
}
