/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session on /dev/vhost-vdpa-N: memory that the device may reach, and the way from
 * open to DRIVER_OK. Every call returns 0 or -errno.
 */
#ifndef VHOST_H
#define VHOST_H

#include <stdint.h>
#include <stddef.h>
#include <linux/vhost.h>

#define VHOST_MEMORY (4u << 20)
#define VHOST_IOVA 0x10000000ull

struct vhost {
	int fd;
	char *memory;		/* shared, so that every memory model can map it */
	size_t size;		/* of it */
	size_t used;
	uint64_t features;	/* negotiated */
};

int vhost_open(struct vhost *vhost, const char *device);
/* with so many bytes of memory, for who needs little of it and opens often */
int vhost_open_with(struct vhost *vhost, const char *device, uint32_t memory);
void vhost_close(struct vhost *vhost);
int vhost_ioctl(struct vhost *vhost, unsigned long cmd, void *arg);
int vhost_set_status(struct vhost *vhost, uint8_t status);
int vhost_get_status(struct vhost *vhost);
int vhost_message(struct vhost *vhost, uint8_t type, uint64_t iova, uint64_t size,
		  uint64_t uaddr, uint8_t perm);
/* owner, backend features, features (those of @wanted that are offered), memory mapped */
int vhost_negotiate(struct vhost *vhost, uint64_t wanted);
void *vhost_alloc(struct vhost *vhost, size_t size, size_t align);
uint64_t vhost_iova(const struct vhost *vhost, const void *at);

#endif
