// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/snapshot.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/polling.h"
#include "base/units.h"
#include "vm/icount_state.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#define PAGE_SIZE      4096
/* Each takes some 90 MB of disk. */
#define MOST_SNAPSHOTS 16
#define FINALIZE_LIMIT (10 * NANOSECONDS_PER_SECOND)
#define FINALIZE_STEP  1000000

static bool is_zero(const char *page)
{
	return !page[0] && !memcmp(page, page + 1, PAGE_SIZE - 1);
}

/* Copies what lies from @begin to @end, a hole or not, leaving holes for pages of zeros. */
static int copy_pages(const char *from, int to, off_t begin, off_t end)
{
	for (off_t at = begin, run; at < end; at = run) {
		bool zero = is_zero(from + at);

		for (run = at + PAGE_SIZE; run < end && is_zero(from + run) == zero; run += PAGE_SIZE)
			;
		if (!zero && pwrite(to, from + at, (size_t)(run - at), at) != run - at)
			return -errno;
	}
	return 0;
}

/* The empty file @to becomes a copy of @from. */
static int copy_sparse(int from, int to)
{
	off_t size = lseek(from, 0, SEEK_END), begin, end = 0;
	char *pages;
	int r = 0;

	if (size <= 0 || ftruncate(to, size))
		return size < 0 || errno ? -errno : -EINVAL;
	pages = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, from, 0);
	if (pages == MAP_FAILED)
		return -errno;
	while (!r && end < size && (begin = lseek(from, end, SEEK_DATA)) >= 0) {
		end = lseek(from, begin, SEEK_HOLE);
		r = end < 0 ? -errno : copy_pages(pages, to, begin, end);
	}
	munmap(pages, (size_t)size);
	return r;
}

/* The same for a copy that was made so: its holes are known, and the kernel copies by itself. */
static int copy_stored(int from, int to)
{
	off_t size = lseek(from, 0, SEEK_END), begin, end = 0;
	ssize_t sent = 0;

	if (size <= 0 || ftruncate(to, size))
		return size < 0 || errno ? -errno : -EINVAL;
	while (sent >= 0 && end < size && (begin = lseek(from, end, SEEK_DATA)) >= 0) {
		end = lseek(from, begin, SEEK_HOLE);
		if (end < 0 || lseek(to, begin, SEEK_SET) < 0)
			return -errno;
		while (begin < end && (sent = sendfile(to, from, &begin, (size_t)(end - begin))) > 0)
			;
		if (!sent)
			return -EIO;
	}
	return sent < 0 ? -errno : 0;
}

/* The disks as the scenario has them; where in its file ("@KEY") makes no difference. */
static void print_disks(const json_t *disks, FILE *out)
{
	const json_t *disk;
	const char *key;
	json_t *value;
	size_t i;

	json_array_foreach (disks, i, disk) {
		json_t *plain = json_object();

		json_object_foreach ((json_t *)disk, key, value)
			if (key[0] != '@')
				json_object_set(plain, key, value);
		json_dumpf(plain, out, JSON_COMPACT | JSON_SORT_KEYS);
		fputc('\n', out);
		json_decref(plain);
	}
}

/* What the guest is made from, without what differs from run to run. */
static char *recipe(const struct qemu_request *request, const char *qemu)
{
	struct arena arena cleanup_with(arena_free) = {NULL};
	struct plan plan = *request->plan;
	struct plan_vm vm = *plan.vm;
	struct qemu_request canonical = *request;
	const char *const *argument;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	/* Guests of all instruction rates share a snapshot. */
	vm.shift = 0;
	plan.vm = &vm;
	plan.scenario = "snapshot";
	plan.seed = 0;
	canonical.plan = &plan;
	canonical.run_folder = "";
	canonical.snapshot = NULL;
	canonical.start = "cold";
	canonical.qmp_fd = canonical.memory_fd = canonical.qtest_fd = 0;
	fprintf(out, "QEMU %s\n", qemu);
	for (argument = qemu_command(&canonical, &arena); *argument; argument++)
		fprintf(out, "%s\n", *argument);
	print_disks(json_object_get(plan.json, "disks"), out);
	fclose(out);
	return text;
}

int snapshot_path(const struct qemu_request *request, const char *qemu, char **path, struct hl_error *err)
{
	cleanup_free char *folder = NULL, *text = recipe(request, qemu);
	struct sha256_ctx context;
	char hash[HASH_TEXT_SIZE];
	int r = file_cache_folder("snapshots", &folder, err);

	if (r)
		return r;
	sha256_init(&context);
	sha256_update(&context, strlen(text), (const uint8_t *)text);
	hash_finish(&context, hash);
	*path = file_path("%s/%.32s", folder, hash);
	return 0;
}

