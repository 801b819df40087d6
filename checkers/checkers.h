/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_H
#define HANGLAB_CHECKERS_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reading kernel logs: bytes go in, events come out.
 *
 *	hl_log_open() -> hl_log_feed()... -> hl_log_close()
 *
 * The library needs libc and jansson only; what needs more lives in files named *_host.c and is
 * plugged in through struct hl_log_options. Nothing here prints or exits.
 */

/* Every kind of event: name in C, name in JSON and scenarios, one line of help. */
#define HL_EVENT_KINDS(KIND)                                                                                 \
	KIND(HUNG_TASK, "hung_task", "a task blocked in D state for longer than the limit")                  \
	KIND(SOFT_LOCKUP, "soft_lockup", "a CPU did not schedule")                                           \
	KIND(HARD_LOCKUP, "hard_lockup", "a CPU did not take interrupts")                                    \
	KIND(RCU_STALL, "rcu_stall", "a grace period did not end")                                           \
	KIND(WORKQUEUE_LOCKUP, "workqueue_lockup", "a worker pool made no progress")                         \
	KIND(CSD_STALL, "csd_stall", "a CPU did not answer a function call")                                 \
	KIND(PANIC, "panic", "the kernel stopped")                                                           \
	KIND(OOPS, "oops", "a fault in kernel mode")                                                         \
	KIND(BUG, "bug", "a failed assertion of the kernel")                                                 \
	KIND(WARNING, "warning", "a warning with a stack")                                                   \
	KIND(LOCKDEP, "lockdep", "a locking rule was broken")                                                \
	KIND(SANITIZER, "sanitizer", "KASAN, KCSAN, KMSAN, KFENCE, UBSAN or kmemleak")                       \
	KIND(HARDWARE_ERROR, "hardware_error", "a machine check, GHES, AER or EDAC record")                  \
	KIND(EPT_MISCONFIG, "ept_misconfig", "KVM met a malformed second-level page table entry")            \
	KIND(ISCSI_ERROR, "iscsi_error", "an iSCSI connection failed")                                       \
	KIND(BLOCK_ERROR, "block_error", "a block device returned an error")                                 \
	KIND(BLOCK_TIMEOUT, "block_timeout", "a request timed out or its device was reset")                  \
	KIND(FS_ERROR, "fs_error", "a file system reported corruption or gave up")                           \
	KIND(HEARTBEAT_SLOW, "heartbeat_slow", "a cluster disk heartbeat took too long")                     \
	KIND(OOM, "oom", "the OOM killer was invoked")                                                       \
	KIND(RT_THROTTLED, "rt_throttled", "realtime tasks used up their bandwidth")                         \
	KIND(CLOCKSOURCE_UNSTABLE, "clocksource_unstable", "a clocksource was found to drift")               \
	KIND(CLOCK_WATCHDOG, "clock_watchdog", "a Windows guest stopped with a bugcheck")                    \
	KIND(HYPERVISOR_ERROR, "hypervisor_error", "libvirt, QEMU or KVM reported an error")                 \
	KIND(STALLED, "stalled", "no progress and no message (never found in a log)")                        \
	KIND(LIVELOCK, "livelock",                                                                           \
	     "a trigger runs in the kernel without end and without a message (never in a log)")

enum hl_event_kind {
#define HL_KIND_ENUM(symbol, name, help) HL_EVENT_##symbol,
	HL_EVENT_KINDS(HL_KIND_ENUM)
#undef HL_KIND_ENUM
		HL_EVENT_KIND_COUNT
};

/** hl_event_kind_name() - "soft_lockup" for HL_EVENT_SOFT_LOCKUP */
const char *hl_event_kind_name(enum hl_event_kind kind);

/** hl_event_kind_help() - one line that explains the kind */
const char *hl_event_kind_help(enum hl_event_kind kind);

