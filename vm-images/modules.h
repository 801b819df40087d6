/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_MODULES_H
#define HANGLAB_VM_IMAGES_MODULES_H

#include "kernel.h"

#include <stdbool.h>

/**
 * struct module - a module file to load
 * @name: module name with underscores, as /proc/modules shows it
 * @path: absolute path of its .ko, .ko.gz, .ko.xz or .ko.zst
 * @optional: only a soft dependency asked for it: that it cannot be loaded is no error
 */
struct module {
	char *name;
	char *path;
	bool optional;
};

/** struct module_list - modules in the order in which to load them; module_list_clear() */
struct module_list {
	struct module *modules;
	size_t count;
};

void module_list_clear(struct module_list *list);

/**
 * modules_resolve() - which module files a kernel needs for some features, in load order
 * @kernel: the kernel
 * @wanted: module names or aliases ("virtio_console", "fs-xfs"); "-NAME" for one that may be missing and may
 *	fail to load
 * @count: how many
 * @list: receives the files: dependencies and soft dependencies first, each file once, nothing for
 *        what is built in
 * @err: names the missing module and the configuration option that would bring it, if known
 *
 * Where several modules provide a soft dependency (crc32c: crc32c_generic, crc32c_intel), only the
 * portable one is taken, so that a guest does the same on every CPU model.
 *
 * Return: 0; -ENOENT for a module that is neither built in nor present; -EBADMSG when the kernel's
 * module indexes cannot be read.
 */
int modules_resolve(const struct kernel *kernel, const char *const *wanted, size_t count,
		    struct module_list *list, struct hl_error *err);

/**
 * module_read() - the content of a module file, decompressed, as init_module(2) takes it
 * @path: the file; compression by its ending
 * @data: newly allocated; the caller frees it
 * @size: its bytes
 *
 * Return: 0, -EBADMSG for damaged compressed data, or -errno.
 */
int module_read(const char *path, void **data, size_t *size, struct hl_error *err);

#endif
