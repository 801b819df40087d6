/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_VERSION_H
#define HANGLAB_CHECKERS_VERSION_H

/**
 * version_compare() - which kernel release is newer?
 * @a, @b: as uname -r prints them: "3.10.0-514.el7.x86_64", "4.19.91-19.1.al7.x86_64", "6.1.0-55-cloud-amd64"
 *
 * Numbers are compared as numbers and words as words, part by part, in the way of rpm; the architecture
 * at the end does not count, and "-rc1" comes before the release itself.
 *
 * Return: < 0 when @a is older, 0 when they are equal, > 0 when it is newer.
 */
int version_compare(const char *a, const char *b);

#endif
