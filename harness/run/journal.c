// SPDX-License-Identifier: GPL-2.0-or-later
#include "run/journal.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <fiu-local.h>
#include <string.h>
#include <time.h>

int journal_open(struct journal *journal, const char *path, struct hl_error *err)
{
	journal->fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	return journal->fd < 0 ? hl_error_errno(err, errno, "create %s", path) : 0;
}

static int append(int fd, const char *line, size_t size)
{
	off_t start = lseek(fd, 0, SEEK_END);
	int r;

	fiu_do_on("journal/write", return -ENOSPC);
	r = file_write_all(fd, line, size);
	if (!r && fdatasync(fd))
		r = -errno;
	if (r && ftruncate(fd, start))
		return r;
	return r;
}

int journal_write(struct journal *journal, const char *action, json_t *details, struct hl_error *err)
{
	json_t *line = json_object();
	cleanup_free char *text = NULL;
	struct timespec now;
	size_t length;
	int r;

	clock_gettime(CLOCK_REALTIME, &now);
	json_object_set_new(line, "host_time", json_real((double)now.tv_sec + (double)now.tv_nsec / 1e9));
	json_object_set_new(line, "action", json_string(action));
	if (details)
		json_object_update(line, details);
	json_decref(details);
	text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(15));
	json_decref(line);
	if (!text)
		return hl_error_errno(err, ENOMEM, "journal %s", action);
	length = strlen(text);
	/* The NUL becomes the newline. */
	text[length] = '\n';
	r = append(journal->fd, text, length + 1);
	return r ? hl_error_errno(err, -r, "write the journal (%s)", action) : 0;
}

void journal_close(struct journal *journal)
{
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = -1;
}
