// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/transport.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "inject/disk.h"

#include <limits.h>
#include <string.h>

/**
 * struct transport - states as words of the kernel's; empty where there is no such thing
 * @device: of a SCSI device or an NVMe controller
 * @session: of iSCSI
 * @host: of SCSI
 * @lost: an NBD device without a client
 */
struct transport {
	char device[32], session[32], host[32];
	bool lost;
};

static void read_word(const char *path, char *word, size_t size)
{
	cleanup_free char *text = NULL;

	if (!file_read(path, &text, NULL, NULL))
		snprintf(word, size, "%.*s", (int)strcspn(text, "\n"), text);
}

/*
 * "/sys/devices/.../session1/..." contains a component that begins with "session": the state of that one, in
 * @class.
 */
static void read_class_state(const char *path, const char *component, const char *class, char *word,
			     size_t size)
{
	const char *found = strstr(path, component);
	cleanup_free char *state = NULL;

	if (!found)
		return;
	state = file_path("/sys/class/%s/%.*s/state", class, (int)strcspn(found + 1, "/"), found + 1);
	read_word(state, word, size);
}

static struct transport read_transport(const struct disk *disk)
{
	cleanup_free char *sysfs = disk_sysfs(disk->below), *link = file_path("%s/device", sysfs);
	cleanup_free char *state = file_path("%s/state", link), *client = file_path("%s/pid", sysfs);
	struct transport found = {.lost = !strncmp(disk->below, "/dev/nbd", 8) && access(client, F_OK)};
	char real[PATH_MAX] = "";

	read_word(state, found.device, sizeof(found.device));
	if (realpath(link, real)) {
		read_class_state(real, "/session", "iscsi_session", found.session, sizeof(found.session));
		read_class_state(real, "/host", "scsi_host", found.host, sizeof(found.host));
	}
	return found;
}

static bool differs(const char *word, const char *healthy)
{
	return word[0] && strcmp(word, healthy) != 0;
}

bool transport_is_down(const char *name)
{
	struct transport found;
	struct disk disk;

	if (!name || disk_find(name, &disk, NULL))
		return false;
	found = read_transport(&disk);
	return found.lost || differs(found.device, strstr(disk.below, "nvme") ? "live" : "running") ||
	       differs(found.session, "LOGGED_IN") || differs(found.host, "running");
}

static void add_word(json_t *object, const char *key, const char *word)
{
	if (word[0])
		json_object_set_new(object, key, json_string(word));
}

json_t *transport_describe(const char *name)
{
	json_t *object = json_pack("{s:s}", "disk", name);
	unsigned int reads = 0, writes = 0;
	struct transport found;
	struct disk disk;
	char text[64];

	if (disk_find(name, &disk, NULL))
		return object;
	found = read_transport(&disk);
	disk_attribute(disk.below, "inflight", text, sizeof(text));
	sscanf(text, "%u %u", &reads, &writes);
	json_object_set_new(object, "device", json_string(disk.device));
	json_object_set_new(object, "below", json_string(disk.below));
	json_object_set_new(object, "reads_in_flight", json_integer(reads));
	json_object_set_new(object, "writes_in_flight", json_integer(writes));
	add_word(object, "state", found.lost ? "no client" : found.device);
	add_word(object, "session", found.session);
	add_word(object, "host", found.host);
	if (!disk_attribute(disk.device, "dm/suspended", text, sizeof(text)))
		json_object_set_new(object, "suspended", json_boolean(!strcmp(text, "1")));
	return object;
}
