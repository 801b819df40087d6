/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_FETCH_DEBIAN_H
#define HANGLAB_VM_IMAGES_FETCH_DEBIAN_H

#include "kernel.h"
#include "progress.h"

#include <stdbool.h>

/**
 * kernel_fetch_debian() - get a kernel from the archives that the machine's apt knows
 * @name: "debian" for the release that linux-image-cloud-amd64 stands for today, "debian:FLAVOUR" for that
 *        of another flavour, for example "debian:amd64";
 *        "debian:RELEASE", for example "debian:6.1.0-55-cloud-amd64"; "debian:VERSION" for the cloud kernel
 *        of a package version or its upstream part, "debian:6.1.170-3" or "debian:6.1.170"; and
 *        "debian:SUITE", "debian:SUITE/RELEASE", "debian:SUITE/VERSION" for those of another suite
 * @progress: told what happens
 * @kernel: receives the kernel, named "debian:RELEASE" or "debian:SUITE/RELEASE"; the caller frees it
 * @added: false when the store had it already and nothing was downloaded; may be NULL
 * @err: says what apt said, and the nearest releases when the one asked for is not served
 *
 * Changes nothing of the user's apt. A release that the store has is not asked for again, so naming
 * one works offline; plain "debian" asks apt-cache first.
 *
 * Return: 0; -ENOENT when apt does not know the kernel or is not installed; -EINVAL for a name that
 * is not Debian's; -EIO when the download failed; else as kernel_store_add().
 */
int kernel_fetch_debian(const char *name, const struct progress *progress, struct kernel **kernel,
			bool *added, struct hl_error *err);

#endif
