/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_POSTMORTEM_DMESG_H
#define HANGLAB_POSTMORTEM_DMESG_H

#include "postmortem/mapping.h"

/**
 * dmesg_read() - the kernel's whole log out of its memory, also what never came to a console
 * @text: newly allocated: lines "[SECONDS.MICROSECONDS] TEXT"
 *
 * Needs nothing but VMCOREINFO: kernels from 5.10 on (printk_ringbuffer) and from 3.5 on (log_buf of
 * records).
 *
 * Return: 0 or -ENODATA.
 */
int dmesg_read(const struct mapping *mapping, char **text, struct hl_error *err);

#endif
