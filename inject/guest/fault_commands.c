// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/fault_commands.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fifo = -1, answer = -1;

/* A FIFO that has a reader and a writer of its own never ends, and never keeps anyone waiting who opens it.
 */
static int make_fifo(const char *path, int *fd, struct hl_error *err)
{
	if (mkfifo(path, 0600))
		return hl_error_errno(err, errno, "make %s", path);
	*fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return *fd < 0 ? hl_error_errno(err, errno, "open %s", path) : 0;
}

int fault_commands_open(struct hl_error *err)
{
	int r = make_fifo(FAULT_COMMANDS_FIFO, &fifo, err);

	return r ? r : make_fifo(FAULT_COMMANDS_ANSWER, &answer, err);
}

int fault_commands_fd(void)
{
	return fifo;
}

static void say(const char *name, const char *text)
{
	dprintf(answer, "%s: %s\n\n", name, text);
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
	dprintf(answer, "%s\n", size ? text : "the scenario has no faults\n");
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
	char text[512], *rest = text, *line;
	ssize_t size = fifo < 0 ? 0 : read(fifo, text, sizeof(text) - 1);

	if (size <= 0)
		return;
	text[size] = '\0';
	/* An empty one wants its answer too. */
	while ((line = strsep(&rest, "\n")) && rest)
		obey(guest, line);
}