/**
 * hl_event_kind_parse() - the kind with this name
 * @name: for instance "soft_lockup"
 * @kind: result, untouched on failure
 * @err: names the nearest known kind
 *
 * Return: 0 or -EINVAL.
 */
int hl_event_kind_parse(const char *name, enum hl_event_kind *kind, struct hl_error *err);

/**
 * struct hl_frame - one function of a stack, innermost first
 * @function: its name, without offset
 * @module: module it belongs to, or NULL
 * @file: source file, from the log or from symbols, or NULL
 * @file_line: line in @file, or 0
 * @address: return address where the log prints it, or 0
 * @offset: bytes from the start of the function
 * @size: bytes of the function, 0 when the log does not say
 * @reliable: false for what the kernel itself marks "?": found on the stack, perhaps left over
 * @inlined: known from symbols only
 */
struct hl_frame {
	const char *function;
	const char *module;
	const char *file;
	unsigned int file_line;
	uint64_t address;
	uint64_t offset;
	uint64_t size;
	bool reliable;
	bool inlined;
};

/**
 * struct hl_stack - the stack of one CPU or task
 * @cpu: CPU number, -1 when unknown
 * @pid: task, -1 when unknown
 * @comm: its name, or NULL
 * @frames: innermost first, or NULL
 * @count: number of @frames
 */
struct hl_stack {
	int cpu;
	long pid;
	const char *comm;
	struct hl_frame *frames;
	size_t count;
};

/**
 * struct hl_event - one thing that happened
 * @kind: what
 * @signature: id of the row of signatures.def that recognised it
 * @line: 1-based number of its first line in the input
 * @time: kernel time in seconds, NAN when unknown
 * @host_time: seconds since 1970 from a dated prefix, NAN when unknown
 * @seconds: how long it had lasted when reported, NAN when unknown
 * @title: what it is, without addresses, pids and other numbers: equal titles mean equal problems
 * @function: the function to blame, or NULL
 * @stack: the stack that was blamed; its cpu, comm and pid are those of the event
 * @others: further stacks of the same report (other CPUs, the lock holder)
 * @other_count: number of @others
 * @kernel: release, as "6.1.0-55-cloud-amd64", or NULL
 * @tainted: taint letters as printed, "" for "Not tainted", or NULL
 * @panics: the kernel panicked because of it
 * @fatal: the kernel could not continue normally afterwards
 * @corrupted: part of its text was cut or mixed with other output
 * @fields: JSON object with what is special to the kind, or NULL
 * @memory: owns the strings and arrays
 */
struct hl_event {
	enum hl_event_kind kind;
	const char *signature;
	uint64_t line;
	double time;
	double host_time;
	double seconds;
	const char *title;
	const char *function;
	struct hl_stack stack;
	struct hl_stack *others;
	size_t other_count;
	const char *kernel;
	const char *tainted;
	bool panics;
	bool fatal;
	bool corrupted;
	json_t *fields;
	struct hl_memory *memory;
};

/** hl_event_init() - make @event empty: everything unknown */
void hl_event_init(struct hl_event *event, enum hl_event_kind kind);

/**
 * hl_event_copy() - a copy that does not depend on @from
 * @to: uninitialised; hl_event_free() it
 * @from: what to copy
 *
 * Return: 0 or -ENOMEM, @to is then empty.
 */
int hl_event_copy(struct hl_event *to, const struct hl_event *from);

/** hl_event_free() - release what @event owns; it is empty afterwards */
void hl_event_free(struct hl_event *event);

/**
 * struct hl_text - growing text
 * @bytes: not NUL-terminated; free() it
 * @size: how much is in it
 * @room: how much is allocated
 * @failed: memory ran out; nothing more is added
 */
struct hl_text {
	char *bytes;
	size_t size, room;
	bool failed;
};

/**
 * hl_event_write_json() - append what hl_event_to_json() returns, as one line of text without its end
 *
 * Bytes that are no UTF-8 become U+FFFD.
 *
 * Return: 0 or -ENOMEM.
 */
