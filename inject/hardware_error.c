// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hardware-error: the firmware hands the kernel a record of a hardware error (APEI/GHES), as a server's does
 * when a PCIe device, memory or a processor fails. The kernel is an unmodified one.
 *
 * hanglab plays the firmware: QEMU's ACPI tables get an error source table of ours (hest.h), the record is
 * written into the memory that it names, the kernel learns of it by NMI or looks by itself. Having read the
 * record it sets the block status to 0, also before it panics (drivers/acpi/apei/ghes.c,
 * ghes_clear_estatus()): nobody else does, so that is the proof.
 */
#include "inject/error_record.h"
#include "inject/hest.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t cell_of(const struct injection *injection)
{
	const struct error_parameters *parameters = injection->parameters;

	return hest_cell(injection->vm->memory,
			 parameters->notify == ERROR_NMI ? HEST_NOTIFY_NMI : HEST_NOTIFY_POLLED);
}

static int write_memory(struct injection *injection, uint64_t address, const void *data, size_t size,
			struct hl_error *err)
{
	return injection->vm->memory_write(injection->vm->vm, address, data, size, err);
}

/* The place is ours: untouched, or holding a record of ours that the guest has read. */
static int check_place(struct injection *injection, struct hl_error *err)
{
	uint64_t cell = cell_of(injection), pointer;
	struct error_block block;
	int r = injection->vm->memory_read(injection->vm->vm, cell, &pointer, sizeof(pointer), err);

	if (!r)
		r = injection->vm->memory_read(injection->vm->vm, cell + HEST_BLOCK_OFFSET, &block,
					       sizeof(block), err);
	if (r)
		return r;
	if (block.block_status || (pointer && pointer != cell + HEST_BLOCK_OFFSET))
		return hl_error_set(err, EBUSY,
				    pointer == cell + HEST_BLOCK_OFFSET
					    ? "the guest has not read the record before"
					    : "the guest's firmware uses the memory at 0x%" PRIx64,
				    cell);
	return 0;
}

/* The block status last, then the pointer: the kernel may look at any time. */
static int hardware_error_inject(struct injection *injection, struct hl_error *err)
{
	const struct error_parameters *parameters = injection->parameters;
	uint64_t cell = cell_of(injection), block = cell + HEST_BLOCK_OFFSET;
	struct error_record record;
	int size = error_record_make(parameters, &record, err);
	uint32_t status = record.block.block_status;
	int r = size < 0 ? size : check_place(injection, err);

	record.block.block_status = 0;
	if (!r)
		r = write_memory(injection, block, &record, (size_t)size, err);
	if (!r)
		r = write_memory(injection, block, &status, sizeof(status), err);
	if (!r)
		r = write_memory(injection, cell, &block, sizeof(block), err);
	if (!r && parameters->notify == ERROR_NMI)
		r = injection->vm->qmp(injection->vm->vm, "inject-nmi", NULL, NULL, err);
	return r;
}

static int hardware_error_confirm(struct injection *injection, struct hl_error *err)
{
	uint64_t block = cell_of(injection) + HEST_BLOCK_OFFSET;
	uint32_t status;
	int r = injection->vm->memory_read(injection->vm->vm, block, &status, sizeof(status), err);

	if (r)
		return r;
	if (status)
		return hl_error_set(err, EIO, "the guest has not read the error record (block status 0x%x)",
				    status);
	snprintf(injection->evidence, sizeof(injection->evidence),
		 "the guest read the error record at 0x%" PRIx64 " and set its block status to 0", block);
	return 0;
}

/* A record is told once: when it was read nothing is left to mend. */
static int hardware_error_release(struct injection *injection, struct hl_error *err)
{
	(void)injection;
	(void)err;
	return 0;
}

static int hardware_error_check(const void *parameters, struct hl_error *err)
{
	struct error_record record;
	int size = error_record_make(parameters, &record, err);

	return size < 0 ? size : 0;
}

static const char *const config[] = {"ACPI_APEI_GHES", NULL};

const struct injector injector_hardware_error = {
	.name = "hardware-error",
	.summary = "firmware reports a hardware error to the kernel (APEI/GHES): PCIe, memory or processor",
	.help = "The VM gets an ACPI table of error sources; a record is written into its memory, and the "
		"kernel\n"
		"is told by NMI or looks by itself. What the kernel prints of the record are the parameters, "
		"by\n"
		"the same names. Without any it is the fatal PCIe error of the case "
		"pcie-fatal-hardware-error.\n"
		"Confirmed by the kernel setting the record's block status to 0, which it does when it has "
		"read\n"
		"it, and before it panics. A polled one is read within a second: it needs 'for', or a check "
		"that\n"
		"waits for it. A record is an event: there is nothing to release.\n",
	.side = INJECTOR_HOST,
	.proved_later = true,
	.parameters = error_parameters,
	.parameters_size = sizeof(struct error_parameters),
	.needs = {.config = config, .vm_features = VM_MEMORY_ACCESS | VM_ERROR_SOURCES},
	.check = hardware_error_check,
	.inject = hardware_error_inject,
	.confirm = hardware_error_confirm,
	.release = hardware_error_release,
	.confirm_released = hardware_error_confirm,
};
