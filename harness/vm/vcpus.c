// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/vcpus.h"

/* The stub's name of the chardev; see qemu.c. */
#define ATTACH "gdbserver chardev:gdb"

static int attach(struct vm *vm, int timeout_ms, struct hl_error *err)
{
	int r, fd = vm->gdb_fd;

	if (vm->gdb)
		return 0;
	if (fd < 0)
		return hl_error_set(err, ENOTSUP, "this VM was started without a gdb stub");
	r = qmp_execute(vm->qmp, "human-monitor-command", json_pack("{s:s}", "command-line", ATTACH), NULL,
			err);
	if (r)
		return r;
	vm->gdb_fd = -1;
	return gdb_open(&vm->gdb, fd, timeout_ms, err);
}

/* However it came to stand still, the stub's report of that is taken. */
static int halt(struct vm *vm, struct hl_error *err)
{
	int r = qmp_execute(vm->qmp, "stop", NULL, NULL, err);

	return r || !vm->gdb ? r : gdb_await_stop(vm->gdb, err);
}

int vcpus_hold(struct vm *vm, uint64_t held, int timeout_ms, struct hl_error *err)
{
	int r = halt(vm, err);

	if (!r)
		r = attach(vm, timeout_ms, err);
	if (!r)
		vm->held = held;
	return r;
}

int vcpus_read_registers(struct vm *vm, struct vcpu_registers *all, struct hl_error *err)
{
	int r = halt(vm, err);

	for (int cpu = 0; !r && cpu < vm->cpus; cpu++)
		r = gdb_read_registers(vm->gdb, cpu, &all[cpu], err);
	return r;
}
