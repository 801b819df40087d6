// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nested-guest: the lab VM is a KVM host itself, and runs a guest of 24 bytes of real-mode code.
 *
 * In each round that guest increments a word in each of 80 pages, so that KVM's second-level page table
 * (EPT, NPT) is walked for all of them, and then leaves by an I/O instruction. After a KVM_RUN that failed
 * the guest is left alone, as QEMU leaves a guest paused after an internal error.
 */
#include "inject/nested_guest.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "inject/workload/workload.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

struct nested_guest {
	int64_t interval;
};

/* Real mode, from NESTED_GUEST_CODE; segments 0x2000 to 0x6f00 are the pages 0x20000 to 0x6f000. */
static const unsigned char code[] = {
	0xb8, 0x00, 0x20,	/* 00 mov ax, 0x2000 */
	0x8e, 0xd8,		/* 03 mov ds, ax */
	0xff, 0x06, 0x00, 0x00, /* 05 inc word [0] */
	0x05, 0x00, 0x01,	/* 09 add ax, 0x100 */
	0x3d, 0x00, 0x70,	/* 0c cmp ax, 0x7000 */
	0x75, 0xf2,		/* 0f jne 03 */
	0xe7, 0x10,		/* 11 out 0x10, ax */
	0xeb, 0xeb,		/* 13 jmp 00 */
};

/**
 * struct nested_vm - the inner guest
 * @kvm, @vm, @cpu: KVM's descriptors
 * @memory: its memory
 * @run: what KVM says about the last exit
 */
struct nested_vm {
	int kvm, vm, cpu;
	unsigned char *memory;
	struct kvm_run *run;
};

static void mark_page(struct nested_vm *nested, uint64_t address)
{
	struct nested_guest_mark mark = nested_guest_mark(address);

	memcpy(nested->memory + address + NESTED_GUEST_MARK, &mark, sizeof(mark));
}

/* Shared, so that no page of it is ever copied or merged. */
static int make_memory(struct nested_vm *nested, struct hl_error *err)
{
	struct kvm_userspace_memory_region region = {.memory_size = NESTED_GUEST_MEMORY};

	nested->memory =
		mmap(NULL, NESTED_GUEST_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (nested->memory == MAP_FAILED)
		return hl_error_errno(err, errno, "memory of the nested guest");
	memcpy(nested->memory + NESTED_GUEST_CODE, code, sizeof(code));
	mark_page(nested, NESTED_GUEST_CODE);
	for (uint64_t page = NESTED_GUEST_FIRST; page < NESTED_GUEST_END; page += NESTED_GUEST_PAGE)
		mark_page(nested, page);
	region.userspace_addr = (uintptr_t)nested->memory;
	if (ioctl(nested->vm, KVM_SET_USER_MEMORY_REGION, &region))
		return hl_error_errno(err, errno, "KVM_SET_USER_MEMORY_REGION");
	return 0;
}

/* Three pages that KVM on Intel needs for real mode (Documentation/virt/kvm/api.rst, 4.38). */
#define TSS_ADDRESS 0xfffbd000UL

static int make_cpu(struct nested_vm *nested, struct hl_error *err)
{
	struct kvm_regs registers = {.rip = NESTED_GUEST_CODE, .rflags = 2};
	struct kvm_sregs segments;
	int size = ioctl(nested->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	nested->cpu = ioctl(nested->vm, KVM_CREATE_VCPU, 0);
	if (nested->cpu < 0 || size < 0)
		return hl_error_errno(err, errno, "KVM_CREATE_VCPU");
	nested->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, nested->cpu, 0);
	if (nested->run == MAP_FAILED)
		return hl_error_errno(err, errno, "map struct kvm_run");
	if (ioctl(nested->cpu, KVM_GET_SREGS, &segments))
		return hl_error_errno(err, errno, "KVM_GET_SREGS");
	segments.cs.base = segments.cs.selector = 0;
	if (ioctl(nested->cpu, KVM_SET_SREGS, &segments) || ioctl(nested->cpu, KVM_SET_REGS, &registers))
		return hl_error_errno(err, errno, "registers of the nested guest");
	return 0;
}

/* What it opens is closed by the end of the workload's process. */
static int make_vm(struct nested_vm *nested, struct hl_error *err)
{
	int r;

	nested->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (nested->kvm < 0)
		return hl_error_errno(err, errno,
				      "open /dev/kvm (the lab VM's CPU must offer SVM with NPT, or VMX)");
	nested->vm = ioctl(nested->kvm, KVM_CREATE_VM, 0);
	if (nested->vm < 0)
		return hl_error_errno(err, errno, "KVM_CREATE_VM");
	if (ioctl(nested->vm, KVM_SET_TSS_ADDR, TSS_ADDRESS))
		return hl_error_errno(err, errno, "KVM_SET_TSS_ADDR");
	r = make_memory(nested, err);
	return r ? r : make_cpu(nested, err);
}

/* Runs until the guest's next I/O instruction. Return: 0, or -errno of KVM_RUN. */
static int run_round(const struct nested_vm *nested)
{
	while (ioctl(nested->cpu, KVM_RUN, 0))
		if (errno != EINTR)
			return -errno;
	return nested->run->exit_reason == KVM_EXIT_IO ? 0 : -EIO;
}

static int nested_guest_run(struct workload_run *run, struct hl_error *err)
{
	const struct nested_guest *parameters = run->parameters;
	uint64_t random = run->seed * 0x9e3779b97f4a7c15ULL | 1;
	struct nested_vm nested = {-1, -1, -1, NULL, NULL};
	int r = make_vm(&nested, err);

	if (r)
		return r;
	while (!atomic_load(&run->progress->stop)) {
		if (!atomic_load(&run->progress->errors)) {
			workload_begin(run->progress);
			workload_end(run->progress, run_round(&nested));
		}
		workload_pause(parameters->interval, &random);
	}
	return 0;
}

static const struct parameter nested_guest_parameters[] = {
	{.name = "interval",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct nested_guest, interval),
	 .fallback = "100ms",
	 .least = 1000,
	 .most = 3600 * NANOSECONDS_PER_SECOND,
	 .help = "mean pause between two rounds"},
	{.name = NULL},
};

/* One of the two drivers finds its CPU. */
static const char *const nested_guest_modules[] = {"kvm", "-kvm_amd", "-kvm_intel", NULL};

const struct workload workload_nested_guest = {
	.name = "nested-guest",
	.summary = "run a tiny KVM guest inside the lab VM, round by round",
	.help = "Each round writes to 80 pages of the inner guest and ends with an exit from it. When "
		"KVM_RUN "
		"fails,\n"
		"the inner guest stays paused. The lab VM's CPU must be able to run guests: vm: {cpu: "
		"...}.\n",
	.parameters = nested_guest_parameters,
	.parameters_size = sizeof(struct nested_guest),
	.needs = {.modules = nested_guest_modules},
	.run = nested_guest_run,
};
