// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who waits for what. Every sleeping lock of the kernel queues a waiter that lies on the sleeper's stack and
 * names the sleeper; its list leads to the lock. So nothing is guessed from function names or registers:
 * a candidate on the stack counts when the list's neighbours point back at it.
 */
#include "postmortem/locks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACK_SIZE   16384
#define WORD	     sizeof(uint64_t)
/* Longest queue that is followed. */
#define MOST_WAITERS 100000
#define MOST_MOUNTS  10000

enum { MUTEX, SEMAPHORE, RW_SEMAPHORE, KINDS };

/**
 * struct queue - a kind of lock whose waiters carry a list and a task pointer
 * @function: part of the names of the functions that wait for it: waiters of different kinds look alike
 */
struct queue {
	const char *kind, *function;
	struct field list, task;
	struct field wait_list, owner;
};

/** struct locks - layouts, looked up once */
struct locks {
	const struct mapping *mapping;
	const struct symbols *symbols;
	const struct types *types;
	const struct task_list *tasks;
	struct queue queues[KINDS];
	struct field blocker;
	struct field entry_private, entry_function, entry_list, head_list, percpu_waiters;
	struct field page_folio, page_bit, page_wait, bit_flags, bit_wait;
	struct field folio_mapping, mapping_host, inode_sb, inode_number, inode_rwsem;
	struct field sb_list, sb_id, sb_type, sb_semaphores, sb_frozen, sb_umount, type_name;
	struct field buffer_state, buffer_device, buffer_block, device_disk, disk_name, mm_lock;
	uint64_t percpu_wake, page_wake, bit_wake;
};

static struct queue find_queue(const struct types *types, const char *kind, const char *waiter,
			       const char *function)
{
	return (struct queue){
		.kind = kind,
		.function = function,
		.list = types_field(types, waiter, "list"),
		.task = types_field(types, waiter, "task"),
		.wait_list = types_field(types, kind, "wait_list"),
		.owner = types_field(types, kind, "owner"),
	};
}

struct locks *locks_open(const struct mapping *mapping, const struct symbols *symbols,
			 const struct types *types, const struct task_list *tasks)
{
	struct locks *locks = malloc(sizeof(*locks));

	if (!locks)
		abort();
	*locks = (struct locks){
		.mapping = mapping,
		.symbols = symbols,
		.types = types,
		.tasks = tasks,
		.queues = {[MUTEX] = find_queue(types, "mutex", "mutex_waiter", "mutex_lock"),
			   [SEMAPHORE] = find_queue(types, "semaphore", "semaphore_waiter", "__down"),
			   [RW_SEMAPHORE] = find_queue(types, "rw_semaphore", "rwsem_waiter", "rwsem_down")},
		.blocker = types_field(types, "task_struct", "blocker"),
		.entry_private = types_field(types, "wait_queue_entry", "private"),
		.entry_function = types_field(types, "wait_queue_entry", "func"),
		.entry_list = types_field(types, "wait_queue_entry", "entry"),
		.head_list = types_field(types, "wait_queue_head", "head"),
		.percpu_waiters = types_field(types, "percpu_rw_semaphore", "waiters"),
		.page_folio = types_field(types, "wait_page_queue", "folio"),
		.page_bit = types_field(types, "wait_page_queue", "bit_nr"),
		.page_wait = types_field(types, "wait_page_queue", "wait"),
		.bit_flags = types_field(types, "wait_bit_queue_entry", "key.flags"),
		.bit_wait = types_field(types, "wait_bit_queue_entry", "wq_entry"),
		.folio_mapping = types_field(types, "folio", "mapping"),
		.mapping_host = types_field(types, "address_space", "host"),
		.inode_sb = types_field(types, "inode", "i_sb"),
		.inode_number = types_field(types, "inode", "i_ino"),
		.inode_rwsem = types_field(types, "inode", "i_rwsem"),
		.sb_list = types_field(types, "super_block", "s_list"),
		.sb_id = types_field(types, "super_block", "s_id"),
		.sb_type = types_field(types, "super_block", "s_type"),
		.sb_semaphores = types_field(types, "super_block", "s_writers.rw_sem"),
		.sb_frozen = types_field(types, "super_block", "s_writers.frozen"),
		.sb_umount = types_field(types, "super_block", "s_umount"),
		.type_name = types_field(types, "file_system_type", "name"),
		.buffer_state = types_field(types, "buffer_head", "b_state"),
		.buffer_device = types_field(types, "buffer_head", "b_bdev"),
		.buffer_block = types_field(types, "buffer_head", "b_blocknr"),
		.device_disk = types_field(types, "block_device", "bd_disk"),
		.disk_name = types_field(types, "gendisk", "disk_name"),
		.mm_lock = types_field(types, "mm_struct", "mmap_lock"),
		.percpu_wake = symbols_address(symbols, "percpu_rwsem_wake_function"),
		.page_wake = symbols_address(symbols, "wake_page_function"),
		.bit_wake = symbols_address(symbols, "wake_bit_function"),
	};
	return locks;
}

