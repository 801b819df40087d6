// SPDX-License-Identifier: GPL-2.0-or-later
#include "slurm.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/polling.h"
#include "base/units.h"
#include "hanglab.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define READY_LIMIT_S 60

/* A port that nothing listens on now. */
static int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) ||
	    getsockname(fd, (struct sockaddr *)&address, &size))
		return 0;
	return ntohs(address.sin_port);
}

static int write_key(const struct slurm *slurm, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/munge.key", slurm->folder);
	char key[128];
	int r;

	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return hl_error_errno(err, errno, "make a key");
	r = file_write(path, key, sizeof(key), err);
	return !r && chmod(path, 0400) ? hl_error_errno(err, errno, "chmod %s", path) : r;
}

/* No plugin that needs control groups or a database. */
static int write_configuration(const struct slurm *slurm, struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/slurm.conf", slurm->folder), *text = NULL;
	const struct passwd *user = getpwuid(geteuid());
	char host[64] = "";

	gethostname(host, sizeof(host) - 1);
	host[strcspn(host, ".")] = '\0';
	text = file_path("ClusterName=hanglab\n"
			 "SlurmctldHost=%s(127.0.0.1)\n"
			 "SlurmctldPort=%d\n"
			 "SlurmdPort=%d\n"
			 "SlurmUser=%s\n"
			 "SlurmdUser=%s\n"
			 "AuthType=auth/munge\n"
			 "AuthInfo=socket=%s/munge.socket\n"
			 "StateSaveLocation=%s/state\n"
			 "SlurmdSpoolDir=%s/spool\n"
			 "SlurmctldPidFile=%s/slurmctld.pid\n"
			 "SlurmdPidFile=%s/slurmd.pid\n"
			 "ProctrackType=proctrack/pgid\n"
			 "TaskPlugin=task/none\n"
			 "SwitchType=switch/none\n"
			 "MpiDefault=none\n"
			 "SelectType=select/cons_tres\n"
			 "SelectTypeParameters=CR_CPU\n"
			 "ReturnToService=2\n"
			 "NodeName=%s NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN\n"
			 "PartitionName=lab Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n",
			 host, free_port(), free_port(), user ? user->pw_name : "root",
			 user ? user->pw_name : "root", slurm->folder, slurm->folder, slurm->folder,
			 slurm->folder, slurm->folder, host);
	setenv("SLURM_CONF", path, 1);
	return file_write(path, text, strlen(text), err);
}

static int start(const struct slurm *slurm, struct process *daemon, const char *const *arguments,
		 struct hl_error *err)
{
	cleanup_free char *path = file_path("%s/%s.log", slurm->folder, arguments[0]);
	cleanup_fd int log = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	struct process_files files = {-1, log, log, NULL, 0};

	return process_start(daemon, arguments, &files, err);
}

static int start_daemons(struct slurm *slurm, struct hl_error *err)
{
	cleanup_free char *key = file_path("--key-file=%s/munge.key", slurm->folder),
			  *seed = file_path("--seed-file=%s/munge.seed", slurm->folder),
			  *socket = file_path("--socket=%s/munge.socket", slurm->folder),
			  *pid = file_path("--pid-file=%s/munged.pid", slurm->folder),
			  *log = file_path("--log-file=%s/munge.log", slurm->folder);
	const char *const munged[] = {"munged", "--foreground", "--force", key, seed, socket, pid, log, NULL};
	const char *const slurmctld[] = {"slurmctld", "-D", NULL}, *const slurmd[] = {"slurmd", "-D", NULL};
	int r = start(slurm, &slurm->munged, munged, err);

	if (!r)
		r = start(slurm, &slurm->slurmctld, slurmctld, err);
	return r ? r : start(slurm, &slurm->slurmd, slurmd, err);
}

/* Polled: nothing tells when a node has registered. */
static int await_node(struct hl_error *err)
{
	static const char *const sinfo[] = {"sinfo", "--noheader", "--format=%T", NULL};
	struct polling polling =
		polling_begin(READY_LIMIT_S * NANOSECONDS_PER_SECOND, NANOSECONDS_PER_SECOND / 5);

	do {
		cleanup_free char *state = NULL;

		if (!process_run(sinfo, 10000, &state, NULL) && !strcmp(state, "idle\n"))
			return 0;
	} while (polling_again(&polling));
	return hl_error_set(err, ETIMEDOUT, "the node did not become idle");
}

int slurm_start(struct slurm *slurm, struct hl_error *err)
{
	cleanup_free char *state = NULL, *spool = NULL;
	int r;

	slurm->munged = slurm->slurmctld = slurm->slurmd = (struct process)PROCESS_NONE;
	slurm->folder = file_path("%s/slurm", runs_folder());
	state = file_path("%s/state", slurm->folder);
	spool = file_path("%s/spool", slurm->folder);
	r = file_make_folders(state, err);
	if (!r)
		r = file_make_folders(spool, err);
	if (!r)
		r = write_key(slurm, err);
	if (!r)
		r = write_configuration(slurm, err);
	if (!r)
		r = start_daemons(slurm, err);
	return r ? r : await_node(err);
}

void slurm_end(struct slurm *slurm)
{
	process_kill(&slurm->slurmd);
	process_kill(&slurm->slurmctld);
	process_kill(&slurm->munged);
	free(slurm->folder);
	unsetenv("SLURM_CONF");
}
