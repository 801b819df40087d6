// SPDX-License-Identifier: GPL-2.0-or-later
#include "modules.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <fnmatch.h>
#include <libkmod.h>
#include <string.h>

#define READ_SIZE (128 * 1024)

/* The option that brings a module, for the message that it is missing (from the kernel's Makefiles). */
static const struct {
	const char *module, *option;
} options[] = {
	{"act_mirred", "NET_ACT_MIRRED"},
	{"brd", "BLK_DEV_RAM"},
	{"btrfs", "BTRFS_FS"},
	{"dm_delay", "DM_DELAY"},
	{"dm_dust", "DM_DUST"},
	{"dm_flakey", "DM_FLAKEY"},
	{"dm_log_writes", "DM_LOG_WRITES"},
	{"dm_mod", "BLK_DEV_DM"},
	{"dm_multipath", "DM_MULTIPATH"},
	{"dm_snapshot", "DM_SNAPSHOT"},
	{"dummy", "DUMMY"},
	{"exfat", "EXFAT_FS"},
	{"ext4", "EXT4_FS"},
	{"f2fs", "F2FS_FS"},
	{"fuse", "FUSE_FS"},
	{"iscsi_tcp", "ISCSI_TCP"},
	{"lkdtm", "LKDTM"},
	{"loop", "BLK_DEV_LOOP"},
	{"nbd", "BLK_DEV_NBD"},
	{"null_blk", "BLK_DEV_NULL_BLK"},
	{"nvme", "BLK_DEV_NVME"},
	{"nvme_tcp", "NVME_TCP"},
	{"overlay", "OVERLAY_FS"},
	{"pvpanic", "PVPANIC"},
	{"pvpanic_pci", "PVPANIC_PCI"},
	{"raid1", "MD_RAID1"},
	{"sch_drr", "NET_SCH_DRR"},
	{"sch_htb", "NET_SCH_HTB"},
	{"sch_netem", "NET_SCH_NETEM"},
	{"scsi_debug", "SCSI_DEBUG"},
	{"sd_mod", "BLK_DEV_SD"},
	{"softdog", "SOFT_WATCHDOG"},
	{"test_lockup", "TEST_LOCKUP"},
	{"virtio_blk", "VIRTIO_BLK"},
	{"virtio_console", "VIRTIO_CONSOLE"},
	{"virtio_net", "VIRTIO_NET"},
	{"virtio_pci", "VIRTIO_PCI"},
	{"virtio_scsi", "SCSI_VIRTIO"},
	{"xfs", "XFS_FS"},
	{"zram", "ZRAM"},
};

/*
 * One resolution. A module is noted in @seen before its dependencies are walked, which ends circles
 * of soft dependencies, and appended to @list after them, which gives the load order.
 */
struct resolution {
	const struct kernel *kernel;
	struct kmod_ctx *kmod;
	struct module_list *list;
	struct module *seen;
	size_t seen_count;
};

static void modules_clear(struct module *modules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(modules[i].name);
		free(modules[i].path);
	}
	free(modules);
}

void module_list_clear(struct module_list *list)
{
	modules_clear(list->modules, list->count);
	*list = (struct module_list){NULL, 0};
}

static void kmod_cleanup(struct kmod_ctx **kmod)
{
	kmod_unref(*kmod);
}

static void kmod_list_cleanup(struct kmod_list **list)
{
	kmod_module_unref_list(*list);
}

static void kmod_module_cleanup(struct kmod_module **module)
{
	kmod_module_unref(*module);
}

static void kmod_log_nothing(void *data, int priority, const char *file, int line, const char *function,
			     const char *format, va_list args)
{
	(void)data, (void)priority, (void)file, (void)line, (void)function, (void)format, (void)args;
}

/* The option that brings a module and its value, newly allocated; NULL when one of them is not known. */
static const char *find_option(const struct resolution *job, const char *name, char **value)
{
	const char *bare = strncmp(name, "fs-", 3) ? name : name + 3;

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (!strcmp(options[i].module, name) || !strcmp(options[i].module, bare))
			return kernel_config_value(job->kernel, options[i].option, value, NULL)
				       ? NULL
				       : options[i].option;
	return NULL;
}

/* Neither a module nor in the list of what is built in, which a kernel without its modules does not have. */
static int missing(const struct resolution *job, const char *name, struct hl_error *err)
{
	cleanup_free char *value = NULL;
	const char *option = find_option(job, name, &value);

	if (option && !strcmp(value, "y"))
		return 0;
	if (option)
		return hl_error_set(err, ENOENT,
				    "kernel %s has no module %s: CONFIG_%s is %s in its configuration",
				    job->kernel->name, name, option, strcmp(value, "n") ? value : "not set");
	return hl_error_set(err, ENOENT, "kernel %s has no module %s", job->kernel->name, name);
}