void locks_close(struct locks *locks)
{
	free(locks);
}

/* An element of a list whose neighbours know it. */
static bool is_linked(const struct locks *locks, uint64_t element)
{
	uint64_t next = mapping_pointer(locks->mapping, element);
	uint64_t previous = mapping_pointer(locks->mapping, element + WORD);

	return next && previous && next != element &&
	       mapping_pointer(locks->mapping, next + WORD) == element &&
	       mapping_pointer(locks->mapping, previous) == element;
}

/* --- naming what was found --- */

/* Walks the mounted file systems: those, and only those, are super blocks. */
static uint64_t find_super_block(const struct locks *locks, uint64_t address, struct field part)
{
	uint64_t head = symbols_address(locks->symbols, "super_blocks");
	uint64_t node = mapping_pointer(locks->mapping, head);

	for (int i = 0; head && locks->sb_list.size && node && node != head && i < MOST_MOUNTS; i++) {
		uint64_t begin = node - locks->sb_list.offset + part.offset;

		if (part.size && address >= begin && address < begin + part.size)
			return node - locks->sb_list.offset;
		node = mapping_pointer(locks->mapping, node);
	}
	return 0;
}

static bool is_super_block(const struct locks *locks, uint64_t address)
{
	struct field whole = {0, 1};

	return find_super_block(locks, address, whole) == address;
}

/* "ext4 on loop0" */
static void name_super_block(const struct locks *locks, uint64_t sb, char *text, size_t size)
{
	uint64_t type = field_read(locks->mapping, sb, locks->sb_type);
	char name[32], id[32];

	mapping_string(locks->mapping, field_read(locks->mapping, type, locks->type_name), name,
		       sizeof(name));
	mapping_string(locks->mapping, sb + locks->sb_id.offset, id, sizeof(id));
	snprintf(text, size, "%s on %s", name, id);
}

/* "inode 12 of ext4 on loop0". Return: false when it is no inode of a mounted file system. */
static bool name_inode(const struct locks *locks, uint64_t inode, char *text, size_t size)
{
	uint64_t sb = field_read(locks->mapping, inode, locks->inode_sb);
	char name[80];

	if (!sb || !is_super_block(locks, sb))
		return false;
	name_super_block(locks, sb, name, sizeof(name));
	snprintf(text, size, "inode %llu of %s",
		 (unsigned long long)field_read(locks->mapping, inode, locks->inode_number), name);
	return true;
}

static bool name_symbol(const struct locks *locks, uint64_t address, char *text, size_t size)
{
	for (size_t i = 0; i < locks->symbols->count; i++) {
		const struct symbol *symbol = &locks->symbols->list[i];

		if (symbol->address != address)
			continue;
		snprintf(text, size, "%s", locks->symbols->text + symbol->name);
		return true;
	}
	return false;
}

static bool name_mmap_lock(const struct locks *locks, uint64_t lock, char *text, size_t size)
{
	for (size_t i = 0; locks->mm_lock.size && i < locks->tasks->count; i++) {
		const struct task *task = &locks->tasks->list[i];

		if (!task->mm || task->mm + locks->mm_lock.offset != lock)
			continue;
		snprintf(text, size, "mmap_lock of %s:%d", task->comm, (int)task->pid);
		return true;
	}
	return false;
}

