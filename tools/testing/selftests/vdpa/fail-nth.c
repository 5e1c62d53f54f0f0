// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation, and each copy from or to the process, fails in turn: the first of an
 * operation, the second, and so on until it passes without. A failure is reported, and
 * leaves nothing behind: no page is pinned or counted, maps are what they were, and the
 * device works.
 *
 * Needs a kernel with fail-nth (Documentation/fault-injection), and is therefore not
 * one of the programs that run on a distribution's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <linux/vdpa.h>
#include <linux/vhost_vdpa.h>
#include <linux/virtio_config.h>
#include "device.h"
#include "pages.h"
#include "vhost.h"
#include "vring.h"
#include "kselftest_harness.h"

#define NAME "t-fail"
#define PAGE 4096ull
#define BIT(n) (1ull << (n))
#define IOVA 0x100000000ull
#define SCATTERED 2500ull	/* pages: more than are pinned at once */
#define MANY 40
/* as many in turn; what comes after is more of the same, of which some will do */
#define EACH 200
#define SOME 101

/* What an operation works on. */
struct scene {
	struct vhost v;
	char *scattered;
	char *pieces;		/* five mappings side by side, one of them private */
	const char *class;
	const struct wish *wishes;
	const char *driver;
};

static int fault_file;

static void arm(int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	if (pwrite(fault_file, text, strlen(text), 0) < 0)
		perror("fail-nth");
}

/* Return: whether the fault was injected. */
static bool disarm(void)
{
	char text[16] = "";

	if (pread(fault_file, text, sizeof(text) - 1, 0) < 0)
		perror("fail-nth");
	arm(0);
	return atoi(text) == 0;
}

/* Operations. Each returns 0 or -errno. */

static int send_message(struct scene *scene, uint8_t type, uint64_t iova, uint64_t size,
			void *at)
{
	return vhost_message(&scene->v, type, iova, size, (uintptr_t)at, VHOST_ACCESS_RW);
}

static int op_open(struct scene *scene)
{
	char path[256];

	if (!vhost_node(NAME, path, sizeof(path)))
		return -ENOENT;
	close(scene->v.fd);
	scene->v.fd = open(path, O_RDWR | O_CLOEXEC);
	return scene->v.fd < 0 ? -errno : 0;
}

static int op_owner(struct scene *scene)
{
	int err = op_open(scene);

	return err ?: vhost_ioctl(&scene->v, VHOST_SET_OWNER, NULL);
}

static int op_update(struct scene *scene)
{
	return send_message(scene, VHOST_IOTLB_UPDATE, IOVA, PAGE, scene->v.memory);
}

static int op_update_scattered(struct scene *scene)
{
	return send_message(scene, VHOST_IOTLB_UPDATE, IOVA, SCATTERED * PAGE, scene->scattered);
}

static int op_update_pieces(struct scene *scene)
{
	return send_message(scene, VHOST_IOTLB_UPDATE, IOVA, 5 * PAGE, scene->pieces);
}

static int op_invalidate(struct scene *scene)
{
	return send_message(scene, VHOST_IOTLB_INVALIDATE, IOVA, SCATTERED * PAGE, NULL);
}

static int op_invalidate_part(struct scene *scene)
{
	return send_message(scene, VHOST_IOTLB_INVALIDATE, IOVA + 700 * PAGE, 900 * PAGE, NULL);
}

static int op_batch(struct scene *scene)
{
	int err = send_message(scene, VHOST_IOTLB_BATCH_BEGIN, 0, 0, NULL), i, end;

	for (i = 0; !err && i < 20; i++)
		err = send_message(scene, VHOST_IOTLB_UPDATE, IOVA + 2 * i * PAGE, PAGE,
				   scene->v.memory + i * PAGE);
	for (i = 0; !err && i < 20; i += 3)
		err = send_message(scene, VHOST_IOTLB_INVALIDATE, IOVA + 2 * i * PAGE, PAGE,
				   NULL);
	end = send_message(scene, VHOST_IOTLB_BATCH_END, 0, 0, NULL);
	return err ?: end;
}

