// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs of calls, made at random, and kept when they reach code of the kernel that none
 * before did (KCOV). What they are after is for the kernel to complain of: it has to be one
 * that looks on.
 *
 *	fuzz TARGET SECONDS SEED CORPUS [NEW]	netlink, vhost or ring; programs of the file CORPUS
 *						first; those that are new are added to NEW
 *	fuzz run PROGRAM			run one once
 *	fuzz print PROGRAM			as a program in C
 *
 * A program is a text, a call with its arguments a line; an empty line ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/kcov.h>
#include "fuzz_calls.h"

#define CALLS_MAX 24
#define CORPUS_MAX 4096
#define COVER_WORDS (256 << 10)
/* places in the kernel that were seen, by a hash of their address */
#define SEEN_BITS 22

struct step {
	const struct fuzz_call *call;
	uint64_t args[FUZZ_ARGS];
};

struct program {
	unsigned int nr;
	struct step steps[CALLS_MAX];
};

static struct program *corpus[CORPUS_MAX];
static unsigned int corpus_nr;
static struct fuzz fuzz;
static struct program current;
static unsigned int target;
static uint64_t rng;

static uint64_t *cover;
static int cover_file = -1;
static uint8_t seen[1 << (SEEN_BITS - 3)];
static unsigned int places;

static uint64_t rnd(void)
{
	/* xorshift64* */
	rng ^= rng >> 12;
	rng ^= rng << 25;
	rng ^= rng >> 27;
	return rng * 0x2545f4914f6cdd1dull;
}

static uint64_t below(uint64_t n)
{
	return rnd() % n;
}

/* Coverage: of this thread, or of the workers that serve its device's rings. */

static void cover_open(void)
{
	cover_file = open("/sys/kernel/debug/kcov", O_RDWR);
	if (cover_file < 0 || ioctl(cover_file, KCOV_INIT_TRACE, COVER_WORDS)) {
		perror("kcov");
		exit(2);
	}
	cover = mmap(NULL, COVER_WORDS * sizeof(*cover), PROT_READ | PROT_WRITE, MAP_SHARED,
		     cover_file, 0);
	if (cover == MAP_FAILED) {
		perror("kcov");
		exit(2);
	}
}

static void cover_start(void)
{
	struct kcov_remote_arg remote = {
		.trace_mode = KCOV_TRACE_PC,
		.area_size = COVER_WORDS,
		.common_handle = kcov_remote_handle(KCOV_SUBSYSTEM_COMMON, 0x7d9a),
	};
	int err = target == FUZZ_RING ? ioctl(cover_file, KCOV_REMOTE_ENABLE, &remote) :
					ioctl(cover_file, KCOV_ENABLE, KCOV_TRACE_PC);

	if (err) {
		perror("kcov enable");
		exit(2);
	}
	__atomic_store_n(&cover[0], 0, __ATOMIC_RELAXED);
}

/* Return: how many places are new. */
static unsigned int cover_stop(void)
{
	uint64_t n = __atomic_load_n(&cover[0], __ATOMIC_RELAXED), i;
	unsigned int fresh = 0;

	ioctl(cover_file, KCOV_DISABLE, 0);
	for (i = 1; i <= n && i < COVER_WORDS; i++) {
		uint32_t hash = cover[i] * 0x9e3779b97f4a7c15ull >> (64 - SEEN_BITS);

		if (seen[hash / 8] & 1 << hash % 8)
			continue;
		seen[hash / 8] |= 1 << hash % 8;
		fresh++;
	}
	places += fresh;
	return fresh;
}

/* Programs */

static uint64_t any_argument(void)
{
	static const uint64_t edges[] = {
		0, 1, 2, 3, 4, 7, 8, 15, 16, 63, 64, 127, 255, 256, 511, 4095, 4096, 65535, 65536,
		0x7fffffff, 0x80000000, 0xffffffff, 1ull << 32, (1ull << 32) - 4096, ~0ull,
		~0ull - 4095, 1ull << 63, 0x7fffffffffffffff, 0xbad,
	};

	switch (below(4)) {
	case 0:
		return edges[below(sizeof(edges) / sizeof(edges[0]))];
	case 1:
		return below(16);
	case 2:
		return below(0x10000);
	default:
		return rnd();
	}
}

