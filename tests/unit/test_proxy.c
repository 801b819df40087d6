// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/cleanup.h"
#include "base/file.h"
#include "network.h"
#include "package_fixture.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#define MEGABYTE (1UL << 20)

static bool ping(const struct network *network, int from, int to)
{
	char got[5] = "";

	(void)network;
	return network_send(from, "ping", 5) && network_receive(to, got, 5) && !strcmp(got, "ping");
}

/* Takes @size bytes off a stream. */
static void drain(int fd, size_t size)
{
	uint8_t part[65536];

	while (size) {
		ssize_t got = recv(fd, part, size < sizeof(part) ? size : sizeof(part), 0);

		CU_ASSERT_FATAL(got > 0);
		size -= (size_t)got;
	}
}

static bool both_ways(const struct network *network)
{
	return ping(network, network->client, network->server) &&
	       ping(network, network->server, network->client);
}

/* --- forwarding --- */

static void forwards_both_ways_intact(void)
{
	struct network network = network_open(false);
	struct transfer *up = network_start_sending(network.client, 8 * MEGABYTE, 1);
	struct transfer *down = network_start_sending(network.server, 8 * MEGABYTE, 2);

	/* One after the other: the second waits for its reader meanwhile. */
	CU_ASSERT_EQUAL(network_receive_filled(network.server, 8 * MEGABYTE, 1), 8 * MEGABYTE);
	CU_ASSERT_EQUAL(network_receive_filled(network.client, 8 * MEGABYTE, 2), 8 * MEGABYTE);
	CU_ASSERT_TRUE(network_finish_sending(up));
	CU_ASSERT_TRUE(network_finish_sending(down));
	CU_ASSERT_EQUAL(network_status(&network).up.bytes, 8 * MEGABYTE);
	CU_ASSERT_EQUAL(network_status(&network).down.bytes, 8 * MEGABYTE);
	network_close(&network);
}

static void passes_on_the_end_of_one_direction(void)
{
	struct network network = network_open(false);

	shutdown(network.client, SHUT_WR);
	CU_ASSERT_EQUAL(network_ends(network.server), 0);
	CU_ASSERT_EQUAL(network_transfer(network.server, network.client, MEGABYTE, 3), MEGABYTE);
	shutdown(network.server, SHUT_WR);
	CU_ASSERT_EQUAL(network_ends(network.client), 0);
	CU_ASSERT_TRUE(network_await_connections(&network, 0));
	network_close(&network);
}

static void passes_on_a_reset(void)
{
	struct network network = network_open(false);

	network_send_reset(network.server);
	network.server = -1;
	CU_ASSERT_EQUAL(network_ends(network.client), -ECONNRESET);
	network_close(&network);
}

static void resets_when_the_target_is_dead(void)
{
	struct network network = network_open(false);
	int client;

	close(network.target);
	client = network_connect(network.proxy.port);
	CU_ASSERT_FATAL(client >= 0);
	CU_ASSERT_EQUAL(network_ends(client), -ECONNRESET);
	CU_ASSERT_EQUAL(network_status(&network).turned_away, 1);
	CU_ASSERT_TRUE(both_ways(&network));
	close(client);
	network.target = network_listen(&network.target_port);
	network_close(&network);
}

#define MANY 1000

static void carries_a_thousand_connections(void)
{
	struct network network = network_open(false);
	struct rlimit limit;
	static int clients[MANY], servers[MANY];

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < MANY; i++) {
		clients[i] = network_connect(network.proxy.port);
		servers[i] = network_accept(network.target);
		CU_ASSERT_FATAL(clients[i] >= 0 && servers[i] >= 0);
	}
	CU_ASSERT_TRUE(network_await_connections(&network, MANY + 1));
	/* All at once: everything is under way before the first is read. */
	for (int i = 0; i < MANY; i++)
		CU_ASSERT(network_send(clients[i], &i, sizeof(i)));
	for (int i = 0; i < MANY; i++) {
		int got = -1;

		/* Accepted in the order of the proxy's connects, which need not be ours. */
		CU_ASSERT(network_receive(servers[i], &got, sizeof(got)) && got >= 0 && got < MANY);
		CU_ASSERT(network_send(servers[i], &got, sizeof(got)));
	}
	for (int i = 0; i < MANY; i++) {
		int got = -1;

		CU_ASSERT(network_receive(clients[i], &got, sizeof(got)));
		CU_ASSERT_EQUAL(got, i);
		close(clients[i]);
		close(servers[i]);
	}
	network_close(&network);
}

