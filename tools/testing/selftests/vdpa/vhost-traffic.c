// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drive a vDPA device of this process until it is taken away:
 *
 *	vhost-traffic net|blk DEVICE [MICROSECONDS]
 *
 * A network card is made to send broadcasts, a disk to read, with a pause after each. "begun" is printed once the
 * first is done. The exit status is 0 when the device was revoked; 1 when anything else ended it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include "blk.h"
#include "net.h"

#define SIMPLE (1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_F_ACCESS_PLATFORM)

static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };
static struct net net;
static struct blk blk;

static int start(const char *class, const char *device)
{
	return !strcmp(class, "net") ?
	       net_start(&net, device, SIMPLE | 1ull << 17 /* VIRTIO_NET_F_CTRL_VQ */) :
	       blk_start(&blk, device, SIMPLE);
}

static int work(const char *class)
{
	if (!strcmp(class, "net"))
		return net_transmit(&net, broadcast, 60);
	return blk_read(&blk, 0, 65536);
}

int main(int argc, char **argv)
{
	unsigned long done = 0;
	struct vhost *vhost;
	int err, status;

	if (argc < 3)
		return 2;
	vhost = !strcmp(argv[1], "net") ? &net.vhost : &blk.vhost;
	err = start(argv[1], argv[2]);
	/* it may go before it began */
	while (!err) {
		err = work(argv[1]);
		if (!err && !done++) {
			puts("begun");
			fflush(stdout);
		}
		if (argc > 3)
			usleep(atoi(argv[3]));
	}
	status = vhost_get_status(vhost);
	printf("%lu done, then %s; status %d\n", done, strerror(-err), status);
	return status != -ENODEV;
}
