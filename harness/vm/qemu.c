// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/qemu.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "inject/lab_vm.h"
#include "vm/clockwatch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

struct arguments {
	struct arena *arena;
	const char **list;
	size_t count;
};

static void add(struct arguments *arguments, const char *text)
{
	*(const char **)arena_append(arguments->arena, &arguments->list, &arguments->count, sizeof(char *)) =
		text;
}

/* An option and its formatted value. */
static void add_option(struct arguments *arguments, const char *option, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add_option(struct arguments *arguments, const char *option, const char *format, ...)
{
	cleanup_free char *value = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&value, format, args) < 0)
		abort();
	va_end(args);
	add(arguments, option);
	add(arguments, arena_string(arguments->arena, value));
}

/* A comma in a file name is doubled (QEMU's option syntax). */
static const char *escape(struct arena *arena, const char *path)
{
	char *escaped = arena_allocate(arena, 2 * strlen(path) + 1), *out = escaped;

	for (; *path; path++) {
		*out++ = *path;
		if (*path == ',')
			*out++ = ',';
	}
	return escaped;
}

/*
 * Virtual time: -icount with sleep=off skips idle time. The HPET costs wall time for every idle guest second
 * (measured). The random numbers of the CPU come from -seed; without them, the kernel mixes its own anew for
 * everything that it randomizes while it boots (6 % of its instructions, measured on 6.1).
 */
static void add_time(struct arguments *arguments, const struct qemu_request *request)
{
	const struct plan_vm *vm = request->plan->vm;

	add_option(arguments, "-machine", "q35,hpet=off,memory-backend=ram");
	if (vm->clock == PLAN_CLOCK_VIRTUAL) {
		add_option(arguments, "-accel", "tcg");
		add_option(arguments, "-icount", "shift=%" PRId64 ",sleep=off", vm->shift);
		add_option(arguments, "-rtc", "clock=vm,base=2026-01-01");
		add_option(arguments, "-cpu", "%s", vm->cpu ? vm->cpu : "qemu64,+rdrand,+rdseed");
		return;
	}
	add_option(arguments, "-accel", request->kvm ? "kvm" : "tcg,thread=multi");
	add_option(arguments, "-cpu", "%s", vm->cpu ? vm->cpu : request->kvm ? "host" : "max");
}

/* Nothing is plugged in while a VM runs: without the ACPI code for it the kernel is ready sooner (measured).
 */
static void add_acpi(struct arguments *arguments)
{
	add_option(arguments, "-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off");
}

/* The guest's memory outlives QEMU: hanglab holds the file. */
static void add_memory(struct arguments *arguments, const struct qemu_request *request)
{
	uint64_t megabytes = request->plan->vm->memory >> 20;

	add_option(arguments, "-m", "%" PRIu64 "M", megabytes);
	add_option(arguments, "-object",
		   "memory-backend-file,id=ram,size=%" PRIu64 "M,mem-path=/proc/self/fd/%d,share=on",
		   megabytes, request->memory_fd);
}

/*
 * The guest's ways out end in files: they never block it, and nothing that hanglab does while it runs can
 * change what it does.
 */
static void add_channels(struct arguments *arguments, const struct qemu_request *request)
{
	const char *folder = escape(arguments->arena, request->run_folder);

	add_option(arguments, "-chardev", "file,id=console,path=%s/console.log", folder);
	add_option(arguments, "-serial", "chardev:console");
	add_option(arguments, "-chardev", "file,id=channel,append=on,path=%s/channel.log", folder);
	if (request->plan->vm->guest == PLAN_GUEST_LINUX) {
		add_option(arguments, "-device", "isa-debugcon,iobase=%#x,chardev=channel",
			   LAB_VM_CHANNEL_PORT);
		add_option(arguments, "-fw_cfg", "name=opt/hanglab/plan,file=%s/plan.json", folder);
	} else if (request->plan->vm->guest == PLAN_GUEST_CLOCKWATCH) {
		add_option(arguments, "-serial", "chardev:channel");
	}
	if (request->plan->interactive) {
		add_option(arguments, "-chardev", "socket,id=shell,fd=%d", request->shell_fd);
		add_option(arguments, "-serial", "chardev:shell");
	}
	add_option(arguments, "-chardev", "socket,id=qmp,fd=%d", request->qmp_fd);
	add_option(arguments, "-mon", "chardev=qmp,mode=control");
	/* The stub itself is started when it is needed (vcpus.c). */
	if (request->features & VM_GDB)
		add_option(arguments, "-chardev", "socket,id=gdb,fd=%d", request->gdb_fd);
}

/*
 * A guest that ended stays, so that what it left in its memory can be read: the confirmation of a fault
 * that killed it.
 */
static void add_memory_access(struct arguments *arguments, const struct qemu_request *request)
{
	if (!(request->features & VM_MEMORY_ACCESS))
		return;
	add_option(arguments, "-chardev", "socket,id=qtest,fd=%d", request->qtest_fd);
	add_option(arguments, "-object", "qtest,id=qtest,chardev=qtest,log=/dev/null");
	add_option(arguments, "-action", "shutdown=pause");
}