/* --- faults --- */

static bool has_held_much(const struct proxy_status *status, uint64_t bytes)
{
	return status->up.held >= bytes;
}

static void stall_keeps_everything(void)
{
	struct network network = network_open(false);
	struct transfer *transfer;
	struct proxy_status status;

	CU_ASSERT_TRUE(both_ways(&network));
	network_enable(&network, "proxy/stall/up", PROXY_NO_VALUE);
	transfer = network_start_sending(network.client, 24 * MEGABYTE, 4);
	CU_ASSERT_TRUE(ping(&network, network.server, network.client));
	CU_ASSERT_TRUE(network_await(&network, has_held_much, 65536));
	status = network_status(&network);
	CU_ASSERT_TRUE(status.up.stopped);
	CU_ASSERT_FALSE(status.down.stopped);
	CU_ASSERT_EQUAL(status.up.bytes, 5);
	network_disable(&network, "proxy/stall/up");
	CU_ASSERT_EQUAL(network_receive_filled(network.server, 24 * MEGABYTE, 4), 24 * MEGABYTE);
	CU_ASSERT_TRUE(network_finish_sending(transfer));
	CU_ASSERT_FALSE(network_status(&network).up.stopped);
	network_close(&network);
}

static void stall_stops_a_transfer_under_way(void)
{
	struct network network = network_open(false);
	struct transfer *transfer = network_start_sending(network.server, 64 * MEGABYTE, 5);
	uint64_t bytes;

	CU_ASSERT_EQUAL(network_receive_filled(network.client, MEGABYTE, 5), MEGABYTE);
	network_enable(&network, "proxy/stall", PROXY_NO_VALUE);
	bytes = network_status(&network).down.bytes;
	CU_ASSERT_TRUE(bytes >= MEGABYTE && bytes < 64 * MEGABYTE);
	for (int i = 0; i < 20; i++) {
		poll(NULL, 0, 5);
		CU_ASSERT_EQUAL(network_status(&network).down.bytes, bytes);
	}
	network_disable(&network, "proxy/stall");
	drain(network.client, 63 * MEGABYTE);
	CU_ASSERT_TRUE(network_finish_sending(transfer));
	network_close(&network);
}

static void stall_also_keeps_the_end_of_a_stream(void)
{
	struct network network = network_open(false);

	network_enable(&network, "proxy/stall", PROXY_NO_VALUE);
	CU_ASSERT_TRUE(network_send(network.client, "last", 5));
	shutdown(network.client, SHUT_WR);
	CU_ASSERT_TRUE(network_await_held_up(&network, 5));
	CU_ASSERT_EQUAL(network_status(&network).connections, 1);
	network_disable(&network, "proxy/stall");
	CU_ASSERT_EQUAL(network_receive(network.server, (char[5]){0}, 5), true);
	CU_ASSERT_EQUAL(network_ends(network.server), 0);
	network_close(&network);
}

