/* The outside clock of netns-bench: reads one service in this and in other network namespaces until it is everywhere as told.
 *
 *   netns-witness FILE...      each FILE is a network namespace
 *
 * For each line `ADDRESS PORT COUNT` of stdin, in which ADDRESS is IPv4, it waits until the TCP service there has COUNT destinations
 * with a weight, first in its own namespace, then in the others, and prints two moments in milliseconds since the epoch: when
 * it had seen that in its own, and when in all.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOOK_EVERY_US 1000

struct request {
	struct nlmsghdr header;
	struct genlmsghdr genl;
	char attributes[256];
};

static void die(const char *what) {
	perror(what);
	exit(2);
}

/* Appends an attribute; where size is 0, the caller closes it as a nest. */
static struct nlattr *put(struct request *to, int type, const void *data, int size) {
	struct nlattr *attribute = (void *)((char *)to + to->header.nlmsg_len);
	attribute->nla_type = type;
	attribute->nla_len = NLA_HDRLEN + size;
	memset((char *)attribute + NLA_HDRLEN, 0, NLA_ALIGN(size));
	memcpy((char *)attribute + NLA_HDRLEN, data, size);
	to->header.nlmsg_len += NLA_HDRLEN + NLA_ALIGN(size);
	return attribute;
}

static struct request begin(int family, int flags, int command, int version) {
	static unsigned sequence;
	return (struct request){
		.header = { .nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN), .nlmsg_type = family, .nlmsg_flags = NLM_F_REQUEST | flags, .nlmsg_seq = ++sequence },
		.genl = { .cmd = command, .version = version },
	};
}

/* The attribute of this type among those from `at` to `end`; 0 where there is none. */
static struct nlattr *find(char *at, char *end, int type) {
	while (at + NLA_HDRLEN <= end) {
		struct nlattr *attribute = (void *)at;
		if ((attribute->nla_type & NLA_TYPE_MASK) == type) return attribute;
		at += NLA_ALIGN(attribute->nla_len);
	}
	return 0;
}

static struct nlattr *within(struct nlattr *nest, int type) {
	return find((char *)nest + NLA_HDRLEN, (char *)nest + nest->nla_len, type);
}

static int ipvs_family(int fd) {
	char reply[8192];
	struct request ask = begin(GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, 1);
	put(&ask, CTRL_ATTR_FAMILY_NAME, IPVS_GENL_NAME, sizeof IPVS_GENL_NAME);
	if (send(fd, &ask, ask.header.nlmsg_len, 0) < 0) die("send");
	int got = recv(fd, reply, sizeof reply, 0);
	if (got < 0) die("recv");
	struct nlattr *id = find(reply + NLMSG_LENGTH(GENL_HDRLEN), reply + got, CTRL_ATTR_FAMILY_ID);
	if (((struct nlmsghdr *)reply)->nlmsg_type == NLMSG_ERROR || !id) die("the family IPVS");
	return *(unsigned short *)((char *)id + NLA_HDRLEN);
}

/* Destinations with a weight; -1 where there is no such service. */
static int in_rotation(int fd, int family, unsigned address, unsigned short port) {
	static char reply[1 << 16];
	unsigned char bytes[16] = { 0 };
	unsigned short af = AF_INET, protocol = IPPROTO_TCP;
	memcpy(bytes, &address, sizeof address);
	struct request ask = begin(family, NLM_F_DUMP, IPVS_CMD_GET_DEST, IPVS_GENL_VERSION);
	struct nlattr *service = put(&ask, IPVS_CMD_ATTR_SERVICE | NLA_F_NESTED, 0, 0);
	put(&ask, IPVS_SVC_ATTR_AF, &af, sizeof af);
	put(&ask, IPVS_SVC_ATTR_PROTOCOL, &protocol, sizeof protocol);
	put(&ask, IPVS_SVC_ATTR_ADDR, bytes, sizeof bytes);
	put(&ask, IPVS_SVC_ATTR_PORT, &port, sizeof port);
	service->nla_len = (char *)&ask + ask.header.nlmsg_len - (char *)service;
	if (send(fd, &ask, ask.header.nlmsg_len, 0) < 0) die("send");
	for (int count = 0;;) {
		int got = recv(fd, reply, sizeof reply, 0);
		if (got < 0) die("recv");
		for (struct nlmsghdr *each = (void *)reply; NLMSG_OK(each, got); each = NLMSG_NEXT(each, got)) {
			if (each->nlmsg_type == NLMSG_DONE) return count;
			if (each->nlmsg_type == NLMSG_ERROR) return -1;
			struct nlattr *destination = find((char *)NLMSG_DATA(each) + GENL_HDRLEN, (char *)each + each->nlmsg_len, IPVS_CMD_ATTR_DEST);
			struct nlattr *weight = destination ? within(destination, IPVS_DEST_ATTR_WEIGHT) : 0;
			count += weight && *(int *)((char *)weight + NLA_HDRLEN) > 0;
		}
	}
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
	int *sockets = calloc(argc, sizeof *sockets), family = 0;
	for (int i = 0; i < argc; i++) {
		/* The first is opened before any other namespace is entered. */
		int namespace = i == 0 ? -1 : open(argv[i], O_RDONLY | O_CLOEXEC);
		if (i > 0 && (namespace < 0 || setns(namespace, CLONE_NEWNET) < 0)) die(argv[i]);
		sockets[i] = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
		if (sockets[i] < 0) die("socket");
		if (i == 0) family = ipvs_family(sockets[i]);
		if (namespace >= 0) close(namespace);
	}
	char text[64];
	unsigned port;
	int count;
	while (scanf("%63s %u %d", text, &port, &count) == 3) {
		double own = 0;
		for (int i = 0; i < argc; i++) {
			while (in_rotation(sockets[i], family, inet_addr(text), htons(port)) != count) usleep(LOOK_EVERY_US);
			if (i == 0) own = now();
		}
		printf("%.3f %.3f\n", own, now());
		fflush(stdout);
	}
	return 0;
}
