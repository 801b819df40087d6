/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_SCANNER_CACHE_H
#define HANGLAB_CHECKERS_SCANNER_CACHE_H

#include <hs/hs.h>

/*
 * To compile the literals takes as long as to scan 30 MB, so the database is kept:
 * ${XDG_CACHE_HOME:-~/.cache}/hanglab/scanner/KEY. Where that is not possible each start compiles.
 */

/**
 * scanner_cache_load() - the database of an earlier start
 * @key: what it was compiled of, and for which CPU, as a file name
 *
 * Return: for hs_free_database(); NULL when there is none that fits.
 */
hs_database_t *scanner_cache_load(const char *key);

/** scanner_cache_store() - keep @database for the next start; failures do not matter */
void scanner_cache_store(const char *key, const hs_database_t *database);

#endif