static void delay_is_kept(void)
{
	struct network network = network_open(false);
	double begun;

	network_enable(&network, "proxy/delay/up", 150);
	begun = network_seconds();
	CU_ASSERT_TRUE(ping(&network, network.client, network.server));
	CU_ASSERT(network_seconds() - begun >= 0.15);
	CU_ASSERT_EQUAL(network_transfer(network.client, network.server, 4 * MEGABYTE, 6), 4 * MEGABYTE);
	/* The other direction overtakes it. */
	network_enable(&network, "proxy/delay/up", 3600 * 1000);
	CU_ASSERT_TRUE(network_send(network.client, "late", 5));
	CU_ASSERT_TRUE(network_await_held_up(&network, 5));
	CU_ASSERT_TRUE(ping(&network, network.server, network.client));
	CU_ASSERT_EQUAL(network_status(&network).up.held, 5);
	network_disable(&network, "proxy/delay");
	CU_ASSERT_TRUE(network_receive(network.server, (char[5]){0}, 5));
	network_close(&network);
}

static void delay_lets_all_go_when_released(void)
{
	struct network network = network_open(false);
	double begun = network_seconds();

	network_enable(&network, "proxy/delay", 3600 * 1000);
	for (int i = 0; i < 1000; i++)
		CU_ASSERT(network_send(network.server, &i, sizeof(i)));
	CU_ASSERT_TRUE(network_await_held_down(&network, 1000 * sizeof(int)));
	CU_ASSERT_EQUAL(network_status(&network).down.bytes, 0);
	network_disable(&network, "proxy/delay");
	for (int i = 0; i < 1000; i++) {
		int got = -1;

		CU_ASSERT(network_receive(network.client, &got, sizeof(got)));
		CU_ASSERT_EQUAL(got, i);
	}
	CU_ASSERT(network_seconds() - begun < NETWORK_TIMEOUT_MS / 1000.0);
	network_close(&network);
}

/* A slow machine may take longer, but not each time. */
#define TRIES 5

static void bandwidth_is_limited(void)
{
	struct network network = network_open(false);
	struct transfer *transfer;
	uint64_t received = 0;
	double seconds = 3;

	network_enable(&network, "proxy/bandwidth/down", 1000000);
	for (int i = 0; i < TRIES && seconds >= 3; i++) {
		double begun = network_seconds();

		transfer = network_start_sending(network.server, 300000, 7);
		CU_ASSERT_EQUAL(network_receive_filled(network.client, 300000, 7), 300000);
		seconds = network_seconds() - begun;
		/* 10 ms may be used in advance. */
		CU_ASSERT(seconds >= 0.28);
		CU_ASSERT_TRUE(network_finish_sending(transfer));
		received += 300000;
	}
	CU_ASSERT(seconds < 3);
	CU_ASSERT_EQUAL(network_status(&network).down.bytes, received);
	network_close(&network);
}

/* The second connection gets its share although the first always has something to send. */
static void bandwidth_is_shared(void)
{
	struct network network = network_open(false);
	int client = network_connect(network.proxy.port), server = network_accept(network.target);
	double begun = network_seconds();
	struct transfer *first, *second;
	uint64_t drained = 50000, meanwhile = UINT64_MAX;

	network_enable(&network, "proxy/bandwidth/up", 1000000);
	first = network_start_sending(network.client, 16 * MEGABYTE, 8);
	CU_ASSERT_EQUAL(network_receive_filled(network.server, drained, 8), drained);
	for (uint64_t i = 1; i <= TRIES && meanwhile >= 250000; i++) {
		second = network_start_sending(client, 100000, 9);
		CU_ASSERT_EQUAL(network_receive_filled(server, 100000, 9), 100000);
		CU_ASSERT(network_seconds() - begun >= 0.2);
		CU_ASSERT_TRUE(network_finish_sending(second));
		meanwhile = network_status(&network).up.bytes - i * 100000 - drained;
		drain(network.server, meanwhile);
		drained += meanwhile;
	}
	CU_ASSERT(meanwhile < 250000);
	network_disable(&network, "proxy/bandwidth/up");
	drain(network.server, 16 * MEGABYTE - drained);
	CU_ASSERT_TRUE(network_finish_sending(first));
	close(client);
	close(server);
	network_close(&network);
}

