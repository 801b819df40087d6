/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_TESTS_APT_FIXTURE_H
#define HANGLAB_TESTS_APT_FIXTURE_H

#include <stdbool.h>

/*
 * apt is played by two scripts in front of PATH. FOLDER/show/PACKAGE is what apt-cache shows,
 * FOLDER/pool/PACKAGE.deb what apt-get downloads, FOLDER/calls what was called.
 */

/** apt_fixture_begin() - put them there. Return: the FOLDER, as of fixture_folder(). */
const char *apt_fixture_begin(void);

/** apt_fixture_end() - the machine's apt again */
void apt_fixture_end(void);

/** apt_fixture_serve() - what apt-cache says about a package from now on */
void apt_fixture_serve(const char *folder, const char *package, const char *text);

/** apt_fixture_called() - did apt do @what since the last look? */
bool apt_fixture_called(const char *folder, const char *what);

#endif
