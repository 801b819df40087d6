// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/channel.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/polling.h"
#include "base/units.h"
#include "inject/guest/port.h"
#include "inject/workload/workload.h"

#include <fcntl.h>
#include <string.h>
#include <termios.h>

/* hanglab's -device virtserialport has nr=1 on the first virtio-serial device. */
#define PORT	    "/dev/vport0p1"
#define SERIAL_PORT "/dev/ttyS1"
#define PORT_WAIT   (20 * NANOSECONDS_PER_SECOND)
#define PORT_STEP   1000000

static int port = -1;
static int64_t next_sequence;

/* Bochs: the second serial port. Newlines stay what they are. */
static int open_serial_port(struct hl_error *err)
{
	struct termios settings;

	port = open(SERIAL_PORT, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (port < 0 || tcgetattr(port, &settings))
		return hl_error_errno(err, errno, "open %s", SERIAL_PORT);
	cfmakeraw(&settings);
	cfsetspeed(&settings, B115200);
	return tcsetattr(port, TCSANOW, &settings) ? hl_error_errno(err, errno, "set up %s", SERIAL_PORT) : 0;
}

static int open_virtio_port(struct hl_error *err)
{
	const struct polling polling = polling_begin(PORT_WAIT, PORT_STEP);

	/* The driver creates the node when the device has answered. */
	while ((port = open(PORT, O_WRONLY | O_CLOEXEC)) < 0)
		if (!polling_again(&polling))
			return hl_error_errno(err, errno, "open %s", PORT);
	return 0;
}

int channel_open(struct hl_error *err)
{
	return port_is_qemu() ? open_virtio_port(err) : open_serial_port(err);
}

void channel_restart(void)
{
	next_sequence = 0;
}

void channel_flush(void)
{
	tcdrain(port);
}

void channel_send_record(const char *record, size_t size)
{
	char line[8200];

	if (size > sizeof(line) - 2)
		size = sizeof(line) - 2;
	line[0] = 'K';
	memcpy(line + 1, record, size);
	line[size + 1] = '\n';
	file_write_all(port, line, size + 2);
}

void channel_send(const char *type, int64_t ns, json_t *message)
{
	cleanup_free char *text = NULL;
	size_t length;

	if (!message)
		message = json_object();
	json_object_set_new(message, "type", json_string(type));
	json_object_set_new(message, "ns", json_integer(ns));
	json_object_set_new(message, "sequence", json_integer(next_sequence++));
	text = json_dumps(message, JSON_COMPACT);
	json_decref(message);
	if (!text)
		return;
	/* One write per line: the reader then rarely sees half a line. The NUL becomes the newline. */
	length = strlen(text);
	text[length] = '\n';
	file_write_all(port, text, length + 1);
}