int hl_event_write_json(const struct hl_event *event, struct hl_text *text);

/**
 * hl_event_to_json() - the event as documented for "hanglab scan"; unknown members are absent
 *
 * Return: a new reference, or NULL when out of memory.
 */
json_t *hl_event_to_json(const struct hl_event *event);

/**
 * hl_event_has_function() - is @function anywhere on the stacks of @event?
 * @event: the event
 * @function: exact name; compiler suffixes (".isra.0", ".cold") on the stack are ignored
 */
bool hl_event_has_function(const struct hl_event *event, const char *function);

/**
 * typedef hl_on_event - receives each event, in the order of their first lines
 * @event: valid during the call only, see hl_event_copy()
 * @data: the pointer given to hl_log_open()
 *
 * Return: 0, or a negative errno that ends hl_log_feed() or hl_log_flush() with this value.
 */
typedef int (*hl_on_event)(const struct hl_event *event, void *data);

/**
 * typedef hl_on_hit - a pre-filter found an anchor that ends just before @offset
 */
typedef void (*hl_on_hit)(size_t offset, void *data);

/**
 * struct hl_prefilter - finds quickly which parts of a buffer can hold an event at all
 * @scan: calls @on_hit for each anchor in @bytes in the order of their ends, at least once per line
 *	that holds anchors; returns 0 or -errno
 * @clone: another state for use in another thread at the same time; NULL when there can be only one
 * @release: end a state that @clone made
 * @state: first argument of @scan
 */
struct hl_prefilter {
	int (*scan)(void *state, const char *bytes, size_t size, hl_on_hit on_hit, void *data);
	void *(*clone)(const void *state);
	void (*release)(void *state);
	void *state;
};

/**
 * typedef hl_on_line - sees the text of every message, for readers that look for more than events
 * @text: without prefixes, NUL-terminated, valid during the call only
 * @number: 1-based number of the input line
 * @data: the pointer given to hl_log_open()
 */
typedef void (*hl_on_line)(const char *text, uint64_t number, void *data);

/**
 * struct hl_log_options - how to read; all zero is right for most
 * @prefilter: skips quiet parts of large logs; NULL reads every line
 * @on_line: called for each message that is read (not for what the pre-filter skips), or NULL
 * @kernel: release of the running kernel when the caller knows it, for events that do not name it
 */
struct hl_log_options {
	const struct hl_prefilter *prefilter;
	hl_on_line on_line;
	const char *kernel;
};

struct hl_log;

/**
 * hl_log_open() - start reading a log
 * @log: the new reader, to be ended with hl_log_close()
 * @options: copied, the strings and the pre-filter must outlive @log; NULL for the defaults
 * @on_event: receives the events
 * @data: second argument of @on_event
 * @err: message
 *
 * Return: 0 or -ENOMEM.
 */
int hl_log_open(struct hl_log **log, const struct hl_log_options *options, hl_on_event on_event, void *data,
		struct hl_error *err);

/**
 * hl_log_feed() - read more of the log, cut anywhere
 * @log: the reader
 * @bytes: raw bytes, need not end at a line
 * @size: how many
 * @err: message
 *
 * Memory use does not depend on how much is fed. Events are reported when their last line is known.
 *
 * Return: 0, what the callback returned, or -errno of the pre-filter, -ENOMEM.
 */
int hl_log_feed(struct hl_log *log, const char *bytes, size_t size, struct hl_error *err);

/**
 * hl_log_flush() - report what is pending as if the log ended here; the log stays open
 *
 * For live logs: call it when nothing has come for a while, the pending event is then complete.
 *
 * Return: as hl_log_feed().
 */
int hl_log_flush(struct hl_log *log, struct hl_error *err);

/** hl_log_lines() - how many lines were read so far */
uint64_t hl_log_lines(const struct hl_log *log);

/** hl_log_close() - end reading without reporting what is pending; accepts NULL */
void hl_log_close(struct hl_log *log);

#endif
