// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "input.h"
#include "read_ahead.h"

#include <archive.h>
#include <archive_entry.h>
#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define BUFFER_SIZE (256 * 1024)

/*
 * A journal export is a sequence of fields, "NAME=value\n", or for values with control characters
 * "NAME\n", eight bytes of size (little endian), the value and "\n"; an empty line ends an entry
 * (systemd's journal-export-formats). Entries become lines as "dmesg" would print them:
 * "[   12.345678] message", the monotonic time being that of the kernel.
 */
struct journal {
	struct hl_log *log;
	char *field; /* the field being read; long ones are cut */
	size_t size;
	unsigned long long binary; /* bytes of a binary value that are still to come */
	unsigned int size_bytes;   /* of its size, that are still to come */
	double seconds;
	char *message;
	size_t message_size;
	char identifier[64];
};

#define FIELD_ROOM 65536

static int end_entry(struct journal *journal, struct hl_error *err)
{
	char line[FIELD_ROOM + 128];
	int length;

	if (!journal->message_size)
		return 0;
	if (strcmp(journal->identifier, "kernel") == 0)
		length = snprintf(line, sizeof(line), "[%12.6f] %.*s\n", journal->seconds,
				  (int)journal->message_size, journal->message);
	else
		length = snprintf(line, sizeof(line), "[%12.6f] %s: %.*s\n", journal->seconds,
				  journal->identifier, (int)journal->message_size, journal->message);
	journal->message_size = 0;
	journal->identifier[0] = '\0';
	return hl_log_feed(journal->log, line, (size_t)length, err);
}

static void end_field(struct journal *journal)
{
	char *value = memchr(journal->field, '=', journal->size);
	size_t name, size;

	if (!value)
		return;
	name = (size_t)(value++ - journal->field);
	size = journal->size - name - 1;
	if (name == 7 && memcmp(journal->field, "MESSAGE", name) == 0) {
		memcpy(journal->message, value, size);
		journal->message_size = size;
	} else if (name == 17 && memcmp(journal->field, "SYSLOG_IDENTIFIER", name) == 0) {
		if (size >= sizeof(journal->identifier))
			size = sizeof(journal->identifier) - 1;
		memcpy(journal->identifier, value, size);
		journal->identifier[size] = '\0';
	} else if (name == 21 && memcmp(journal->field, "__MONOTONIC_TIMESTAMP", name) == 0) {
		double microseconds = 0;

		for (size_t i = 0; i < size && isdigit((unsigned char)value[i]); i++)
			microseconds = microseconds * 10 + (value[i] - '0');
		journal->seconds = microseconds / 1e6;
	}
}

static void add_byte(struct journal *journal, char byte)
{
	if (journal->size < FIELD_ROOM)
		journal->field[journal->size++] = byte;
}

static int feed_journal(struct journal *journal, const char *bytes, size_t size, struct hl_error *err)
{
	for (size_t i = 0; i < size; i++) {
		int status = 0;

		if (journal->size_bytes) {
			journal->binary |= (unsigned long long)(unsigned char)bytes[i]
					   << (8 * (8 - journal->size_bytes));
			journal->size_bytes--;
		} else if (journal->binary) {
			add_byte(journal, bytes[i] == '\n' ? ' ' : bytes[i]);
			journal->binary--;
		} else if (bytes[i] != '\n') {
			add_byte(journal, bytes[i]);
		} else if (!journal->size) {
			status = end_entry(journal, err);
		} else if (!memchr(journal->field, '=', journal->size)) {
			add_byte(journal, '=');
			journal->size_bytes = 8;
		} else {
			end_field(journal);
			journal->size = 0;
		}
		if (status)
			return status;
	}
	return 0;
}

struct input {
	struct hl_log *log;
	const char *path;
	struct journal *journal;
	bool started;
};

static bool is_journal_export(const char *bytes, size_t size)
{
	return size > 9 && memcmp(bytes, "__CURSOR=", 9) == 0;
}

static int begin_journal(struct input *input, struct hl_error *err)
{
	struct journal *journal = calloc(1, sizeof(*journal));

	if (journal)
		journal->field = malloc(2 * FIELD_ROOM);
	if (!journal || !journal->field) {
		free(journal);
		return hl_error_set(err, ENOMEM, "no memory to read a journal");
	}
	journal->message = journal->field + FIELD_ROOM;
	journal->log = input->log;
	input->journal = journal;
	return 0;
}