static void add_devices(struct arguments *arguments, const struct qemu_request *request)
{
	if (request->features & VM_ROOT_PORT)
		add_option(arguments, "-device", "pcie-root-port,id=port0,chassis=1,addr=3.0");
	if (request->features & VM_WATCHDOG)
		add_option(arguments, "-device", "i6300esb");
	if (request->features & VM_ERROR_SOURCES)
		add_option(arguments, "-acpitable", "sig=HEST,data=%s/hest.bin",
			   escape(arguments->arena, request->run_folder));
}

/*
 * In virtual time the guest's clock races while it waits for the host: about 0.8 guest seconds per
 * millisecond (measured). So the host's disk is not waited for: the VM's data does not have to survive the
 * host.
 */
static void add_file(struct arguments *arguments, const struct qemu_request *request,
		     const struct plan_disk *disk)
{
	add_option(arguments, "-blockdev", "driver=file,node-name=file-%s,filename=%s/disk-%s.img%s",
		   disk->name, escape(arguments->arena, request->run_folder), disk->name,
		   request->plan->vm->clock == PLAN_CLOCK_VIRTUAL ? ",cache.no-flush=on" : "");
}

/*
 * What injectors can act on, from the backend up: a connection that survives a server that was away, lost
 * completions (blkdebug).
 */
static void add_served_file(struct arguments *arguments, const struct plan_disk *disk, const char *socket)
{
	add_option(arguments, "-blockdev",
		   "driver=nbd,node-name=nbd-%s,server.type=unix,server.path=%s,reconnect-delay=60",
		   disk->name, escape(arguments->arena, socket));
	add_option(arguments, "-blockdev", "driver=blkdebug,node-name=file-%s,image=nbd-%s", disk->name,
		   disk->name);
}

static void add_disk(struct arguments *arguments, const struct qemu_request *request, size_t index)
{
	static const char *const devices[] = {
		[PLAN_VIA_VIRTIO] = "virtio-blk-pci",
		[PLAN_VIA_NBD] = "virtio-blk-pci",
		[PLAN_VIA_NVME] = "nvme",
		[PLAN_VIA_VIRTIO_SCSI] = "scsi-hd",
	};
	const struct plan_disk *disk = &request->plan->disks[index];
	const char *device =
		(size_t)disk->via < sizeof(devices) / sizeof(devices[0]) ? devices[disk->via] : NULL;

	if (!device)
		return;
	if (disk->via == PLAN_VIA_VIRTIO)
		add_file(arguments, request, disk);
	else
		add_served_file(arguments, disk, request->sockets ? request->sockets[index] : "SOCKET");
	add_option(arguments, "-blockdev", "driver=raw,node-name=disk-%s,file=file-%s", disk->name,
		   disk->name);
	/* The model is the name that sysfs shows of a SCSI disk. */
	if (disk->via == PLAN_VIA_VIRTIO_SCSI)
		add_option(arguments, "-device", "virtio-scsi-pci,id=host-%s", disk->name);
	add_option(arguments, "-device", "%s,id=device-%s,drive=disk-%s,serial=%s%s%s", device, disk->name,
		   disk->name, disk->name, disk->via == PLAN_VIA_VIRTIO_SCSI ? ",product=" : "",
		   disk->via == PLAN_VIA_VIRTIO_SCSI ? disk->name : "");
}

static void add_balloon(struct arguments *arguments, const struct qemu_request *request)
{
	if (request->features & VM_BALLOON)
		add_option(arguments, "-device", "virtio-balloon-pci,id=balloon");
}

static void add_network(struct arguments *arguments, const struct qemu_request *request)
{
	if (!request->network && !(request->features & VM_NETWORK))
		return;
	add_option(arguments, "-netdev", "user,id=net0%s", request->network ? "" : ",restrict=on");
	add_option(arguments, "-device", "virtio-net-pci,id=card0,netdev=net0,romfile=");
	if (request->network)
		add_option(arguments, "-fw_cfg", "name=opt/hanglab/ports,file=%s/ports.json",
			   escape(arguments->arena, request->run_folder));
}

/* Parameters of the disks' drivers: each once, whatever the number of disks. */
static const char *disk_boot(const struct qemu_request *request, struct arena *arena)
{
	char *all = arena_string(arena, "");

	for (size_t i = 0; i < request->plan->disk_count; i++) {
		cleanup_free char *longer = NULL;
		char one[128];

		plan_disk_boot(&request->plan->disks[i], one, sizeof(one));
		if (!one[0] || strstr(all, one))
			continue;
		longer = file_path("%s %s", all, one);
		all = arena_string(arena, longer);
	}
	return all;
}

/*
 * What the kernel is told unless the scenario's "boot" tells it otherwise, under the same name.
 * nokaslr: equal addresses in every run. panic=-1: a panic ends the VM at once.
 * The others save instructions of a boot; measured on 6.1, of all that it needs until the guest is ready:
 * cryptomgr.notests: half (initcall_debug). initcall_blacklist: a fifth, for names of enumerations in the
 * formats of trace events, and for sorting out functions that ftrace shall not offer. noreplace-smp: a kernel
 * that has one CPU would take out each lock prefix by itself, with a flush of the TLB. retain_initrd: it
 * would be overwritten before its memory is used again.
 */
