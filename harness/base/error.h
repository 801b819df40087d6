/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_BASE_ERROR_H
#define HANGLAB_BASE_ERROR_H

#include <errno.h>
#include <stdarg.h>

/**
 * struct hl_error - the message that goes with a negative errno return
 * @code: positive errno of the failure, 0 when nothing was reported
 * @text: what failed, with the context that callers put in front
 *
 * Owned by the caller, normally on its stack. The buffer is fixed so that an error can be reported
 * while memory is exhausted. Every function that takes one accepts NULL: the message is then dropped.
 */
struct hl_error {
	int code;
	char text[2048];
};

#define HL_ERROR_INIT                                                                                        \
	{                                                                                                    \
		0, ""                                                                                        \
	}

/**
 * hl_error_set() - record a failure
 * @err: where to, or NULL
 * @code: positive errno
 * @format: printf format of the message, without the errno's own text
 *
 * Return: -@code, so that a caller can write "return hl_error_set(...)".
 */
int hl_error_set(struct hl_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * hl_error_errno() - record a failed system call; appends ": strerror(code)" to the message
 * @err: where to, or NULL
 * @code: positive errno, usually errno itself
 * @format: printf format of what was attempted ("open PATH")
 *
 * Return: -@code.
 */
int hl_error_errno(struct hl_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * hl_error_prefix() - put context in front of a recorded failure: "CONTEXT: old text"
 * @err: what to extend, or NULL
 * @format: printf format of the context
 *
 * Return: -@err->code (-EIO for a NULL @err), so that it can end a function too.
 */
int hl_error_prefix(struct hl_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