static int op_many(struct scene *scene)
{
	static struct vhost_msg_v2 msgs[MANY];
	ssize_t done;
	int i;

	memset(msgs, 0, sizeof(msgs));
	for (i = 0; i < MANY; i++) {
		msgs[i].type = VHOST_IOTLB_MSG_V2;
		msgs[i].iotlb.type = VHOST_IOTLB_UPDATE;
		msgs[i].iotlb.iova = IOVA + 2 * i * PAGE;
		msgs[i].iotlb.size = PAGE;
		msgs[i].iotlb.uaddr = (uintptr_t)scene->v.memory + i * PAGE;
		msgs[i].iotlb.perm = VHOST_ACCESS_RW;
	}
	done = write(scene->v.fd, msgs, sizeof(msgs));
	if (done < 0)
		return -errno;
	return done == sizeof(msgs) ? 0 : -EFAULT;
}

static int op_second_space(struct scene *scene)
{
	uint64_t backend = BIT(VHOST_BACKEND_F_IOTLB_MSG_V2) | BIT(VHOST_BACKEND_F_IOTLB_ASID);
	struct vhost_msg_v2 msg = { .type = VHOST_IOTLB_MSG_V2, .asid = 1 };
	int err = vhost_ioctl(&scene->v, VHOST_SET_BACKEND_FEATURES, &backend);

	msg.iotlb.type = VHOST_IOTLB_UPDATE;
	msg.iotlb.iova = IOVA;
	msg.iotlb.size = PAGE;
	msg.iotlb.uaddr = (uintptr_t)scene->v.memory;
	msg.iotlb.perm = VHOST_ACCESS_RW;
	if (!err && write(scene->v.fd, &msg, sizeof(msg)) != sizeof(msg))
		err = -errno;
	return err;
}

static int op_rings(struct scene *scene)
{
	struct vhost_vring_file file = { .index = 1 };
	struct {
		struct vhost_vdpa_config head;
		char bytes[8];
	} config = { .head = { .len = 8 } };
	int fd = eventfd(0, 0), err;

	if (fd < 0)
		return -errno;
	file.fd = fd;
	err = vhost_ioctl(&scene->v, VHOST_SET_VRING_KICK, &file);
	err = err ?: vhost_ioctl(&scene->v, VHOST_SET_VRING_CALL, &file);
	err = err ?: vhost_ioctl(&scene->v, VHOST_VDPA_SET_CONFIG_CALL, &fd);
	err = err ?: vhost_ioctl(&scene->v, VHOST_VDPA_GET_CONFIG, &config);
	err = err ?: vhost_ioctl(&scene->v, VHOST_VDPA_SET_CONFIG, &config);
	close(fd);
	return err;
}

static int op_reset(struct scene *scene)
{
	return vhost_set_status(&scene->v, 0);
}

static int op_close(struct scene *scene)
{
	close(scene->v.fd);
	scene->v.fd = -1;
	return 0;
}

static int op_add(struct scene *scene)
{
	int err;

	vhost_close(&scene->v);
	device_del(NAME);
	err = device_create(NAME, scene->class, scene->wishes, NULL);
	return err;
}

static int op_bind(struct scene *scene)
{
	vhost_close(&scene->v);
	device_unbind(NAME);
	return device_bind(NAME, scene->driver);
}

