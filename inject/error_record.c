// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/error_record.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const kinds[] = {"pcie", "memory", "processor", NULL};
static const char *const severities[] = {"recoverable", "fatal", "corrected", "informational", NULL};
static const char *const notifications[] = {"nmi", "poll", NULL};

#define CHOICE(field, words, default_word, text)                                                             \
	{                                                                                                    \
		.name = #field, .type = PARAMETER_CHOICE,                                                    \
		.offset = offsetof(struct error_parameters, field), .fallback = (default_word),              \
		.choices = (words), .help = (text)                                                           \
	}
#define NUMBER(field, default_value, lowest, highest, text)                                                  \
	{                                                                                                    \
		.name = #field, .type = PARAMETER_INTEGER,                                                   \
		.offset = offsetof(struct error_parameters, field), .fallback = (default_value),             \
		.least = (lowest), .most = (highest), .help = (text)                                         \
	}
#define TEXT(field, default_value, text)                                                                     \
	{                                                                                                    \
		.name = #field, .type = PARAMETER_STRING,                                                    \
		.offset = offsetof(struct error_parameters, field), .fallback = (default_value),             \
		.help = (text)                                                                               \
	}

/* The defaults of a PCIe error are those of a report from the field (the case pcie-fatal-hardware-error). */
const struct parameter error_parameters[] = {
	CHOICE(kind, kinds, "pcie", "which part of the hardware fails"),
	CHOICE(severity, severities, "fatal", "a fatal error makes the kernel panic"),
	CHOICE(notify, notifications, "nmi",
	       "how the kernel learns of it: at once, or within a second from a CPU that takes\ntimer "
	       "interrupts"),
	TEXT(version, "1.16", "pcie: version of the capability, MAJOR.MINOR"),
	TEXT(device_id, "0000:00:03.0", "pcie: address of the device, SEGMENT:BUS:DEVICE.FUNCTION"),
	NUMBER(port_type, "4", 0, 10, "pcie: type of the port: 0 endpoint, 4 root port, 5 and 6 switch, ..."),
	NUMBER(command, "0x0547", 0, 65535, "pcie: command register"),
	NUMBER(status, "0x4010", 0, 65535, "pcie: status register"),
	NUMBER(slot, "0", 0, 8191, "pcie: slot number"),
	NUMBER(secondary_bus, "0x04", 0, 255, "pcie: bus behind the port"),
	NUMBER(vendor_id, "0x8086", 0, 65535, "pcie: vendor"),
	NUMBER(pci_device_id, "0x2f08", 0, 65535, "pcie: device; 0x2f08 is a root port of Xeon E5 v3"),
	NUMBER(class_code, "0x040000", 0, 0xffffff, "pcie: class, sub-class and interface"),
	NUMBER(secondary_status, "0x0000", 0, 65535, "pcie: secondary status of the bridge"),
	NUMBER(control, "0x0003", 0, 65535, "pcie: bridge control"),
	NUMBER(aer_uncor_status, "0", 0, 0xffffffff,
	       "pcie: AER; the record has this part when an aer_ value is not 0, and a\nrecoverable error of "
	       "a device is handled only with it"),
	NUMBER(aer_uncor_mask, "0", 0, 0xffffffff, "pcie: AER"),
	NUMBER(aer_uncor_severity, "0", 0, 0xffffffff, "pcie: AER"),
	NUMBER(aer_cor_status, "0", 0, 0xffffffff, "pcie: AER"),
	NUMBER(aer_cor_mask, "0", 0, 0xffffffff, "pcie: AER"),
	NUMBER(physical_address, "0x8000000", 0, INT64_MAX, "memory: where the error is"),
	NUMBER(node, "0", 0, 65535, "memory: node"),
	NUMBER(card, "1", 0, 65535, "memory: card"),
	NUMBER(module, "2", 0, 65535, "memory: module"),
	NUMBER(bank, "3", 0, 65535, "memory: bank"),
	NUMBER(device, "0", 0, 65535, "memory: device"),
	NUMBER(row, "0", 0, 65535, "memory: row"),
	NUMBER(column, "0", 0, 65535, "memory: column"),
	NUMBER(error_type, "-1", -1, 255,
	       "memory: 2 single-bit ECC, 3 multi-bit ECC, ...; processor: 1 cache, 2 TLB,\n4 bus, 8 "
	       "architecture; -1: what suits the severity"),
	NUMBER(processor_type, "0", 0, 255, "processor: 0 is IA32/X64"),
	NUMBER(isa, "2", 0, 255, "processor: instruction set: 2 is X64"),
	NUMBER(operation, "1", 0, 255,
	       "processor: 0 unknown, 1 data read, 2 data write, 3 instruction execution"),
	NUMBER(flags, "0", 0, 255, "processor: 1 restartable, 2 precise IP, 4 overflow, 8 corrected"),
	NUMBER(level, "0", 0, 255, "processor: level of the cache"),
	NUMBER(processor_id, "1", 0, INT64_MAX, "processor: its APIC id"),
	{.name = NULL},
};

