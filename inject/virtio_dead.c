// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * virtio-dead: a virtio device stops answering: hanglab switches its bus mastering off in PCI configuration
 * space, behind the guest's back. A disk's requests wait for ever; a network card's control queue is waited
 * for in a loop with RTNL held (drivers/net/virtio_net.c, virtnet_send_command()): a real soft lockup of an
 * unmodified kernel.
 *
 * Confirmed by the bit read back, and inside the guest by a disk that does not answer, or by a process that
 * brings the card up and burns CPU time without end.
 */
#include "inject/disk.h"
#include "inject/evidence.h"

#include "base/units.h"

#include <inttypes.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Where SeaBIOS puts q35's PCI configuration space (docs/specs of neither: src/fw/dev-q35.h). */
#define CONFIG_SPACE   0xb0000000ULL
#define PCI_VENDOR     0
#define PCI_COMMAND    4
#define PCI_BUS_MASTER (1 << 2)
#define VENDOR_VIRTIO  0x1af4

#define SPIN_ENOUGH (NANOSECONDS_PER_SECOND / 2)
#define SPIN_LIMIT  (20 * NANOSECONDS_PER_SECOND)

/** struct virtio_dead_parameters - parameters; @disk: NULL for the network card */
struct virtio_dead_parameters {
	const char *disk;
};

/** struct virtio_dead - @config: address of the device's configuration space */
struct virtio_dead {
	uint64_t config;
};

static const struct parameter parameters[] = {
	{.name = "disk",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct virtio_dead_parameters, disk),
	 .help = "name of a disk; default: a network card of its own"},
	{.name = NULL},
};

static int access_register(struct injection *injection, unsigned int offset, uint16_t *value, bool write,
			   struct hl_error *err)
{
	const struct injection_vm *vm = injection->vm;
	uint64_t address = ((struct virtio_dead *)injection->state)->config + offset;

	return write ? vm->memory_write(vm->vm, address, value, sizeof(*value), err)
		     : vm->memory_read(vm->vm, address, value, sizeof(*value), err);
}

/* Bus, slot and function of the device that QEMU calls @name, as an address of configuration space. */
static uint64_t find_device(const json_t *buses, const char *name)
{
	const json_t *bus, *device;
	size_t i, j;

	json_array_foreach (buses, i, bus) {
		json_array_foreach (json_object_get(bus, "devices"), j, device) {
			const char *id = json_string_value(json_object_get(device, "qdev_id"));

			if (id && !strcmp(id, name))
				return CONFIG_SPACE +
				       ((uint64_t)json_integer_value(json_object_get(device, "bus")) << 20) +
				       ((uint64_t)json_integer_value(json_object_get(device, "slot")) << 15) +
				       ((uint64_t)json_integer_value(json_object_get(device, "function"))
					<< 12);
		}
	}
	return 0;
}

static int locate(struct injection *injection, struct hl_error *err)
{
	const struct virtio_dead_parameters *given = injection->parameters;
	struct virtio_dead *state = injection->state;
	json_t *buses = NULL;
	uint16_t vendor;
	char name[64];
	int r = injection->vm->qmp(injection->vm->vm, "query-pci", NULL, &buses, err);

	if (r)
		return r;
	snprintf(name, sizeof(name), "%s%s", given->disk ? "device-" : "card0",
		 given->disk ? given->disk : "");
	state->config = find_device(buses, name);
	json_decref(buses);
	if (!state->config)
		return hl_error_set(err, ENODEV, "QEMU knows no PCI device %s", name);
	r = access_register(injection, PCI_VENDOR, &vendor, false, err);
	if (!r && vendor != VENDOR_VIRTIO)
		r = hl_error_set(err, ENODEV, "no virtio device is at 0x%" PRIx64 ": its vendor is 0x%04x",
				 state->config, vendor);
	return r;
}

static int set_bus_master(struct injection *injection, bool on, struct hl_error *err)
{
	uint16_t command;
	int r = access_register(injection, PCI_COMMAND, &command, false, err);

	if (r)
		return r;
	command = (uint16_t)(on ? command | PCI_BUS_MASTER : command & ~PCI_BUS_MASTER);
	return access_register(injection, PCI_COMMAND, &command, true, err);
}

static int check_bus_master(struct injection *injection, bool on, struct hl_error *err)
{
	uint16_t command;
	int r = access_register(injection, PCI_COMMAND, &command, false, err);

	if (r)
		return r;
	snprintf(injection->evidence, sizeof(injection->evidence),
		 "the device's PCI command register is 0x%04x", command);
	return !(command & PCI_BUS_MASTER) == !on ? 0 : hl_error_set(err, EIO, "%s", injection->evidence);
}

