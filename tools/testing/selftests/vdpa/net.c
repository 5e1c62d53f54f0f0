// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/virtio_config.h>
#include "net.h"
#include "nl.h"

static int offer_buffers(struct net *net)
{
	struct vring_seg seg = { .len = NET_BUFFER, .write = true };
	int i, head;

	for (i = 0; i < NET_BUFFERS; i++) {
		seg.at = net->buffers + i * NET_BUFFER;
		head = vring_add(&net->rx, &seg, 1);
		if (head < 0)
			return -ENOSPC;
		net->at[head] = seg.at;
	}
	vring_kick(&net->rx);
	return 0;
}

int net_start(struct net *net, const char *device, uint64_t features)
{
	int err;

	memset(net, 0, sizeof(*net));
	err = vhost_open(&net->vhost, device);
	if (!err)
		err = vhost_negotiate(&net->vhost, features);
	if (!err)
		err = vring_setup(&net->rx, &net->vhost, 0, 64, 0);
	if (!err)
		err = vring_setup(&net->tx, &net->vhost, 1, 64, 0);
	if (!err)
		err = vring_setup(&net->ctrl, &net->vhost, 2, 64, 0);
	if (err)
		return err;
	net->buffers = vhost_alloc(&net->vhost, NET_BUFFERS * NET_BUFFER, 4096);
	net->frame = vhost_alloc(&net->vhost, 70000, 4096);
	net->command = vhost_alloc(&net->vhost, 2048, 16);
	err = vhost_set_status(&net->vhost, vhost_get_status(&net->vhost) |
					    VIRTIO_CONFIG_S_DRIVER_OK);
	return err ?: offer_buffers(net);
}

void net_stop(struct net *net)
{
	vhost_close(&net->vhost);
	vring_teardown(&net->rx);
	vring_teardown(&net->tx);
	vring_teardown(&net->ctrl);
}

void net_frame(struct net *net, const uint8_t *to, uint32_t len)
{
	uint32_t i;

	memset(net->frame, 0, NET_HDR);
	for (i = 0; i < len; i++)
		net->frame[NET_HDR + i] = (i * 7 + len) & 0xff;
	memcpy(net->frame + NET_HDR, to, len < 6 ? len : 6);
}

int net_send(struct net *net, uint32_t len)
{
	struct vring_seg segs[2] = {
		{ net->frame, NET_HDR, false },
		{ net->frame + NET_HDR, len, false },
	};

	if (vring_add(&net->tx, segs, 2) < 0)
		return -ENOSPC;
	vring_kick(&net->tx);
	return vring_wait(&net->tx, NULL, 20000) < 0 ? -ETIMEDOUT : 0;
}

int net_transmit(struct net *net, const uint8_t *to, uint32_t len)
{
	net_frame(net, to, len);
	return net_send(net, len);
}

uint8_t *net_receive(struct net *net, uint32_t *len, int milliseconds)
{
	int head = vring_wait(&net->rx, len, milliseconds);

	return head < 0 ? NULL : net->at[head];
}

int net_control(struct net *net, uint8_t class, uint8_t cmd, const void *data, uint32_t len)
{
	uint8_t *command = net->command;
	struct vring_seg segs[3] = {
		{ command, 2, false },
		{ command + 16, len, false },
		{ command + 2047, 1, true },
	};

	if (len > 2000)
		return -E2BIG;
	command[0] = class;
	command[1] = cmd;
	command[2047] = 0xff;
	memcpy(command + 16, data, len);
	/* a segment of no length is no segment */
	if (!len)
		segs[1] = segs[2];
	if (vring_add(&net->ctrl, segs, len ? 3 : 2) < 0)
		return -ENOSPC;
	vring_kick(&net->ctrl);
	return vring_wait(&net->ctrl, NULL, 20000) < 0 ? -ETIMEDOUT : command[2047];
}

struct counters {
	char names[8][32];
	uint64_t values[8];
	int count;
};

static void keep(const struct nlattr **attrs, const struct nlmsghdr *msg, void *data)
{
	struct counters *counters = data;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, msg, 4) {
		if (mnl_attr_get_type(attr) == VDPA_ATTR_DEV_VENDOR_ATTR_NAME)
			snprintf(counters->names[counters->count], 32, "%s",
				 mnl_attr_get_str(attr));
		if (mnl_attr_get_type(attr) == VDPA_ATTR_DEV_VENDOR_ATTR_VALUE)
			counters->values[counters->count++] = mnl_attr_get_u64(attr);
	}
}

long vstat(const char *device, int queue, const char *name)
{
	struct counters counters = {};
	struct nl nl;
	long value = -1;
	int i;

	if (!nl_open(&nl))
		return -1;
	nl_start(&nl, VDPA_CMD_DEV_VSTATS_GET, false);
	mnl_attr_put_strz(nl.request, VDPA_ATTR_DEV_NAME, device);
	mnl_attr_put_u32(nl.request, VDPA_ATTR_DEV_QUEUE_INDEX, queue);
	nl_send(&nl, keep, &counters);
	nl_close(&nl);
	for (i = 0; i < counters.count; i++)
		if (!strcmp(counters.names[i], name))
			value = counters.values[i];
	return value;
}

