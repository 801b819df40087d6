/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_ERROR_RECORD_H
#define HANGLAB_INJECT_ERROR_RECORD_H

#include "inject/cper.h"
#include "inject/inject.h"

/*
 * The error record that the injector hardware-error hands to the guest: its parameters, whose names are those
 * that Linux prints (drivers/firmware/efi/cper.c), and the bytes made from them.
 */

enum error_kind { ERROR_PCIE, ERROR_MEMORY, ERROR_PROCESSOR };
enum error_notify { ERROR_NMI, ERROR_POLL };

/** struct error_parameters - parameters of hardware-error; see error_parameters[] for each */
struct error_parameters {
	int kind, severity, notify;
	/* PCIe */
	int64_t port_type, command, status, slot, secondary_bus, vendor_id, pci_device_id, class_code;
	int64_t secondary_status, control;
	int64_t aer_uncor_status, aer_uncor_mask, aer_uncor_severity, aer_cor_status, aer_cor_mask;
	const char *version, *device_id;
	/* memory */
	int64_t physical_address, node, card, module, bank, device, row, column;
	/* memory and processor */
	int64_t error_type;
	/* processor */
	int64_t processor_type, isa, operation, flags, level, processor_id;
};

/** Table of struct error_parameters. */
extern const struct parameter error_parameters[];

/** struct error_record - what is written into the guest's memory */
struct __attribute__((packed)) error_record {
	struct error_block block;
	struct error_entry entry;
	union {
		struct cper_pcie pcie;
		struct cper_memory memory;
		struct cper_processor processor;
	} section;
};

/**
 * error_record_make() - the record that the parameters describe
 * @record: receives it, complete with the block status
 *
 * Return: its size in bytes, or -EINVAL for a version or a device_id that is none.
 */
int error_record_make(const struct error_parameters *parameters, struct error_record *record,
		      struct hl_error *err);

#endif
