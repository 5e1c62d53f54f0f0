// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "hw.h"

const char *hw_mgmt(const char *variable)
{
	return getenv(variable) ?: "none";
}

/* Seconds since the IOMMU said anything. */
static double quiet_for(int fd)
{
	struct timespec now;
	double last = 0;
	char line[2048];
	ssize_t len;

	/* EPIPE: lines went by */
	while ((len = read(fd, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		line[len > 0 ? len : 0] = 0;
		/* "priority,number,microseconds,...;text" */
		if (strstr(line, ";DMAR: "))
			sscanf(line, "%*u,%*u,%lf,", &last);
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9 - last / 1e6;
}

int hw_log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	double quiet = quiet_for(fd);

	/* the kernel reports ten faults in five seconds, of which one takes two or three */
	if (quiet < 5.5)
		usleep((5.5 - quiet) * 1000000);
	return fd;
}

bool hw_log_has_fault(int log, uint64_t iova)
{
	char line[2048], addr[64];
	ssize_t len;
	int i;

	snprintf(addr, sizeof(addr), "fault addr 0x%llx", (unsigned long long)iova);
	for (i = 0; i < 200; i++) {
		while ((len = read(log, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
			line[len > 0 ? len : 0] = 0;
			if (strstr(line, "DMAR: [DMA") && strstr(line, addr))
				return true;
		}
		usleep(10000);
	}
	return false;
}
