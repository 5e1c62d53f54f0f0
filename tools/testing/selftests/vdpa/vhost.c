// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include "device.h"
#include "vhost.h"

int vhost_open_with(struct vhost *vhost, const char *device, uint32_t memory)
{
	char path[256];
	int memfd;

	memset(vhost, 0, sizeof(*vhost));
	vhost->fd = -1;
	vhost->size = memory;
	if (device[0] == '/')
		strncpy(path, device, sizeof(path) - 1);
	else if (!vhost_node(device, path, sizeof(path)))
		return -ENOENT;

	memfd = memfd_create("vhost", 0);
	if (memfd < 0 || ftruncate(memfd, memory))
		return -errno;
	vhost->memory = mmap(NULL, memory, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	close(memfd);
	if (vhost->memory == MAP_FAILED)
		return -errno;

	vhost->fd = open(path, O_RDWR | O_CLOEXEC);
	return vhost->fd < 0 ? -errno : 0;
}

int vhost_open(struct vhost *vhost, const char *device)
{
	return vhost_open_with(vhost, device, VHOST_MEMORY);
}

void vhost_close(struct vhost *vhost)
{
	if (vhost->fd >= 0)
		close(vhost->fd);
	if (vhost->memory && vhost->memory != MAP_FAILED)
		munmap(vhost->memory, vhost->size);
	vhost->fd = -1;
	vhost->memory = NULL;
}

int vhost_ioctl(struct vhost *vhost, unsigned long cmd, void *arg)
{
	return ioctl(vhost->fd, cmd, arg) < 0 ? -errno : 0;
}

int vhost_set_status(struct vhost *vhost, uint8_t status)
{
	return vhost_ioctl(vhost, VHOST_VDPA_SET_STATUS, &status);
}

int vhost_get_status(struct vhost *vhost)
{
	uint8_t status;

	return vhost_ioctl(vhost, VHOST_VDPA_GET_STATUS, &status) ?: status;
}

int vhost_message(struct vhost *vhost, uint8_t type, uint64_t iova, uint64_t size,
		  uint64_t uaddr, uint8_t perm)
{
	struct vhost_msg_v2 msg;
	ssize_t done;

	memset(&msg, 0, sizeof(msg));
	msg.type = VHOST_IOTLB_MSG_V2;
	msg.iotlb.iova = iova;
	msg.iotlb.size = size;
	msg.iotlb.uaddr = uaddr;
	msg.iotlb.perm = perm;
	msg.iotlb.type = type;
	done = write(vhost->fd, &msg, sizeof(msg));
	if (done < 0)
		return -errno;
	return done == sizeof(msg) ? 0 : -EIO;
}

int vhost_negotiate(struct vhost *vhost, uint64_t wanted)
{
	uint64_t backend = 1ull << VHOST_BACKEND_F_IOTLB_MSG_V2;
	int err;

	err = vhost_ioctl(vhost, VHOST_SET_OWNER, NULL);
	if (!err)
		err = vhost_ioctl(vhost, VHOST_SET_BACKEND_FEATURES, &backend);
	if (!err)
		err = vhost_set_status(vhost, 0);
	if (!err)
		err = vhost_set_status(vhost, VIRTIO_CONFIG_S_ACKNOWLEDGE |
					      VIRTIO_CONFIG_S_DRIVER);
	if (!err)
		err = vhost_ioctl(vhost, VHOST_GET_FEATURES, &vhost->features);
	vhost->features &= wanted | 1ull << VIRTIO_F_VERSION_1 |
			   1ull << VIRTIO_F_ACCESS_PLATFORM;
	if (!err)
		err = vhost_ioctl(vhost, VHOST_SET_FEATURES, &vhost->features);
	if (!err)
		err = vhost_set_status(vhost, VIRTIO_CONFIG_S_ACKNOWLEDGE |
					      VIRTIO_CONFIG_S_DRIVER |
					      VIRTIO_CONFIG_S_FEATURES_OK);
	if (!err)
		err = vhost_message(vhost, VHOST_IOTLB_UPDATE, VHOST_IOVA, vhost->size,
				    (uintptr_t)vhost->memory, VHOST_ACCESS_RW);
	return err;
}

void *vhost_alloc(struct vhost *vhost, size_t size, size_t align)
{
	size_t at = (vhost->used + align - 1) & ~(align - 1);

	if (at + size > vhost->size)
		return NULL;
	vhost->used = at + size;
	memset(vhost->memory + at, 0, size);
	return vhost->memory + at;
}

uint64_t vhost_iova(const struct vhost *vhost, const void *at)
{
	return VHOST_IOVA + ((const char *)at - vhost->memory);
}
