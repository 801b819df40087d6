// SPDX-License-Identifier: GPL-2.0-or-later
#include "hyperv.h"
#include "parse.h"

#include <ctype.h>
#include <string.h>

const char *const hyperv_flag_names[HYPERV_FLAGS] = {"hv_relaxed", "hv_vapic", "hv_spinlocks", "hv_time"};

/* The elements of <hyperv> for the same; the reference clock is a <timer>. */
static const char *const elements[HYPERV_FLAGS] = {"<relaxed", "<vapic", "<spinlocks", "'hypervclock'"};

static bool same_flag(const char *text, const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != name[i] && !(text[i] == '-' && name[i] == '_'))
			return false;
	return text[length] == ',' || text[length] == '=' || text[length] == ' ' || text[length] == '\'' ||
	       text[length] == '"' || text[length] == '\0';
}

/* "host,hv_time,hv-relaxed=on,hv_spinlocks=0x1fff": up to the next space or quote. */
static void take_cpu(const char *cpu, struct hyperv_machine *machine)
{
	size_t length = strcspn(cpu, " \t'\"");

	memset(machine->present, 0, sizeof(machine->present));
	for (const char *item = cpu; item && item < cpu + length; item = strchr(item, ',')) {
		if (*item == ',')
			item++;
		for (size_t i = 0; i < HYPERV_FLAGS; i++) {
			size_t name = strlen(hyperv_flag_names[i]);

			if (same_flag(item, hyperv_flag_names[i], name))
				machine->present[i] = !parse_starts(item + name, "=off");
		}
	}
}

static bool parse_command_line(const char *text, struct hyperv_machine *machine)
{
	const char *name = parse_after(text, " -name ");
	const char *cpu = NULL;

	if (!strstr(text, "qemu") && !strstr(text, "kvm"))
		return false;
	if (!name && !strstr(text, " -machine ") && !strstr(text, " -enable-kvm"))
		return false;
	/* The last -cpu wins. */
	for (const char *next = strstr(text, " -cpu "); next; next = strstr(cpu, " -cpu "))
		cpu = next + strlen(" -cpu ");
	if (!cpu)
		return false;
	take_cpu(cpu, machine);
	if (name) {
		size_t length;

		name = parse_starts(name, "guest=") ? name + strlen("guest=") : name;
		length = strcspn(name, " ,");
		if (length >= sizeof(machine->name))
			length = sizeof(machine->name) - 1;
		memcpy(machine->name, name, length);
		machine->name[length] = '\0';
	}
	machine->source = HYPERV_COMMAND_LINE;
	return true;
}

static bool parse_argument_xml(const char *text, struct hyperv_machine *machine)
{
	const char *option = strstr(text, "value='-cpu'");
	const char *value;

	if (!option)
		option = strstr(text, "value=\"-cpu\"");
	value = option ? parse_after(option + strlen("value='-cpu'"), "value=") : NULL;
	if (!value || (*value != '\'' && *value != '"'))
		return false;
	take_cpu(value + 1, machine);
	machine->source = HYPERV_ARGUMENT_XML;
	return true;
}

/* "<relaxed state='on'/>": on unless it says off. */
static bool is_on(const char *element)
{
	size_t length = strcspn(element, ">");
	const char *off = strstr(element, "off"), *no = strstr(element, "present='no'");

	return !(off && off < element + length) && !(no && no < element + length);
}

static bool parse_feature_xml(const char *text, struct hyperv_machine *machine)
{
	if (!strstr(text, "<hyperv"))
		return false;
	for (size_t i = 0; i < HYPERV_FLAGS; i++) {
		const char *element = strstr(text, elements[i]);

		machine->present[i] = element && is_on(element);
	}
	machine->source = HYPERV_FEATURE_XML;
	return true;
}

bool hyperv_parse_line(const char *text, struct hyperv_machine *machine)
{
	uint64_t line = machine->line;

	*machine = (struct hyperv_machine){.line = line};
	return parse_argument_xml(text, machine) || parse_feature_xml(text, machine) ||
	       parse_command_line(text, machine);
}
