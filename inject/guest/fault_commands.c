// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/fault_commands.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fifo = -1, terminal = -1;

int fault_commands_open(struct hl_error *err)
{
	if (mkfifo(FAULT_COMMANDS_FIFO, 0600))
		return hl_error_errno(err, errno, "make %s", FAULT_COMMANDS_FIFO);
	/* A FIFO that has a writer of its own never ends. */
	fifo = open(FAULT_COMMANDS_FIFO, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fifo < 0)
		return hl_error_errno(err, errno, "open %s", FAULT_COMMANDS_FIFO);
	terminal = open(FAULT_COMMANDS_TTY, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return terminal < 0 ? hl_error_errno(err, errno, "open %s", FAULT_COMMANDS_TTY) : 0;
}

int fault_commands_fd(void)
{
	return fifo;
}

static void say(const char *name, const char *text)
{
	dprintf(terminal, "%s: %s\r\n", name, text);
}

static void list(const struct guest *guest)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	timeline_list_faults(guest, out);
	fclose(out);
	dprintf(terminal, "%s", size ? text : "the scenario has no faults\r\n");
	free(text);
}

static void obey(struct guest *guest, char *line)
{
	char *position = NULL, *verb = strtok_r(line, " ", &position), *name = strtok_r(NULL, " ", &position);

	if (verb && name && !strcmp(verb, "inject"))
		say(name, timeline_inject(guest, name));
	else if (verb && name && !strcmp(verb, "release"))
		say(name, timeline_release(name));
	else if (verb && !strcmp(verb, "list"))
		list(guest);
	else
		say("fault", "usage: fault inject NAME | fault release NAME | fault list");
}

/* What is written in one call comes in one piece (PIPE_BUF). */
void fault_commands_dispatch(struct guest *guest)
{
	char text[512], *position = NULL;
	ssize_t size = fifo < 0 ? 0 : read(fifo, text, sizeof(text) - 1);

	if (size <= 0)
		return;
	text[size] = '\0';
	for (char *line = strtok_r(text, "\n", &position); line; line = strtok_r(NULL, "\n", &position))
		obey(guest, line);
}