/* A folder gets its name when all is in it. */
bool snapshot_exists(const char *path)
{
	cleanup_free char *devices = file_path("%s/devices", path);

	return !access(devices, R_OK);
}

int snapshot_identity(const char *path, char hash[HASH_TEXT_SIZE], struct hl_error *err)
{
	cleanup_free char *devices = file_path("%s/devices", path);

	return hash_file(devices, hash, err);
}

/* The memory is kept out; the status is told by events. */
static int prepare_migration(struct vm *vm, struct hl_error *err)
{
	return qmp_execute(vm->qmp, "migrate-set-capabilities",
			   json_pack("{s:[{s:s, s:b}, {s:s, s:b}]}", "capabilities", "capability",
				     "x-ignore-shared", "state", true, "capability", "events", "state", true),
			   NULL, err);
}

/* Each change of the migration's status comes with an event. */
static int await_migration(struct vm *vm, struct hl_error *err)
{
	for (;;) {
		json_t *answer = NULL;
		char status[32];
		int r = qmp_execute(vm->qmp, "query-migrate", NULL, &answer, err);

		if (r)
			return r;
		snprintf(status, sizeof(status), "%s",
			 json_string_value(json_object_get(answer, "status")) ?: "none");
		json_decref(answer);
		if (!strcmp(status, "completed"))
			return 0;
		if (!strcmp(status, "failed"))
			return hl_error_set(err, EIO, "the state of the VM's devices was not transferred");
		r = qmp_await_event(vm->qmp, err);
		if (r) {
			hl_error_prefix(err, "the state of the VM's devices was not transferred (%s)",
					status);
			return r;
		}
	}
}

static int query_run_state(struct vm *vm, char *state, size_t size, struct hl_error *err)
{
	json_t *answer = NULL;
	int r = qmp_execute(vm->qmp, "query-status", NULL, &answer, err);

	if (!r)
		snprintf(state, size, "%s", json_string_value(json_object_get(answer, "status")) ?: "");
	json_decref(answer);
	return r;
}

/*
 * A migration says "completed" a moment before QEMU is done with it; until then "cont" is refused (qmp_cont()
 * in monitor/qmp-cmds.c). No event tells the end of that moment.
 */
static int await_finalized(struct vm *vm, struct hl_error *err)
{
	const struct polling polling = polling_begin(FINALIZE_LIMIT, FINALIZE_STEP);
	char state[32];
	int r;

	do {
		r = query_run_state(vm, state, sizeof(state), err);
		if (r || strcmp(state, "finish-migrate") != 0)
			return r;
	} while (polling_again(&polling));
	return hl_error_set(err, ETIMEDOUT, "QEMU does not finish its migration");
}

static int migrate(struct vm *vm, const char *command, const char *path, struct hl_error *err)
{
	int r = prepare_migration(vm, err);

	if (!r)
		r = qmp_execute(vm->qmp, command, json_pack("{s:o}", "uri", json_sprintf("file:%s", path)),
				NULL, err);
	return r ? r : await_migration(vm, err);
}

/* What the guest has said lies in "channel.log" of a folder. */
static int copy_channel(const char *from_folder, const char *to_folder, struct hl_error *err)
{
	cleanup_free char *from = file_path("%s/channel.log", from_folder), *text = NULL;
	cleanup_free char *to = file_path("%s/channel.log", to_folder);
	cleanup_fd int file = open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	size_t size = 0;
	int r = file_read(from, &text, &size, err);

	if (r)
		return r;
	r = file < 0 ? -errno : file_write_all(file, text, size);
	return r ? hl_error_errno(err, -r, "write %s", to) : 0;
}

static int save_memory(int memory, const char *path, struct hl_error *err)
{
	cleanup_fd int file = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	int r = file < 0 ? -errno : copy_sparse(memory, file);

	return r ? hl_error_errno(err, -r, "write %s", path) : 0;
}

static int is_snapshot(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && !strchr(entry->d_name, '.');
}

/* Those used longest ago go. One that is just being started from may be among them: that run starts cold. */
static void remove_oldest(const char *path)
{
	cleanup_free char *folder = file_path("%.*s", (int)(strrchr(path, '/') - path), path);
	cleanup_free struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_snapshot, NULL), most = count;

	for (int removed = 0; removed < most - MOST_SNAPSHOTS; removed++) {
		cleanup_free char *oldest = NULL;
		struct stat status = {0}, least = {0};

		for (int i = 0; i < count; i++) {
			char *one = file_path("%s/%s", folder, entries[i]->d_name);
			bool older = !stat(one, &status) && (!oldest || status.st_mtime < least.st_mtime);

			if (older) {
				free(oldest);
				oldest = one;
				least = status;
			} else {
				free(one);
			}
		}
		if (oldest)
			file_remove_tree(oldest, NULL);
	}
	for (int i = 0; i < count; i++)
		free(entries[i]);
}

