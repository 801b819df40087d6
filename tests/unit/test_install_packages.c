// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "package_fixture.h"

#include <CUnit/CUnit.h>
#include <string.h>

#define SCRIPT	  "harness/setup/install-packages"
#define BACKPORTS "etc/apt/sources.list.d/hanglab-backports.sources"

/*
 * The script runs in a machine of files, FOLDER, and finds no other programs than those in FOLDER/bin: a few
 * real ones, and these, which play apt, dpkg and who we are. FOLDER/calls is what would have been done.
 */
static const struct {
	const char *name, *text;
} players[] = {
	{"apt-get",
	 "#!/bin/sh\n"
	 "home=${0%/*}/..\n"
	 "case \"$*\" in\n"
	 "indextargets*) cat \"$home/targets\"\n"
	 "  [ ! -e \"$home/served\" ] || [ ! -e \"$home/" BACKPORTS "\" ] || cat \"$home/served\"; exit;;\n"
	 "-s*) cat \"$home/simulation\"; exit;;\n"
	 "esac\n"
	 "echo \"apt-get ${*#-q -o DPkg::Lock::Timeout=300 }\" >> \"$home/calls\"\n"
	 "case \"$*\" in *SourceList*) [ -e \"$home/served\" ];; esac\n"},
	/* Everything is installed but what FOLDER/missing names. */
	{"dpkg-query", "#!/bin/sh\n"
		       "for word; do case $word in -*|*{*) ;; *) echo \"$word\";; esac; done |\n"
		       "grep -vxF -f \"${0%/*}/../missing\" | sed 's/$/ installed/'\n"},
	{"apt-cache", "#!/bin/sh\ngrep -qx \"$2\" \"${0%/*}/../known\"\n"},
	{"qemu-system-x86_64", "#!/bin/sh\ncat \"${0%/*}/../qemu\"\n"},
	{"systemctl", "#!/bin/sh\necho \"systemctl $*\" >> \"${0%/*}/../calls\"\n"},
	{"id", "#!/bin/sh\ncat \"${0%/*}/../uid\"\n"},
	{"sudo", "#!/bin/sh\necho sudo >> \"${0%/*}/../calls\"; exec \"$@\"\n"},
};

static const char *const real_programs[] = {"awk", "cat", "env", "grep", "sed", "sh", "tee"};

/**
 * struct machine - what the script meets
 * @release: of Debian, "12"; NULL for another system
 * @missing: packages that are not installed, one a line
 * @known: packages that apt's lists have, one a line
 * @qemu: what QEMU answers, "" for no QEMU
 * @user: not root
 * @no_sudo: nor is sudo there
 * @served: the archive has backports
 * @simulation: what apt-get -s says
 * @sources: the sources file, default one stanza without a key
 * @argument: of the script; NULL for none
 */
struct machine {
	const char *release, *missing, *known, *qemu;
	bool user, no_sudo, served;
	const char *simulation, *sources, *argument;
};

static void put(const char *folder, const char *name, const char *text)
{
	cleanup_free char *path = file_path("%s/%s", folder, name);

	fixture_write_text(path, text);
}

static char *get(const char *folder, const char *name)
{
	cleanup_free char *path = file_path("%s/%s", folder, name);
	char *text = NULL;

	return file_read(path, &text, NULL, NULL) ? file_path("%s", "") : text;
}

static void link_program(const char *folder, const char *name)
{
	cleanup_free char *real = process_find_program(name), *link = file_path("%s/bin/%s", folder, name);

	CU_ASSERT_PTR_NOT_NULL_FATAL(real);
	CU_ASSERT_EQUAL_FATAL(symlink(real, link), 0);
}

