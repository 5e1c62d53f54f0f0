/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mocked device in the hands of a process: /dev/vhost-vdpa-N, opened and used by the
 * thread of the test, which gets user memory for that.
 */
#ifndef _VDPA_TESTS_VHOST_FILE_H
#define _VDPA_TESTS_VHOST_FILE_H

#include <linux/fs.h>
#include "mock.h"

/**
 * struct vhost_file - an open device
 * @test: test that it belongs to
 * @file: the file, NULL once it is closed
 * @arg: user address of a page for arguments of ioctls
 */
struct vhost_file {
	struct kunit *test;
	struct file *file;
	unsigned long arg;
};

struct vhost_file *vhost_file_open(struct kunit *test, struct mock *mock);
void vhost_file_close(struct vhost_file *vf);
long vhost_file_ioctl(struct vhost_file *vf, unsigned int cmd, void *arg, size_t size);
ssize_t vhost_file_message(struct vhost_file *vf, u8 type, u64 iova, u64 size, u64 uaddr);

#endif /* _VDPA_TESTS_VHOST_FILE_H */
