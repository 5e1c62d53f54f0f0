/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices on the vDPA bus: made, given to a bus driver, found again, deleted. */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An attribute of a device to be made: a number in host order, bytes, or text. */
struct wish {
	uint16_t attr;		/* 0 ends a list */
	uint16_t size;		/* of @number or @bytes */
	uint64_t number;
	const void *bytes;
	const char *text;
};

#define DEVICE_WHY 256

/*
 * @mgmtdev is NAME or BUS/NAME. Return: 0 or -errno, with the kernel's reason in @why, or on
 * stderr if that is NULL.
 */
int device_create(const char *name, const char *mgmtdev, const struct wish *wishes,
		  char *why);
int device_add(const char *name, const char *mgmtdev);
/* a network simulator; @max_vqp 0 leaves the number of queue pairs to it */
int device_add_net(const char *name, const uint8_t *mac, uint16_t max_vqp);
int device_del(const char *name);
int device_bind(const char *name, const char *driver);
int device_unbind(const char *name);
bool device_exists(const char *name);
/* "vhost-vdpa-*" itself, or what is below virtio*: "block", "net"; as a name */
bool device_child(const char *name, const char *kind, char *child, size_t size);
bool vhost_node(const char *name, char *path, size_t size);
int write_file(const char *path, const char *text);
long read_number(const char *path);
bool wait_until(bool (*done)(const void *), const void *data, int seconds);

#endif
