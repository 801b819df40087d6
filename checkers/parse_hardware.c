// SPDX-License-Identifier: GPL-2.0-or-later
#include "parse.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What hardware and firmware report: APEI/GHES, machine checks, PCIe AER, EDAC; and KVM's page tables. */

/* "{1}[Hardware Error]: " or "[Hardware Error]: ". Return: behind it, or NULL. */
static const char *behind_tag(const char *text)
{
	if (*text == '{')
		text += strcspn(text, "}") + (strchr(text, '}') != NULL);
	return parse_starts(text, "[Hardware Error]: ");
}

static bool ghes_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *source = parse_after(anchor, "Source: ");
	const char *text = behind_tag(line->text);

	if (!text || text > anchor)
		return false;
	if (source && isdigit((unsigned char)*source))
		report_field_integer(report, "source", atoi(source));
	report_field_text(report, "origin", "APEI", 4);
	report->what = "hardware error";
	return true;
}

/* One section of a CPER record; the first one's members also stand in fields{} itself. */
static json_t *current_section(struct report *report)
{
	json_t *sections = json_object_get(report_fields(report), "sections");

	return sections && json_array_size(sections) ? json_array_get(sections, json_array_size(sections) - 1)
						     : NULL;
}

static void begin_section(struct report *report)
{
	json_t *fields = report_fields(report);

	if (fields && !json_object_get(fields, "sections"))
		json_object_set_new(fields, "sections", json_array());
	json_array_append_new(json_object_get(fields, "sections"), json_object());
}

static void take_pair(struct report *report, const char *key, size_t key_length, const char *value,
		      size_t length)
{
	json_t *section = current_section(report);
	char name[48];

	if (!key_length || !length || key_length >= sizeof(name))
		return;
	for (size_t i = 0; i < key_length; i++)
		name[i] = key[i] == ' ' ? '_' : key[i];
	name[key_length] = '\0';
	/* The PCI device id stands next to the vendor's; "device_id: 0000:00:03.0" is the address. */
	if (strcmp(name, "device_id") == 0 && parse_starts(value, "0x"))
		strcpy(name, "pci_device_id");
	if (section && !json_object_get(section, name))
		json_object_set_new(section, name, report_json_text(value, length));
	report_field_text(report, name, value, length);
}

/* "vendor_id: 0x8086, device_id: 0x2f08", "port_type: 4, root port", "bridge: secondary_status: 0x0, control:
 * 0x3" */
static void take_pairs(struct report *report, const char *text)
{
	while (*text) {
		size_t key, length;
		const char *value, *next;

		while (*text == ' ')
			text++;
		key = strcspn(text, ":");
		if (text[key] != ':' || text[key + 1] != ' ')
			return;
		value = text + key + 2;
		/* The value ends where the next "key: " begins. */
		for (next = strstr(value, ", "); next; next = strstr(next + 2, ", ")) {
			size_t word = strspn(next + 2, "abcdefghijklmnopqrstuvwxyz_");

			if (word && next[2 + word] == ':' && next[3 + word] == ' ')
				break;
		}
		length = next ? (size_t)(next - value) : parse_trimmed(value);
		if (key < 20 && strspn(value, "abcdefghijklmnopqrstuvwxyz_") == strcspn(value, ":") &&
		    strchr(value, ':')) {
			text = value; /* "bridge: secondary_status: ...": only a heading */
			continue;
		}
		take_pair(report, text, key, value, length);
		if (!next)
			return;
		text = next + 2;
	}
}

static bool ghes_more(struct report *report, const struct line *line)
{
	const char *text = behind_tag(line->text);
	const char *type;

	if (!text)
		return false;
	while (*text == ' ')
		text++;
	type = parse_starts(text, "event severity: ");
	if (type) {
		report_field_text(report, "severity", type, parse_trimmed(type));
		if (parse_starts(type, "fatal"))
			report->event.fatal = true;
		return true;
	}
	if (parse_starts(text, "Error ") && (type = parse_after(text, ", type: "))) {
		begin_section(report);
		take_pair(report, "type", 4, type, parse_trimmed(type));
		return true;
	}
	take_pairs(report, text);
	return true;
}

static void ghes_finish(struct report *report)
{
	json_t *fields = report_fields(report);
	const char *section = json_string_value(json_object_get(fields, "section_type"));
	const char *severity = json_string_value(json_object_get(fields, "severity"));
	char what[160];

	snprintf(what, sizeof(what), "hardware error: %s%s%s%s", section ? section : "unknown section",
		 severity ? " (" : "", severity ? severity : "", severity ? ")" : "");
	report->what = report_text(report, what, strlen(what));
	report->whole_title = true;
}

