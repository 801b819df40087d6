// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/vm.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "vm/bochs.h"
#include "vm/snapshot.h"
#include "vm/vcpu_threads.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* QEMU explains itself on standard error: that beats "closed the connection". */
static void add_output(const char *log, struct hl_error *err)
{
	cleanup_free char *text = NULL;
	size_t size;

	if (!err || file_read(log, &text, &size, NULL) || !size)
		return;
	while (size && text[size - 1] == '\n')
		text[--size] = '\0';
	hl_error_set(err, err->code, "QEMU did not start: %s", text + (size > 800 ? size - 800 : 0));
}

uint64_t vm_memory_size(const struct plan *plan)
{
	return plan->vm->memory >> 20 << 20;
}

/* Costs no disk, and is gone with hanglab. */
static int create_memory(struct vm *vm, const struct qemu_request *request, struct hl_error *err)
{
	vm->memory = memfd_create("hanglab-guest-memory", MFD_CLOEXEC);
	if (vm->memory < 0 || ftruncate(vm->memory, (off_t)vm_memory_size(request->plan)))
		return hl_error_errno(err, errno, "make the guest's memory");
	return 0;
}

/* A socket for us and one that QEMU inherits. */
static int connect_both(int *ours, int *theirs, struct hl_error *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return hl_error_errno(err, errno, "make a connection to QEMU");
	*ours = pair[0];
	*theirs = pair[1];
	return 0;
}

static int open_qtest(struct vm *vm, int *ours, int timeout_ms, struct hl_error *err)
{
	return *ours < 0 ? 0 : qtest_open(&vm->qtest, take_fd(ours), timeout_ms, err);
}

/* Its debugger reads commands from its standard input, and must not come to its end. */
static int start_bochs(struct vm *vm, const struct qemu_request *request, struct arena *arena,
		       const char *const **command, struct hl_error *err)
{
	cleanup_free char *log_path = file_path("%s/bochs-output.log", request->run_folder);
	cleanup_fd int log = open(log_path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
	cleanup_fd int theirs = -1;
	int ends[2], r;

	if (log < 0)
		return hl_error_errno(err, errno, "create %s", log_path);
	if (pipe2(ends, O_CLOEXEC))
		return hl_error_errno(err, errno, "make the standard input of Bochs");
	theirs = ends[0];
	vm->input = ends[1];
	r = bochs_command(request, arena, command, err);
	/* No window: SDL, of which Bochs is a user. */
	setenv("SDL_VIDEODRIVER", "dummy", 1);
	return r ? r
		 : process_start(&vm->process, *command, &(struct process_files){theirs, log, log, NULL, 0},
				 err);
}

int vm_find_ram(struct vm *vm, const struct plan *plan, struct hl_error *err)
{
	if (vm->ram.file >= 0)
		return 0;
	if (plan->vm->machine == PLAN_MACHINE_BOCHS)
		return ram_find_in_bochs(&vm->ram, vm->process.pid, plan->vm->memory, err);
	vm->ram.file = dup(vm->memory);
	return vm->ram.file < 0 ? hl_error_errno(err, errno, "open the memory of the VM") : 0;
}

static int start_qemu(struct vm *vm, struct qemu_request *request, struct arena *arena,
		      const char *const **command, int timeout_ms, qmp_on_event on_event, void *data,
		      struct hl_error *err)
{
	cleanup_free char *log_path = file_path("%s/qemu.log", request->run_folder);
	cleanup_fd int log = open(log_path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
	cleanup_fd int ours = -1, theirs = -1, qtest_ours = -1, qtest_theirs = -1, gdb_theirs = -1,
		       shell_theirs = -1;
	int inherited[6];
	struct process_files files = {-1, log, log, inherited, 2};
	const char *const *arguments;
	int r;

	if (log < 0)
		return hl_error_errno(err, errno, "create %s", log_path);
	r = connect_both(&ours, &theirs, err);
	if (!r && request->features & VM_MEMORY_ACCESS)
		r = connect_both(&qtest_ours, &qtest_theirs, err);
	if (!r && request->features & VM_GDB)
		r = connect_both(&vm->gdb_fd, &gdb_theirs, err);
	if (!r && request->plan->interactive)
		r = connect_both(&vm->shell_fd, &shell_theirs, err);
	if (!r)
		r = create_memory(vm, request, err);
	if (r)
		return r;
	vm->cpus = request->plan->vm->cpus;
	request->qmp_fd = inherited[0] = theirs;
	request->memory_fd = inherited[1] = vm->memory;
	request->qtest_fd = qtest_theirs;
	if (qtest_theirs >= 0)
		inherited[files.keep_count++] = qtest_theirs;
	if (request->folder_fd >= 0)
		inherited[files.keep_count++] = request->folder_fd;
	request->gdb_fd = gdb_theirs;
	if (gdb_theirs >= 0)
		inherited[files.keep_count++] = gdb_theirs;
	request->shell_fd = shell_theirs;
	if (shell_theirs >= 0)
		inherited[files.keep_count++] = shell_theirs;
	arguments = qemu_command(request, arena);
	if (command)
		*command = arguments;
	r = process_start(&vm->process, arguments, &files, err);
	if (r)
		return r;
	close(take_fd(&theirs));
	r = open_qtest(vm, &qtest_ours, timeout_ms, err);
	if (r) {
		process_kill(&vm->process);
		return r;
	}
	r = qmp_open(&vm->qmp, take_fd(&ours), timeout_ms, on_event, data, err);
	if (r) {
		process_kill(&vm->process);
		add_output(log_path, err);
	} else if (request->snapshot) {
		r = snapshot_load(vm, request, err);
	}
	return r;
}

int vm_start(struct vm *vm, struct qemu_request *request, struct arena *arena, const char *const **command,
	     int timeout_ms, qmp_on_event on_event, void *data, struct hl_error *err)
{
	if (request->plan->vm->machine == PLAN_MACHINE_BOCHS)
		return start_bochs(vm, request, arena, command, err);
	return start_qemu(vm, request, arena, command, timeout_ms, on_event, data, err);
}

int vm_continue(struct vm *vm, struct hl_error *err)
{
	return vm->gdb ? gdb_continue(vm->gdb, vm->cpus, vm->held, err)
		       : qmp_execute(vm->qmp, "cont", NULL, NULL, err);
}

void vm_end(struct vm *vm)
{
	vcpu_threads_let_go(vm, UINT64_MAX);
	gdb_close(vm->gdb);
	vm->gdb = NULL;
	if (vm->shell_fd >= 0)
		close(take_fd(&vm->shell_fd));
	if (vm->gdb_fd >= 0)
		close(take_fd(&vm->gdb_fd));
	qmp_close(vm->qmp);
	vm->qmp = NULL;
	qtest_close(vm->qtest);
	vm->qtest = NULL;
	process_kill(&vm->process);
	ram_close(&vm->ram);
	if (vm->input >= 0)
		close(take_fd(&vm->input));
	cpu_share_end(&vm->cpu_share);
	if (vm->memory >= 0)
		close(vm->memory);
	vm->memory = -1;
}