static void name_lock(const struct locks *locks, uint64_t lock, char *text, size_t size)
{
	uint64_t sb = find_super_block(locks, lock, locks->sb_umount);
	char name[128];

	if (name_symbol(locks, lock, text, size) || name_mmap_lock(locks, lock, text, size))
		return;
	if (sb) {
		name_super_block(locks, sb, name, sizeof(name));
		snprintf(text, size, "s_umount of %s", name);
	} else if (locks->inode_rwsem.size &&
		   name_inode(locks, lock - locks->inode_rwsem.offset, name, sizeof(name))) {
		snprintf(text, size, "i_rwsem of %s", name);
	} else {
		snprintf(text, size, "at 0x%llx", (unsigned long long)lock);
	}
}

/* --- mutexes and semaphores --- */

/* Elements of the queue name tasks; the one that does not is the head, within the lock. */
static uint64_t find_head(const struct locks *locks, const struct queue *queue, uint64_t element)
{
	for (int i = 0; i < MOST_WAITERS; i++) {
		uint64_t waiter = element - queue->list.offset;

		if (!tasks_find(locks->tasks, field_read(locks->mapping, waiter, queue->task)))
			return element;
		element = mapping_pointer(locks->mapping, element);
		if (!element)
			break;
	}
	return 0;
}

/* The owner word is the task with flags in its low bits (kernel/locking/mutex.c, rwsem.c); a semaphore has
 * none. */
static bool fill_owner(const struct locks *locks, const struct queue *queue, struct wait *wait)
{
	uint64_t owner = field_read(locks->mapping, wait->lock, queue->owner);

	wait->holder = tasks_find(locks->tasks, owner & ~7ULL);
	wait->readers = queue == &locks->queues[RW_SEMAPHORE] && owner & 1;
	return wait->holder || !(owner & ~7ULL);
}

/* Is the word at @at the task pointer of a waiter? */
static bool find_lock(const struct locks *locks, const struct queue *queue, uint64_t at, struct wait *wait)
{
	uint64_t waiter = at - queue->task.offset, head;

	if (!queue->task.size || !queue->wait_list.size || !is_linked(locks, waiter + queue->list.offset))
		return false;
	head = find_head(locks, queue, waiter + queue->list.offset);
	if (!head)
		return false;
	wait->lock = head - queue->wait_list.offset;
	wait->kind = queue->kind;
	if (!fill_owner(locks, queue, wait))
		return false;
	name_lock(locks, wait->lock, wait->what, sizeof(wait->what));
	return true;
}

/*
 * From 6.16 on a task itself says what it waits for, with the kind in the low two bits
 * (include/linux/hung_task.h; CONFIG_DETECT_HUNG_TASK_BLOCKER): readers and writers of a rw_semaphore are two
 * kinds.
 */
static bool find_blocker(const struct locks *locks, const struct task *task, struct wait *wait)
{
	static const int kinds[] = {MUTEX, SEMAPHORE, RW_SEMAPHORE, RW_SEMAPHORE};
	uint64_t blocker = field_read(locks->mapping, task->address, locks->blocker);
	const struct queue *queue = &locks->queues[kinds[blocker & 3]];

	wait->lock = blocker & ~3ULL;
	if (!wait->lock)
		return false;
	wait->kind = queue->kind;
	fill_owner(locks, queue, wait);
	name_lock(locks, wait->lock, wait->what, sizeof(wait->what));
	return true;
}

/* --- wait queues --- */

/* The head of the queue that a wait_queue_entry is in: elements of one lock have the same function. */
static uint64_t find_queue_head(const struct locks *locks, uint64_t entry)
{
	uint64_t element = entry + locks->entry_list.offset;
	uint64_t function = field_read(locks->mapping, entry, locks->entry_function);

	for (int i = 0; i < MOST_WAITERS; i++) {
		uint64_t candidate = element - locks->entry_list.offset;

		if (field_read(locks->mapping, candidate, locks->entry_function) != function)
			return element - locks->head_list.offset;
		element = mapping_pointer(locks->mapping, element);
		if (!element)
			break;
	}
	return 0;
}

static bool find_freeze(const struct locks *locks, uint64_t entry, struct wait *wait)
{
	static const char *const levels[] = {"writers", "page faults", "the file system's own transactions"};
	uint64_t head = find_queue_head(locks, entry), sb, index;
	char name[80];

	if (!head || !locks->percpu_waiters.size)
		return false;
	wait->lock = head - locks->percpu_waiters.offset;
	sb = find_super_block(locks, wait->lock, locks->sb_semaphores);
	if (!sb) {
		wait->kind = "percpu_rw_semaphore";
		name_lock(locks, wait->lock, wait->what, sizeof(wait->what));
		return true;
	}
	index = (wait->lock - sb - locks->sb_semaphores.offset) / (locks->sb_semaphores.size / 3 + 1);
	name_super_block(locks, sb, name, sizeof(name));
	wait->kind = "frozen file system";
	snprintf(wait->what, sizeof(wait->what), "%s, closed to %s (s_writers.frozen is %llu)", name,
		 levels[index < 3 ? index : 0],
		 (unsigned long long)field_read(locks->mapping, sb, locks->sb_frozen));
	return true;
}

