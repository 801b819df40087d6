/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_VM_IMAGES_PROGRESS_H
#define HANGLAB_VM_IMAGES_PROGRESS_H

/**
 * struct progress - whom to tell how far a download or a build is
 * @report: called with what happens now, fit for a line on a terminal ("download linux-image-... 27 MB"), and
 *	how much of it is done in percent, -1 when that cannot be told; NULL for nobody
 * @context: for @report
 */
struct progress {
	void (*report)(void *context, const char *phase, int percent);
	void *context;
};

/** progress_report() - tell it */
static inline void progress_report(const struct progress *progress, const char *phase, int percent)
{
	if (progress->report)
		progress->report(progress->context, phase, percent);
}

#endif
