/* SPDX-License-Identifier: GPL-2.0-only */
/* A driver of the network simulator's first queue pair and of its control queue. */
#ifndef NET_H
#define NET_H

#include <stdint.h>
#include "vring.h"

#define NET_HDR 12
#define NET_BUFFER 2048
#define NET_BUFFERS 32

struct net {
	struct vhost vhost;
	struct vring_queue rx, tx, ctrl;
	uint8_t *buffers;	/* of the receive queue */
	uint8_t *at[256];	/* those by head */
	uint8_t *frame;		/* of 70000 bytes, behind its header */
	uint8_t *command;
};

int net_start(struct net *net, const char *device, uint64_t features);
void net_stop(struct net *net);
/* Fill the frame. */
void net_frame(struct net *net, const uint8_t *to, uint32_t len);
/* Send what is in the frame, header and @len bytes. Return: 0 when it was taken. */
int net_send(struct net *net, uint32_t len);
/* net_frame() without a header, and net_send() */
int net_transmit(struct net *net, const uint8_t *to, uint32_t len);
/* Return: what was received, and its length with the header; or NULL. */
uint8_t *net_receive(struct net *net, uint32_t *len, int milliseconds);
/* A control command with @len bytes of data. Return: its acknowledgment. */
int net_control(struct net *net, uint8_t class, uint8_t cmd, const void *data, uint32_t len);
/* A statistic of a queue, by name, or -1. */
long vstat(const char *device, int queue, const char *name);

#endif
