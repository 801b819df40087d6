// SPDX-License-Identifier: GPL-2.0-or-later
#include "error.h"

#include <stdio.h>
#include <string.h>

static void record(struct hl_error *err, int code, const char *format, va_list args)
{
	err->code = code;
	vsnprintf(err->text, sizeof(err->text), format, args);
}

int hl_error_set(struct hl_error *err, int code, const char *format, ...)
{
	va_list args;

	if (err) {
		va_start(args, format);
		record(err, code, format, args);
		va_end(args);
	}
	return -code;
}

int hl_error_errno(struct hl_error *err, int code, const char *format, ...)
{
	va_list args;
	size_t used;

	if (err) {
		va_start(args, format);
		record(err, code, format, args);
		va_end(args);
		used = strlen(err->text);
		snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(code));
	}
	return -code;
}

int hl_error_prefix(struct hl_error *err, const char *format, ...)
{
	struct hl_error old;
	va_list args;
	size_t used;

	if (!err)
		return -EIO;
	old = *err;
	va_start(args, format);
	record(err, err->code ? err->code : EIO, format, args);
	va_end(args);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", old.text);
	return -err->code;
}
