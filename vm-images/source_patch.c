// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Patches of a source tree. Before a file is patched it is copied to original/; undoing puts it back from
 * there. Files get a new modification time each time, so that make sees what has changed. A process that is
 * killed half-way leaves nothing that the next one does not undo.
 */
#include "source.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"

#include <fts.h>
#include <string.h>
#include <sys/stat.h>

#define PATCH_TIMEOUT_MS (5 * 60 * 1000)
/* What patch(1) says. */
#define CHECKING	 "checking file "
#define HUNK		 "Hunk #"

/* ---- what was patched before ---- */

/* Copies the permissions too: scripts of the tree are run. */
static int copy_file(const char *from, const char *to, struct hl_error *err)
{
	cleanup_free char *content = NULL, *folder = file_path("%s", to);
	struct stat status;
	size_t size;
	int r = file_read(from, &content, &size, err);

	if (r)
		return r;
	*strrchr(folder, '/') = '\0';
	r = file_make_folders(folder, err);
	if (!r)
		r = file_write(to, content, size, err);
	if (!r && (stat(from, &status) || chmod(to, status.st_mode & 07777)))
		r = hl_error_errno(err, errno, "copy the permissions of %s", from);
	return r;
}

static int put_back(const char *saved, const char *path, struct hl_error *err)
{
	return copy_file(saved, path, err);
}

static int take_away(const char *saved, const char *path, struct hl_error *err)
{
	(void)saved;
	return unlink(path) && errno != ENOENT ? hl_error_errno(err, errno, "remove %s", path) : 0;
}

/* Do something with each file of the tree that has one of the same name in a folder, and remove the folder.
 */
static int undo_folder(const struct source *source, const char *name,
		       int (*undo)(const char *saved, const char *path, struct hl_error *err),
		       struct hl_error *err)
{
	cleanup_free char *folder = file_path("%s/%s", source->folder, name);
	FTS *walk = fts_open((char *const[]){folder, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;
	int r = 0;

	if (!walk)
		return hl_error_errno(err, errno, "open %s", folder);
	while (!r && (entry = fts_read(walk))) {
		cleanup_free char *path = file_path("%s%s", source->tree, entry->fts_path + strlen(folder));

		if (entry->fts_info == FTS_F)
			r = undo(entry->fts_path, path, err);
	}
	fts_close(walk);
	return r ? r : file_remove_tree(folder, err);
}

static int undo_all(const struct source *source, struct hl_error *err)
{
	int r = undo_folder(source, "original", put_back, err);

	if (!r)
		r = undo_folder(source, "created", take_away, err);
	return r ? hl_error_prefix(err, "undo the patches of %s", source->tree) : 0;
}

/* ---- one patch ---- */

/* Keep what there is of a file that is about to be patched. */
static int save(const struct source *source, const char *name, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/%s", source->tree, name);
	cleanup_free char *original = file_path("%s/original/%s", source->folder, name);
	cleanup_free char *created = file_path("%s/created/%s", source->folder, name);
	cleanup_free char *folder = file_path("%s", created);
	int r;

	if (!access(original, F_OK) || !access(created, F_OK))
		return 0;
	if (!access(path, F_OK))
		return copy_file(path, original, err);
	*strrchr(folder, '/') = '\0';
	r = file_make_folders(folder, err);
	return r ? r : file_write(created, "", 0, err);
}

/* @lines: what patch said, with a line "checking file NAME" for each file */
static int save_all(const struct source *source, const char *lines, struct hl_error *err)
{
	cleanup_free char *copy = file_path("%s", lines);
	char *position = NULL;
	int r = 0;

	for (char *line = strtok_r(copy, "\n", &position); !r && line; line = strtok_r(NULL, "\n", &position))
		if (!strncmp(line, CHECKING, strlen(CHECKING)))
			r = save(source, line + strlen(CHECKING), err);
	return r;
}

/* "FILE: Hunk #N FAILED at L.", and what else patch said when it was no hunk. */
static int does_not_apply(const struct source *source, const char *patch, char *lines, struct hl_error *err)
{
	const char *file = "", *reason = "";
	char *position = NULL;

	for (char *line = strtok_r(lines, "\n", &position); line; line = strtok_r(NULL, "\n", &position)) {
		if (!strncmp(line, CHECKING, strlen(CHECKING)))
			file = line + strlen(CHECKING);
		else if (!*reason || strncmp(reason, HUNK, strlen(HUNK)))
			reason = line;
		if (!strncmp(reason, HUNK, strlen(HUNK)))
			break;
	}
	return hl_error_set(err, EINVAL, "%s does not apply to %s %s: %s%s%s", patch, source->package,
			    source->version, file, *file ? ": " : "", reason);
}

/* @lines: what patch said, behind a first line with its exit status */
static int run_patch(const struct source *source, const char *patch, const char *how, char **lines,
		     struct hl_error *err)
{
	static const char script[] = "said=$(LC_ALL=C patch \"$@\" 2>&1); echo \"$?\"; echo \"$said\"";
	const char *const command[] = {
		"sh",
		"-c",
		script,
		"patch",
		"-p1",
		"--force",
		"--no-backup-if-mismatch",
		"--reject-file=-",
		"--quoting-style=literal",
		"-d",
		source->tree,
		"-i",
		patch,
		how,
		NULL,
	};

	return process_run(command, PATCH_TIMEOUT_MS, lines, err);
}

static int apply(const struct source *source, const char *patch, struct hl_error *err)
{
	cleanup_free char *path = realpath(patch, NULL), *tried = NULL, *done = NULL;
	int r = path ? 0 : hl_error_errno(err, errno, "open the patch %s", patch);

	if (!r)
		r = run_patch(source, path, "--dry-run", &tried, err);
	if (!r && *tried != '0')
		r = does_not_apply(source, patch, tried + strcspn(tried, "\n"), err);
	if (!r)
		r = save_all(source, tried, err);
	if (!r)
		r = run_patch(source, path, "--batch", &done, err);
	return !r && *done != '0' ? does_not_apply(source, patch, done + strcspn(done, "\n"), err) : r;
}

int source_patch(const struct source *source, const char *const *patches, size_t count, struct hl_error *err)
{
	int r = undo_all(source, err);

	for (size_t i = 0; !r && i < count; i++)
		r = apply(source, patches[i], err);
	if (r)
		undo_all(source, NULL);
	return r;
}
