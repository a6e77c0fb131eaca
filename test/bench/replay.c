/* The floor for ipvs-bench: what a C program without encoding or decoding takes for the same work.
 *
 *   replay send FILE       sends what was recorded in FILE, each send after the answer to the one before
 *   replay time CMD ARG... runs a command
 *
 * Prints the milliseconds on the last line of stderr.
 * FILE: for each send a 32-bit length in host order and that many bytes; the last message of a send asks for an
 * acknowledgement or a dump.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int fail(const char *what) {
	perror(what);
	return 2;
}

static int replay(const char *path) {
	static char reply[65536];
	FILE *file = fopen(path, "rb");
	if (!file) return fail(path);
	fseek(file, 0, SEEK_END);
	long size = ftell(file);
	rewind(file);
	char *all = malloc(size);
	if (!all || fread(all, 1, size, file) != (size_t)size) return fail("read");

	double start = now();
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC), buffer = 212992;
	struct sockaddr_nl local = { .nl_family = AF_NETLINK };
	if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof local)) return fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
	for (char *at = all; at < all + size;) {
		unsigned length;
		memcpy(&length, at, 4);
		at += 4;
		struct nlmsghdr *last = 0;
		for (char *m = at; m < at + length; m += NLMSG_ALIGN(last->nlmsg_len)) last = (struct nlmsghdr *)m;
		if (send(fd, at, length, 0) != (ssize_t)length) return fail("send");
		for (int answered = 0; !answered;) {
			int got = recv(fd, reply, sizeof reply, 0);
			if (got < 0) return fail("recv");
			struct nlmsghdr *header = (struct nlmsghdr *)reply;
			for (; NLMSG_OK(header, got); header = NLMSG_NEXT(header, got)) {
				if (header->nlmsg_type != NLMSG_ERROR && header->nlmsg_type != NLMSG_DONE) continue;
				int error = *(int *)NLMSG_DATA(header);
				if (error) return errno = -error, fail("refused");
				answered |= header->nlmsg_seq == last->nlmsg_seq;
			}
		}
		at += length;
	}
	fprintf(stderr, "%.3f\n", now() - start);
	return 0;
}

static int timed(char **command) {
	int status;
	double start = now();
	pid_t child = fork();
	if (child == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	waitpid(child, &status, 0);
	fprintf(stderr, "%.3f\n", now() - start);
	return WEXITSTATUS(status);
}

int main(int argc, char **argv) {
	if (argc == 3 && !strcmp(argv[1], "send")) return replay(argv[2]);
	if (argc > 2 && !strcmp(argv[1], "time")) return timed(argv + 2);
	fprintf(stderr, "usage: replay send FILE | replay time CMD ARG...\n");
	return 2;
}
