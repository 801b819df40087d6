/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_INJECT_H
#define HANGLAB_INJECT_INJECT_H

#include "base/error.h"
#include "base/parameter.h"

#include <sys/types.h>

/*
 * An injector breaks one thing in the lab VM, proves that it is broken, mends it, and proves that it
 * is mended. Each lives in one file, inject/NAME.c, with its descriptor at the bottom, and has one
 * line in list.def.
 *
 * INJECTOR_GUEST: all four steps run in one child of the guest program, inside the VM.
 * INJECTOR_HOST: the guest says when, the steps run in hanglab; in virtual time the VM stands still
 * meanwhile. They may act on that VM and its servers only, through struct
 * injection_vm. Such an injector may also have two steps in the guest, guest_confirm() and
 * guest_confirm_released(), because what a stalled server does to a disk is seen best from there.
 */

/**
 * struct needs - what must be there before something can run; checked before the VM boots
 * @config: NULL-terminated CONFIG_ names without the prefix that must be y or m, or NULL
 * @modules: NULL-terminated kernel modules that are loaded when they are not built in, or NULL; "-NAME" for
 *	one that may be missing and may fail to load
 * @tools: NULL-terminated host programs that are copied into the guest, or NULL
 * @real_clock: it cannot work in virtual time
 * @vm_features: what the VM itself must have: enum vm_feature, ored
 */
struct needs {
	const char *const *config, *const *modules, *const *tools;
	bool real_clock;
	unsigned int vm_features;
};

/**
 * enum vm_feature - what only some VMs have
 * @VM_MEMORY_ACCESS: hanglab can reach guest-physical addresses (struct injection_vm, memory_read ...)
 * @VM_ERROR_SOURCES: an ACPI table of hardware error sources (inject/hest.h)
 * @VM_ROOT_PORT: a PCIe root port, "port0" to QEMU, at 0000:00:03.0
 * @VM_NETWORK: a virtio network card, "card0" to QEMU, on a network without anybody else
 * @VM_WATCHDOG: an Intel 6300ESB watchdog timer
 * @VM_BALLOON: a virtio balloon
 * @VM_GDB: hanglab can hold single vCPUs and read their registers (struct injection_vm, vcpu_hold ...)
 * @VM_RAM: hanglab can reach the guest's memory without the emulator's help (struct injection_vm, ram_read
 *...): every VM has this, and in Bochs it is all there is
 * @VM_CPU_SHARE: hanglab can limit the CPU time of its vCPUs (struct injection_vm, cpu_share)
 * @VM_TRACE: hanglab can stop the host threads of its vCPUs (struct injection_vm, thread_hold)
 */
enum vm_feature {
	VM_MEMORY_ACCESS = 1 << 0,
	VM_ERROR_SOURCES = 1 << 1,
	VM_ROOT_PORT = 1 << 2,
	VM_NETWORK = 1 << 3,
	VM_WATCHDOG = 1 << 4,
	VM_BALLOON = 1 << 5,
	VM_GDB = 1 << 6,
	VM_RAM = 1 << 7,
	VM_CPU_SHARE = 1 << 8,
	VM_TRACE = 1 << 9,
};

#define VCPU_GENERAL_REGISTERS 16

/** struct vcpu_registers - of an x86-64 vCPU: rax, rbx, rcx ... in gdb's order, and the program counter */
struct vcpu_registers {
	uint64_t general[VCPU_GENERAL_REGISTERS], rip;
};

enum injector_side { INJECTOR_GUEST, INJECTOR_HOST };

struct proxy_status;

/**
 * struct injection_vm - what a host-side injector may do to the VM it was given and to its servers
 * @qmp: execute a QMP command; @arguments is consumed; @answer may be NULL, else a new reference
 * @server_pid: process of the server behind a disk, or a negative errno
 * @server_control: path of the control socket of the server (nbdkit), or NULL when it has none
 * @proxy_set: switch a fault of the proxy in front of a disk's server on or off (inject/proxy/faults.def);
 *	@value as for proxy_enable()
 * @proxy_status: what that proxy does
 * @memory_read: read guest-physical addresses, of memory and of devices' registers (VM_MEMORY_ACCESS)
 * @memory_write: the same for writing
 * @ram_next: the next piece of memory that the guest has touched, see harness/vm/ram.h (VM_RAM)
 * @ram_read, @ram_write: a few bytes of it
 * @console: what the guest's serial console said from byte @from on: newly allocated, or NULL
 * @event: the last QMP event of this name that came from the VM, whole and borrowed, or NULL
 * @cpu_share: limit the vCPUs to @percent of one host CPU together, 0 for no limit (VM_CPU_SHARE)
 * @cpu_throttled: in how many periods they had to wait since the first limit
 * @memory: bytes of the guest's memory
 * @vcpu_count: how many vCPUs the VM has
 * @vcpu_hold: these vCPUs, a bit set, stand still or run from now on; the others stay as they are (VM_GDB)
 * @vcpu_registers: of every vCPU, into @vcpu_count entries; after vcpu_hold() (VM_GDB)
 * @thread_hold: as vcpu_hold, by stopping their host threads (VM_TRACE)
 * @threads: the host thread of every vCPU, into @vcpu_count entries
 * @process: the QEMU process
 * @vm: first argument of the functions
 */