static struct step any_step(void)
{
	struct step step;
	unsigned int i;

	do {
		step.call = &fuzz_calls[below(fuzz_nr_calls)];
	} while (!(step.call->target & target));
	for (i = 0; i < FUZZ_ARGS; i++)
		step.args[i] = i < step.call->args ? any_argument() : 0;
	return step;
}

static void insert(struct program *program, unsigned int at, struct step step)
{
	if (program->nr == CALLS_MAX)
		program->nr--;
	if (at > program->nr)
		at = program->nr;
	memmove(&program->steps[at + 1], &program->steps[at],
		(program->nr - at) * sizeof(program->steps[0]));
	program->steps[at] = step;
	program->nr++;
}

static void mutate(struct program *program)
{
	unsigned int at = below(program->nr);
	struct step *step = &program->steps[at];
	const struct program *other;

	switch (below(6)) {
	case 0:
		insert(program, at, any_step());
		break;
	case 1:
		if (program->nr > 1) {
			program->nr--;
			memmove(step, step + 1, (program->nr - at) * sizeof(*step));
		}
		break;
	case 2:
		other = corpus[below(corpus_nr)];
		insert(program, at, other->steps[below(other->nr)]);
		break;
	case 3:
		insert(program, at, *step);
		break;
	default:
		step->args[below(FUZZ_ARGS)] = below(3) ? any_argument() :
					       step->args[below(FUZZ_ARGS)] + below(9) - 4;
	}
}

static void make_program(struct program *program)
{
	unsigned int i;

	if (corpus_nr && below(10)) {
		*program = *corpus[below(corpus_nr)];
		for (i = 1 + below(5); i; i--)
			mutate(program);
		return;
	}
	program->nr = 0;
	for (i = 1 + below(8); i; i--)
		insert(program, program->nr, any_step());
}

static void write_program(FILE *file, const struct program *program)
{
	unsigned int i, j;

	for (i = 0; i < program->nr; i++) {
		fprintf(file, "%s", program->steps[i].call->name);
		for (j = 0; j < program->steps[i].call->args; j++)
			fprintf(file, " %#" PRIx64, program->steps[i].args[j]);
		fprintf(file, "\n");
	}
	fprintf(file, "\n");
}

/* The next program of a file. Return: false when there is none, of calls that are known. */
static bool read_program(FILE *file, struct program *program)
{
	char line[512], name[64];
	int used, more;
	unsigned int i;

	memset(program, 0, sizeof(*program));
	while (program->nr < CALLS_MAX && fgets(line, sizeof(line), file)) {
		struct step *step = &program->steps[program->nr];

		if (line[0] == '#')
			continue;
		if (sscanf(line, "%63s%n", name, &used) != 1) {
			if (program->nr)
				break;
			continue;
		}
		step->call = fuzz_find(name);
		if (!step->call)
			return false;
		for (i = 0; i < step->call->args; i++, used += more)
			if (sscanf(line + used, "%" SCNi64 "%n", (int64_t *)&step->args[i], &more) != 1)
				return false;
		program->nr++;
	}
	return program->nr;
}

static void print_in_c(const struct program *program)
{
	unsigned int i, j;

	printf("#include \"fuzz_calls.h\"\n\nint main(void)\n{\n\tstruct fuzz fuzz;\n\n"
	       "\tif (!fuzz_begin(&fuzz))\n\t\treturn 1;\n\tfuzz_reset(&fuzz, %u);\n", target);
	for (i = 0; i < program->nr; i++) {
		printf("\tfuzz_find(\"%s\")->run(&fuzz, (uint64_t[FUZZ_ARGS]){", program->steps[i].call->name);
		for (j = 0; j < program->steps[i].call->args; j++)
			printf("%s%#" PRIx64, j ? ", " : " ", program->steps[i].args[j]);
		printf(" });\n");
	}
	printf("\tfuzz_end(&fuzz);\n\treturn 0;\n}\n");
}

