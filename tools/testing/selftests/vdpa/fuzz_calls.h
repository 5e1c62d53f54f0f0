/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program of the fuzzer is made of: calls with numbers for arguments. Any numbers will
 * do, so any program can be run; a call brings those that must lie in a range into it.
 */
#ifndef FUZZ_CALLS_H
#define FUZZ_CALLS_H

#include <stdint.h>
#include "nl.h"
#include "vhost.h"

#define FUZZ_ARGS 6
#define FUZZ_NODES 2
#define FUZZ_EVENTS 4

/* what programs work on */
struct fuzz {
	struct nl nl;
	struct vhost vhost;
	int events[FUZZ_EVENTS];
};

struct fuzz_call {
	const char *name;
	unsigned int target;		/* FUZZ_NETLINK, ... */
	unsigned int args;
	void (*run)(struct fuzz *fuzz, const uint64_t *args);
};

#define FUZZ_NETLINK 1
#define FUZZ_VHOST 2
#define FUZZ_RING 4

extern const struct fuzz_call fuzz_calls[];
extern const unsigned int fuzz_nr_calls;

const struct fuzz_call *fuzz_find(const char *name);
/* Return: false when what programs need is not there. */
bool fuzz_begin(struct fuzz *fuzz);
/* for the next program: devices and sessions as they are in the beginning */
void fuzz_reset(struct fuzz *fuzz, unsigned int target);
void fuzz_end(struct fuzz *fuzz);

#endif