struct injection_vm {
	int (*qmp)(void *vm, const char *command, json_t *arguments, json_t **answer, struct hl_error *err);
	pid_t (*server_pid)(void *vm, const char *disk, struct hl_error *err);
	const char *(*server_control)(void *vm, const char *disk, struct hl_error *err);
	int (*proxy_set)(void *vm, const char *disk, const char *fault, bool on, int64_t value,
			 struct hl_error *err);
	int (*proxy_status)(void *vm, const char *disk, struct proxy_status *status, struct hl_error *err);
	int (*memory_read)(void *vm, uint64_t address, void *data, size_t size, struct hl_error *err);
	int (*memory_write)(void *vm, uint64_t address, const void *data, size_t size, struct hl_error *err);
	int (*ram_next)(void *vm, uint64_t *address, void *data, size_t size, size_t *got,
			struct hl_error *err);
	int (*ram_read)(void *vm, uint64_t address, void *data, size_t size, struct hl_error *err);
	int (*ram_write)(void *vm, uint64_t address, const void *data, size_t size, struct hl_error *err);
	char *(*console)(void *vm, size_t from, struct hl_error *err);
	const json_t *(*event)(void *vm, const char *name);
	int (*cpu_share)(void *vm, int percent, struct hl_error *err);
	int (*cpu_throttled)(void *vm, int64_t *periods, struct hl_error *err);
	uint64_t memory;
	size_t vcpu_count;
	int (*vcpu_hold)(void *vm, uint64_t cpus, bool hold, struct hl_error *err);
	int (*vcpu_registers)(void *vm, struct vcpu_registers *all, struct hl_error *err);
	int (*thread_hold)(void *vm, uint64_t cpus, bool hold, struct hl_error *err);
	int (*threads)(void *vm, pid_t *all, struct hl_error *err);
	pid_t (*process)(void *vm);
	void *vm;
};

/**
 * struct injection - one use of an injector in a run
 * @parameters: the struct that the injector's table describes
 * @state: zeroed memory of state_size bytes, kept from inject() to confirm_released()
 * @vm: for INJECTOR_HOST, else NULL
 * @console_from: for INJECTOR_HOST: how much the serial console had said before inject()
 * @evidence: what confirm() or confirm_released() saw, in words; goes into the result
 */
struct injection {
	const void *parameters;
	void *state;
	const struct injection_vm *vm;
	size_t console_from;
	char evidence[512];
};

/**
 * struct injector - descriptor
 * @name: what scenarios call it
 * @summary: one line
 * @help: a paragraph: what it does, what confirms it, what it needs
 * @side: where its steps run
 * @disk_vias, @disk_layers: NULL-terminated names: the "via" and the "layer" that the disk named by its
 *parameter "disk" must have; NULL for any
 * @proved_later: INJECTOR_HOST only: what proves it comes after the guest goes on, so confirm() is called
 *	when the fault is to be released or when the guest has ended, whichever comes first
 * @check: what the table of parameters cannot say: are they all right together? 0 or -EINVAL; or NULL
 * @stops_vm: while it is injected the guest cannot run, so hanglab itself times the release by the wall clock
 * @holds_vcpus: the vCPUs of its parameter "cpus" stand still while it is injected: the guest program keeps
 *	off them
 * @inexact: although it runs in the guest alone, runs of one seed were seen to differ by some milliseconds
 * @guest_clock_goes_on: with @stops_vm: the guest's clock does not stop with it
 * @confirm_after: INJECTOR_HOST only: nanoseconds of guest time that the VM must run between inject() and
 *	confirm(); the guest then asks for the latter as well. 0: confirm() follows at once.
 * @parameters: table of what may stand under "with:"
 * @parameters_size: of the struct that the table describes
 * @state_size: of struct injection's state
 * @needs: see there
 * @further_needs: what it needs besides with these parameters, or NULL for nothing; or NULL
 * @inject: break it. 0 or -errno.
 * @confirm: prove from evidence other than inject()'s own return value that it is broken. 0 or -errno.
 * @release: mend it
 * @confirm_released: prove that it is mended; NULL when guest_confirm_released() alone can. One that leaves
 *	no evidence has proved nothing, and leaves it to that as well.
 * @guest_prepare: INJECTOR_HOST only: in the guest program, before the host is asked: refuse a guest in which
 *	the fault would prove nothing. It must not block. 0 or -errno; or NULL
 * @guest_confirm, @guest_confirm_released: INJECTOR_HOST only: further proof from inside the guest, in a
 *	child there, after the VM goes on; or NULL
 */
struct injector {
	const char *name, *summary, *help;
	enum injector_side side;
	bool stops_vm, proved_later, guest_clock_goes_on, holds_vcpus, inexact;
	int64_t confirm_after;
	const char *const *disk_vias, *const *disk_layers;
	const struct parameter *parameters;
	size_t parameters_size, state_size;
	struct needs needs;
	const struct needs *(*further_needs)(const void *parameters);
	int (*check)(const void *parameters, struct hl_error *err);
	int (*inject)(struct injection *injection, struct hl_error *err);
	int (*confirm)(struct injection *injection, struct hl_error *err);
	int (*release)(struct injection *injection, struct hl_error *err);
	int (*confirm_released)(struct injection *injection, struct hl_error *err);
	int (*guest_prepare)(struct hl_error *err);
	int (*guest_confirm)(struct injection *injection, struct hl_error *err);
	int (*guest_confirm_released)(struct injection *injection, struct hl_error *err);
};

/** injector_find() - the injector called @name, or NULL */
const struct injector *injector_find(const char *name);

/** injector_list() - all injectors, NULL-terminated, sorted by name */
const struct injector *const *injector_list(void);

#endif
