// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/proxy/proxy.h"
#include "base/units.h"
#include "cmd/command.h"
#include "inject/proxy/faults.h"

#include <stdio.h>
#include <string.h>

#define FAILED 2

static int enable_one(const char *text, struct hl_error *err)
{
	const char *equals = strchr(text, '=');
	char name[64];
	int64_t value = FAULT_NO_VALUE;
	int length = equals ? (int)(equals - text) : (int)strlen(text);

	if (equals && units_parse_integer(equals + 1, &value, err))
		return -EINVAL;
	if (equals && value < 0)
		return hl_error_set(err, EINVAL, "'%s': a value is not negative", text);
	snprintf(name, sizeof(name), "%.*s", length, text);
	return faults_enable(name, value, err);
}

static int enable_faults(const struct command_line *line, struct hl_error *err)
{
	const char *text;
	size_t position = 0;

	while ((text = command_option_next(line, "fault", &position)))
		if (enable_one(text, err))
			return -EINVAL;
	return 0;
}

static int list_faults(void)
{
	for (size_t i = 0; i < PROXY_FAULTS; i++)
		printf("%-28s %-8s %s\n", fault_kinds[i].name, fault_unit_name(fault_kinds[i].unit),
		       fault_kinds[i].help);
	return 0;
}

static int serve(const struct command_line *line, const struct proxy_config *config)
{
	struct proxy_server *server = NULL;
	struct hl_error err = HL_ERROR_INIT;
	int r = proxy_open(&server, config, &err);

	if (r)
		return command_error(line, FAILED, &err);
	printf("%d\n", proxy_port(server));
	fflush(stdout);
	r = proxy_serve(server, &err);
	proxy_close(server);
	return r ? command_error(line, FAILED, &err) : 0;
}

static int proxy(const struct command_line *line)
{
	const struct proxy_config config = {
		.listen = command_option(line, "listen"),
		.to = command_option(line, "to"),
		.iscsi = command_option(line, "iscsi"),
		.control = command_option(line, "control"),
		.fiu_prefix = command_option(line, "fiu"),
	};
	struct hl_error err = HL_ERROR_INIT;

	if (command_option(line, "list-faults"))
		return list_faults();
	if (!config.listen || !config.to)
		return command_usage_error(line, "needs --listen and --to");
	if (enable_faults(line, &err))
		return command_usage_error(line, "--fault: %s", err.text);
	return serve(line, &config);
}

static const struct command_option options[] = {
	{"listen", 'l', "ADDRESS:PORT", "where the initiator connects to; port 0 takes a free one"},
	{"to", 't', "ADDRESS:PORT", "the target"},
	{"iscsi", 'i', NULL, "follow the iSCSI PDUs, for the faults proxy/iscsi/..."},
	{"control", 'c', "PATH",
	 "UNIX socket for commands; @NAME has no file; - is standard input and output"},
	{"fiu", 0, "PREFIX", "named pipes PREFIX-PID.in and .out for fiu-ctrl"},
	{"fault", 'f', "NAME[=VALUE]", "a fault that is on from the start; may be repeated"},
	{"list-faults", 0, NULL, "print every fault with the unit of its value"},
	{NULL, 0, NULL, NULL},
};

const struct command command_proxy = {
	.name = "proxy",
	.summary = "forward TCP connections and inject network faults",
	.help = "Sits between an initiator, which connects to it, and a target. \"up\" is from the initiator "
		"to the\n"
		"target. Prints the port it listens on, then forwards until SIGTERM, SIGINT, or the end of "
		"its\n"
		"standard input with --control -.\n\n"
		"Each fault is a failure point of libfiu. While it runs, faults are switched by JSON lines "
		"on the\n"
		"control socket, each answered by the status when the fault is in force:\n"
		"  {\"command\": \"enable\", \"fault\": \"proxy/delay/up\", \"value\": 200}\n"
		"  {\"command\": \"disable\", \"fault\": \"proxy/delay\"}\n"
		"  {\"command\": \"status\"}\n"
		"\"proxy/delay\" means all faults that begin with \"proxy/delay/\". Or by hand with "
		"fiu-ctrl, where\n"
		"the value is the failinfo and a group is written proxy/delay/*.\n\n"
		"The value is milliseconds for proxy/delay, bytes per second for proxy/bandwidth, and a LUN "
		"for\n"
		"proxy/iscsi (every LUN without one; with fiu-ctrl, LUN 0 is failnum=2,failinfo=0). A stall, "
		"a delay, a\n"
		"bandwidth limit and a hold keep all bytes; a black hole swallows them, and its connections "
		"are reset\n"
		"when it ends. proxy/reset and proxy/half-close act once, when switched on.\n"
		"Held iSCSI writes also stop the commands behind them at a target that keeps to CmdSN "
		"order.\n\n"
		"Exit code: 0 ended as asked, 2 failed.\n",
	.example = "hanglab proxy --listen 127.0.0.1:33261 --to 127.0.0.1:3260 --iscsi --control /tmp/proxy "
		   "--fiu /tmp/fiu\n"
		   "echo '{\"command\": \"enable\", \"fault\": \"proxy/stall\"}' | socat - UNIX:/tmp/proxy\n"
		   "fiu-ctrl -f /tmp/fiu -c 'enable name=proxy/delay/*,failinfo=200' $(pidof hanglab)\n"
		   "hanglab proxy --list-faults\n",
	.options = options,
	.run = proxy,
};
