// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "bench.h"
#include "device.h"

void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

void must(int err, const char *what)
{
	if (err < 0) {
		errno = -err;
		die(what);
	}
}

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

void report(const char *figure, double value, const char *unit)
{
	printf("%s %.2f %s\n", figure, value, unit);
	fflush(stdout);
}

static long meminfo(const char *field)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[256];
	long value = -1;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, field, strlen(field)) && line[strlen(field)] == ':')
			value = atol(line + strlen(field) + 1);
	if (file)
		fclose(file);
	return value;
}

long memory_now(const char *field)
{
	must(write_file("/proc/sys/vm/drop_caches", "3"), "drop caches");
	return meminfo(field);
}

long memory_used(void)
{
	/* what was freed a moment ago is on its way */
	sleep(1);
	return memory_now("MemTotal") - meminfo("MemFree") - meminfo("Buffers") -
	       meminfo("Cached") - meminfo("SReclaimable");
}

int bench_main(int argc, char **argv, const struct bench_figure *figures)
{
	const struct bench_figure *figure;
	int arg;

	for (arg = 1; arg < argc; arg++) {
		for (figure = figures; figure->name; figure++)
			if (!strcmp(argv[arg], figure->name))
				break;
		if (!figure->name) {
			fprintf(stderr, "%s: no figure %s\n", program_invocation_short_name,
				argv[arg]);
			return 2;
		}
		figure->run();
	}
	return 0;
}