static int fill_pcie(const struct error_parameters *parameters, struct cper_pcie *pcie, struct hl_error *err)
{
	unsigned int major, minor, segment, bus, device, function;
	int end = 0;

	if (sscanf(parameters->version, "%3u.%3u%n", &major, &minor, &end) != 2 || parameters->version[end] ||
	    major > UINT8_MAX || minor > UINT8_MAX)
		return hl_error_set(err, EINVAL, "'%s' is no version: write for example 1.16",
				    parameters->version);
	end = 0;
	if (sscanf(parameters->device_id, "%4x:%2x:%2x.%1u%n", &segment, &bus, &device, &function, &end) !=
		    4 ||
	    parameters->device_id[end] || device > 31 || function > 7)
		return hl_error_set(err, EINVAL, "'%s' is no device: write for example 0000:00:03.0",
				    parameters->device_id);
	*pcie = (struct cper_pcie){
		.validation = CPER_PCIE_PORT_TYPE | CPER_PCIE_VERSION | CPER_PCIE_COMMAND_STATUS |
			      CPER_PCIE_DEVICE_ID | CPER_PCIE_BRIDGE,
		.port_type = (uint32_t)parameters->port_type,
		.version_major = (uint8_t)major,
		.version_minor = (uint8_t)minor,
		.command = (uint16_t)parameters->command,
		.status = (uint16_t)parameters->status,
		.vendor_id = (uint16_t)parameters->vendor_id,
		.device_id = (uint16_t)parameters->pci_device_id,
		.class_code = {(uint8_t)parameters->class_code, (uint8_t)(parameters->class_code >> 8),
			       (uint8_t)(parameters->class_code >> 16)},
		.function = (uint8_t)function,
		.device = (uint8_t)device,
		.segment = (uint16_t)segment,
		.bus = (uint8_t)bus,
		.secondary_bus = (uint8_t)parameters->secondary_bus,
		.slot = (uint16_t)(parameters->slot << 3),
		.bridge_secondary_status = (uint16_t)parameters->secondary_status,
		.bridge_control = (uint16_t)parameters->control,
		.aer = {.uncorrectable_status = (uint32_t)parameters->aer_uncor_status,
			.uncorrectable_mask = (uint32_t)parameters->aer_uncor_mask,
			.uncorrectable_severity = (uint32_t)parameters->aer_uncor_severity,
			.correctable_status = (uint32_t)parameters->aer_cor_status,
			.correctable_mask = (uint32_t)parameters->aer_cor_mask},
	};
	if (parameters->aer_uncor_status || parameters->aer_uncor_mask || parameters->aer_uncor_severity ||
	    parameters->aer_cor_status || parameters->aer_cor_mask) {
		pcie->validation |= CPER_PCIE_AER;
		pcie->aer.header = 0x14820001; /* AER, version 2 */
	}
	return sizeof(*pcie);
}

