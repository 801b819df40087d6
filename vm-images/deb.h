/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_DEB_H
#define HANGLAB_VM_IMAGES_DEB_H

/**
 * deb_field() - a field of a control paragraph, as in a package or as apt-cache prints it
 * @paragraph: the text
 * @field: its name, without the colon
 *
 * Return: its first line, newly allocated, or NULL.
 */
char *deb_field(const char *paragraph, const char *field);

#endif
