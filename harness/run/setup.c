// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/state.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hash.h"
#include "inject/hest.h"
#include "run/folder.h"
#include "vm-images/kernel.h"

#include <fcntl.h>
#include <string.h>

#define SERVER_LIMIT_MS 10000

static char *disk_path(const struct run *run, const struct plan_disk *disk)
{
	return file_path("%s/disk-%s.img", run->folder, disk->name);
}

/* Raw disks of the run, sparse. */
static int create_disks(struct run *run)
{
	for (size_t i = 0; i < run->plan->disk_count; i++) {
		const struct plan_disk *disk = &run->plan->disks[i];
		cleanup_free char *path = disk_path(run, disk);
		cleanup_fd int fd = -1;

		if (plan_via_is_inside((enum plan_via)disk->via))
			continue;
		fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);
		if (fd < 0 || ftruncate(fd, (off_t)disk->size))
			return hl_error_errno(&run->err, errno, "create %s", path);
	}
	return 0;
}

int run_write_json(const struct run *run, const char *name, const json_t *json, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/%s", run->folder, name);
	cleanup_free char *text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(12));

	if (!text)
		return hl_error_errno(err, ENOMEM, "write %s", path);
	return file_write(path, text, strlen(text), err);
}

static FILE *create_log(struct run *run, const char *name)
{
	cleanup_free char *path = file_path("%s/%s", run->folder, name);
	FILE *file = fopen(path, "we");

	if (!file)
		hl_error_errno(&run->err, errno, "create %s", path);
	return file;
}

static int copy_scenario(struct run *run, const char *path)
{
	cleanup_free char *text = NULL, *copy = file_path("%s/scenario.yaml", run->folder);
	size_t size;
	int r = file_read(path, &text, &size, &run->err);

	return r ? r : file_write(copy, text, size, &run->err);
}

/* Everything that must be on disk before the VM starts. */
int run_open_folder(struct run *run, const char *path)
{
	cleanup_free char *journal_path = NULL, *console = NULL, *channel = NULL;
	int r = run_folder_create(run->settings->out, run->plan->scenario, &run->folder, &run->err);

	if (r)
		return r;
	run->folder_fd = open(run->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (run->folder_fd < 0)
		return hl_error_errno(&run->err, errno, "open %s", run->folder);
	record_folder(run->record, run->folder);
	journal_path = file_path("%s/journal.jsonl", run->folder);
	console = file_path("%s/console.log", run->folder);
	channel = file_path("%s/channel.log", run->folder);
	r = journal_open(&run->journal, journal_path, &run->err);
	if (!r)
		r = copy_scenario(run, path);
	if (!r)
		r = run_write_json(run, "plan.json", run->plan->json, &run->err);
	if (!r)
		r = stream_create(&run->console, console, NULL, NULL, &run->err);
	if (!r)
		r = stream_create(&run->channel, channel, run_take_line, run, &run->err);
	if (r)
		return r;
	run->kmsg_log = create_log(run, "kmsg.log");
	run->events_log = create_log(run, "events.jsonl");
	if (!run->kmsg_log || !run->events_log)
		return -run->err.code;
	r = hl_log_open(&run->log, NULL, run_take_event, run, &run->err);
	return r ? r : create_disks(run);
}

/* Starts what the disks need, and tells the guest and QEMU where it is. */
static int start_servers(struct run *run, struct qemu_request *request)
{
	const char **sockets = arena_allocate(&run->arena, (run->plan->disk_count + 1) * sizeof(*sockets));
	const struct server_folder folder = {run->folder, run->folder_fd};
	json_t *ports = json_object();
	int r = 0;

	for (size_t i = 0; !r && i < run->plan->disk_count; i++) {
		const struct plan_disk *disk = &run->plan->disks[i];
		cleanup_free char *image = disk_path(run, disk);
		struct server *server = &run->servers[i];

		if (!server_wanted((enum plan_via)disk->via))
			continue;
		r = server_start(server, disk, image, &folder, (int)run_stretched(run, SERVER_LIMIT_MS),
				 &run->err);
		if (r)
			break;
		sockets[i] = server->socket;
		if (server->socket)
			request->folder_fd = run->folder_fd;
		if (server->port) {
			json_object_set_new(ports, disk->name, json_integer(server->port));
			request->network = true;
		}
		r = journal_write(
			&run->journal, "server",
			json_pack("{s:s, s:i}", "disk", disk->name, "pid", (int)server->process.pid),
			&run->err);
	}
	if (!r && request->network)
		r = run_write_json(run, "ports.json", ports, &run->err);
	request->sockets = sockets;
	json_decref(ports);
	return r;
}

/* A server that an injector stopped is continued first: QEMU cannot end while it waits for one. */
void run_end_vm(struct run *run)
{
	for (size_t i = 0; i < run->plan->disk_count; i++)
		server_let_go(&run->servers[i]);
	vm_end(&run->vm);
	for (size_t i = 0; i < run->plan->disk_count; i++)
		server_end(&run->servers[i]);
}

/* What firmware would bring along. */
static int write_firmware_tables(struct run *run)
{
	cleanup_free char *path = file_path("%s/hest.bin", run->folder);
	char table[HEST_TABLE_SIZE];

	if (!(run->preparation.vm_features & VM_ERROR_SOURCES))
		return 0;
	hest_table(run->plan->vm->memory, table);
	return file_write(path, table, sizeof(table), &run->err);
}

int run_start_vm(struct run *run, qmp_on_event on_event)
{
	struct qemu_request request = {
		.plan = run->plan,
		.folder_fd = -1,
		.kvm = run->preparation.kvm,
		.features = run->preparation.vm_features,
		.image = run->preparation.image,
		.initramfs = run->preparation.initramfs,
		.run_folder = run->folder,
	};
	const char *const *command = NULL;
	int r = write_firmware_tables(run);

	if (!r)
		r = start_servers(run, &request);
	if (!r)
		r = run_start_warm_or_cold(run, &request, on_event, &command);
	if (r)
		return r;
	record_command(run->record, command);
	return journal_write(&run->journal, "start",
			     json_pack("{s:i, s:O}", "qemu_pid", (int)run->vm.process.pid, "command",
				       record_command_json(run->record)),
			     &run->err);
}

static void compare_disk(struct run *run, const struct plan_disk *disk, const char *guest)
{
	cleanup_free char *path = disk_path(run, disk);
	struct hl_error err = HL_ERROR_INIT;
	char host[HASH_TEXT_SIZE];

	if (hash_disk(path, 0, host, &err)) {
		run_data_problem(run, "the file of disk %s: %s", disk->name, err.text);
		return;
	}
	record_checksum(run->record, disk->name, guest, host);
	if (strcmp(guest, host) != 0)
		run_data_problem(
			run, "disk %s is not the same on both sides: the guest reads %s, its file holds %s",
			disk->name, guest, host);
	run_note(run, "disk %s is %s on both sides", disk->name,
		 strcmp(guest, host) ? "NOT the same" : "the same");
}

void run_compare_disks(struct run *run)
{
	for (size_t i = 0; i < run->plan->disk_count; i++) {
		const struct plan_disk *disk = &run->plan->disks[i];
		const char *guest = json_string_value(json_object_get(run->checksums, disk->name));

		if (guest)
			compare_disk(run, disk, guest);
	}
}

/* The images are evidence only where something went wrong. */
void run_remove_disks(const struct run *run)
{
	for (size_t i = 0; run->folder && i < run->plan->disk_count; i++) {
		cleanup_free char *path = disk_path(run, &run->plan->disks[i]);

		unlink(path);
	}
}
