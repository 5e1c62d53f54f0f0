/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs share: failing, time, memory, and a figure's line. */
#ifndef BENCH_H
#define BENCH_H

/* Say what failed, by errno, and end. */
void die(const char *what);
/* die() unless @err, 0 or -errno, is none */
void must(int err, const char *what);
/* seconds */
double now(void);
/* "FIGURE VALUE UNIT" */
void report(const char *figure, double value, const char *unit);
/* a line of /proc/meminfo in KiB, caches dropped; or -1 */
long memory_now(const char *field);
/* KiB that the kernel and its processes have, without what can be had back at once */
long memory_used(void);

/* Run the figures that the command line names. Return: the program's status. */
struct bench_figure {
	const char *name;
	void (*run)(void);
};

int bench_main(int argc, char **argv, const struct bench_figure *figures);

#endif