/* In real time there is none. */
static int64_t shift_of(const struct plan_vm *settings)
{
	return settings->clock == PLAN_CLOCK_VIRTUAL ? settings->shift : 0;
}

static int save_shift(const struct plan_vm *settings, const char *folder, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/shift", folder);
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, shift_of(settings));
	return file_write(path, text, strlen(text), err);
}

int snapshot_save(struct vm *vm, const char *path, const struct plan_vm *settings, const char *run_folder,
		  struct hl_error *err)
{
	cleanup_free char *folder = file_path("%s.XXXXXX", path), *memory = NULL, *devices = NULL;
	int r = 0;

	if (!mkdtemp(folder))
		return hl_error_errno(err, errno, "create %s", folder);
	memory = file_path("%s/memory", folder);
	devices = file_path("%s/devices", folder);
	r = save_memory(vm->memory, memory, err);
	if (!r)
		r = copy_channel(run_folder, folder, err);
	if (!r)
		r = save_shift(settings, folder, err);
	if (!r)
		r = migrate(vm, "migrate", devices, err);
	if (!r)
		r = await_finalized(vm, err);
	if (!r && rename(folder, path) && errno != ENOTEMPTY && errno != EEXIST)
		r = hl_error_errno(err, errno, "create %s", path);
	file_remove_tree(folder, NULL);
	remove_oldest(path);
	return r;
}

int snapshot_load_channel(const char *path, const char *run_folder, struct hl_error *err)
{
	return copy_channel(path, run_folder, err);
}

/* QEMU, which maps it, does not look at it before the state of the devices arrives. */
static int load_memory(int memory, const char *path, struct hl_error *err)
{
	cleanup_free char *file = file_path("%s/memory", path);
	cleanup_fd int from = open(file, O_RDONLY | O_CLOEXEC);
	int r = from < 0 ? -errno : copy_stored(from, memory);

	/* Now it is the one used last. */
	utimensat(AT_FDCWD, path, NULL, 0);
	return r ? hl_error_errno(err, -r, "read %s", file) : 0;
}

/*
 * After a migration QEMU announces the guest to the network: timers in real time (qemu_announce_self()), also
 * of a VM without a network card. Each wakes its main loop, which then runs beside the vCPUs, and how far
 * these are then differs from run to run (measured: the guests were equal for some 5 ms, then some 100 ns
 * apart).
 */
static int announce_nothing(struct vm *vm, struct hl_error *err)
{
	return qmp_execute(vm->qmp, "migrate-set-parameters", json_pack("{s:i}", "announce-rounds", 0), NULL,
			   err);
}

static int read_shift(const char *snapshot, int64_t *shift, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/shift", snapshot), *text = NULL;
	int r = file_read(path, &text, NULL, err);

	if (!r)
		r = units_parse_integer(text, shift, err);
	if (!r && (*shift < 0 || *shift >= 63))
		r = hl_error_set(err, EBADMSG, "%s holds no shift", path);
	return r;
}

/* @from, @to: files */
static int copy_with_shift(const char *from, const char *to, int64_t old_shift, int64_t new_shift,
			   struct hl_error *err)
{
	cleanup_free char *state = NULL;
	size_t size;
	int r = file_read(from, &state, &size, err);

	if (!r)
		r = icount_state_set_shift(state, size, old_shift, new_shift, err);
	return r ? r : file_write(to, state, size, err);
}

static int load_devices(struct vm *vm, const struct qemu_request *request, struct hl_error *err)
{
	cleanup_free char *devices = file_path("%s/devices", request->snapshot);
	cleanup_free char *changed = file_path("%s/devices", request->run_folder);
	int64_t old = 0, new = shift_of(request->plan->vm);
	int r = read_shift(request->snapshot, &old, err);

	if (r || old == new)
		return r ? r : migrate(vm, "migrate-incoming", devices, err);
	r = copy_with_shift(devices, changed, old, new, err);
	if (!r)
		r = migrate(vm, "migrate-incoming", changed, err);
	unlink(changed);
	return r;
}

int snapshot_load(struct vm *vm, const struct qemu_request *request, struct hl_error *err)
{
	int r = load_memory(vm->memory, request->snapshot, err);

	if (!r)
		r = announce_nothing(vm, err);
	return r ? r : load_devices(vm, request, err);
}
