/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_HYPERV_H
#define HANGLAB_CHECKERS_HYPERV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The Hyper-V enlightenments that a Windows guest on KVM must have so that its clock watchdog keeps quiet:
 * found in QEMU command lines (process lists, libvirt's logs) and libvirt domain XML.
 */

#define HYPERV_FLAGS 4

/** Names as QEMU's -cpu option takes them. */
extern const char *const hyperv_flag_names[HYPERV_FLAGS];

/** Where a configuration was found. */
enum hyperv_source {
	HYPERV_COMMAND_LINE, /* -cpu of a QEMU command line */
	HYPERV_ARGUMENT_XML, /* <qemu:arg value='-cpu'/> of domain XML */
	HYPERV_FEATURE_XML,  /* <hyperv> of domain XML */
};

/**
 * struct hyperv_machine - the configuration of one virtual machine
 * @name: of -name, or ""
 * @line: 1-based number of the line where it begins
 * @source: where it was found
 * @present: for each of hyperv_flag_names[], whether it is on
 */
struct hyperv_machine {
	char name[64];
	uint64_t line;
	enum hyperv_source source;
	bool present[HYPERV_FLAGS];
};

/**
 * hyperv_parse_line() - the configuration that a line of text holds
 * @text: a log line of any length, NUL-terminated
 * @machine: result; @machine->line is left alone
 *
 * Return: false when there is none in it.
 */
bool hyperv_parse_line(const char *text, struct hyperv_machine *machine);

#endif