static int append(struct module **modules, size_t *count, const char *name, const char *path, bool optional)
{
	struct module *larger = reallocarray(*modules, *count + 1, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	*modules = larger;
	larger[(*count)++] = (struct module){
		.name = file_path("%s", name),
		.path = file_path("%s", path),
		.optional = optional,
	};
	return 0;
}

static struct module *find_seen(const struct resolution *job, const char *name)
{
	for (size_t i = 0; i < job->seen_count; i++)
		if (!strcmp(job->seen[i].name, name))
			return &job->seen[i];
	return NULL;
}

static bool is_built_in(struct kmod_module *module)
{
	return kmod_module_get_initstate(module) == KMOD_MODULE_BUILTIN;
}

static int lookup(const struct resolution *job, const char *name, struct kmod_list **found,
		  struct hl_error *err)
{
	int r = kmod_module_new_from_lookup(job->kmod, name, found);

	return r < 0 ? hl_error_set(err, EBADMSG, "read the module indexes in %s: %s", job->kernel->modules,
				    strerror(-r))
		     : 0;
}

static int visit_all(struct resolution *job, struct kmod_list *modules, bool optional, struct hl_error *err);

static int visit_found(struct resolution *job, const char *name, bool optional, bool *found,
		       struct hl_error *err)
{
	cleanup_with(kmod_list_cleanup) struct kmod_list *modules = NULL;
	int r = lookup(job, name, &modules, err);

	*found = modules != NULL;
	return r ? r : visit_all(job, modules, optional, err);
}

/*
 * One name of a soft dependency; one that nothing provides is no error (modprobe.d(5)). Nearly all are
 * names of algorithms. The crypto API calls the portable provider of NAME "NAME-generic", built in or
 * not, and the others after the CPU feature they need (include/linux/crypto.h, MODULE_ALIAS_CRYPTO).
 */
static int visit_soft(struct resolution *job, const char *name, struct hl_error *err)
{
	cleanup_free char *portable = file_path("%s-generic", name);
	bool found;
	int r = visit_found(job, portable, true, &found, err);

	return r || found ? r : visit_found(job, name, true, &found, err);
}

/*
 * @text: "pre: a b post: c". What "post:" asks for comes after the module and is not walked. libkmod 30
 * leaves out the blank in front of "post:".
 */
static int visit_soft_text(struct resolution *job, const char *text, struct hl_error *err)
{
	const char *post = strstr(text, "post:");
	cleanup_free char *words = file_path("%.*s", post ? (int)(post - text) : -1, text);
	char *position = NULL;
	int r = 0;

	for (char *word = strtok_r(words, " ", &position); !r && word; word = strtok_r(NULL, " ", &position))
		if (strcmp(word, "pre:"))
			r = visit_soft(job, word, err);
	return r;
}

/*
 * libkmod also hands out soft dependencies as one flat list of modules, which no longer tells which
 * of them are alternatives of each other: hence the text.
 */
static int visit_soft_dependencies(struct resolution *job, const char *name, struct hl_error *err)
{
	struct kmod_config_iter *item = kmod_config_get_softdeps(job->kmod);
	int r = 0;

	if (!item)
		return 0;
	while (!r && kmod_config_iter_next(item))
		if (!fnmatch(kmod_config_iter_get_key(item), name, 0))
			r = visit_soft_text(job, kmod_config_iter_get_value(item), err);
	kmod_config_iter_free_iter(item);
	return r;
}

static int visit(struct resolution *job, struct kmod_module *module, bool optional, struct hl_error *err)
{
	cleanup_with(kmod_list_cleanup) struct kmod_list *dependencies = NULL;
	const char *name = kmod_module_get_name(module), *path;
	struct module *seen = find_seen(job, name);
	bool first = !seen;
	int r;

	if (is_built_in(module) || (seen && (optional || !seen->optional)))
		return 0;
	path = kmod_module_get_path(module);
	if (!path || access(path, F_OK))
		return optional ? 0 : missing(job, name, err);
	if (seen)
		seen->optional = false;
	else if (append(&job->seen, &job->seen_count, name, path, optional))
		return hl_error_errno(err, ENOMEM, "resolve module %s", name);
	r = visit_soft_dependencies(job, name, err);
	dependencies = kmod_module_get_dependencies(module);
	if (!r)
		r = visit_all(job, dependencies, optional, err);
	if (!r && first && append(&job->list->modules, &job->list->count, name, path, optional))
		r = hl_error_errno(err, ENOMEM, "resolve module %s", name);
	return r;
}

static int visit_all(struct resolution *job, struct kmod_list *modules, bool optional, struct hl_error *err)
{
	struct kmod_list *item;
	int r = 0;

	kmod_list_foreach(item, modules)
	{
		cleanup_with(kmod_module_cleanup) struct kmod_module *module = kmod_module_get_module(item);

		if (!r)
			r = visit(job, module, optional, err);
	}
	return r;
}

/* "-NAME": one that may be missing, and may fail to load. */
static int visit_wanted(struct resolution *job, const char *wanted, struct hl_error *err)
{
	bool optional = wanted[0] == '-', found;
	int r = visit_found(job, wanted + optional, optional, &found, err);

	return r || found || optional ? r : missing(job, wanted, err);
}

static int resolve(struct resolution *job, const char *const *wanted, size_t count, struct hl_error *err)
{
	/* No configuration: that of this machine is not the guest's. */
	static const char *const no_configuration[] = {NULL};
	cleanup_with(kmod_cleanup) struct kmod_ctx *kmod = kmod_new(job->kernel->modules, no_configuration);
	cleanup_free char *index = file_path("%s/modules.dep.bin", job->kernel->modules);
	int r = 0;

	if (!kmod || access(index, R_OK))
		return hl_error_set(err, EBADMSG, "read the module indexes in %s: %s", job->kernel->modules,
				    strerror(errno));
	kmod_set_log_fn(kmod, kmod_log_nothing, NULL);
	/* Only speed: it fails where an index is missing, which an old or small kernel may not have. */
	kmod_load_resources(kmod);
	job->kmod = kmod;
	for (size_t i = 0; !r && i < count; i++)
		r = visit_wanted(job, wanted[i], err);
	for (size_t i = 0; i < job->list->count; i++)
		job->list->modules[i].optional = find_seen(job, job->list->modules[i].name)->optional;
	return r;
}

int modules_resolve(const struct kernel *kernel, const char *const *wanted, size_t count,
		    struct module_list *list, struct hl_error *err)
{
	struct module_list found = {NULL, 0};
	struct resolution job = {.kernel = kernel, .list = &found};
	int r = resolve(&job, wanted, count, err);

	modules_clear(job.seen, job.seen_count);
	if (r)
		module_list_clear(&found);
	else
		*list = found;
	return r;
}

static void free_archive(struct archive **archive)
{
	archive_read_free(*archive);
}

/* Read a stream to its end. */
static int read_stream(struct archive *stream, void **data, size_t *size)
{
	cleanup_free char *content = NULL;
	size_t used = 0, room = 0;
	la_ssize_t got;

	do {
		if (used == room) {
			char *larger = realloc(content, room ? 2 * room : READ_SIZE);

			if (!larger)
				return -ENOMEM;
			content = larger;
			room = room ? 2 * room : READ_SIZE;
		}
		got = archive_read_data(stream, content + used, room - used);
		if (got < 0)
			return -EBADMSG;
		used += (size_t)got;
	} while (got);
	*data = take_pointer(content);
	*size = used;
	return 0;
}

static int read_compressed(const char *path, void **data, size_t *size, struct hl_error *err)
{
	cleanup_with(free_archive) struct archive *stream = archive_read_new();
	struct archive_entry *entry;
	int r;

	archive_read_support_filter_gzip(stream);
	archive_read_support_filter_xz(stream);
	archive_read_support_filter_zstd(stream);
	archive_read_support_format_raw(stream);
	/* A stream that no filter knows would come through as it is. */
	if (archive_read_open_filename(stream, path, READ_SIZE) != ARCHIVE_OK ||
	    archive_read_next_header(stream, &entry) != ARCHIVE_OK ||
	    archive_filter_code(stream, 0) == ARCHIVE_FILTER_NONE)
		r = -EBADMSG;
	else
		r = read_stream(stream, data, size);
	return r ? hl_error_set(err, -r, "decompress %s: %s", path,
				archive_error_string(stream) ?: "not what its name says")
		 : 0;
}

int module_read(const char *path, void **data, size_t *size, struct hl_error *err)
{
	size_t length = strlen(path);

	if (length > 3 && !strcmp(path + length - 3, ".ko"))
		return file_read(path, (char **)data, size, err);
	return read_compressed(path, data, size, err);
}