static void reset_is_seen_by_both_ends(void)
{
	struct network network = network_open(false);

	CU_ASSERT_TRUE(both_ways(&network));
	network_enable(&network, "proxy/reset", PROXY_NO_VALUE);
	CU_ASSERT_EQUAL(network_ends(network.client), -ECONNRESET);
	CU_ASSERT_EQUAL(network_ends(network.server), -ECONNRESET);
	CU_ASSERT_EQUAL(network_status(&network).reset, 1);
	network_reconnect(&network);
	CU_ASSERT_TRUE(both_ways(&network));
	network_disable(&network, "proxy/reset");
	CU_ASSERT_TRUE(both_ways(&network));
	network_enable(&network, "proxy/reset", PROXY_NO_VALUE);
	CU_ASSERT_EQUAL(network_ends(network.client), -ECONNRESET);
	network_close(&network);
}

static void half_close_ends_one_direction(void)
{
	struct network network = network_open(false);

	network_enable(&network, "proxy/half-close/up", PROXY_NO_VALUE);
	CU_ASSERT_EQUAL(network_ends(network.server), 0);
	CU_ASSERT_TRUE(ping(&network, network.server, network.client));
	network_disable(&network, "proxy/half-close/up");
	network_reconnect(&network);
	network_enable(&network, "proxy/half-close/down", PROXY_NO_VALUE);
	CU_ASSERT_EQUAL(network_ends(network.client), 0);
	CU_ASSERT_TRUE(ping(&network, network.client, network.server));
	network_disable(&network, "proxy/half-close");
	network_reconnect(&network);
	CU_ASSERT_TRUE(both_ways(&network));
	network_close(&network);
}

static void refuse_meets_new_connections_only(void)
{
	struct network network = network_open(false);

	for (int i = 0; i < 3; i++) {
		network_enable(&network, "proxy/refuse", PROXY_NO_VALUE);
		CU_ASSERT_EQUAL(network_connect(network.proxy.port), -ECONNREFUSED);
		CU_ASSERT_TRUE(both_ways(&network));
		network_disable(&network, "proxy/refuse");
		network_reconnect(&network);
		CU_ASSERT_TRUE(both_ways(&network));
	}
	network_close(&network);
}

static bool has_swallowed(const struct proxy_status *status, uint64_t bytes)
{
	return status->up.swallowed + status->down.swallowed == bytes;
}

static void black_hole_swallows(void)
{
	struct network network = network_open(false);
	struct pollfd target = {.fd = network.target, .events = POLLIN};
	struct proxy_status status;
	int client;

	network_enable(&network, "proxy/black-hole", PROXY_NO_VALUE);
	client = network_connect(network.proxy.port);
	CU_ASSERT_FATAL(client >= 0);
	CU_ASSERT_TRUE(network_send(client, "hello", 5));
	CU_ASSERT_TRUE(network_send(network.client, "hello", 5));
	CU_ASSERT_TRUE(network_send(network.server, "hello", 5));
	CU_ASSERT_TRUE(network_await(&network, has_swallowed, 15));
	status = network_status(&network);
	CU_ASSERT_EQUAL(status.up.bytes + status.down.bytes, 0);
	CU_ASSERT_EQUAL(poll(&target, 1, 0), 0);
	network_disable(&network, "proxy/black-hole");
	CU_ASSERT_EQUAL(network_ends(client), -ECONNRESET);
	CU_ASSERT_EQUAL(network_ends(network.client), -ECONNRESET);
	CU_ASSERT_EQUAL(network_ends(network.server), -ECONNRESET);
	close(client);
	network_reconnect(&network);
	CU_ASSERT_TRUE(both_ways(&network));
	network_close(&network);
}

