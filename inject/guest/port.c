// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/port.h"

#include "inject/lab_vm.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>

/* QEMU, docs/specs/fw_cfg.rst and docs/specs/pvpanic.rst; hw/char/debugcon.c. */
#define FW_CFG_SELECTOR	 0x510
#define FW_CFG_DATA	 0x511
#define FW_CFG_SIGNATURE 0x0000
#define FW_CFG_DIRECTORY 0x0019
#define PVPANIC_PORT	 0x505
#define PVPANIC_PANICKED 1

struct fw_cfg_file {
	uint32_t size;
	uint16_t select;
	uint16_t reserved;
	char name[56];
};

int port_open(struct hl_error *err)
{
	return iopl(3) ? hl_error_errno(err, errno, "iopl") : 0;
}

/* glibc's insb() does not tell the compiler that it writes to memory. */
static void read_data(void *data, size_t size)
{
	__asm__ volatile("rep insb" : "+D"(data), "+c"(size) : "d"((uint16_t)FW_CFG_DATA) : "memory");
}

static void select_item(uint16_t item)
{
	outw(item, FW_CFG_SELECTOR);
}

static int find_file(const char *name, struct fw_cfg_file *file)
{
	uint32_t count;

	select_item(FW_CFG_DIRECTORY);
	read_data(&count, sizeof(count));
	for (uint32_t i = 0; i < ntohl(count); i++) {
		read_data(file, sizeof(*file));
		file->name[sizeof(file->name) - 1] = '\0';
		if (!strcmp(file->name, name))
			return 0;
	}
	return -ENOENT;
}

bool port_is_qemu(void)
{
	char signature[4] = "";

	select_item(FW_CFG_SIGNATURE);
	read_data(signature, sizeof(signature));
	return !memcmp(signature, "QEMU", sizeof(signature));
}

int port_read_firmware_file(const char *name, char **data, size_t *size, struct hl_error *err)
{
	struct fw_cfg_file file = {0};

	if (!port_is_qemu())
		return hl_error_set(err, ENODEV, "there is no fw_cfg device: this is not a lab VM");
	if (find_file(name, &file))
		return hl_error_set(err, ENOENT, "fw_cfg has no file %s", name);
	*size = ntohl(file.size);
	*data = malloc(*size + 1);
	if (!*data)
		return hl_error_errno(err, ENOMEM, "read %s", name);
	select_item(ntohs(file.select));
	read_data(*data, *size);
	(*data)[*size] = '\0';
	return 0;
}

void port_send(const void *data, size_t size)
{
	__asm__ volatile("rep outsb"
			 : "+S"(data), "+c"(size)
			 : "d"((uint16_t)LAB_VM_CHANNEL_PORT)
			 : "memory");
}

/* The number of the stop goes along in a register, so that from outside no two of them look alike. */
void port_stop_vm(void)
{
	static uint64_t number;

	__asm__ volatile("outb %b0, %w1"
			 :
			 : "a"(PVPANIC_PANICKED), "d"(PVPANIC_PORT), "c"(++number)
			 : "memory");
}