static const char *build(const struct machine *machine)
{
	const char *folder = fixture_folder(),
		   *name = strcmp(machine->release ? machine->release : "", "12") ? "trixie" : "bookworm";
	cleanup_free char *system = file_path("ID=%s\nVERSION_ID=\"%s\"\nVERSION_CODENAME=%s\n",
					      machine->release ? "debian" : "other",
					      machine->release ? machine->release : "1", name);
	cleanup_free char *targets =
		file_path("elsewhere main http://other.invalid/x/ %s/etc/x.list:1\n"
			  "%s main http://mirror.invalid/debian/ %s/etc/apt/debian.%s:2\n",
			  folder, name, folder,
			  machine->sources && !strncmp(machine->sources, "deb ", 4) ? "list" : "sources");

	for (size_t i = 0; i < sizeof(players) / sizeof(*players); i++) {
		cleanup_free char *path = file_path("bin/%s", players[i].name);

		if (!(machine->no_sudo && !strcmp(players[i].name, "sudo")))
			put(folder, path, players[i].text);
	}
	for (size_t i = 0; i < sizeof(real_programs) / sizeof(*real_programs); i++)
		link_program(folder, real_programs[i]);
	put(folder, "etc/os-release", system);
	put(folder, "targets", targets);
	put(folder, "missing", machine->missing ? machine->missing : "");
	put(folder, "known", machine->known ? machine->known : "");
	put(folder, "qemu", machine->qemu);
	put(folder, "uid", machine->user ? "1000\n" : "0\n");
	put(folder, "simulation",
	    machine->simulation ? machine->simulation : "Inst qemu-system-x86 (1:10.0.2 Debian)\n");
	put(folder, "etc/apt/debian.sources",
	    machine->sources ? machine->sources : "Types: deb\n\nTypes: deb\nSuites: x\n");
	put(folder, "etc/apt/debian.list", machine->sources ? machine->sources : "");
	put(folder, "etc/apt/sources.list.d/none", "");
	if (machine->served)
		put(folder, "served", "bookworm-backports main http://mirror.invalid/debian/ x:1\n");
	return folder;
}

/* Return: what it printed, or its error; the caller frees it. */
static char *run_script(const char *folder, const char *argument, int *result)
{
	const char *const command[] = {SCRIPT, argument, NULL};
	cleanup_free char *old = file_path("%s", getenv("PATH")), *path = file_path("%s/bin", folder);
	struct hl_error err = HL_ERROR_INIT;
	char *output = NULL;

	setenv("HANGLAB_SETUP_ROOT", folder, 1);
	setenv("PATH", path, 1);
	*result = process_run(command, 20000, &output, &err);
	setenv("PATH", old, 1);
	unsetenv("HANGLAB_SETUP_ROOT");
	return output ? output : file_path("%s", err.text);
}

static void check_contains(const char *text, const char *part)
{
	CU_ASSERT_PTR_NOT_NULL(strstr(text, part));
	if (!strstr(text, part))
		printf("\n\"%s\" is not in \"%s\" ", part, text);
}

/* Exactly these calls are made, one a line, and the script says so. */
static void check_calls(const char *folder, const char *argument, const char *calls, const char *says)
{
	cleanup_free char *done = NULL, *output = NULL;
	int r;

	put(folder, "calls", "");
	output = run_script(folder, argument, &r);
	done = get(folder, "calls");
	CU_ASSERT_EQUAL(r, 0);
	CU_ASSERT_STRING_EQUAL(done, calls);
	if (strcmp(done, calls) != 0)
		printf("\ncalled: %s", done);
	check_contains(output, says);
	if (!*calls)
		CU_ASSERT_STRING_EQUAL(output, "");
}

static void check_done(const struct machine *machine, const char *calls, const char *says)
{
	check_calls(build(machine), machine->argument, calls, says);
}

static void check_refused(const struct machine *machine, const char *says)
{
	const char *folder = build(machine);
	cleanup_free char *done = NULL, *output = NULL;
	int r;

	output = run_script(folder, NULL, &r);
	done = get(folder, "calls");
	CU_ASSERT_NOT_EQUAL(r, 0);
	CU_ASSERT_STRING_EQUAL(done, "");
	check_contains(output, says);
}

#define QEMU_10	 "QEMU emulator version 10.0.2 (Debian 1:10.0.2)\n"
#define QEMU_8_1 "QEMU emulator version 8.1.0\n"
#define QEMU_7_2 "QEMU emulator version 7.2.18 (Debian 1:7.2)\n"
#define UPDATE	 "apt-get update\n"
#define INSTALL	 "apt-get -y --no-install-recommends install "