static int feed(struct input *input, const char *bytes, size_t size, struct hl_error *err)
{
	if (!input->started) {
		input->started = true;
		if (is_journal_export(bytes, size)) {
			int status = begin_journal(input, err);

			if (status)
				return status;
		}
	}
	return input->journal ? feed_journal(input->journal, bytes, size, err)
			      : hl_log_feed(input->log, bytes, size, err);
}

static int end_input(struct input *input, struct hl_error *err)
{
	int status = 0;

	if (input->journal) {
		if (input->journal->size)
			end_field(input->journal);
		status = end_entry(input->journal, err);
		free(input->journal->field);
		free(input->journal);
		input->journal = NULL;
	}
	return status ? status : hl_log_flush(input->log, err);
}

static bool is_compressed(const unsigned char *bytes, size_t size)
{
	static const struct {
		unsigned char length;
		const char *magic;
	} formats[] = {
		{2, "\x1f\x8b"},
		{6, "\xfd"
		    "7zXZ\0"},
		{4, "\x28\xb5\x2f\xfd"},
		{3, "BZh"},
		{4, "\x04\x22\x4d\x18"},
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (size >= formats[i].length && memcmp(bytes, formats[i].magic, formats[i].length) == 0)
			return true;
	return false;
}

/* What was read to look at the beginning of the file is handed to the decompressor first. */
struct source {
	int fd;
	char *buffer;
	size_t ready;
	int error;
};

static la_ssize_t read_source(struct archive *archive, void *data, const void **buffer)
{
	struct source *source = data;
	ssize_t got;

	*buffer = source->buffer;
	if (source->ready) {
		got = (ssize_t)source->ready;
		source->ready = 0;
		return got;
	}
	do
		got = read(source->fd, source->buffer, BUFFER_SIZE);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		source->error = errno;
		archive_set_error(archive, errno, "%s", strerror(errno));
	}
	return got;
}

static void free_archive(struct archive **archive)
{
	archive_read_free(*archive);
}

static int read_compressed(struct input *input, struct source *source, struct hl_error *err)
{
	struct archive *archive cleanup_with(free_archive) = archive_read_new();
	cleanup_free char *buffer = malloc(BUFFER_SIZE);
	struct archive_entry *entry;
	la_ssize_t got;

	if (!archive || !buffer)
		return hl_error_set(err, ENOMEM, "no memory to decompress");
	archive_read_support_filter_all(archive);
	archive_read_support_format_raw(archive);
	archive_read_support_format_empty(archive);
	if (archive_read_open(archive, source, NULL, read_source, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(archive, &entry) < ARCHIVE_WARN)
		return hl_error_set(err, EIO, "%s", archive_error_string(archive));
	while ((got = archive_read_data(archive, buffer, BUFFER_SIZE)) > 0) {
		int status = feed(input, buffer, (size_t)got, err);

		if (status)
			return status;
	}
	if (got < 0)
		return hl_error_set(err, EIO, "%s", archive_error_string(archive));
	return 0;
}

static int read_plain(struct input *input, struct source *source, struct hl_error *err)
{
	ssize_t got = (ssize_t)source->ready;

	while (got > 0) {
		int status = feed(input, source->buffer, (size_t)got, err);

		if (status)
			return status;
		do
			got = read(source->fd, source->buffer, BUFFER_SIZE);
		while (got < 0 && errno == EINTR);
	}
	return got < 0 ? hl_error_errno(err, errno, "read") : 0;
}

/* Small reads at the start (pipes) are completed so that a magic number can be recognised. */
static int fill(struct source *source, struct hl_error *err)
{
	while (source->ready < 16) {
		ssize_t got = read(source->fd, source->buffer + source->ready, BUFFER_SIZE - source->ready);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return hl_error_errno(err, errno, "read");
		if (got == 0)
			break;
		source->ready += (size_t)got;
	}
	return 0;
}

static int open_input(const char *path, struct hl_error *err)
{
	int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
					: open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? hl_error_errno(err, errno, "open") : fd;
}

/* Threads pay for a regular file of some size. */
static bool is_large(int fd)
{
	struct stat stat;

	return fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size > 8 * 1024 * 1024;
}

static int read_fd(struct input *input, int fd, struct hl_error *err)
{
	cleanup_free char *buffer = malloc(BUFFER_SIZE);
	struct source source = {.fd = fd, .buffer = buffer};
	int status;

	if (!buffer)
		return hl_error_set(err, ENOMEM, "no memory");
	status = fill(&source, err);
	if (status)
		return status;
	if (is_compressed((const unsigned char *)buffer, source.ready))
		return read_compressed(input, &source, err);
	if (is_large(fd) && !is_journal_export(buffer, source.ready)) {
		status = read_ahead(input->log, fd, lseek(fd, 0, SEEK_CUR) - (off_t)source.ready, err);
		if (status != -ENOTSUP)
			return status;
	}
	return read_plain(input, &source, err);
}

int hl_input_read(struct hl_log *log, const char *path, struct hl_error *err)
{
	struct input input = {.log = log, .path = path};
	cleanup_fd int fd = open_input(path, err);
	int status = fd < 0 ? fd : read_fd(&input, fd, err);
	int end = end_input(&input, status ? NULL : err);

	if (!status)
		status = end;
	if (status)
		hl_error_prefix(err, "read %s", strcmp(path, "-") == 0 ? "standard input" : path);
	return status;
}

/* Wait until @fd or the watch has something, or the time is over. Return: as poll(2). */
static int wait_for(int fd, double seconds)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int ready;

	do
		ready = poll(&poll_fd, 1, seconds < 0 ? -1 : (int)(seconds * 1000));
	while (ready < 0 && errno == EINTR);
	return ready;
}