static void black_hole_spares_an_idle_connection(void)
{
	struct network network = network_open(false);

	network_enable(&network, "proxy/black-hole", PROXY_NO_VALUE);
	network_disable(&network, "proxy/black-hole");
	CU_ASSERT_TRUE(both_ways(&network));
	network_enable(&network, "proxy/black-hole", PROXY_NO_VALUE);
	close(network.client);
	close(network.server);
	CU_ASSERT_TRUE(network_await_connections(&network, 0));
	network_disable(&network, "proxy/black-hole");
	network.client = network.server = -1;
	network_close(&network);
}

/* --- control --- */

static void refuses_what_it_cannot_do(void)
{
	struct network network = network_open(false);
	struct hl_error err = HL_ERROR_INIT;

	CU_ASSERT(proxy_enable(&network.proxy, "proxy/stal/up", PROXY_NO_VALUE, NETWORK_TIMEOUT_MS, &err) <
		  0);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "did you mean 'proxy/stall/up'?"));
	CU_ASSERT(proxy_enable(&network.proxy, "proxy/stall/up", 5, NETWORK_TIMEOUT_MS, &err) < 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "takes no value"));
	CU_ASSERT(proxy_enable(&network.proxy, "proxy/delay", 0, NETWORK_TIMEOUT_MS, &err) < 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "between 1 and 3600000 ms"));
	CU_ASSERT(proxy_enable(&network.proxy, "proxy/iscsi/hold-writes", 1, NETWORK_TIMEOUT_MS, &err) < 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "without --iscsi"));
	CU_ASSERT(proxy_disable(&network.proxy, "io/stall", NETWORK_TIMEOUT_MS, &err) < 0);
	CU_ASSERT_TRUE(both_ways(&network));
	network_close(&network);
}

static void a_call_ends_at_its_timeout(void)
{
	struct network network = network_open(false);
	struct hl_error err = HL_ERROR_INIT;
	struct proxy_status status;
	double begun = network_seconds();

	kill(network.proxy.process.pid, SIGSTOP);
	CU_ASSERT_EQUAL(proxy_get_status(&network.proxy, &status, 50, &err), -ETIMEDOUT);
	CU_ASSERT(network_seconds() - begun < 2);
	kill(network.proxy.process.pid, SIGKILL);
	CU_ASSERT_EQUAL(proxy_get_status(&network.proxy, &status, NETWORK_TIMEOUT_MS, &err), -EPIPE);
	CU_ASSERT_EQUAL(network_ends(network.client), 0);
	proxy_stop(&network.proxy);
	CU_ASSERT_EQUAL(proxy_get_status(&network.proxy, &status, NETWORK_TIMEOUT_MS, &err), -EPIPE);
	close(network.client);
	close(network.server);
	close(network.target);
}

static void says_why_it_cannot_start(void)
{
	struct proxy proxy = PROXY_STOPPED;
	struct hl_error err = HL_ERROR_INIT;
	int port, listener = network_listen(&port);
	char taken[32];

	snprintf(taken, sizeof(taken), "127.0.0.1:%d", port);
	CU_ASSERT(proxy_start(
			  &proxy,
			  &(struct proxy_options){.listen = taken, .to = taken, .program = network_program()},
			  NETWORK_TIMEOUT_MS, &err) < 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "Address already in use"));
	CU_ASSERT(proxy_start(&proxy, &(struct proxy_options){.to = "nowhere", .program = network_program()},
			      NETWORK_TIMEOUT_MS, &err) < 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "not of the form ADDRESS:PORT"));
	CU_ASSERT(proxy_start(&proxy, &(struct proxy_options){.to = taken, .program = "./no-such-program"},
			      NETWORK_TIMEOUT_MS, &err) < 0);
	CU_ASSERT_EQUAL(proxy.process.pid, 0);
	close(listener);
}

