/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_BASE_CLEANUP_H
#define HANGLAB_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Scope-bound resources: the variable is released when it leaves its scope, on every path. An owner
 * that hands its resource on uses take_fd() or take_pointer(), which leave the variable empty.
 */

static inline void cleanup_free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

#define cleanup_free	       __attribute__((cleanup(cleanup_free_pointer)))
#define cleanup_fd	       __attribute__((cleanup(cleanup_close_fd)))
#define cleanup_file	       __attribute__((cleanup(cleanup_close_file)))
#define cleanup_with(function) __attribute__((cleanup(function)))

/**
 * take_fd() - move a descriptor out of a cleanup_fd variable
 * @fd: the variable; -1 afterwards
 *
 * Return: the descriptor, now owned by the caller.
 */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/** take_pointer() - move a pointer out of a cleanup variable, which is NULL afterwards */
#define take_pointer(variable)                                                                               \
	({                                                                                                   \
		__typeof__(variable) taken_ = (variable);                                                    \
		(variable) = NULL;                                                                           \
		taken_;                                                                                      \
	})

#endif
