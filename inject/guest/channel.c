// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/channel.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "inject/guest/port.h"

#include <fcntl.h>
#include <string.h>
#include <termios.h>

/* Bochs: the second serial port. */
#define SERIAL_PORT "/dev/ttyS1"

/* -1: QEMU's port is used. */
static int serial_port = -1;
static int64_t next_sequence;

/* Newlines stay what they are. */
static int open_serial_port(struct hl_error *err)
{
	struct termios settings;

	serial_port = open(SERIAL_PORT, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (serial_port < 0 || tcgetattr(serial_port, &settings))
		return hl_error_errno(err, errno, "open %s", SERIAL_PORT);
	cfmakeraw(&settings);
	cfsetspeed(&settings, B115200);
	return tcsetattr(serial_port, TCSANOW, &settings)
		       ? hl_error_errno(err, errno, "set up %s", SERIAL_PORT)
		       : 0;
}

static void send_bytes(const char *data, size_t size)
{
	if (serial_port < 0)
		port_send(data, size);
	else
		file_write_all(serial_port, data, size);
}

int channel_open(struct hl_error *err)
{
	return port_is_qemu() ? 0 : open_serial_port(err);
}

void channel_flush(void)
{
	if (serial_port >= 0)
		tcdrain(serial_port);
}

void channel_send_record(const char *record, size_t size)
{
	char line[8200];

	if (size > sizeof(line) - 2)
		size = sizeof(line) - 2;
	line[0] = 'K';
	memcpy(line + 1, record, size);
	line[size + 1] = '\n';
	send_bytes(line, size + 2);
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
	/* The NUL becomes the newline. */
	length = strlen(text);
	text[length] = '\n';
	send_bytes(text, length + 1);
}
