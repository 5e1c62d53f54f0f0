// SPDX-License-Identifier: GPL-2.0-only
#include <linux/file.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/uaccess.h>
#include <linux/vhost_types.h>

#include "vhost_file.h"

static void close_action(void *data)
{
	vhost_file_close(data);
}

/* There is no devtmpfs yet where tests run: make a node, once for each number. */
static void make_node(struct kunit *test, const char *name, dev_t devt)
{
	struct dentry *dentry;
	struct path path;
	int err;

	dentry = kern_path_create(AT_FDCWD, name, &path, 0);
	if (PTR_ERR_OR_ZERO(dentry) == -EEXIST)
		return;
	KUNIT_ASSERT_FALSE(test, IS_ERR(dentry));
	err = vfs_mknod(mnt_idmap(path.mnt), d_inode(path.dentry), dentry,
			S_IFCHR | 0600, devt);
	done_path_create(&path, dentry);
	KUNIT_ASSERT_EQ(test, 0, err);
}

/**
 * vhost_file_open() - open the character device of a device
 * @test: test; its thread gets an mm
 * @mock: parent whose device is bound to vhost_vdpa
 *
 * Return: the open file; closed when the test ends, if not before.
 */
struct vhost_file *vhost_file_open(struct kunit *test, struct mock *mock)
{
	struct vhost_file *vf = kunit_kzalloc(test, sizeof(*vf), GFP_KERNEL);
	struct device *dev;
	char name[32];

	KUNIT_ASSERT_NOT_NULL(test, vf);
	vf->test = test;
	vf->arg = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
				MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_LT(test, vf->arg, TASK_SIZE);
	KUNIT_ASSERT_NE(test, 0, vf->arg);

	dev = device_find_any_child(&mock->vdev->dev);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	snprintf(name, sizeof(name), "/kunit-%u-%u", MAJOR(dev->devt), MINOR(dev->devt));
	make_node(test, name, dev->devt);
	put_device(dev);

	vf->file = filp_open(name, O_RDWR, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(vf->file));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, close_action, vf));
	return vf;
}

/**
 * vhost_file_close() - close it, and wait until that has happened
 * @vf: file, open or not
 */
void vhost_file_close(struct vhost_file *vf)
{
	if (!IS_ERR_OR_NULL(vf->file))
		__fput_sync(vf->file);
	vf->file = NULL;
}

/**
 * vhost_file_ioctl() - call an ioctl
 * @vf: file
 * @cmd: request
 * @arg: argument in kernel memory, or NULL
 * @size: bytes of @arg
 *
 * Return: what the ioctl returned.
 */
long vhost_file_ioctl(struct vhost_file *vf, unsigned int cmd, void *arg, size_t size)
{
	void __user *user = (void __user *)vf->arg;
	long ret;

	KUNIT_ASSERT_EQ(vf->test, 0, copy_to_user(user, arg, size));
	ret = vf->file->f_op->unlocked_ioctl(vf->file, cmd, vf->arg);
	KUNIT_ASSERT_EQ(vf->test, 0, copy_from_user(arg, user, size));
	return ret;
}

/**
 * vhost_file_message() - write a message
 * @vf: file
 * @type: VHOST_IOTLB_*
 * @iova: first IOVA
 * @size: bytes
 * @uaddr: user address
 *
 * Return: 0 or -errno.
 */
ssize_t vhost_file_message(struct vhost_file *vf, u8 type, u64 iova, u64 size, u64 uaddr)
{
	struct vhost_msg_v2 msg = {
		.type = VHOST_IOTLB_MSG_V2,
		.iotlb = {
			.type = type,
			.iova = iova,
			.size = size,
			.uaddr = uaddr,
			.perm = VHOST_ACCESS_RW,
		},
	};
	loff_t pos = 0;
	ssize_t done = kernel_write(vf->file, &msg, sizeof(msg), &pos);

	if (done < 0)
		return done;
	KUNIT_EXPECT_EQ(vf->test, sizeof(msg), done);
	return 0;
}
