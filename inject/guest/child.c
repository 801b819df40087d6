// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/guest/child.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

/**
 * struct child - one child
 * @pid: its process
 * @from, @to: parent: the ends of the pipes that it reads and writes; child: the other ends
 * @line, @used: an unfinished line from the child
 * @ended, @status: it was reaped; on_exit() is called once its last line is read
 */
struct child {
	struct child *next;
	pid_t pid;
	int from, to;
	char line[4096];
	size_t used;
	bool ended;
	int status;
	const struct child_watcher *watcher;
	void *data;
};

static struct child *children;

static void become_child(struct child *child, const char *comm, child_body body)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, comm);
	setpriority(PRIO_PROCESS, 0, 0);
	body(child, child->data);
	_exit(0);
}

/* Makes the pipes and forks; in both processes @child has its own ends afterwards. Return: 0 or -errno. */
static int fork_with_pipes(struct child *child)
{
	cleanup_fd int up_out = -1, up_in = -1, down_out = -1, down_in = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	up_out = ends[0];
	up_in = ends[1];
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	down_out = ends[0];
	down_in = ends[1];
	child->pid = fork();
	if (child->pid < 0)
		return -errno;
	child->from = take_fd(child->pid ? &up_out : &down_out);
	child->to = take_fd(child->pid ? &down_in : &up_in);
	return 0;
}

int child_start(const char *comm, child_body body, const struct child_watcher *watcher, void *data,
		struct child **started, struct hl_error *err)
{
	cleanup_free struct child *made = calloc(1, sizeof(*made));
	struct child *child;
	int r = made ? fork_with_pipes(made) : -ENOMEM;

	if (r)
		return hl_error_errno(err, -r, "start %s", comm);
	child = take_pointer(made);
	child->watcher = watcher;
	child->data = data;
	if (!child->pid)
		become_child(child, comm, body);
	fcntl(child->from, F_SETFL, O_NONBLOCK);
	child->next = children;
	children = child;
	if (started)
		*started = child;
	return 0;
}

pid_t child_pid(const struct child *child)
{
	return child->pid;
}

void child_command(struct child *child, char command)
{
	(void)!write(child->to, &command, 1);
}

int child_await_command(struct child *child)
{
	char command;
	ssize_t got;

	do {
		got = read(child->from, &command, 1);
	} while (got < 0 && errno == EINTR);
	return got == 1 ? command : -1;
}

void child_report(struct child *child, json_t *report)
{
	char *text = json_dumps(report, JSON_COMPACT);

	json_decref(report);
	if (!text)
		return;
	file_write_all(child->to, text, strlen(text));
	file_write_all(child->to, "\n", 1);
	free(text);
}

size_t child_poll_fill(struct pollfd *fds, size_t most)
{
	size_t count = 0;

	for (const struct child *child = children; child && count < most; child = child->next)
		if (!child->ended)
			fds[count++] = (struct pollfd){.fd = child->from, .events = POLLIN};
	return count;
}

static void take_line(struct child *child)
{
	json_t *report = json_loadb(child->line, child->used, 0, NULL);

	child->used = 0;
	if (report)
		child->watcher->on_report(child->data, report);
	json_decref(report);
}

static void read_reports(struct child *child)
{
	char block[512];
	ssize_t got;

	while ((got = read(child->from, block, sizeof(block))) > 0)
		for (ssize_t i = 0; i < got; i++) {
			if (block[i] == '\n')
				take_line(child);
			else if (child->used < sizeof(child->line))
				child->line[child->used++] = block[i];
		}
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (struct child *child = children; child; child = child->next)
			if (child->pid == pid) {
				child->ended = true;
				child->status = status;
			}
}

/* Takes one ended child out of the list; NULL when there is none. */
static struct child *next_ended(void)
{
	for (struct child **link = &children; *link; link = &(*link)->next)
		if ((*link)->ended) {
			struct child *child = *link;

			*link = child->next;
			return child;
		}
	return NULL;
}

void child_dispatch(void)
{
	struct child *child;

	reap();
	for (child = children; child; child = child->next)
		read_reports(child);
	while ((child = next_ended())) {
		close(child->from);
		close(child->to);
		child->watcher->on_exit(child->data, child->status);
		free(child);
	}
}