static void test_nothing_missing(void)
{
	check_done(&(struct machine){.release = "12", .qemu = QEMU_10}, "", "");
	check_done(&(struct machine){.release = "12", .qemu = QEMU_8_1}, "", "");
	check_done(&(struct machine){.release = "13", .qemu = QEMU_10}, "", "");
	/* Whoever installed it by hand needs neither root nor Debian. */
	check_done(&(struct machine){.qemu = QEMU_7_2, .user = true, .no_sudo = true}, "", "");
}

static void test_only_what_is_missing(void)
{
	check_done(&(struct machine){.release = "13", .qemu = QEMU_10, .missing = "libaio-dev\nxfsprogs\n"},
		   UPDATE INSTALL "libaio-dev xfsprogs\n", "missing or too old: libaio-dev xfsprogs");
	check_done(&(struct machine){.release = "13", .qemu = "", .missing = "make\n"},
		   UPDATE INSTALL "make\n" INSTALL "qemu-system-x86\n",
		   "missing or too old: make qemu-system-x86");
}

/* @stanza: what the file must end with */
static void check_backports_file(const char *folder, const char *stanza)
{
	cleanup_free char *text = get(folder, BACKPORTS);
	size_t length = strlen(text), end = strlen(stanza);

	CU_ASSERT_TRUE(length >= end && !strcmp(text + length - end, stanza));
	if (length < end || strcmp(text + length - end, stanza) != 0)
		printf("\nthe file is: %s", text);
}

/* @rest: the calls after the suite was added */
static const char *check_adds_backports(const struct machine *machine, const char *rest)
{
	const char *folder = build(machine);
	cleanup_free char *calls = file_path(
		UPDATE "apt-get -o Dir::Etc::SourceList=%s/" BACKPORTS " -o Dir::Etc::SourceParts=/dev/null"
		       " -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any update\n%s",
		folder, rest);

	check_calls(folder, NULL, calls, "adding the suite bookworm-backports for QEMU alone");
	return folder;
}

#define STANZA                                                                                               \
	"Types: deb\nURIs: http://mirror.invalid/debian/\nSuites: bookworm-backports\nComponents: main\n"

static void test_backports_added(void)
{
	static const char *const qemus[] = {"", QEMU_7_2};

	for (size_t i = 0; i < 2; i++) {
		struct machine machine = {.release = "12", .qemu = qemus[i], .served = true};
		const char *folder =
			check_adds_backports(&machine, INSTALL "-t bookworm-backports qemu-system-x86\n");

		check_backports_file(folder, STANZA "\n");
	}
}

static void test_backports_signed_by(void)
{
	struct machine machine = {.release = "12", .qemu = "", .served = true};

	machine.sources = "# one\n\nTypes: deb\nSigned-By: /wrong.gpg\n\n# two\nTypes: deb\nSigned-By:\n "
			  "BEGIN\n .\n END\nSuites: x\n";
	check_backports_file(
		check_adds_backports(&machine, INSTALL "-t bookworm-backports qemu-system-x86\n"),
		STANZA "Signed-By:\n BEGIN\n .\n END\n");
	machine.sources = "deb [signed-by=/wrong.gpg] http://other.invalid x main\n"
			  "deb [arch=amd64 signed-by=/usr/share/keyrings/right.gpg] "
			  "http://mirror.invalid/debian bookworm main\n";
	check_backports_file(
		check_adds_backports(&machine, INSTALL "-t bookworm-backports qemu-system-x86\n"),
		STANZA "Signed-By: /usr/share/keyrings/right.gpg\n");
}

static void test_backports_not_served(void)
{
	struct machine machine = {.release = "12", .qemu = ""};
	const char *folder = check_adds_backports(&machine, INSTALL "qemu-system-x86\n");
	cleanup_free char *text = get(folder, BACKPORTS);

	check_contains(text, "\nEnabled: no\n");
	/* With 7.2 there it is not tried again. */
	put(folder, "qemu", QEMU_7_2);
	check_calls(folder, NULL, "", "");
}

static void test_backports_costs_too_much(void)
{
	struct machine machine = {.release = "12", .qemu = QEMU_7_2, .served = true};
	static const char *const harmful[] = {"Remv libvirt0 [9.0]\n", "Inst libc6 [2.36] (2.41 Debian)\n"};

	for (size_t i = 0; i < 2; i++) {
		machine.simulation = harmful[i];
		check_adds_backports(&machine, "");
	}
	machine.simulation =
		"Inst qemu-system-data [7.2] (10.0 Debian)\nInst libbpf1 (1.4 Debian)\nConf libc6 [2] (2)\n";
	check_adds_backports(&machine, INSTALL "-t bookworm-backports qemu-system-x86\n");
}