/* A program that does not come to its end is as good a find as a complaint of the kernel's. */
static void hangs(int signal)
{
	printf("hangs:\n");
	write_program(stdout, &current);
	fflush(stdout);
	_exit(3);
}

/* Return: how many places it reached first. */
static unsigned int run_program(const struct program *program, bool covered)
{
	unsigned int i;

	current = *program;
	alarm(30);
	fuzz_reset(&fuzz, target);
	if (covered)
		cover_start();
	for (i = 0; i < program->nr; i++)
		if (target == FUZZ_NETLINK || fuzz.vhost.memory)
			program->steps[i].call->run(&fuzz, program->steps[i].args);
	/* what serves rings does so meanwhile, and stops before it is looked at */
	if (target == FUZZ_RING)
		vhost_close(&fuzz.vhost);
	alarm(0);
	return covered ? cover_stop() : 0;
}

static void keep(const struct program *program, const char *path)
{
	FILE *file;

	if (corpus_nr == CORPUS_MAX)
		return;
	corpus[corpus_nr] = malloc(sizeof(*program));
	if (!corpus[corpus_nr])
		return;
	*corpus[corpus_nr++] = *program;
	file = path ? fopen(path, "a") : NULL;
	if (!file)
		return;
	write_program(file, program);
	fclose(file);
}

static void read_corpus(const char *path)
{
	struct program program;
	FILE *file = fopen(path, "r");

	while (file && read_program(file, &program)) {
		run_program(&program, true);
		keep(&program, NULL);
	}
	if (file)
		fclose(file);
}

static unsigned int target_of(const struct program *program)
{
	unsigned int all = 7, i;

	for (i = 0; i < program->nr; i++)
		all &= program->steps[i].call->target;
	return all & FUZZ_RING ? FUZZ_RING : all & FUZZ_VHOST ? FUZZ_VHOST : FUZZ_NETLINK;
}

static bool there(void)
{
	bool there = fuzz_begin(&fuzz);

	if (!there)
		fprintf(stderr, "the family \"vdpa\" is not there\n");
	return there;
}

/* To print one takes no devices. */
static int one_program(const char *what, const char *path)
{
	FILE *file = fopen(path, "r");
	struct program program;

	if (!file || !read_program(file, &program)) {
		fprintf(stderr, "%s is no program\n", path);
		return 2;
	}
	fclose(file);
	target = target_of(&program);
	if (!strcmp(what, "print")) {
		print_in_c(&program);
		return 0;
	}
	if (!there())
		return 2;
	run_program(&program, false);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int runs = 0, begin;
	struct program program;
	time_t end;

	signal(SIGALRM, hangs);
	if (argc == 3)
		return one_program(argv[1], argv[2]);
	if (!there())
		return 2;
	target = argc < 5 ? 0 : !strcmp(argv[1], "netlink") ? FUZZ_NETLINK :
		 !strcmp(argv[1], "vhost") ? FUZZ_VHOST : !strcmp(argv[1], "ring") ? FUZZ_RING : 0;
	if (!target) {
		fprintf(stderr, "usage: fuzz netlink|vhost|ring SECONDS SEED CORPUS [NEW]\n");
		return 2;
	}
	rng = strtoull(argv[3], NULL, 0) * 2 + 1;
	cover_open();
	end = time(NULL) + atoi(argv[2]);
	read_corpus(argv[4]);
	begin = corpus_nr;
	printf("# %s: %u programs of the corpus reach %u places\n", argv[1], corpus_nr, places);
	for (; time(NULL) < end; runs++) {
		make_program(&program);
		if (run_program(&program, true))
			keep(&program, argv[5]);
	}
	printf("# %s: %u programs ran, seed %s; %u new ones, %u places\n", argv[1], runs, argv[3],
	       corpus_nr - begin, places);
	fuzz_end(&fuzz);
	return places < 100;
}
