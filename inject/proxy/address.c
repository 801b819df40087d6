// SPDX-License-Identifier: GPL-2.0-or-later
#include "address.h"

#include "base/cleanup.h"
#include "base/units.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#define BACKLOG 4096

static int resolve(const char *text, const char *host, const char *port, struct sockaddr_storage *address,
		   socklen_t *size, struct hl_error *err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found;
	int r = getaddrinfo(host, port, &hints, &found);

	if (r)
		return hl_error_set(err, ENOENT, "address '%s': %s", text, gai_strerror(r));
	memcpy(address, found->ai_addr, found->ai_addrlen);
	*size = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

int address_parse(const char *text, struct sockaddr_storage *address, socklen_t *size, struct hl_error *err)
{
	const char *colon = strrchr(text, ':');
	cleanup_free char *host = colon ? strndup(text, (size_t)(colon - text)) : NULL;
	size_t length = host ? strlen(host) : 0;
	int64_t port;

	if (!host)
		return hl_error_set(err, EINVAL, "address '%s' is not of the form ADDRESS:PORT", text);
	if (units_parse_integer(colon + 1, &port, NULL) || port < 0 || port > 65535)
		return hl_error_set(err, EINVAL, "address '%s': '%s' is no port (0 to 65535)", text,
				    colon + 1);
	if (!length)
		return resolve(text, "127.0.0.1", colon + 1, address, size, err);
	if (host[0] == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		return resolve(text, host + 1, colon + 1, address, size, err);
	}
	if (strchr(host, ':'))
		return hl_error_set(err, EINVAL, "address '%s': write an IPv6 address as [ADDRESS]:PORT",
				    text);
	return resolve(text, host, colon + 1, address, size, err);
}

int address_port(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &size))
		return 0;
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static int bind_socket(const struct sockaddr_storage *address, socklen_t size, const char *name,
		       struct hl_error *err)
{
	cleanup_fd int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int on = 1;

	if (fd < 0)
		return hl_error_errno(err, errno, "listen on %s", name);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)address, size))
		return hl_error_errno(err, errno, "listen on %s", name);
	return take_fd(&fd);
}

/*
 * A port that the kernel chose is given back by shutdown(), one that was asked for is not (SOCK_BINDPORT_LOCK
 * in net/ipv4/af_inet.c). So ask for the chosen one, with another socket while the first still has it.
 */
static int bind_chosen(int first, const struct sockaddr_storage *address, socklen_t size, const char *name,
		       struct hl_error *err)
{
	struct sockaddr_storage chosen = *address;
	in_port_t port = htons((in_port_t)address_port(first));

	if (chosen.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&chosen)->sin6_port = port;
	else
		((struct sockaddr_in *)&chosen)->sin_port = port;
	return bind_socket(&chosen, size, name, err);
}

int address_listen(const struct sockaddr_storage *address, socklen_t size, const char *name,
		   struct hl_error *err)
{
	cleanup_fd int first = bind_socket(address, size, name, err);
	cleanup_fd int fd = first < 0 ? -1 : bind_chosen(first, address, size, name, err);

	if (first < 0)
		return first;
	if (fd < 0)
		return fd;
	close(take_fd(&first));
	if (listen(fd, BACKLOG))
		return hl_error_errno(err, errno, "listen on %s", name);
	return take_fd(&fd);
}
