// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * metadata: creates, renames and removes files, and makes each change durable with an fsync of the folder.
 *
 * Operation n makes the file n, first under another name, and removes file n - files, so that there are never
 * many. After the run the newest acknowledged files must be there and the older ones gone; the one operation
 * that was in flight when the workload ended may be done in part. An operation can be done again without
 * harm, which is what happens after an error.
 */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"
#include "inject/workload/workload.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

struct metadata {
	const char *directory;
	int64_t interval, files;
};

static char *folder_of(const struct workload_run *run)
{
	const struct metadata *metadata = run->parameters;

	return file_path("%s/%s.files", metadata->directory, run->name);
}

static void name_of(uint64_t sequence, char *name, size_t size)
{
	snprintf(name, size, "%" PRIu64, sequence);
}

static int create_file(int folder, uint64_t sequence)
{
	char name[32];
	int fd;

	name_of(sequence, name, sizeof(name));
	fd = openat(folder, "new", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	close(fd);
	return renameat(folder, "new", folder, name) ? -errno : 0;
}

static int remove_file(int folder, uint64_t sequence)
{
	char name[32];

	name_of(sequence, name, sizeof(name));
	return unlinkat(folder, name, 0) && errno != ENOENT ? -errno : 0;
}

static int change(int folder, uint64_t sequence, uint64_t files)
{
	int r = create_file(folder, sequence);

	if (!r && sequence >= files)
		r = remove_file(folder, sequence - files);
	return r ? r : fsync(folder) ? -errno : 0;
}

static int metadata_run(struct workload_run *run, struct hl_error *err)
{
	const struct metadata *metadata = run->parameters;
	cleanup_free char *path = folder_of(run);
	uint64_t random = run->seed * 0x9e3779b97f4a7c15ULL | 1, sequence = 0;
	cleanup_fd int folder = -1;
	int r = file_make_folders(path, err);

	if (r)
		return r;
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return hl_error_errno(err, errno, "open %s", path);
	while (!atomic_load(&run->progress->stop)) {
		workload_begin(run->progress);
		r = change(folder, sequence, (uint64_t)metadata->files);
		workload_end(run->progress, r);
		/* As in the writer: nothing that was acknowledged may be changed after an error. */
		if (!r && !atomic_load(&run->progress->errors))
			sequence++;
		workload_pause(metadata->interval, &random);
	}
	return 0;
}

static void check_file(int folder, uint64_t sequence, bool wanted, struct workload_verification *found)
{
	struct stat status;
	char name[32];
	bool there;

	name_of(sequence, name, sizeof(name));
	there = !fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW);
	found->checked++;
	if (there != wanted && !found->lost++)
		snprintf(found->detail, sizeof(found->detail), "file %s was acknowledged as %s but is %s",
			 name, wanted ? "made" : "removed", there ? "there" : "not there");
}

static int metadata_verify(const struct workload_run *run, struct workload_verification *found,
			   struct hl_error *err)
{
	const struct metadata *metadata = run->parameters;
	uint64_t acknowledged = atomic_load(&run->progress->acknowledged), files = (uint64_t)metadata->files;
	uint64_t newest_gone = acknowledged > files ? acknowledged - files : 0;
	uint64_t oldest_gone = newest_gone > files ? newest_gone - files : 0;
	cleanup_free char *path = folder_of(run);
	cleanup_fd int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0 && errno != ENOENT)
		return hl_error_errno(err, errno, "open %s", path);
	for (uint64_t sequence = oldest_gone; sequence < acknowledged; sequence++)
		/* The operation in flight may have removed this one. */
		if (sequence + files != acknowledged)
			check_file(folder, sequence, sequence >= newest_gone, found);
	return 0;
}

static const struct parameter metadata_parameters[] = {
	{.name = "dir",
	 .type = PARAMETER_PATH,
	 .offset = offsetof(struct metadata, directory),
	 .required = true,
	 .help = "folder of its own folder, on the file system under test"},
	{.name = "interval",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct metadata, interval),
	 .fallback = "100ms",
	 .least = 1000,
	 .most = 3600 * NANOSECONDS_PER_SECOND,
	 .help = "mean pause between two changes"},
	{.name = "files",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct metadata, files),
	 .fallback = "64",
	 .least = 1,
	 .most = 1 << 16,
	 .help = "how many files there are at a time"},
	{.name = NULL},
};

const struct workload workload_metadata = {
	.name = "metadata",
	.summary = "create, rename and remove files, each change durable before it counts",
	.help = "Acknowledged changes are counted outside the disk and verified as the writer's records "
		"are.\n",
	.parameters = metadata_parameters,
	.parameters_size = sizeof(struct metadata),
	.run = metadata_run,
	.verify = metadata_verify,
};
