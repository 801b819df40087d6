// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/bochs.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define ISOLINUX     "/usr/lib/ISOLINUX/isolinux.bin"
#define LDLINUX	     "/usr/lib/syslinux/modules/bios/ldlinux.c32"
#define BIOS	     "/usr/share/bochs/BIOS-bochs-latest"
#define VGABIOS	     "/usr/share/vgabios/vgabios-stdvga.bin"
#define ISO_LIMIT_MS 60000

const char *const bochs_programs[] = {BOCHS_PROGRAM, "xorriso", NULL};
const char *const bochs_files[] = {ISOLINUX, LDLINUX, BIOS, VGABIOS, NULL};

/*
 * Measured with Debian's Bochs 2.7: this CPU model boots without complaint and has EPT; with sync=none idle
 * time passes at once, so that nothing outside can act in time; the sound driver has to be a dummy, or it
 * aborts.
 */
static const char configuration[] = "plugin_ctrl: unmapped=true, biosdev=true, speaker=false, "
				    "extfpuirq=true, parallel=false, serial=true\n"
				    "config_interface: textconfig\n"
				    "display_library: sdl2\n"
				    "memory: guest=%1$" PRIu64 ", host=%1$" PRIu64 "\n"
				    "romimage: file=" BIOS "\n"
				    "vgaromimage: file=" VGABIOS "\n"
				    "cpu: model=corei7_haswell_4770, count=1, ips=100000000, "
				    "reset_on_triple_fault=false, ignore_bad_msrs=true\n"
				    "clock: sync=slowdown, time0=local\n"
				    "ata0: enabled=true, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14\n"
				    "ata0-master: type=cdrom, path=%2$s/boot.iso, status=inserted\n"
				    "boot: cdrom\n"
				    "com1: enabled=true, mode=file, dev=%2$s/console.log\n"
				    "com2: enabled=true, mode=file, dev=%2$s/channel.log\n"
				    "log: %2$s/bochs.log\n"
				    "panic: action=fatal\n"
				    "error: action=ignore\n"
				    "info: action=report\n"
				    "debug: action=ignore\n"
				    "pci: enabled=true, chipset=i440fx\n"
				    "sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy\n"
				    "speaker: enabled=0\n"
				    "mouse: enabled=false\n";

static const char boot_menu[] =
	"default linux\n"
	"prompt 0\n"
	"label linux\n"
	" kernel /vmlinuz\n"
	" append initrd=/initramfs console=ttyS0 quiet panic=-1 nokaslr no_timer_check cryptomgr.notests "
	"printk.devkmsg=on %s\n";

static int write_text(const char *folder, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int write_text(const char *folder, const char *name, const char *format, ...)
{
	cleanup_free char *path = file_path("%s/%s", folder, name), *text = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	return length < 0 ? -ENOMEM : file_write(path, text, (size_t)length, NULL);
}

/* Grafted paths: nothing is copied but into the image itself. */
static int make_iso(const struct qemu_request *request, struct hl_error *err)
{
	cleanup_free char *image = file_path("%s/boot.iso", request->run_folder);
	cleanup_free char *menu = file_path("/isolinux/isolinux.cfg=%s/isolinux.cfg", request->run_folder);
	cleanup_free char *kernel = file_path("/vmlinuz=%s", request->image);
	cleanup_free char *initramfs = file_path("/initramfs=%s", request->initramfs);
	const char *const arguments[] = {"xorriso",
					 "-as",
					 "mkisofs",
					 "-quiet",
					 "-o",
					 image,
					 "-b",
					 "isolinux/isolinux.bin",
					 "-c",
					 "isolinux/boot.cat",
					 "-no-emul-boot",
					 "-boot-load-size",
					 "4",
					 "-boot-info-table",
					 "-graft-points",
					 "/isolinux/isolinux.bin=" ISOLINUX,
					 "/isolinux/ldlinux.c32=" LDLINUX,
					 menu,
					 kernel,
					 initramfs,
					 NULL};

	return process_run(arguments, ISO_LIMIT_MS, NULL, err);
}

int bochs_command(const struct qemu_request *request, struct arena *arena, const char *const **command,
		  struct hl_error *err)
{
	const struct plan_vm *vm = request->plan->vm;
	cleanup_free char *folder = realpath(request->run_folder, NULL);
	const char **arguments = arena_allocate(arena, 7 * sizeof(*arguments));
	cleanup_free char *configured = NULL, *commands = NULL;

	if (!folder)
		return hl_error_errno(err, errno, "find %s", request->run_folder);
	/* Debian's build has the debugger, which has to be told to go on. */
	if (write_text(folder, "bochsrc", configuration, vm->memory >> 20, folder) ||
	    write_text(folder, "bochs.rc", "c\n") || write_text(folder, "isolinux.cfg", boot_menu, vm->boot))
		return hl_error_set(err, EIO, "the configuration of Bochs could not be written");
	configured = file_path("%s/bochsrc", folder);
	commands = file_path("%s/bochs.rc", folder);
	arguments[0] = BOCHS_PROGRAM;
	arguments[1] = "-q";
	arguments[2] = "-f";
	arguments[3] = arena_string(arena, configured);
	arguments[4] = "-rc";
	arguments[5] = arena_string(arena, commands);
	*command = arguments;
	return make_iso(request, err);
}