static bool find_page(const struct locks *locks, uint64_t entry, struct wait *wait)
{
	uint64_t page = entry - locks->page_wait.offset;
	uint64_t folio = field_read(locks->mapping, page, locks->page_folio);
	uint64_t space = field_read(locks->mapping, folio, locks->folio_mapping) & ~3ULL;
	uint64_t inode = field_read(locks->mapping, space, locks->mapping_host);
	char name[160] = "";

	if (!locks->page_wait.size || !locks->page_folio.size)
		return false;
	wait->kind = "page";
	name_inode(locks, inode, name, sizeof(name));
	snprintf(wait->what, sizeof(wait->what), "bit %d of a page%s%s",
		 (int)field_read(locks->mapping, page, locks->page_bit), name[0] ? " of " : "", name);
	return true;
}

static bool find_buffer(const struct locks *locks, uint64_t entry, struct wait *wait)
{
	uint64_t flags = field_read(locks->mapping, entry - locks->bit_wait.offset, locks->bit_flags);
	uint64_t buffer = flags - locks->buffer_state.offset;
	uint64_t device = field_read(locks->mapping, buffer, locks->buffer_device);
	uint64_t disk = field_read(locks->mapping, device, locks->device_disk);
	char name[32];

	if (!flags || !disk || !locks->bit_wait.size || !locks->disk_name.size)
		return false;
	mapping_string(locks->mapping, disk + locks->disk_name.offset, name, sizeof(name));
	if (!name[0] || strchr(name, '?'))
		return false;
	wait->kind = "buffer";
	snprintf(wait->what, sizeof(wait->what), "block %llu of %s",
		 (unsigned long long)field_read(locks->mapping, buffer, locks->buffer_block), name);
	return true;
}

/* Is the word at @at the function of a wait_queue_entry of this task? */
static bool find_queued(const struct locks *locks, const struct task *task, uint64_t at, uint64_t value,
			struct wait *wait)
{
	uint64_t entry = at - locks->entry_function.offset;

	if (!value || !locks->entry_function.size ||
	    field_read(locks->mapping, entry, locks->entry_private) != task->address)
		return false;
	if (value == locks->percpu_wake)
		return find_freeze(locks, entry, wait);
	if (value == locks->page_wake)
		return find_page(locks, entry, wait);
	return value == locks->bit_wake && find_buffer(locks, entry, wait);
}

/* By the innermost of the functions that tell. */
static const struct queue *queue_of(const struct locks *locks, const struct frame *frames, size_t count)
{
	struct symbol_place place;

	for (size_t i = 0; i < count; i++) {
		if (!symbols_function_at(locks->symbols, frames[i].address - 1, &place))
			continue;
		for (size_t k = 0; k < sizeof(locks->queues) / sizeof(locks->queues[0]); k++)
			if (strstr(place.name, locks->queues[k].function))
				return &locks->queues[k];
	}
	return NULL;
}

struct wait locks_find(const struct locks *locks, const struct task *task, const struct frame *frames,
		       size_t count)
{
	const struct queue *queue = queue_of(locks, frames, count);
	uint64_t end = task->stack + STACK_SIZE;
	const struct wait nothing = {0};
	struct wait known = nothing;

	if (find_blocker(locks, task, &known))
		return known;
	if (!task->stack || task->sp < task->stack || task->sp >= end)
		return nothing;
	/* The innermost comes first: the stack grows downwards. */
	for (uint64_t at = task->sp & -WORD; at < end; at += WORD) {
		uint64_t value = mapping_pointer(locks->mapping, at);
		struct wait wait = {0};

		if (value == task->address && queue && find_lock(locks, queue, at, &wait))
			return wait;
		wait = nothing;
		if (find_queued(locks, task, at, value, &wait))
			return wait;
	}
	return nothing;
}
