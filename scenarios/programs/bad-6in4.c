// SPDX-License-Identifier: GPL-2.0-or-later
/* bad-6in4 DEVICE: send TCP ACKs in IPv6 in IPv4, where the IPv6 header says version 0. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct {
		struct ether_header ether;
		struct iphdr outer;
		struct ip6_hdr inner;
		struct tcphdr tcp;
	} __attribute__((packed)) frame = {
		.ether = {.ether_dhost = {2, 0, 0, 0, 0, 1}, .ether_type = htons(ETHERTYPE_IP)},
		.outer = {.version = 4, .ihl = 5, .ttl = 1, .protocol = IPPROTO_IPV6},
		.inner = {.ip6_nxt = IPPROTO_TCP, .ip6_plen = htons(sizeof(struct tcphdr))},
		.tcp = {.source = htons(1), .dest = htons(2), .doff = 5, .ack = 1},
	};
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE_IP), .sll_halen = 6};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	frame.outer.tot_len = htons(sizeof(frame) - sizeof(frame.ether));
	to.sll_ifindex = argc > 1 ? (int)if_nametoindex(argv[1]) : 0;
	for (int i = 0; i < 10; i++)
		if (fd < 0 || sendto(fd, &frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) < 0) {
			perror("bad-6in4");
			return 1;
		}
	return 0;
}
