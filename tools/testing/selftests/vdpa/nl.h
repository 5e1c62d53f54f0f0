/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests to the generic netlink family "vdpa", well formed or not, and what the
 * kernel answers, its extended acknowledgment included.
 */
#ifndef NL_H
#define NL_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>
#include <linux/vdpa.h>

struct nl {
	struct mnl_socket *socket;
	uint16_t family;
	uint32_t seq;
	char buffer[32768];
	struct nlmsghdr *request;	/* put attributes here between start and send */
	char text[256];			/* of the last refusal, or empty */
	int bad_attr;			/* type of the attribute it names, or 0 */
};

/* called for every message of an answer, with its attributes by type */
typedef void nl_answer(const struct nlattr **attrs, const struct nlmsghdr *msg, void *data);

bool nl_open(struct nl *nl);
void nl_close(struct nl *nl);
void nl_start(struct nl *nl, uint8_t cmd, bool dump);
int nl_send(struct nl *nl, nl_answer *answer, void *data);
/* A request with nothing but the name of what it is about. Return: 0 or -errno. */
int nl_about(struct nl *nl, uint8_t cmd, uint16_t attr, const char *name);
int nl_set_link(struct nl *nl, const char *device, uint8_t up);
/* From here on what becomes of devices is told to this socket, too. Return: 0 or -1. */
int nl_listen(struct nl *nl);
/* each message that has come, and comes soon; its attributes are behind four bytes */
typedef void nl_notification(const struct nlmsghdr *msg, uint8_t cmd, void *data);
void nl_hear(struct nl *nl, nl_notification *told, void *data);
int nl_count(struct nl *nl, uint8_t cmd);

#endif