/* In a child that is then killed: starts a proxy, tells which, waits. */
static void own_a_proxy(int report, int target_port)
{
	struct proxy proxy = PROXY_STOPPED;
	char target[32];
	int told[2];

	snprintf(target, sizeof(target), "127.0.0.1:%d", target_port);
	if (proxy_start(&proxy, &(struct proxy_options){.to = target, .program = network_program()},
			NETWORK_TIMEOUT_MS, NULL) ||
	    proxy_enable(&proxy, "proxy/stall", PROXY_NO_VALUE, NETWORK_TIMEOUT_MS, NULL))
		_exit(1);
	told[0] = proxy.process.pid;
	told[1] = proxy.port;
	(void)!write(report, told, sizeof(told));
	for (;;)
		pause();
}

/* The kernel closes the sockets of an io_uring a little after the process has ended. */
static bool comes_to_refuse(int port)
{
	double deadline = network_seconds() + 2;
	int fd;

	while ((fd = network_connect(port)) != -ECONNREFUSED && network_seconds() < deadline)
		if (fd >= 0)
			close(fd);
	return fd == -ECONNREFUSED;
}

static void dies_with_its_owner(void)
{
	int port, listener = network_listen(&port), ends[2], told[2] = {0, 0}, client;
	struct pollfd ended = {.events = POLLIN};
	pid_t owner;

	CU_ASSERT_FATAL(!pipe(ends));
	owner = fork();
	if (!owner)
		own_a_proxy(ends[1], port);
	close(ends[1]);
	CU_ASSERT_FATAL(read(ends[0], told, sizeof(told)) == sizeof(told));
	close(ends[0]);
	client = network_connect(told[1]);
	CU_ASSERT(client >= 0);
	ended.fd = (int)syscall(SYS_pidfd_open, told[0], 0);
	CU_ASSERT_FATAL(ended.fd >= 0);
	CU_ASSERT_EQUAL(poll(&ended, 1, 0), 0);
	kill(owner, SIGKILL);
	waitpid(owner, NULL, 0);
	CU_ASSERT_EQUAL(poll(&ended, 1, 2000), 1);
	CU_ASSERT_TRUE(comes_to_refuse(told[1]));
	close(ended.fd);
	close(client);
	close(listener);
}

/* --- by hand --- */

/**
 * struct by_hand - a proxy started from a command line, with a control socket and libfiu's pipes
 * @folder: of both
 * @control: path of the socket
 */
struct by_hand {
	struct process process;
	const char *folder;
	char control[128], prefix[128];
	int port;
};

static struct by_hand start_by_hand(void)
{
	struct by_hand hand = {.process = PROCESS_NONE, .folder = fixture_folder()};
	int ends[2];
	char line[16] = "";

	snprintf(hand.control, sizeof(hand.control), "%s/control", hand.folder);
	snprintf(hand.prefix, sizeof(hand.prefix), "%s/fiu", hand.folder);
	CU_ASSERT_FATAL(!pipe2(ends, O_CLOEXEC));
	CU_ASSERT_FATAL(
		!process_start(&hand.process,
			       (const char *[]){network_program(), "proxy", "--listen", "127.0.0.1:0", "--to",
						":1", "--control", hand.control, "--fiu", hand.prefix, NULL},
			       &(struct process_files){-1, ends[1], -1, NULL, 0}, NULL));
	close(ends[1]);
	CU_ASSERT_FATAL(read(ends[0], line, sizeof(line) - 1) > 1);
	close(ends[0]);
	hand.port = atoi(line);
	return hand;
}

static void end_by_hand(struct by_hand *hand)
{
	int status = -1;

	kill(hand->process.pid, SIGTERM);
	CU_ASSERT_EQUAL(process_wait(&hand->process, NETWORK_TIMEOUT_MS, &status, NULL), 0);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_EQUAL(fixture_count(hand->folder, "control"), 0);
	CU_ASSERT_EQUAL(fixture_count(hand->folder, "fiu"), 0);
}

static int connect_control(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval limit = {.tv_sec = NETWORK_TIMEOUT_MS / 1000};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -1;
}

