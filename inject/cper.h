/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_INJECT_CPER_H
#define HANGLAB_INJECT_CPER_H

#include <assert.h>
#include <stdint.h>

/*
 * What firmware hands to the operating system when hardware fails, byte for byte, little-endian: the error
 * source table HEST and the error status block (ACPI 6.5, 18.3.2.7 and 18.3.2.7.1), and the sections of a
 * Common Platform Error Record (UEFI 2.10, appendix N). Linux reads them in include/acpi/actbl1.h and
 * include/linux/cper.h.
 */

#define PACKED __attribute__((packed))

/** struct acpi_address - generic address structure (ACPI 6.5, 5.2.3.2); @space 0 is memory */
struct PACKED acpi_address {
	uint8_t space, bit_width, bit_offset, access_size;
	uint64_t address;
};

/** enum hest_notification - how the OS learns of an error (ACPI 6.5, table 18.14) */
enum hest_notification { HEST_NOTIFY_POLLED = 0, HEST_NOTIFY_NMI = 4 };

/** struct hest_notify - hardware error notification (ACPI 6.5, 18.3.2.9); times in milliseconds */
struct PACKED hest_notify {
	uint8_t type, length;
	uint16_t write_enable;
	uint32_t poll_interval, vector;
	uint32_t polling_threshold, polling_window, error_threshold, error_window;
};

/**
 * struct hest_generic - generic hardware error source (ACPI 6.5, 18.3.2.7)
 * @type: 9
 * @related_source: 0xffff for none
 * @status_address: of a 64-bit cell that holds the address of the error status block
 */
struct PACKED hest_generic {
	uint16_t type, source_id, related_source;
	uint8_t flags, enabled;
	uint32_t records, max_sections, max_raw_length;
	struct acpi_address status_address;
	struct hest_notify notify;
	uint32_t block_length;
};

/** enum cper_severity - UEFI 2.10, N.2.1 */
enum cper_severity { CPER_RECOVERABLE, CPER_FATAL, CPER_CORRECTED, CPER_INFORMATIONAL };

/* block_status of struct error_block; bits 4 to 13 count the entries. */
#define ERROR_BLOCK_UNCORRECTABLE (1U << 0)
#define ERROR_BLOCK_CORRECTABLE	  (1U << 1)
#define ERROR_BLOCK_ONE_ENTRY	  (1U << 4)

/** struct error_block - generic error status block (ACPI 6.5, 18.3.2.7.1); the OS clears @block_status */
struct PACKED error_block {
	uint32_t block_status, raw_offset, raw_length, data_length, severity;
};

/** struct error_entry - generic error data entry; @length bytes of a section follow it */
struct PACKED error_entry {
	uint8_t section_type[16];
	uint32_t severity;
	uint16_t revision;
	uint8_t validation, flags;
	uint32_t length;
	uint8_t fru_id[16];
	char fru_text[20];
};

/* Section types (UEFI 2.10, N.2.2), as the bytes of their GUIDs. */
#define CPER_SECTION_PCIE                                                                                    \
	{                                                                                                    \
		0x54, 0xe9, 0x95, 0xd9, 0xc1, 0xbb, 0x0f, 0x43, 0xad, 0x91, 0xb4, 0x4d, 0xcb, 0x3c, 0x6f,    \
			0x35                                                                                 \
	}
#define CPER_SECTION_MEMORY                                                                                  \
	{                                                                                                    \
		0x14, 0x11, 0xbc, 0xa5, 0x64, 0x6f, 0xde, 0x4e, 0xb8, 0x63, 0x3e, 0x83, 0xed, 0x7c, 0x83,    \
			0xb1                                                                                 \
	}
#define CPER_SECTION_PROCESSOR                                                                               \
	{                                                                                                    \
		0xad, 0xcc, 0x76, 0x98, 0xb4, 0x47, 0xdb, 0x4b, 0xb6, 0x5e, 0x16, 0xf1, 0x93, 0xc4, 0xf3,    \
			0xdb                                                                                 \
	}

/** Validation bits of struct cper_pcie. */
enum {
	CPER_PCIE_PORT_TYPE = 1 << 0,
	CPER_PCIE_VERSION = 1 << 1,
	CPER_PCIE_COMMAND_STATUS = 1 << 2,
	CPER_PCIE_DEVICE_ID = 1 << 3,
	CPER_PCIE_BRIDGE = 1 << 5,
	CPER_PCIE_AER = 1 << 7
};