const struct report_parser parser_ghes = {
	.begin = ghes_begin,
	.more = ghes_more,
	.finish = ghes_finish,
	.patience = 10,
};

/* "CPU 1: Machine Check Exception: 4 Bank 5: be00000000800400", "CPU 0: Machine Check: 0 Bank 9: 9c..." */
static bool machine_check_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *cpu = parse_after(line->text, "CPU");
	const char *bank = parse_after(anchor, "Bank ");
	const char *status = bank ? parse_after(bank, ": ") : NULL;
	uint64_t value;

	if (!cpu || cpu > anchor || !bank || !status || !parse_hex(status, &value))
		return false;
	report->event.stack.cpu = atoi(cpu);
	report_field_text(report, "origin", "MCE", 3);
	report_field_integer(report, "bank", atoi(bank));
	report_field_text(report, "status", status, strspn(status, "0123456789abcdefABCDEF"));
	report->what = strstr(anchor, "Exception") ? "machine check exception" : "machine check";
	report->whole_title = true;
	return true;
}

/* The other lines of the record: "RIP 10:<...> {f}", "TSC ... ADDR ... MISC ...", "PROCESSOR ... SOCKET ..."
 */
static bool machine_check_more(struct report *report, const struct line *line)
{
	const char *text = parse_after(line->text, "[Hardware Error]: ");
	const char *value;
	uint64_t number;

	if (!text)
		return false;
	if (parse_starts(text, "CPU ") && strstr(text, "Bank "))
		return false;
	value = parse_after(text, "ADDR ");
	if (value && parse_hex(value, &number))
		report_field_text(report, "address", value, strspn(value, "0123456789abcdef"));
	value = parse_after(text, "MISC ");
	if (value && parse_hex(value, &number))
		report_field_text(report, "misc", value, strspn(value, "0123456789abcdef"));
	value = parse_after(text, "SOCKET ");
	if (value)
		report_field_integer(report, "socket", atoi(value));
	value = parse_starts(text, "Machine check: ");
	if (value)
		report_field_text(report, "reason", value, parse_trimmed(value));
	return true;
}

const struct report_parser parser_machine_check = {
	.begin = machine_check_begin,
	.more = machine_check_more,
	.patience = 10,
};

/* One line says it all; the title is the message. */
static bool hardware_message_begin(struct report *report, const struct line *line, const char *anchor)
{
	(void)line;
	report->what = report_stable(report, "hardware error: ", anchor);
	report->whole_title = true;
	return true;
}

const struct report_parser parser_hardware_message = {.begin = hardware_message_begin};

/* "pcieport 0000:00:03.0: AER: Uncorrected (Non-Fatal) error message received from 0000:00:03.0" */
static bool aer_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *severity = parse_after(line->text, "AER: ");
	const char *colon = strstr(line->text, ": ");
	const char *device;
	size_t length;

	if (!severity || !colon || severity > anchor)
		return false;
	if (parse_starts(severity, "Multiple "))
		severity += strlen("Multiple ");
	if (!parse_starts(severity, "Correct") && !parse_starts(severity, "Uncorrect"))
		return false;
	for (device = colon; device > line->text && device[-1] != ' '; device--)
		;
	report_field_text(report, "origin", "AER", 3);
	report_field_text(report, "device_id", device, (size_t)(colon - device));
	length = (size_t)(anchor - severity);
	report_field_text(report, "severity", severity, length);
	report->event.fatal = strstr(severity, "(Fatal)") != NULL;
	report->what = report_stable(report, "PCIe error: ", report_text(report, severity, length));
	report->whole_title = true;
	return true;
}

static bool aer_bus_error_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *severity = anchor + strlen("PCIe Bus Error: severity=");
	const char *type = parse_after(severity, "type=");
	const char *device = line->text, *colon;

	if (report->before && report->before->event.kind == HL_EVENT_HARDWARE_ERROR)
		return false;
	for (colon = strstr(device, ": "); colon && colon < anchor; colon = strstr(colon + 2, ": ")) {
		const char *word = colon;

		while (word > line->text && word[-1] != ' ')
			word--;
		if (memchr(word, '.', (size_t)(colon - word))) {
			report_field_text(report, "device_id", word, (size_t)(colon - word));
			break;
		}
	}
	report_field_text(report, "origin", "AER", 3);
	report_field_text(report, "severity", severity, strcspn(severity, ","));
	if (type)
		report_field_text(report, "type", type, strcspn(type, ","));
	report->event.fatal = strstr(severity, "(Fatal)") != NULL;
	report->what =
		report_stable(report, "PCIe error: ", report_text(report, severity, strcspn(severity, ",")));
	report->whole_title = true;
	return true;
}

