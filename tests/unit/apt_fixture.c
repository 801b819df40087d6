// SPDX-License-Identifier: GPL-2.0-or-later
#include "apt_fixture.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"

#include <string.h>

static const char apt_cache[] =
	"#!/bin/sh\n"
	"cd \"${0%/*}/..\"; echo \"apt-cache $*\" >> calls\n"
	"what=$1; shift\n"
	"case $what in\n"
	"pkgnames) cd show && ls;;\n"
	"show) [ \"$1\" = --no-all-versions ] || exit 1; shift; [ \"$1\" != -c ] || shift 2\n"
	"  for p; do cat \"show/$p\" 2>/dev/null || { echo 'E: No packages found' >&2; exit 100; }; echo; "
	"done;;\n"
	"esac\n";
static const char apt_get[] =
	"#!/bin/sh\n"
	"home=\"${0%/*}/..\"; echo \"apt-get $*\" >> \"$home/calls\"\n"
	"case \"$*\" in\n"
	"indextargets*) echo 'Debian-Security http://a/debian-security/'; echo 'Debian http://a/debian/'; "
	"exit;;\n"
	"*update*) while [ \"$1\" != -c ]; do shift; done\n"
	"  sources=${2%/*}/sources.list; cp \"$sources\" \"$home/sources\"; ! grep -q nonesuch \"$sources\"; "
	"exit;;\n"
	"esac\n"
	"echo 'Get:1 some text'; echo 'dlstatus:1:42.5:Retrieving file 1 of 1'\n"
	"while [ \"$1\" != download ]; do shift; done; shift; [ \"$1\" != -c ] || shift 2\n"
	"for package; do cp \"$home/pool/$package.deb\" \"./${package}_1_amd64.deb\" 2>/dev/null ||\n"
	"  { echo \"E: Failed to fetch $package  404  Not Found\" >&2; exit 100; }; done\n";

static char *saved_path;

const char *apt_fixture_begin(void)
{
	const char *folder = fixture_folder();
	cleanup_free char *cache = file_path("%s/bin/apt-cache", folder),
			  *get = file_path("%s/bin/apt-get", folder);
	cleanup_free char *path = file_path("%s/bin:%s", folder, getenv("PATH"));

	fixture_write_text(cache, apt_cache);
	fixture_write_text(get, apt_get);
	saved_path = file_path("%s", getenv("PATH"));
	setenv("PATH", path, 1);
	return folder;
}

void apt_fixture_end(void)
{
	setenv("PATH", saved_path, 1);
	free(take_pointer(saved_path));
}

void apt_fixture_serve(const char *folder, const char *package, const char *text)
{
	cleanup_free char *path = file_path("%s/show/%s", folder, package);

	fixture_write_text(path, text);
}

bool apt_fixture_called(const char *folder, const char *what)
{
	cleanup_free char *path = file_path("%s/calls", folder), *calls = NULL;
	bool found;

	if (file_read(path, &calls, NULL, NULL))
		return false;
	found = strstr(calls, what);
	unlink(path);
	return found;
}