/* Programs for guests and their disks bring services that nobody asked for; those that were there stay. */
static void test_services(void)
{
	const char *folder =
		build(&(struct machine){.release = "13", .qemu = QEMU_10, .missing = "make\ntgt\n"});

	put(folder, "run/systemd/system/none", "");
	check_calls(folder, NULL,
		    UPDATE INSTALL "make tgt\n"
				   "systemctl --quiet disable --now tgt.service\n",
		    "tgt.service");
	put(folder, "missing", "make\n");
	check_calls(folder, NULL, UPDATE INSTALL "make\n", "");
}

static void test_not_root(void)
{
	check_done(&(struct machine){.release = "13", .qemu = QEMU_10, .missing = "make\n", .user = true},
		   "sudo\n" UPDATE "sudo\n" INSTALL "make\n", "missing or too old: make");
	check_refused(
		&(struct machine){
			.release = "13", .qemu = QEMU_10, .missing = "make\n", .user = true, .no_sudo = true},
		"neither root nor sudo");
}

/* Bochs is installed where Debian has all of it, and is no reason for anything where not. */
static void test_bochs(void)
{
	check_done(&(struct machine){.release = "12",
				     .qemu = QEMU_10,
				     .missing = "bochs\nvgabios\n",
				     .known = "bochs\nvgabios\n"},
		   UPDATE INSTALL "bochs vgabios\n", "missing or too old: bochs vgabios");
	check_done(&(struct machine){.release = "13",
				     .qemu = QEMU_10,
				     .missing = "bochs\nvgabios\n",
				     .known = "vgabios\n"},
		   "", "");
}

/* So is what a boot is measured against, for developers. */
static void test_bench_packages(void)
{
	struct machine machine = {.release = "13",
				  .qemu = QEMU_10,
				  .missing = "busybox-static\nvirtme-ng\n",
				  .known = "busybox-static\nvirtme-ng\n",
				  .argument = "--dev"};

	check_done(&machine, UPDATE INSTALL "busybox-static virtme-ng\n", "missing or too old: ");
	machine.argument = "--test";
	check_done(&machine, "", "");
	machine.argument = "--dev";
	machine.known = "busybox-static\n";
	check_done(&machine, "", "");
}

/* Nothing goes on after an installation that failed. */
static void test_apt_fails(void)
{
	const char *folder = build(&(struct machine){.release = "13", .qemu = "", .missing = "tgt\n"});
	cleanup_free char *done = NULL, *output = NULL;
	int r;

	put(folder, "bin/apt-get",
	    "#!/bin/sh\necho \"apt-get ${*#-q -o DPkg::Lock::Timeout=300 }\" >> \"${0%/*}/../calls\"\nexit "
	    "100\n");
	put(folder, "run/systemd/system/none", "");
	output = run_script(folder, NULL, &r);
	done = get(folder, "calls");
	CU_ASSERT_NOT_EQUAL(r, 0);
	CU_ASSERT_STRING_EQUAL(done, UPDATE INSTALL "tgt\n");
}

static void test_not_debian(void)
{
	check_refused(&(struct machine){.qemu = QEMU_10, .missing = "kmod\n"}, "this is not Debian 12 or 13");
	check_refused(&(struct machine){.qemu = QEMU_10, .missing = "kmod\n"}, "hold: kmod");
}

CU_TestInfo install_packages_tests[] = {
	{"nothing missing", test_nothing_missing},
	{"only what is missing", test_only_what_is_missing},
	{"backports added", test_backports_added},
	{"backports signed by", test_backports_signed_by},
	{"backports not served", test_backports_not_served},
	{"backports would harm", test_backports_costs_too_much},
	{"services", test_services},
	{"not root", test_not_root},
	{"Bochs", test_bochs},
	{"virtme-ng", test_bench_packages},
	{"apt fails", test_apt_fails},
	{"not Debian", test_not_debian},
	CU_TEST_INFO_NULL,
};
