/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_POSTMORTEM_REPORT_H
#define HANGLAB_POSTMORTEM_REPORT_H

#include "base/error.h"

#include <jansson.h>
#include <stdio.h>

/** Version of the form of the report; raised when a member changes its meaning. */
#define POSTMORTEM_SCHEMA 1

/**
 * postmortem_read() - what a core file tells
 * @core: an ELF core
 * @vmlinux: for a kernel that does not carry its own symbols, or NULL
 * @report: receives a new reference: schema, core, release, dmesg[] and, as far as the kernel describes
 *itself, cpus[], blocked[] and holders[]; "missing" says in words what could not be read
 *
 * Return: 0; -errno when there is no kernel's memory to read.
 */
int postmortem_read(const char *core, const char *vmlinux, json_t **report, struct hl_error *err);

struct image;

/** postmortem_read_image() - the same, of a core that is open already */
int postmortem_read_image(const struct image *image, const char *core, const char *vmlinux, json_t **report,
			  struct hl_error *err);

/**
 * postmortem_print() - a report for people
 * @dmesg_lines: how many of the last lines of the kernel's log
 */
void postmortem_print(const json_t *report, size_t dmesg_lines, FILE *out);

#endif