static int fill_memory(const struct error_parameters *parameters, struct cper_memory *memory)
{
	bool corrected = parameters->severity == CPER_CORRECTED;

	*memory = (struct cper_memory){
		.validation = CPER_MEMORY_ERROR_STATUS | CPER_MEMORY_ADDRESS | CPER_MEMORY_ADDRESS_MASK |
			      CPER_MEMORY_NODE | CPER_MEMORY_CARD | CPER_MEMORY_MODULE | CPER_MEMORY_BANK |
			      CPER_MEMORY_DEVICE | CPER_MEMORY_ROW | CPER_MEMORY_COLUMN |
			      CPER_MEMORY_ERROR_TYPE,
		.error_status = CPER_ERROR_STATUS_MEMORY,
		.address = (uint64_t)parameters->physical_address,
		.address_mask = ~0xfffULL,
		.node = (uint16_t)parameters->node,
		.card = (uint16_t)parameters->card,
		.module = (uint16_t)parameters->module,
		.bank = (uint16_t)parameters->bank,
		.device = (uint16_t)parameters->device,
		.row = (uint16_t)parameters->row,
		.column = (uint16_t)parameters->column,
		.error_type = (uint8_t)(parameters->error_type >= 0 ? parameters->error_type
					: corrected		    ? 2
								    : 3),
	};
	return sizeof(*memory);
}

static int fill_processor(const struct error_parameters *parameters, struct cper_processor *processor)
{
	*processor = (struct cper_processor){
		.validation = CPER_PROCESSOR_TYPE | CPER_PROCESSOR_ISA | CPER_PROCESSOR_ERROR_TYPE |
			      CPER_PROCESSOR_OPERATION | CPER_PROCESSOR_FLAGS | CPER_PROCESSOR_LEVEL |
			      CPER_PROCESSOR_ID,
		.type = (uint8_t)parameters->processor_type,
		.isa = (uint8_t)parameters->isa,
		.error_type = (uint8_t)(parameters->error_type >= 0 ? parameters->error_type : 1),
		.operation = (uint8_t)parameters->operation,
		.flags = (uint8_t)parameters->flags,
		.level = (uint8_t)parameters->level,
		.id = (uint64_t)parameters->processor_id,
	};
	return sizeof(*processor);
}

static int fill_section(const struct error_parameters *parameters, struct error_record *record,
			struct hl_error *err)
{
	switch (parameters->kind) {
	case ERROR_PCIE:
		return fill_pcie(parameters, &record->section.pcie, err);
	case ERROR_MEMORY:
		return fill_memory(parameters, &record->section.memory);
	default:
		return fill_processor(parameters, &record->section.processor);
	}
}

int error_record_make(const struct error_parameters *parameters, struct error_record *record,
		      struct hl_error *err)
{
	static const uint8_t types[][16] = {CPER_SECTION_PCIE, CPER_SECTION_MEMORY, CPER_SECTION_PROCESSOR};
	bool uncorrectable = parameters->severity == CPER_RECOVERABLE || parameters->severity == CPER_FATAL;
	int size;

	memset(record, 0, sizeof(*record));
	size = fill_section(parameters, record, err);
	if (size < 0)
		return size;
	memcpy(record->entry.section_type, types[parameters->kind], sizeof(types[0]));
	record->entry.severity = record->block.severity = (uint32_t)parameters->severity;
	record->entry.revision = 0x0201;
	record->entry.length = (uint32_t)size;
	record->block.data_length = (uint32_t)(sizeof(record->entry) + (size_t)size);
	record->block.block_status =
		ERROR_BLOCK_ONE_ENTRY | (uncorrectable ? ERROR_BLOCK_UNCORRECTABLE : ERROR_BLOCK_CORRECTABLE);
	return (int)(sizeof(record->block) + record->block.data_length);
}