/* Was the file at @path replaced or cut since @fd was opened and read up to @offset? */
static bool was_rotated(const char *path, int fd, off_t offset)
{
	struct stat at_path, open_file;

	if (fstat(fd, &open_file) || stat(path, &at_path))
		return false;
	return at_path.st_ino != open_file.st_ino || at_path.st_dev != open_file.st_dev ||
	       open_file.st_size < offset;
}

static int follow(struct hl_log *log, const char *path, double idle_seconds, struct hl_error *err)
{
	cleanup_fd int fd = open_input(path, err);
	bool pipe = strcmp(path, "-") == 0;
	cleanup_fd int watch = pipe ? -1 : inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	cleanup_free char *buffer = malloc(BUFFER_SIZE);
	bool pending = false;

	if (fd < 0)
		return fd;
	if (!buffer)
		return hl_error_set(err, ENOMEM, "no memory");
	if (!pipe &&
	    (watch < 0 ||
	     inotify_add_watch(watch, path, IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB) < 0))
		return hl_error_errno(err, errno, "watch");
	for (;;) {
		ssize_t got;
		int status, ready;

		if (pipe && pending && wait_for(fd, idle_seconds) == 0) {
			status = hl_log_flush(log, err);
			if (status)
				return status;
			pending = false;
		}
		got = read(fd, buffer, BUFFER_SIZE);
		if (got < 0 && errno != EINTR)
			return hl_error_errno(err, errno, "read");
		if (got > 0) {
			status = hl_log_feed(log, buffer, (size_t)got, err);
			if (status)
				return status;
			pending = true;
			continue;
		}
		if (pipe && got == 0)
			return hl_log_flush(log, err);
		if (was_rotated(path, fd, lseek(fd, 0, SEEK_CUR))) {
			int fresh = open_input(path, err);

			if (fresh < 0)
				return fresh;
			close(fd);
			fd = fresh;
			inotify_add_watch(watch, path, IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB);
			continue;
		}
		/* A renamed file may get its successor a little later. */
		ready = wait_for(watch, idle_seconds);
		if (ready > 0) {
			while (read(watch, buffer, BUFFER_SIZE) > 0)
				;
		} else if (pending) {
			status = hl_log_flush(log, err);
			if (status)
				return status;
			pending = false;
		}
	}
}

int hl_input_follow(struct hl_log *log, const char *path, double idle_seconds, struct hl_error *err)
{
	int status = follow(log, path, idle_seconds, err);

	if (status)
		hl_error_prefix(err, "follow %s", strcmp(path, "-") == 0 ? "standard input" : path);
	return status;
}