static int start(struct scene *scene)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	uint64_t size = SCATTERED * PAGE, i;
	int err;

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	err = device_add(NAME, scene->class);
	err = err ?: device_bind(NAME, "vhost_vdpa");
	err = err ?: vhost_open(&scene->v, NAME);
	err = err ?: vhost_negotiate(&scene->v, 0);
	if (err || scene->scattered)
		return err;

	scene->scattered = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				-1, 0);
	scene->pieces = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (scene->scattered == MAP_FAILED || scene->pieces == MAP_FAILED)
		return -ENOMEM;
	for (i = 0; i < SCATTERED; i++)
		scene->scattered[i * 1009 % SCATTERED * PAGE] = 1;
	for (i = 0; i < 5; i++)
		if (i != 2 && mmap(scene->pieces + i * PAGE, PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			return -ENOMEM;
	return 0;
}

static void stop(struct scene *scene)
{
	vhost_close(&scene->v);
	if (device_exists(NAME))
		device_del(NAME);
}

/* One frame through the simulator and back to a free buffer: does it still work? */
static int works(struct scene *scene)
{
	struct vring_seg seg = { .len = 72 };
	struct vring_queue tx;
	int err;

	scene->v.used = 0;
	err = vhost_set_status(&scene->v, 0);
	err = err ?: vhost_set_status(&scene->v, VIRTIO_CONFIG_S_ACKNOWLEDGE |
						 VIRTIO_CONFIG_S_DRIVER);
	err = err ?: vhost_ioctl(&scene->v, VHOST_SET_FEATURES, &scene->v.features);
	err = err ?: vhost_set_status(&scene->v, VIRTIO_CONFIG_S_ACKNOWLEDGE |
						 VIRTIO_CONFIG_S_DRIVER |
						 VIRTIO_CONFIG_S_FEATURES_OK);
	/* the session's memory: forgotten by a device whose user lets it, so map it anew */
	send_message(scene, VHOST_IOTLB_INVALIDATE, VHOST_IOVA, VHOST_MEMORY, NULL);
	err = err ?: send_message(scene, VHOST_IOTLB_UPDATE, VHOST_IOVA, VHOST_MEMORY,
				  scene->v.memory);
	if (err)
		return err;
	err = vring_setup(&tx, &scene->v, 1, 64, 0);
	err = err ?: vhost_set_status(&scene->v, vhost_get_status(&scene->v) |
						 VIRTIO_CONFIG_S_DRIVER_OK);
	if (!err) {
		seg.at = vhost_alloc(&scene->v, seg.len, 16);
		vring_add(&tx, &seg, 1);
		vring_kick(&tx);
		err = vring_wait(&tx, NULL, 5000) < 0 ? -ETIMEDOUT : 0;
	}
	vring_teardown(&tx);
	return err;
}

/* What a migration does on the source. */
static int op_suspend(struct scene *scene)
{
	struct vhost_vring_state state = { .index = 1 };
	int err = vhost_ioctl(&scene->v, VHOST_VDPA_SUSPEND, NULL);

	err = err ?: vhost_ioctl(&scene->v, VHOST_GET_VRING_BASE, &state);
	return err ?: vhost_ioctl(&scene->v, VHOST_VDPA_RESUME, NULL);
}

/* And on the destination: a device that was never used goes on where another was. */
static int op_restore(struct scene *scene)
{
	struct vhost_vring_state state = { .index = 1, .num = 5 };
	int err = vhost_set_status(&scene->v, 0);

	err = err ?: vhost_set_status(&scene->v, VIRTIO_CONFIG_S_ACKNOWLEDGE |
						 VIRTIO_CONFIG_S_DRIVER);
	err = err ?: vhost_ioctl(&scene->v, VHOST_SET_FEATURES, &scene->v.features);
	err = err ?: vhost_ioctl(&scene->v, VHOST_SET_VRING_BASE, &state);
	return err ?: vhost_set_status(&scene->v, VIRTIO_CONFIG_S_ACKNOWLEDGE |
						  VIRTIO_CONFIG_S_DRIVER |
						  VIRTIO_CONFIG_S_FEATURES_OK);
}

static int op_remove(struct scene *scene)
{
	return device_del(NAME);
}

FIXTURE(fail) {
	struct scene scene;
	long pinned;
};

FIXTURE_VARIANT(fail) {
	int (*before)(struct scene *scene);	/* without faults */
	int (*op)(struct scene *scene);
	const char *class;
	const struct wish *wishes;
	const char *driver;
	bool whole;	/* it has an effect or none */
	bool session;	/* and the session goes on */
};

/* a disk on a file: this program will do */
static const struct wish on_file[] = {
	{ VDPA_ATTR_DEV_BLK_BACKING, .text = "/proc/self/exe" },
	{ VDPA_ATTR_DEV_BLK_READ_ONLY, 1, 1 },
	{},
};

#define MAPS .class = "vdpasim_net", .session = true

FIXTURE_VARIANT_ADD(fail, open) { .op = op_open, .class = "vdpasim_net" };
FIXTURE_VARIANT_ADD(fail, owner) { .op = op_owner, .class = "vdpasim_net" };
FIXTURE_VARIANT_ADD(fail, update) { .op = op_update, MAPS, .whole = true };
FIXTURE_VARIANT_ADD(fail, update_scattered) { .op = op_update_scattered, MAPS, .whole = true };
FIXTURE_VARIANT_ADD(fail, update_pieces) { .op = op_update_pieces, MAPS, .whole = true };
FIXTURE_VARIANT_ADD(fail, invalidate) {
	.before = op_update_scattered, .op = op_invalidate, MAPS, .whole = true
};
FIXTURE_VARIANT_ADD(fail, invalidate_part) {
	.before = op_update_scattered, .op = op_invalidate_part, MAPS, .whole = true
};
FIXTURE_VARIANT_ADD(fail, batch) { .op = op_batch, MAPS };
FIXTURE_VARIANT_ADD(fail, many_messages) { .op = op_many, MAPS };
FIXTURE_VARIANT_ADD(fail, second_space) { .op = op_second_space, MAPS, .whole = true };
FIXTURE_VARIANT_ADD(fail, rings) { .op = op_rings, MAPS };
FIXTURE_VARIANT_ADD(fail, reset) { .op = op_reset, MAPS };
FIXTURE_VARIANT_ADD(fail, traffic) { .op = works, MAPS };
FIXTURE_VARIANT_ADD(fail, suspend) { .before = works, .op = op_suspend, MAPS };
FIXTURE_VARIANT_ADD(fail, restore) { .op = op_restore, MAPS };
FIXTURE_VARIANT_ADD(fail, remove) {
	.before = op_update_scattered, .op = op_remove, .class = "vdpasim_net"
};
FIXTURE_VARIANT_ADD(fail, close) {
	.before = op_update_scattered, .op = op_close, .class = "vdpasim_net"
};
FIXTURE_VARIANT_ADD(fail, add_net) { .op = op_add, .class = "vdpasim_net" };
FIXTURE_VARIANT_ADD(fail, add_blk) { .op = op_add, .class = "vdpasim_blk" };
FIXTURE_VARIANT_ADD(fail, add_file) {
	.op = op_add, .class = "vdpasim_blk", .wishes = on_file
};
FIXTURE_VARIANT_ADD(fail, bind_vhost) {
	.op = op_bind, .class = "vdpasim_net", .driver = "vhost_vdpa"
};
FIXTURE_VARIANT_ADD(fail, bind_virtio) {
	.op = op_bind, .class = "vdpasim_blk", .driver = "virtio_vdpa"
};

FIXTURE_SETUP(fail)
{
	fault_file = open("/proc/thread-self/fail-nth", O_RDWR);
	ASSERT_LE(0, fault_file);
	if (device_exists(NAME))
		device_del(NAME);
	self->scene.v.fd = -1;
	self->scene.class = variant->class;
	self->scene.wishes = variant->wishes;
	self->scene.driver = variant->driver;
	write_file("/sys/bus/vdpa/drivers_autoprobe", "0");
	self->pinned = pages_pinned();
}

FIXTURE_TEARDOWN(fail)
{
	stop(&self->scene);
	EXPECT_EQ(self->pinned, pages_pinned());
	close(fault_file);
}

TEST_F_TIMEOUT(fail, each_allocation, 200)
{
	long pinned, counted;
	int n, err, faults = 0;
	bool hit = true;

	for (n = 1; hit; n += n < EACH ? 1 : SOME) {
		ASSERT_EQ(0, start(&self->scene));
		if (variant->before)
			ASSERT_EQ(0, variant->before(&self->scene));
		pinned = pages_pinned();
		counted = pages_vm_pin();

		arm(n);
		err = variant->op(&self->scene);
		hit = disarm();

		if (!hit)
			EXPECT_EQ(0, err) {
				TH_LOG("nothing failed, and yet");
			}
		if (err && variant->whole) {
			EXPECT_EQ(pinned, pages_pinned()) {
				TH_LOG("after fault %d: %s", n, strerror(-err));
			}
			EXPECT_EQ(counted, pages_vm_pin());
			/* what was there is still, what was not can be */
			EXPECT_EQ(0, variant->op(&self->scene)) {
				TH_LOG("again after fault %d", n);
			}
		}
		if (variant->session) {
			EXPECT_EQ(0, works(&self->scene)) {
				TH_LOG("after fault %d", n);
			}
		}
		stop(&self->scene);
		ASSERT_FALSE(device_exists(NAME));
		ASSERT_EQ(self->pinned, pages_pinned()) {
			TH_LOG("after fault %d", n);
		}
		faults += hit;
	}
	TH_LOG("%d failed, one at a time", faults);
}

TEST_HARNESS_MAIN
