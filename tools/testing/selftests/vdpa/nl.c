// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include "nl.h"

#define ATTRS_MAX 256

struct parsed {
	const struct nlattr *attrs[ATTRS_MAX];
};

static int collect(const struct nlattr *attr, void *data)
{
	struct parsed *parsed = data;

	if (mnl_attr_get_type(attr) < ATTRS_MAX)
		parsed->attrs[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static void start(struct nl *nl, uint16_t family, uint8_t cmd, bool dump)
{
	struct genlmsghdr *genl;

	memset(nl->buffer, 0, 512);
	nl->request = mnl_nlmsg_put_header(nl->buffer);
	nl->request->nlmsg_type = family;
	nl->request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | (dump ? NLM_F_DUMP : 0);
	nl->request->nlmsg_seq = ++nl->seq;
	genl = mnl_nlmsg_put_extra_header(nl->request, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = 1;
}

void nl_start(struct nl *nl, uint8_t cmd, bool dump)
{
	start(nl, nl->family, cmd, dump);
}

/* Keep what an error or acknowledgment says. Return: its errno, negative. */
static int read_ack(struct nl *nl, const struct nlmsghdr *msg)
{
	const struct nlmsgerr *ack = mnl_nlmsg_get_payload(msg);
	struct parsed parsed = {};
	size_t skip = sizeof(*ack);
	const struct nlattr *bad;

	if (!(msg->nlmsg_flags & NLM_F_ACK_TLVS))
		return ack->error;
	if (!(msg->nlmsg_flags & NLM_F_CAPPED))
		skip += ack->msg.nlmsg_len - sizeof(ack->msg);
	mnl_attr_parse(msg, skip, collect, &parsed);
	if (parsed.attrs[NLMSGERR_ATTR_MSG])
		snprintf(nl->text, sizeof(nl->text), "%s",
			 mnl_attr_get_str(parsed.attrs[NLMSGERR_ATTR_MSG]));
	if (parsed.attrs[NLMSGERR_ATTR_OFFS]) {
		bad = (void *)(nl->buffer +
			       mnl_attr_get_u32(parsed.attrs[NLMSGERR_ATTR_OFFS]));
		nl->bad_attr = mnl_attr_get_type(bad);
	}
	return ack->error;
}

/* Send what was started, take the whole answer. Return: 0 or -errno. */
int nl_send(struct nl *nl, nl_answer *answer, void *data)
{
	static _Thread_local char in[65536];
	struct nlmsghdr *msg;
	int len;

	nl->text[0] = 0;
	nl->bad_attr = 0;
	if (mnl_socket_sendto(nl->socket, nl->request, nl->request->nlmsg_len) < 0)
		return -errno;

	for (;;) {
		len = mnl_socket_recvfrom(nl->socket, in, sizeof(in));
		if (len < 0)
			return -errno;
		for (msg = (void *)in; mnl_nlmsg_ok(msg, len); msg = mnl_nlmsg_next(msg, &len)) {
			struct parsed parsed = {};

			if (msg->nlmsg_seq != nl->seq)
				continue;
			if (msg->nlmsg_type == NLMSG_ERROR)
				return read_ack(nl, msg);
			if (msg->nlmsg_type == NLMSG_DONE)
				return *(int *)mnl_nlmsg_get_payload(msg);
			mnl_attr_parse(msg, sizeof(struct genlmsghdr), collect, &parsed);
			if (answer)
				answer(parsed.attrs, msg, data);
		}
	}
}

int nl_about(struct nl *nl, uint8_t cmd, uint16_t attr, const char *name)
{
	nl_start(nl, cmd, false);
	mnl_attr_put_strz(nl->request, attr, name);
	return nl_send(nl, NULL, NULL);
}

int nl_set_link(struct nl *nl, const char *device, uint8_t up)
{
	nl_start(nl, VDPA_CMD_DEV_ATTR_SET, false);
	mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_NAME, device);
	mnl_attr_put_u8(nl->request, VDPA_ATTR_DEV_NET_LINK, up);
	return nl_send(nl, NULL, NULL);
}

static void take_family(const struct nlattr **attrs, const struct nlmsghdr *msg, void *data)
{
	if (attrs[CTRL_ATTR_FAMILY_ID])
		*(uint16_t *)data = mnl_attr_get_u16(attrs[CTRL_ATTR_FAMILY_ID]);
}

bool nl_open(struct nl *nl)
{
	int on = 1;

	memset(nl, 0, sizeof(*nl));
	nl->socket = mnl_socket_open(NETLINK_GENERIC);
	if (!nl->socket || mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return false;
	mnl_socket_setsockopt(nl->socket, NETLINK_EXT_ACK, &on, sizeof(on));

	start(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, false);
	mnl_attr_put_strz(nl->request, CTRL_ATTR_FAMILY_NAME, VDPA_GENL_NAME);
	return !nl_send(nl, take_family, &nl->family) && nl->family;
}

struct group {
	const char *name;
	int id;
};

static void take_group(const struct nlattr **attrs, const struct nlmsghdr *msg, void *data)
{
	const struct nlattr *groups = attrs[CTRL_ATTR_MCAST_GROUPS], *group, *attr;
	struct group *wanted = data;
	const char *name;
	int id = -1;

	if (!groups)
		return;
	mnl_attr_for_each_nested(group, groups) {
		name = "";
		mnl_attr_for_each_nested(attr, group) {
			if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME)
				name = mnl_attr_get_str(attr);
			if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID)
				id = mnl_attr_get_u32(attr);
		}
		if (!strcmp(name, wanted->name))
			wanted->id = id;
	}
}

int nl_listen(struct nl *nl)
{
	struct group devices = { VDPA_MCGRP_DEVICES, -1 };

	start(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, false);
	mnl_attr_put_strz(nl->request, CTRL_ATTR_FAMILY_NAME, VDPA_GENL_NAME);
	if (nl_send(nl, take_group, &devices) || devices.id < 0)
		return -1;
	return mnl_socket_setsockopt(nl->socket, NETLINK_ADD_MEMBERSHIP, &devices.id,
				     sizeof(devices.id));
}

void nl_hear(struct nl *nl, nl_notification *told, void *data)
{
	struct timeval soon = { .tv_usec = 200000 };
	struct nlmsghdr *msg;
	char in[8192];
	int len;

	setsockopt(mnl_socket_get_fd(nl->socket), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	while ((len = mnl_socket_recvfrom(nl->socket, in, sizeof(in))) > 0)
		for (msg = (void *)in; mnl_nlmsg_ok(msg, len); msg = mnl_nlmsg_next(msg, &len))
			told(msg, *(uint8_t *)mnl_nlmsg_get_payload(msg), data);
}

void nl_close(struct nl *nl)
{
	if (nl->socket)
		mnl_socket_close(nl->socket);
	nl->socket = NULL;
}

static void count_one(const struct nlattr **attrs, const struct nlmsghdr *msg, void *data)
{
	++*(int *)data;
}

/* Number of messages in a dump, or -errno. */
int nl_count(struct nl *nl, uint8_t cmd)
{
	int count = 0, err;

	nl_start(nl, cmd, true);
	err = nl_send(nl, count_one, &count);
	return err ?: count;
}