/**
 * struct cper_aer - PCIe advanced error reporting capability (PCIe base specification, 7.8.4)
 * @header: extended capability header
 */
struct PACKED cper_aer {
	uint32_t header, uncorrectable_status, uncorrectable_mask, uncorrectable_severity;
	uint32_t correctable_status, correctable_mask, control;
	uint32_t tlp_header[4], root_command, root_status;
	uint16_t correctable_source, uncorrectable_source;
	uint8_t rest[40];
};

/**
 * struct cper_pcie - PCI Express error section (UEFI 2.10, N.2.7)
 * @class_code: lowest byte first
 * @slot: bits 3 to 15
 */
struct PACKED cper_pcie {
	uint64_t validation;
	uint32_t port_type;
	uint8_t version_minor, version_major, reserved1[2];
	uint16_t command, status;
	uint32_t reserved2;
	uint16_t vendor_id, device_id;
	uint8_t class_code[3], function, device;
	uint16_t segment;
	uint8_t bus, secondary_bus;
	uint16_t slot;
	uint8_t reserved3;
	uint64_t serial_number;
	uint16_t bridge_secondary_status, bridge_control;
	uint8_t capability[60];
	struct cper_aer aer;
};

/** Validation bits of struct cper_memory. */
enum {
	CPER_MEMORY_ERROR_STATUS = 1 << 0,
	CPER_MEMORY_ADDRESS = 1 << 1,
	CPER_MEMORY_ADDRESS_MASK = 1 << 2,
	CPER_MEMORY_NODE = 1 << 3,
	CPER_MEMORY_CARD = 1 << 4,
	CPER_MEMORY_MODULE = 1 << 5,
	CPER_MEMORY_BANK = 1 << 6,
	CPER_MEMORY_DEVICE = 1 << 7,
	CPER_MEMORY_ROW = 1 << 8,
	CPER_MEMORY_COLUMN = 1 << 9,
	CPER_MEMORY_ERROR_TYPE = 1 << 14
};

/** error_status of struct cper_memory: an error in memory (UEFI 2.10, N.2.13: error type in bits 8 to 15) */
#define CPER_ERROR_STATUS_MEMORY (4 << 8)

/** struct cper_memory - memory error section (UEFI 2.10, N.2.5) */
struct PACKED cper_memory {
	uint64_t validation, error_status, address, address_mask;
	uint16_t node, card, module, bank, device, row, column, bit_position;
	uint64_t requestor_id, responder_id, target_id;
	uint8_t error_type, extended;
	uint16_t rank, card_handle, module_handle;
};

/** Validation bits of struct cper_processor. */
enum {
	CPER_PROCESSOR_TYPE = 1 << 0,
	CPER_PROCESSOR_ISA = 1 << 1,
	CPER_PROCESSOR_ERROR_TYPE = 1 << 2,
	CPER_PROCESSOR_OPERATION = 1 << 3,
	CPER_PROCESSOR_FLAGS = 1 << 4,
	CPER_PROCESSOR_LEVEL = 1 << 5,
	CPER_PROCESSOR_ID = 1 << 8
};

/** struct cper_processor - generic processor error section (UEFI 2.10, N.2.4.1) */
struct PACKED cper_processor {
	uint64_t validation;
	uint8_t type, isa, error_type, operation, flags, level;
	uint16_t reserved;
	uint64_t version;
	char brand[128];
	uint64_t id, target_address, requestor_id, responder_id, instruction;
};

static_assert(sizeof(struct acpi_address) == 12, "ACPI 6.5, table 5.1");
static_assert(sizeof(struct hest_notify) == 28, "ACPI 6.5, table 18.14");
static_assert(sizeof(struct hest_generic) == 64, "ACPI 6.5, table 18.10");
static_assert(sizeof(struct error_block) == 20, "ACPI 6.5, table 18.11");
static_assert(sizeof(struct error_entry) == 64, "ACPI 6.5, table 18.12");
static_assert(sizeof(struct cper_aer) == 96, "UEFI 2.10, table N.20: the AER structure has 96 bytes");
static_assert(sizeof(struct cper_pcie) == 208, "UEFI 2.10, table N.20");
static_assert(sizeof(struct cper_memory) == 80, "UEFI 2.10, table N.17");
static_assert(sizeof(struct cper_processor) == 192, "UEFI 2.10, table N.5");

#undef PACKED

#endif