static const char *const boot_defaults[] = {
	"console=ttyS0",     "quiet",
	"panic=-1",	     "nokaslr",
	"tsc=reliable",	     "no_timer_check",
	"cryptomgr.notests", "initcall_blacklist=ftrace_check_for_weak_functions,trace_eval_init",
	"noreplace-smp",     "retain_initrd",
	"printk.devkmsg=on",
};

/* Does @boot give the parameter of @word, "NAME" or "NAME=VALUE"? Several consoles may be given. */
static bool is_given(const char *boot, const char *word)
{
	size_t length = strcspn(word, "=");

	for (const char *at = boot; *at; at += strcspn(at, " "), at += strspn(at, " "))
		if (strcspn(at, "= ") == length && !strncmp(at, word, length))
			return strcmp(word, "console=ttyS0");
	return false;
}

static void add_linux(struct arguments *arguments, const struct qemu_request *request)
{
	const char *boot = request->plan->vm->boot;
	char *line = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&line, &size);

	if (!out)
		abort();
	for (size_t i = 0; i < sizeof(boot_defaults) / sizeof(boot_defaults[0]); i++)
		if (!is_given(boot, boot_defaults[i]))
			fprintf(out, "%s%s", i ? " " : "", boot_defaults[i]);
	fprintf(out, "%s%s%s", disk_boot(request, arguments->arena), boot[0] ? " " : "", boot);
	fclose(out);
	add_option(arguments, "-kernel", "%s", request->image);
	add_option(arguments, "-initrd", "%s", request->initramfs);
	add_option(arguments, "-append", "%s", line);
	free(line);
}

static void add_guest(struct arguments *arguments, const struct qemu_request *request)
{
	switch ((enum plan_guest)request->plan->vm->guest) {
	case PLAN_GUEST_LINUX:
		/* The memory of a guest that is restored has its kernel. */
		if (!request->snapshot)
			add_linux(arguments, request);
		break;
	case PLAN_GUEST_CLOCKWATCH:
		add_option(arguments, "-kernel", "%s", request->image);
		add_option(arguments, "-append", "%s",
			   clockwatch_command_line(request->plan, arguments->arena));
		break;
	case PLAN_GUEST_IMAGE:
		/* What the guest writes goes into a temporary file. */
		add_option(arguments, "-drive", "file=%s,if=none,id=image,snapshot=on",
			   escape(arguments->arena, request->plan->vm->image));
		add_option(arguments, "-device", "ide-hd,drive=image");
		add_option(arguments, "-vga", "std");
		break;
	}
}

const char *const *qemu_command(const struct qemu_request *request, struct arena *arena)
{
	const struct plan *plan = request->plan;
	struct arguments arguments = {arena, NULL, 0};

	add(&arguments, QEMU_PROGRAM);
	add_option(&arguments, "-name", "hanglab-%s", plan->scenario);
	add(&arguments, "-nodefaults");
	add(&arguments, "-no-user-config");
	add_option(&arguments, "-display", "none");
	add_time(&arguments, request);
	add_option(&arguments, "-smp", "%" PRId64, plan->vm->cpus);
	add_acpi(&arguments);
	add_memory(&arguments, request);
	add_option(&arguments, "-seed", "%" PRId64, plan->seed);
	add_option(&arguments, "-sandbox",
		   "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
	/* The guest stops itself through pvpanic, so a panic must pause and not end QEMU. */
	add(&arguments, "-no-reboot");
	add_option(&arguments, "-action", "panic=pause");
	add_option(&arguments, "-device", "pvpanic");
	/* The device with an address of its own before those that get the next free one. */
	add_devices(&arguments, request);
	add_channels(&arguments, request);
	add_memory_access(&arguments, request);
	for (size_t i = 0; i < plan->disk_count; i++)
		add_disk(&arguments, request, i);
	add_network(&arguments, request);
	add_balloon(&arguments, request);
	add_guest(&arguments, request);
	add_option(&arguments, "-fw_cfg", "name=opt/hanglab/start,string=%s", request->start);
	if (request->snapshot)
		add_option(&arguments, "-incoming", "defer");
	add(&arguments, "-S");
	add(&arguments, NULL);
	return arguments.list;
}

int qemu_version(unsigned int *version, char *text, size_t size, struct hl_error *err)
{
	static const char *const arguments[] = {QEMU_PROGRAM, "--version", NULL};
	cleanup_free char *output = NULL;
	unsigned int major, minor;
	const char *number;
	int r = process_run(arguments, 10000, &output, err);

	if (r)
		return r;
	number = strstr(output, "version ");
	if (!number || sscanf(number, "version %u.%u", &major, &minor) != 2)
		return hl_error_set(err, EIO, "%s --version says nothing that is understood", QEMU_PROGRAM);
	number += strlen("version ");
	snprintf(text, size, "%.*s", (int)strcspn(number, " \n("), number);
	*version = major * 100 + minor;
	return 0;
}
