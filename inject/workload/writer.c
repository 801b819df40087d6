// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * writer: writes numbered records into a file, one at a time, each durable before it counts (but for the
 * engine "buffered").
 *
 * Record n goes to slot n % records, so the file stays small however long the run is. After the run
 * slot s must hold the newest acknowledged record of that slot, with the exceptions of slot_is_right().
 */
#include "base/cleanup.h"
#include "base/file.h"
#include "base/units.h"
#include "inject/workload/engine.h"
#include "inject/workload/workload.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#define RECORD_SIZE  4096
#define RECORD_MAGIC 0x6c676e6148ULL

struct writer {
	const char *directory, *file;
	int engine;
	int64_t interval;
	int64_t records, first;
};

struct record {
	uint64_t magic, sequence, seed, checksum;
	uint64_t payload[RECORD_SIZE / 8 - 4];
};

static void fill_record(struct record *record, uint64_t sequence, uint64_t seed)
{
	uint64_t state = (seed << 32 ^ sequence) * 0x9e3779b97f4a7c15ULL | 1, sum = sequence;

	for (size_t i = 0; i < sizeof(record->payload) / sizeof(record->payload[0]); i++) {
		record->payload[i] = workload_next_random(&state);
		sum = (sum << 7 | sum >> 57) + record->payload[i];
	}
	record->magic = RECORD_MAGIC;
	record->sequence = sequence;
	record->seed = seed;
	record->checksum = sum;
}

static char *file_of(const struct workload_run *run)
{
	const struct writer *writer = run->parameters;

	return file_path("%s/%s.records", writer->directory, writer->file ? writer->file : run->name);
}

static off_t offset_of(const struct writer *writer, uint64_t sequence)
{
	return (off_t)((uint64_t)writer->first + sequence % (uint64_t)writer->records) * RECORD_SIZE;
}

static int write_records(struct workload_run *run, const struct engine *engine, int fd, void *state,
			 struct record *record)
{
	const struct writer *writer = run->parameters;
	uint64_t random = run->seed * 0x9e3779b97f4a7c15ULL | 1, sequence = 0;
	int r;

	while (!atomic_load(&run->progress->stop)) {
		off_t offset = offset_of(writer, sequence);

		fill_record(record, sequence, run->seed);
		workload_begin(run->progress);
		r = engine->write(fd, state, record, RECORD_SIZE, offset);
		workload_end(run->progress, r);
		/* After an error nothing is acknowledged any more, so no acknowledged record may be
		 * overwritten either. */
		if (!r && !atomic_load(&run->progress->errors))
			sequence++;
		workload_pause(writer->interval, &random);
	}
	return 0;
}

static int writer_run(struct workload_run *run, struct hl_error *err)
{
	const struct writer *writer = run->parameters;
	const struct engine *engine = engine_list()[writer->engine];
	cleanup_free char *path = file_of(run);
	cleanup_free struct record *record = aligned_alloc(RECORD_SIZE, RECORD_SIZE);
	cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | engine->open_flags, 0644);
	void *state = NULL;
	int r;

	if (!record)
		return hl_error_errno(err, ENOMEM, "writer %s", run->name);
	if (fd < 0)
		return hl_error_errno(err, errno, "open %s", path);
	r = engine->open ? engine->open(fd, (writer->first + writer->records) * RECORD_SIZE, &state, err) : 0;
	if (r)
		return hl_error_prefix(err, "engine %s", engine->name);
	r = write_records(run, engine, fd, state, record);
	if (engine->close)
		engine->close(state);
	return r;
}

static bool slot_holds(const struct record *found, uint64_t sequence, uint64_t seed)
{
	struct record expected;

	fill_record(&expected, sequence, seed);
	return !memcmp(found, &expected, sizeof(expected));
}

/*
 * Slots that may hold something else than their newest acknowledged record: that of the record in flight, of
 * which any part may have been written; after an error, when nothing more is acknowledged but the writer
 * goes on, all of them, but only whole later records.
 */
static bool slot_is_right(const struct workload_run *run, const struct record *found, uint64_t sequence)
{
	const struct writer *writer = run->parameters;
	uint64_t records = (uint64_t)writer->records, next = atomic_load(&run->progress->acknowledged);
	bool reused = sequence % records == next % records, failed = atomic_load(&run->progress->errors);

	if (slot_holds(found, sequence, run->seed) || (reused && slot_holds(found, next, run->seed)))
		return true;
	if (!failed)
		return reused && atomic_load(&run->progress->started_at);
	return found->sequence > sequence && found->sequence % records == sequence % records &&
	       slot_holds(found, found->sequence, run->seed);
}

static int writer_verify(const struct workload_run *run, struct workload_verification *found,
			 struct hl_error *err)
{
	const struct writer *writer = run->parameters;
	uint64_t acknowledged = atomic_load(&run->progress->acknowledged),
		 records = (uint64_t)writer->records;
	cleanup_free char *path = file_of(run);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct record record;

	if (fd < 0 && errno != ENOENT)
		return hl_error_errno(err, errno, "open %s", path);
	for (uint64_t sequence = acknowledged > records ? acknowledged - records : 0; sequence < acknowledged;
	     sequence++) {
		off_t offset = offset_of(writer, sequence);

		if (fd < 0 || pread(fd, &record, sizeof(record), offset) != sizeof(record))
			memset(&record, 0, sizeof(record));
		found->checked++;
		if (slot_is_right(run, &record, sequence))
			continue;
		if (engine_list()[writer->engine]->unsynced)
			found->unsynced++;
		else if (!found->lost++)
			snprintf(found->detail, sizeof(found->detail),
				 "record %" PRIu64 " of %s was acknowledged but is not in slot %" PRIu64,
				 sequence, path, (uint64_t)offset / RECORD_SIZE);
	}
	return 0;
}

static const struct parameter writer_parameters[] = {
	{.name = "dir",
	 .type = PARAMETER_PATH,
	 .offset = offsetof(struct writer, directory),
	 .required = true,
	 .help = "folder of its file, on the file system under test"},
	{.name = "file",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct writer, file),
	 .help = "name of its file without the suffix .records; default: its own name"},
	{.name = "first",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct writer, first),
	 .fallback = "0",
	 .least = 0,
	 .most = 1 << 20,
	 .help = "the first slot that it uses, for several writers in one file"},
	{.name = "engine",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct writer, engine),
	 .fallback = "sync",
	 .choices = engine_names,
	 .help = "how it writes"},
	{.name = "interval",
	 .type = PARAMETER_DURATION,
	 .offset = offsetof(struct writer, interval),
	 .fallback = "100ms",
	 .least = 1000,
	 .most = 3600 * NANOSECONDS_PER_SECOND,
	 .help = "mean pause between two records"},
	{.name = "records",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct writer, records),
	 .fallback = "1024",
	 .least = 1,
	 .most = 1 << 20,
	 .help = "slots of 4096 bytes in its file; they are reused in turn"},
	{.name = NULL},
};

const struct workload workload_writer = {
	.name = "writer",
	.summary = "write numbered, checksummed records, each durable before it counts",
	.help = "Acknowledged records are counted outside the disk and verified after the release, after a\n"
		"file system check and a fresh mount. The first error voids later acknowledgements.\n",
	.parameters = writer_parameters,
	.parameters_size = sizeof(struct writer),
	.run = writer_run,
	.verify = writer_verify,
};
