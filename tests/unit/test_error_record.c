// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/error_record.h"
#include "inject/hest.h"

#include <CUnit/CUnit.h>
#include <stddef.h>
#include <string.h>

/* The record with some parameters given, the others by default. Return: its size. */
static int make(json_t *with, struct error_record *record)
{
	struct error_parameters parameters = {0};
	struct hl_error err = HL_ERROR_INIT;
	int size;

	CU_ASSERT_EQUAL_FATAL(parameters_load(error_parameters, with, &parameters, &err), 0);
	size = error_record_make(&parameters, record, &err);
	if (size < 0)
		CU_ASSERT_NOT_EQUAL(err.text[0], 0);
	json_decref(with);
	return size;
}

/* Offsets are those of UEFI 2.10, tables N.20, N.17 and N.5, plus the 84 bytes before the section. */
static void test_pcie(void)
{
	struct error_record record;
	const uint8_t *bytes = (const uint8_t *)&record;

	CU_ASSERT_EQUAL(make(json_object(), &record), 20 + 64 + 208);
	CU_ASSERT_EQUAL(record.block.block_status, 0x11);
	CU_ASSERT_EQUAL(record.block.data_length, 64 + 208);
	CU_ASSERT_EQUAL(record.block.severity, CPER_FATAL);
	CU_ASSERT_EQUAL(memcmp(bytes + 20, "\x54\xe9\x95\xd9\xc1\xbb\x0f\x43", 8), 0);
	CU_ASSERT_EQUAL(record.section.pcie.validation, 0x2f);			/* no AER part */
	CU_ASSERT_EQUAL(memcmp(bytes + 84 + 12, "\x10\x01", 2), 0);		/* version 1.16 */
	CU_ASSERT_EQUAL(memcmp(bytes + 84 + 16, "\x47\x05\x10\x40", 4), 0);	/* command, status */
	CU_ASSERT_EQUAL(memcmp(bytes + 84 + 24, "\x86\x80\x08\x2f", 4), 0);	/* vendor, device */
	CU_ASSERT_EQUAL(memcmp(bytes + 84 + 28, "\x00\x00\x04\x00\x03", 5), 0); /* class, function, device */
	CU_ASSERT_EQUAL(bytes[84 + 36], 4);					/* secondary bus */
	CU_ASSERT_EQUAL(memcmp(bytes + 84 + 48, "\x00\x00\x03\x00", 4), 0);	/* bridge */
	make(json_pack("{s:s, s:s, s:s}", "aer_uncor_status", "0x4000", "device_id", "0001:a0:1f.7", "slot",
		       "5"),
	     &record);
	CU_ASSERT_EQUAL(record.section.pcie.validation, 0xaf);
	CU_ASSERT_EQUAL(record.section.pcie.aer.uncorrectable_status, 0x4000);
	CU_ASSERT_EQUAL(record.section.pcie.segment, 1);
	CU_ASSERT_EQUAL(record.section.pcie.bus, 0xa0);
	CU_ASSERT_EQUAL(record.section.pcie.device, 0x1f);
	CU_ASSERT_EQUAL(record.section.pcie.function, 7);
	CU_ASSERT_EQUAL(record.section.pcie.slot, 5 << 3);
}

static void test_memory(void)
{
	struct error_record record;
	const uint8_t *bytes = (const uint8_t *)&record;

	CU_ASSERT_EQUAL(make(json_pack("{s:s, s:s, s:s}", "kind", "memory", "severity", "corrected",
				       "physical_address", "0x12345000"),
			     &record),
			20 + 64 + 80);
	CU_ASSERT_EQUAL(record.block.block_status, 0x12);
	CU_ASSERT_EQUAL(memcmp(bytes + 84 + 16, "\x00\x50\x34\x12", 4), 0);
	CU_ASSERT_EQUAL(bytes[84 + 72], 2); /* single-bit */
	make(json_pack("{s:s, s:s}", "kind", "memory", "severity", "recoverable"), &record);
	CU_ASSERT_EQUAL(record.block.block_status, 0x11);
	CU_ASSERT_EQUAL(bytes[84 + 72], 3); /* multi-bit */
}

static void test_processor(void)
{
	struct error_record record;
	const uint8_t *bytes = (const uint8_t *)&record;

	CU_ASSERT_EQUAL(make(json_pack("{s:s, s:s, s:s}", "kind", "processor", "error_type", "4", "severity",
				       "informational"),
			     &record),
			20 + 64 + 192);
	CU_ASSERT_EQUAL(record.block.block_status, 0x12);
	CU_ASSERT_EQUAL(record.entry.severity, 3);
	CU_ASSERT_EQUAL(bytes[84 + 10], 4);
	CU_ASSERT_EQUAL(bytes[84 + 152], 1); /* APIC id */
}

static void test_refused(void)
{
	static const char *const devices[] = {"00:03.0", "0000:00:20.0", "0000:00:03.8", "0000:00:03.0 ", ""};
	static const char *const versions[] = {"1", "1.256", "1.2.3", "x", ""};
	struct error_record record;

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		CU_ASSERT_EQUAL(make(json_pack("{s:s}", "device_id", devices[i]), &record), -EINVAL);
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		CU_ASSERT_EQUAL(make(json_pack("{s:s}", "version", versions[i]), &record), -EINVAL);
}

static void test_places(void)
{
	struct hest_generic sources[2];
	char table[HEST_TABLE_SIZE];

	CU_ASSERT_EQUAL(hest_cell(512ULL << 20, HEST_NOTIFY_NMI), 0x1fffe000);
	CU_ASSERT_EQUAL(hest_cell(512ULL << 20, HEST_NOTIFY_POLLED), 0x1ffff000);
	/* Above 2.75 GiB q35 leaves 2 GiB below the hole. */
	CU_ASSERT_EQUAL(hest_cell(2815ULL << 20, HEST_NOTIFY_NMI), (2815ULL << 20) - 8192);
	CU_ASSERT_EQUAL(hest_cell(2816ULL << 20, HEST_NOTIFY_NMI), 0x7fffe000);
	CU_ASSERT_EQUAL(hest_cell(64ULL << 30, HEST_NOTIFY_NMI), 0x7fffe000);
	hest_table(512ULL << 20, table);
	CU_ASSERT_EQUAL(memcmp(table, "\x02\x00\x00\x00", 4), 0);
	memcpy(sources, table + 4, sizeof(sources));
	CU_ASSERT_EQUAL(sources[0].source_id, 1);
	CU_ASSERT_EQUAL(sources[0].notify.type, 4);
	CU_ASSERT_EQUAL(sources[0].status_address.address, 0x1fffe000);
	CU_ASSERT_EQUAL(sources[1].source_id, 2);
	CU_ASSERT_EQUAL(sources[1].notify.type, 0);
	CU_ASSERT_EQUAL(sources[1].notify.poll_interval, 1000);
}

CU_TestInfo error_record_tests[] = {
	{"a PCIe error", test_pcie},	       {"a memory error", test_memory},
	{"a processor error", test_processor}, {"what is refused", test_refused},
	{"where it lies", test_places},	       CU_TEST_INFO_NULL,
};