static bool aer_more(struct report *report, const struct line *line)
{
	const char *text = line->text;
	const char *recovery = parse_after(text, "evice recovery ");
	const char *type = parse_after(text, "type=");
	const char *id = parse_after(text, "device [");

	if (type && strstr(text, "PCIe Bus Error")) {
		report_field_text(report, "type", type, strcspn(type, ","));
		return true;
	}
	if (id) {
		report_field_text(report, "pci_id", id, strcspn(id, "]"));
		return true;
	}
	if (recovery)
		report_field_text(report, "recovery", recovery, parse_trimmed(recovery));
	return strstr(text, "AER: ") || (strstr(text, "   [") && strchr(text, ']'));
}

const struct report_parser parser_aer = {
	.begin = aer_begin,
	.more = aer_more,
	.patience = 4,
};

const struct report_parser parser_aer_bus_error = {
	.begin = aer_bus_error_begin,
	.more = aer_more,
	.patience = 4,
};

/* "EDAC MC0: 1 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0 (channel:1 slot:0 page:0x12 ...)" */
static bool edac_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *text = parse_after(line->text, "EDAC MC");
	const char *kind = anchor + strspn(anchor, " :");
	const char *on;
	bool corrected;

	if (!text || text > anchor || !isdigit((unsigned char)*text))
		return false;
	corrected = parse_starts(kind, "CE ") != NULL;
	if (!corrected && !parse_starts(kind, "UE "))
		return false;
	on = parse_after(kind, " on ");
	if (on)
		report_field_text(report, "label", on, strcspn(on, " "));
	report_field_text(report, "origin", "EDAC", 4);
	report_field_text(report, "severity", corrected ? "corrected" : "uncorrected", corrected ? 9 : 11);
	report_field_integer(report, "controller", atoi(text));
	report->what = corrected ? "corrected memory error" : "uncorrected memory error";
	report->whole_title = true;
	return true;
}

const struct report_parser parser_edac = {.begin = edac_begin};

/*
 * KVM found an SPTE that the CPU does not accept (arch/x86/kvm). 3.10: "EPT: Misconfiguration.",
 * "EPT: GPA: 0x108ba4538", "ept_misconfig_inspect_spte: spte 0x84c236107 level 4" ...; since 5.10
 * "get_mmio_spte: reserved bits set on MMU-present spte, addr 0x50000, hierarchy:",
 * "------ spte = 0x2a54907 level = 4, rsvd bits = 0xfff00000000f8" ...
 */
static bool ept_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *address = parse_after(anchor, "addr ");

	if (!address && !parse_at_start(line, anchor))
		return false;
	if (address)
		report_field_text(report, "gpa", address, strcspn(address, ", "));
	report->what = "EPT misconfiguration";
	report->whole_title = true;
	return true;
}

static bool ept_more(struct report *report, const struct line *line)
{
	const char *gpa = parse_after(line->text, "GPA: ");
	const char *spte = parse_after(line->text, "spte ");
	const char *level = parse_after(line->text, "level ");
	const char *reserved = parse_after(line->text, "rsvd bits = ");
	json_t *fields = report_fields(report), *entry;

	if (gpa && strstr(line->text, "EPT")) {
		report_field_text(report, "gpa", gpa, parse_trimmed(gpa));
		return true;
	}
	if (!spte || !level || !fields)
		return strstr(line->text, "ept_misconfig_inspect_spte: rsvd_bits") != NULL;
	if (parse_starts(spte, "= "))
		spte += 2;
	if (parse_starts(level, "= "))
		level += 2;
	if (!json_object_get(fields, "walk"))
		json_object_set_new(fields, "walk", json_array());
	entry = json_object();
	json_object_set_new(entry, "level", json_integer(atoi(level)));
	json_object_set_new(entry, "spte", report_json_text(spte, strcspn(spte, " ,")));
	if (reserved)
		json_object_set_new(entry, "reserved", report_json_text(reserved, strcspn(reserved, " ,.")));
	json_array_append_new(json_object_get(fields, "walk"), entry);
	return true;
}

const struct report_parser parser_ept = {
	.begin = ept_begin,
	.more = ept_more,
	.patience = 6,
};
