/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_POSTMORTEM_DMESG_H
#define HANGLAB_POSTMORTEM_DMESG_H

#include "postmortem/mapping.h"

/**
 * dmesg_read() - the kernel's whole log out of its memory, also what never came to a console
 * @text: newly allocated: lines "[SECONDS.MICROSECONDS] TEXT"
 *
 * Needs nothing but VMCOREINFO: kernels from 5.10 on (printk_ringbuffer) and from 3.5 on (log_buf of
 * records). The second form is written after the kernel's sources (kernel/printk/printk.c of 5.9) and was run
 * on a log made by hand only: no kernel that old was at hand.
 *
 * Return: 0 or -ENODATA.
 */
int dmesg_read(const struct mapping *mapping, char **text, struct hl_error *err);

#endif
