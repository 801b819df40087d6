// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/accel.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "vm/qemu.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* A working KVM boots the guest program in about a second; nested ones may take some. */
#define PROBE_LIMIT_MS 20000

/* Without a plan the guest program (inject/guest/main.c) and clockwatch say this and end the VM. */
#define SIGN_OF_LIFE "hanglab:"

/* What the answer depends on: this boot of the machine, and this QEMU. */
static int probe_key(char *key, size_t size, struct hl_error *err)
{
	cleanup_free char *boot = NULL;
	unsigned int version;
	char text[32];
	int r = qemu_version(&version, text, sizeof(text), err);

	if (!r)
		r = file_read("/proc/sys/kernel/random/boot_id", &boot, NULL, err);
	if (r)
		return r;
	boot[strcspn(boot, "\n")] = '\0';
	snprintf(key, size, "%s %s\n", boot, text);
	return 0;
}

/* Return: 0 when the guest spoke, -errno with the reason otherwise. */
static int boot_once(const char *image, const char *initramfs, struct hl_error *err)
{
	const char *const arguments[] = {QEMU_PROGRAM,
					 "-nodefaults",
					 "-no-user-config",
					 "-display",
					 "none",
					 "-machine",
					 "q35",
					 "-accel",
					 "kvm",
					 "-cpu",
					 "host",
					 "-m",
					 "256M",
					 "-no-reboot",
					 "-serial",
					 "stdio",
					 "-kernel",
					 image,
					 "-append",
					 "console=ttyS0 quiet panic=-1",
					 initramfs ? "-initrd" : NULL,
					 initramfs,
					 NULL};
	cleanup_free char *output = NULL;
	int r = process_run(arguments, PROBE_LIMIT_MS, &output, err);

	/* The answer is kept: the number of a process means nothing to later readers. */
	if (r == -ETIMEDOUT)
		return hl_error_set(err, ETIMEDOUT, "the guest did not come to its end within %d s",
				    PROBE_LIMIT_MS / 1000);
	if (r)
		return r;
	if (!strstr(output, SIGN_OF_LIFE))
		return hl_error_set(err, EIO, "the guest ended before it said anything");
	return 0;
}

static int read_answer(const char *path, const char *key, bool *usable, char *why, size_t size)
{
	cleanup_free char *text = NULL;
	size_t length = strlen(key);

	if (file_read(path, &text, NULL, NULL) || strncmp(text, key, length) != 0)
		return -ENOENT;
	*usable = !strncmp(text + length, "usable", strlen("usable"));
	snprintf(why, size, "%s", *usable ? "" : text + length);
	return 0;
}

int accel_probe_kvm(const char *image, const char *initramfs, bool *usable, char *why, size_t size,
		    struct hl_error *err)
{
	cleanup_free char *folder = NULL, *path = NULL, *answer = NULL;
	struct hl_error reason = HL_ERROR_INIT;
	char key[128];
	int r;

	*usable = false;
	if (access("/dev/kvm", R_OK | W_OK)) {
		snprintf(why, size, "/dev/kvm: %s", strerror(errno));
		return 0;
	}
	r = probe_key(key, sizeof(key), err);
	if (!r)
		r = file_cache_folder("probes", &folder, err);
	if (r)
		return r;
	path = file_path("%s/%s", folder, initramfs ? "kvm" : "kvm-clockwatch");
	if (!read_answer(path, key, usable, why, size))
		return 0;
	*usable = !boot_once(image, initramfs, &reason);
	reason.text[strcspn(reason.text, "\n")] = '\0';
	snprintf(why, size, "%s%.300s", *usable ? "" : "a probe boot failed: ", reason.text);
	answer = file_path("%s%s", key, *usable ? "usable" : why);
	return file_write(path, answer, strlen(answer), err);
}
