/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CHECKERS_SCANNER_H
#define HANGLAB_CHECKERS_SCANNER_H

#include "checkers.h"

struct hl_scanner;

/**
 * hl_scanner_open() - the Hyperscan database over the anchors of all signatures, kept between starts
 * @scanner: result, to be ended with hl_scanner_close()
 * @err: message
 *
 * Return: 0, -ENOTSUP when this CPU cannot run Hyperscan (it needs SSSE3), or another -errno. Reading a
 * log works without a scanner, only slower.
 */
int hl_scanner_open(struct hl_scanner **scanner, struct hl_error *err);

/** hl_scanner_prefilter() - for struct hl_log_options; one reader at a time may use it */
const struct hl_prefilter *hl_scanner_prefilter(const struct hl_scanner *scanner);

/** hl_scanner_close() - accepts NULL */
void hl_scanner_close(struct hl_scanner *scanner);

#endif
