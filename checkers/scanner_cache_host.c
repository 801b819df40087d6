// SPDX-License-Identifier: GPL-2.0-or-later
#include "scanner_cache.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <stdlib.h>

static char *path_of(const char *key)
{
	cleanup_free char *folder = NULL;

	return file_cache_folder("scanner", &folder, NULL) ? NULL : file_path("%s/%s", folder, key);
}

hs_database_t *scanner_cache_load(const char *key)
{
	cleanup_free char *path = path_of(key), *bytes = NULL;
	hs_database_t *database = NULL;
	size_t size;

	/* Hyperscan checks its version, the CPU and a checksum. */
	if (!path || file_read(path, &bytes, &size, NULL) ||
	    hs_deserialize_database(bytes, size, &database) != HS_SUCCESS)
		return NULL;
	return database;
}

void scanner_cache_store(const char *key, const hs_database_t *database)
{
	cleanup_free char *path = path_of(key), *bytes = NULL;
	size_t size;

	if (path && hs_serialize_database(database, &bytes, &size) == HS_SUCCESS)
		file_write(path, bytes, size, NULL);
}
