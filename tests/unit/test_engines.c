// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/workload/engine.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "package_fixture.h"
#include "resources.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define RECORD	4096
#define RECORDS 8

static void test_names(void)
{
	const struct engine *const *engines = engine_list();
	size_t count = 0;

	for (; engines[count]; count++) {
		CU_ASSERT_PTR_NOT_NULL_FATAL(engine_names[count]);
		CU_ASSERT_STRING_EQUAL(engines[count]->name, engine_names[count]);
		CU_ASSERT_TRUE(!count || strcmp(engine_names[count - 1], engine_names[count]) < 0);
		CU_ASSERT_TRUE(strlen(engines[count]->summary) > 0);
		CU_ASSERT_PTR_NOT_NULL(engines[count]->write);
		CU_ASSERT_EQUAL(engines[count]->open == NULL, engines[count]->close == NULL);
	}
	CU_ASSERT_PTR_NULL(engine_names[count]);
	CU_ASSERT(count >= 4);
}

/* Some file systems have no O_DIRECT: the working folder is tried as well. */
static int open_file(const struct engine *engine, char **path)
{
	int fd;

	*path = file_path("%s/records", fixture_folder());
	fd = open(*path, O_RDWR | O_CREAT | O_CLOEXEC | engine->open_flags, 0600);
	return fd >= 0 ? fd : open(".", O_TMPFILE | O_RDWR | O_CLOEXEC | engine->open_flags, 0600);
}

static void write_and_read(const struct engine *engine)
{
	cleanup_free char *path = NULL, *record = aligned_alloc(RECORD, RECORD),
			  *found = aligned_alloc(RECORD, RECORD);
	cleanup_fd int fd = open_file(engine, &path);
	struct hl_error err = HL_ERROR_INIT;
	void *state = NULL;

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	if (engine->open && engine->open(fd, (off_t)RECORD * RECORDS, &state, &err)) {
		printf("\n    engine %s cannot be used here: %s", engine->name, err.text);
		return;
	}
	/* Backwards, so that order plays no part; slot 0 twice. */
	for (int i = RECORDS - 1; i >= -1; i--) {
		memset(record, 'a' + i, RECORD);
		CU_ASSERT_EQUAL(engine->write(fd, state, record, RECORD, (off_t)RECORD * (i < 0 ? 0 : i)), 0);
	}
	if (engine->close)
		engine->close(state);
	for (int i = 0; i < RECORDS; i++) {
		CU_ASSERT_EQUAL(pread(fd, found, RECORD, (off_t)RECORD * i), RECORD);
		memset(record, i ? 'a' + i : 'a' - 1, RECORD);
		CU_ASSERT_EQUAL(memcmp(found, record, RECORD), 0);
	}
	CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_END), (off_t)RECORD * RECORDS);
}

static void test_write_and_read(void)
{
	size_t before = resources_descriptors();

	for (size_t i = 0; engine_list()[i]; i++)
		write_and_read(engine_list()[i]);
	CU_ASSERT_EQUAL(resources_descriptors(), before);
}

/* A write that fails is told as an errno. The mapping engine writes to memory: it has no such failure. */
static void test_errors(void)
{
	cleanup_free char *record = aligned_alloc(RECORD, RECORD);

	memset(record, 'x', RECORD);
	for (size_t i = 0; engine_list()[i]; i++) {
		const struct engine *engine = engine_list()[i];
		cleanup_fd int fd = open("/dev/full", O_RDWR | O_CLOEXEC);
		void *state = NULL;

		if (!strcmp(engine->name, "mmap") || (engine->open && engine->open(fd, RECORD, &state, NULL)))
			continue;
		CU_ASSERT_TRUE(engine->write(fd, state, record, RECORD, 0) < 0);
		if (engine->close)
			engine->close(state);
	}
}

/* A store into a file without room would be a SIGBUS, so the mapping engine refuses to begin. */
static void test_mmap_without_room(void)
{
	cleanup_fd int fd = open("/dev/full", O_RDWR | O_CLOEXEC);
	struct hl_error err = HL_ERROR_INIT;
	void *state = NULL;

	for (size_t i = 0; engine_list()[i]; i++)
		if (!strcmp(engine_list()[i]->name, "mmap"))
			CU_ASSERT_NOT_EQUAL(engine_list()[i]->open(fd, RECORD, &state, &err), 0);
	CU_ASSERT_PTR_NULL(state);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "allocate the file"));
}

CU_TestInfo engines_tests[] = {
	{"names equal the table", test_names},
	{"what is written reads back", test_write_and_read},
	{"errors are told", test_errors},
	{"a mapping without room", test_mmap_without_room},
	CU_TEST_INFO_NULL,
};