static int virtio_dead_inject(struct injection *injection, struct hl_error *err)
{
	int r = locate(injection, err);

	return r ? r : set_bus_master(injection, false, err);
}

static int virtio_dead_confirm(struct injection *injection, struct hl_error *err)
{
	return check_bus_master(injection, false, err);
}

static int virtio_dead_release(struct injection *injection, struct hl_error *err)
{
	return set_bus_master(injection, true, err);
}

static int virtio_dead_confirm_released(struct injection *injection, struct hl_error *err)
{
	return check_bus_master(injection, true, err);
}

/* ---- in the guest ---- */

static int find_card(char *name, size_t size, struct hl_error *err)
{
	struct if_nameindex *all = if_nameindex();
	int r = -ENODEV;

	for (struct if_nameindex *card = all; card && card->if_index; card++)
		if (strcmp(card->if_name, "lo") != 0) {
			snprintf(name, size, "%s", card->if_name);
			r = 0;
		}
	if_freenameindex(all);
	return r ? hl_error_set(err, ENODEV, "the guest has no network card") : 0;
}

/* In a process of its own: "ip link set NAME up". */
static void bring_up(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	prctl(PR_SET_NAME, "link-up");
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	_exit(fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request));
}

/** struct spinner - the process that brings the card up */
struct spinner {
	pid_t pid;
	clockid_t cpu_time;
};

static int spins(void *data, struct hl_error *err)
{
	const struct spinner *spinner = data;
	struct timespec used;
	int status;

	if (waitpid(spinner->pid, &status, WNOHANG) == spinner->pid)
		return hl_error_set(err, EIO, "the card came up (wait status %d): it still answers", status);
	return !clock_gettime(spinner->cpu_time, &used) &&
	       used.tv_sec * NANOSECONDS_PER_SECOND + used.tv_nsec >= SPIN_ENOUGH;
}

static int card_is_dead(struct injection *injection, struct hl_error *err)
{
	struct spinner spinner;
	char name[IF_NAMESIZE];
	int r = find_card(name, sizeof(name), err);

	if (r)
		return r;
	spinner.pid = fork();
	if (spinner.pid < 0)
		return hl_error_errno(err, errno, "bring %s up", name);
	if (!spinner.pid)
		bring_up(name);
	if (clock_getcpuclockid(spinner.pid, &spinner.cpu_time))
		return hl_error_set(err, ESRCH, "the process that brings %s up is gone", name);
	r = evidence_poll(spins, &spinner, SPIN_LIMIT, err);
	if (r == -ETIMEDOUT)
		return hl_error_set(err, ETIMEDOUT, "bringing %s up neither ends nor uses CPU time", name);
	if (!r)
		evidence_add(injection, "the process that brings %s up has used %.1f s of CPU time", name,
			     (double)SPIN_ENOUGH / 1e9);
	return r;
}

static int virtio_dead_guest_confirm(struct injection *injection, struct hl_error *err)
{
	const struct virtio_dead_parameters *given = injection->parameters;

	return given->disk ? evidence_stalled(given->disk, injection, err) : card_is_dead(injection, err);
}

static const char *const vias[] = {"virtio", "nbd", NULL}, *const modules[] = {"virtio_net", NULL};

const struct injector injector_virtio_dead = {
	.name = "virtio-dead",
	.summary = "a virtio network card or disk stops answering (PCI bus mastering off)",
	.help = "A card's control queue is waited for in a loop with RTNL held: a soft lockup.\n"
		"Confirmed by the PCI command register and, inside the guest, by a process that brings the "
		"card up\n"
		"and burns CPU time, or by a disk that does not answer. The release switches bus mastering "
		"on again,\n"
		"which QEMU's device does not recover by: only a reset by its driver would.\n",
	.side = INJECTOR_HOST,
	.disk_vias = vias,
	.parameters = parameters,
	.parameters_size = sizeof(struct virtio_dead_parameters),
	.state_size = sizeof(struct virtio_dead),
	.needs = {.modules = modules, .vm_features = VM_MEMORY_ACCESS | VM_NETWORK},
	.inject = virtio_dead_inject,
	.confirm = virtio_dead_confirm,
	.release = virtio_dead_release,
	.confirm_released = virtio_dead_confirm_released,
	.guest_confirm = virtio_dead_guest_confirm,
};
