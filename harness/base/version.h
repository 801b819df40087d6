/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_BASE_VERSION_H
#define HANGLAB_BASE_VERSION_H

/* Read by the Makefile too, for the package. */
#define HANGLAB_VERSION "0.1.0"

#endif
