// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/network.h"

#include "base/cleanup.h"
#include "inject/guest/port.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static void set_address(struct sockaddr *to, const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET};

	inet_pton(AF_INET, text, &address.sin_addr);
	memcpy(to, &address, sizeof(address));
}

static int set_interface(int fd, const char *name, const char *address)
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	set_address(&request.ifr_addr, address);
	if (ioctl(fd, SIOCSIFADDR, &request))
		return -errno;
	set_address(&request.ifr_netmask, !strcmp(name, "lo") ? "255.0.0.0" : "255.255.255.0");
	if (ioctl(fd, SIOCSIFNETMASK, &request))
		return -errno;
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	return ioctl(fd, SIOCSIFFLAGS, &request) ? -errno : 0;
}

int network_up(struct hl_error *err)
{
	cleanup_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	static bool is_up;
	int r = fd < 0 ? -errno : 0;

	if (is_up)
		return 0;
	if (!r)
		r = set_interface(fd, "lo", "127.0.0.1");

	if (!r)
		r = set_interface(fd, "eth0", "10.0.2.15");
	is_up = !r;
	return r ? hl_error_errno(err, -r, "bring the network up") : 0;
}

int network_port(const char *disk, int *port, struct hl_error *err)
{
	cleanup_free char *text = NULL;
	json_t *ports;
	size_t size;
	int r = port_open(err);

	if (!r)
		r = port_read_firmware_file("opt/hanglab/ports", &text, &size, err);
	if (r)
		return r;
	ports = json_loadb(text, size, 0, NULL);
	*port = (int)json_integer_value(json_object_get(ports, disk));
	json_decref(ports);
	return *port ? 0 : hl_error_set(err, ENOENT, "the server of disk %s has no port", disk);
}