/* Return: the answer to one command, until the next call. */
static const char *command(const struct by_hand *hand, const char *text)
{
	static char answer[8192];
	cleanup_fd int fd = connect_control(hand->control);
	size_t length = 0;

	CU_ASSERT_FATAL(fd >= 0);
	network_send(fd, text, strlen(text));
	do {
		ssize_t got = recv(fd, answer + length, sizeof(answer) - 1 - length, 0);

		if (got <= 0)
			break;
		length += (size_t)got;
	} while (answer[length - 1] != '\n');
	answer[length] = '\0';
	return answer;
}

static bool await_answer(const struct by_hand *hand, const char *wanted, bool there)
{
	double deadline = network_seconds() + NETWORK_TIMEOUT_MS / 1000.0;

	while (network_seconds() < deadline) {
		if (!strstr(command(hand, "{\"command\": \"status\"}\n"), wanted) == !there)
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

static bool fiu_ctrl(const struct by_hand *hand, const char *order)
{
	cleanup_free char *pid = file_path("%d", (int)hand->process.pid);

	return !process_run((const char *[]){"fiu-ctrl", "-f", hand->prefix, "-c", order, pid, NULL},
			    NETWORK_TIMEOUT_MS, NULL, NULL);
}

static void obeys_fiu_ctrl(void)
{
	cleanup_free char *program = process_find_program("fiu-ctrl");
	struct by_hand hand = start_by_hand();

	if (!program) {
		printf("SKIP: fiu-ctrl is not installed ");
		end_by_hand(&hand);
		return;
	}
	CU_ASSERT_TRUE(fiu_ctrl(&hand, "enable name=proxy/stall/*"));
	CU_ASSERT_TRUE(await_answer(&hand, "\"proxy/stall/up\":true", true));
	CU_ASSERT_TRUE(await_answer(&hand, "\"proxy/stall/down\":true", true));
	CU_ASSERT_TRUE(fiu_ctrl(&hand, "disable name=proxy/stall/*"));
	CU_ASSERT_TRUE(await_answer(&hand, "proxy/stall", false));
	CU_ASSERT_TRUE(fiu_ctrl(&hand, "enable name=proxy/delay/up,failinfo=250"));
	CU_ASSERT_TRUE(await_answer(&hand, "\"proxy/delay/up\":250", true));
	CU_ASSERT_TRUE(fiu_ctrl(&hand, "disable name=proxy/delay/up"));
	CU_ASSERT_TRUE(fiu_ctrl(&hand, "enable name=proxy/delay/up"));
	CU_ASSERT_TRUE(await_answer(&hand, "\"proxy/delay/up\":100", true));
	CU_ASSERT_TRUE(fiu_ctrl(&hand, "enable name=proxy/refuse"));
	CU_ASSERT_TRUE(await_answer(&hand, "\"proxy/refuse\":true", true));
	CU_ASSERT_EQUAL(network_connect(hand.port), -ECONNREFUSED);
	end_by_hand(&hand);
}

static void replaces_the_socket_of_a_killed_proxy(void)
{
	struct by_hand hand = start_by_hand();
	struct by_hand next;
	int fd, status;

	kill(hand.process.pid, SIGKILL);
	process_wait(&hand.process, NETWORK_TIMEOUT_MS, &status, NULL);
	CU_ASSERT_EQUAL(fixture_count(hand.folder, "control"), 1);
	for (double deadline = network_seconds() + 5; (fd = connect_control(hand.control)) >= 0; close(fd))
		CU_ASSERT_FATAL(network_seconds() < deadline);
	CU_ASSERT_FATAL(!process_start(&hand.process,
				       (const char *[]){network_program(), "proxy", "--listen", "127.0.0.1:0",
							"--to", ":1", "--control", hand.control, NULL},
				       NULL, NULL));
	for (double deadline = network_seconds() + 5; (fd = connect_control(hand.control)) < 0;)
		CU_ASSERT_FATAL(network_seconds() < deadline);
	close(fd);
	kill(hand.process.pid, SIGTERM);
	CU_ASSERT_EQUAL(process_wait(&hand.process, NETWORK_TIMEOUT_MS, &status, NULL), 0);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_EQUAL(fixture_count(hand.folder, "control"), 0);
	/* One that is in use is not taken away. */
	next = start_by_hand();
	CU_ASSERT(process_run((const char *[]){network_program(), "proxy", "--listen", "127.0.0.1:0", "--to",
					       ":1", "--control", next.control, NULL},
			      NETWORK_TIMEOUT_MS, NULL, NULL) < 0);
	CU_ASSERT_TRUE(await_answer(&next, "\"ok\":true", true));
	end_by_hand(&next);
}

static void survives_bad_commands(void)
{
	static const char *const bad[] = {
		"\n",
		"{\n",
		"null\n",
		"[]\n",
		"{}\n",
		"{\"command\": 1}\n",
		"{\"command\": \"explode\"}\n",
		"{\"command\": \"enable\"}\n",
		"{\"command\": \"enable\", \"fault\": \"\"}\n",
		"{\"command\": \"enable\", \"fault\": \"proxy/delay\", \"value\": -1}\n",
		"{\"command\": \"enable\", \"fault\": \"proxy/delay\", \"value\": 1.5}\n",
		"{\"command\": \"enable\", \"fault\": \"proxy/delay\", \"value\": 9999999999999999999999}\n",
		"{\"command\": \"enable\", \"command\": \"status\"}\n",
		"\xff\xfe\n",
	};
	struct by_hand hand = start_by_hand();
	cleanup_free char *endless = calloc(1, 20000);
	int peers[40];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_PTR_NOT_NULL(strstr(command(&hand, bad[i]), "\"ok\":false"));
	memset(endless, '{', 19999);
	CU_ASSERT_STRING_EQUAL(command(&hand, endless), "");
	for (size_t i = 0; i < 40; i++)
		peers[i] = connect_control(hand.control);
	for (size_t i = 0; i < 40; i++)
		if (peers[i] >= 0)
			close(peers[i]);
	CU_ASSERT_TRUE(await_answer(&hand, "\"ok\":true", true));
	end_by_hand(&hand);
}

CU_TestInfo proxy_tests[] = {
	{"forwards both ways intact", forwards_both_ways_intact},
	{"passes on the end of one direction", passes_on_the_end_of_one_direction},
	{"passes on a reset", passes_on_a_reset},
	{"resets when the target is dead", resets_when_the_target_is_dead},
	{"carries 1,000 connections", carries_a_thousand_connections},
	{"a stall keeps everything", stall_keeps_everything},
	{"a stall stops a transfer under way", stall_stops_a_transfer_under_way},
	{"a stall also keeps the end of a stream", stall_also_keeps_the_end_of_a_stream},
	{"a delay is kept", delay_is_kept},
	{"a delay lets all go when released", delay_lets_all_go_when_released},
	{"bandwidth is limited", bandwidth_is_limited},
	{"bandwidth is shared", bandwidth_is_shared},
	{"a reset is seen by both ends", reset_is_seen_by_both_ends},
	{"a half-close ends one direction", half_close_ends_one_direction},
	{"refuse meets new connections only", refuse_meets_new_connections_only},
	{"a black hole swallows", black_hole_swallows},
	{"a black hole spares an idle connection", black_hole_spares_an_idle_connection},
	{"refuses what it cannot do", refuses_what_it_cannot_do},
	{"a call ends at its timeout", a_call_ends_at_its_timeout},
	{"says why it cannot start", says_why_it_cannot_start},
	{"dies with its owner", dies_with_its_owner},
	{"obeys fiu-ctrl", obeys_fiu_ctrl},
	{"replaces the socket of a killed proxy", replaces_the_socket_of_a_killed_proxy},
	{"survives bad commands", survives_bad_commands},
	CU_TEST_INFO_NULL,
};
