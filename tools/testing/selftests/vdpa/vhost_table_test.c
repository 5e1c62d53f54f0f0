// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every ioctl of /dev/vhost-vdpa-N, in every state of the session, with good and bad
 * arguments: the errno expected, and that a refusal changes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include "device.h"
#include "pages.h"
#include "vhost.h"
#include "kselftest_harness.h"

#define NAME "t-table"
#define BIT(n) (1ull << (n))
#define NOBODY (-1)		/* a descriptor that says none */
#define CLOSED 9999		/* one that is none */
#define ITSELF (-2)		/* replaced by that of the device, which is no eventfd */

enum state {
	OPENED,
	OWNED,
	NEGOTIATED,
	RUNNING,
	SUSPENDED,
	STATES,
};

static const char *const state_names[STATES + 1] = {
	"opened", "owned", "negotiated", "running", "suspended", "not the owner",
};

union arg {
	uint8_t u8;
	uint64_t u64;
	int fd;
	struct vhost_vring_state state;
	struct vhost_vring_file file;
	struct vhost_vring_addr addr;
	struct vhost_memory memory;
	uint8_t bytes[64];
};

static const union arg config_good = { .state = { .index = 0, .num = 8 } };
static const union arg config_empty = { .state = { .index = 0, .num = 0 } };
static const union arg config_beyond = { .state = { .index = 1 << 20, .num = 1 } };
static const union arg config_wraps = { .state = { .index = 0xffffffff, .num = 2 } };
static const union arg any;

#define VQ(i, n) { .state = { .index = (i), .num = (n) } }
#define FD(i, n) { .file = { .index = (i), .fd = (n) } }
#define ADDR(f, d, a, u) { .addr = { .flags = (f), .desc_user_addr = (d), \
				     .avail_user_addr = (a), .used_user_addr = (u) } }

/* owner's: the same is refused to anybody else */
#define ALL(e) { e, e, e, e, e }
#define OWNERS(e) { -EPERM, e, e, e, e }

static const struct row {
	const char *name;
	unsigned long cmd;
	union arg arg;
	int want[STATES];
} rows[] = {
	{ "SET_OWNER", VHOST_SET_OWNER, {},
	  { 0, -EBUSY, -EBUSY, -EBUSY, -EBUSY } },
	{ "GET_DEVICE_ID", VHOST_VDPA_GET_DEVICE_ID, {}, ALL(0) },
	{ "GET_STATUS", VHOST_VDPA_GET_STATUS, {}, ALL(0) },
	{ "SET_STATUS to 0", VHOST_VDPA_SET_STATUS, {}, ALL(0) },
	{ "SET_STATUS with bits lost", VHOST_VDPA_SET_STATUS, { .u8 = 1 },
	  { 0, 0, -EINVAL, -EINVAL, -EINVAL } },
	{ "GET_CONFIG_SIZE", VHOST_VDPA_GET_CONFIG_SIZE, {}, ALL(0) },
	{ "GET_VRING_NUM", VHOST_VDPA_GET_VRING_NUM, {}, ALL(0) },
	{ "GET_VQS_COUNT", VHOST_VDPA_GET_VQS_COUNT, {}, ALL(0) },
	{ "GET_IOVA_RANGE", VHOST_VDPA_GET_IOVA_RANGE, {}, ALL(0) },
	{ "GET_AS_NUM", VHOST_VDPA_GET_AS_NUM, {}, ALL(0) },
	{ "GET_GROUP_NUM", VHOST_VDPA_GET_GROUP_NUM, {}, ALL(0) },
	{ "GET_FEATURES", VHOST_GET_FEATURES, {}, ALL(0) },
	{ "GET_BACKEND_FEATURES", VHOST_GET_BACKEND_FEATURES, {}, ALL(0) },

	{ "SET_FEATURES", VHOST_SET_FEATURES,
	  { .u64 = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM) },
	  { 0, 0, -EBUSY, -EBUSY, -EBUSY } },
	{ "SET_FEATURES to none", VHOST_SET_FEATURES, {},
	  { -EINVAL, -EINVAL, -EBUSY, -EBUSY, -EBUSY } },
	{ "SET_FEATURES not offered", VHOST_SET_FEATURES, { .u64 = ~0ull },
	  { -EINVAL, -EINVAL, -EBUSY, -EBUSY, -EBUSY } },
	{ "SET_BACKEND_FEATURES", VHOST_SET_BACKEND_FEATURES,
	  { .u64 = BIT(VHOST_BACKEND_F_IOTLB_MSG_V2) }, ALL(0) },
	{ "SET_BACKEND_FEATURES not offered", VHOST_SET_BACKEND_FEATURES,
	  { .u64 = BIT(60) }, ALL(-EOPNOTSUPP) },

	{ "GET_CONFIG", VHOST_VDPA_GET_CONFIG, config_good, ALL(0) },
	{ "GET_CONFIG of nothing", VHOST_VDPA_GET_CONFIG, config_empty, ALL(-EINVAL) },
	{ "GET_CONFIG beyond", VHOST_VDPA_GET_CONFIG, config_beyond, ALL(-EINVAL) },
	{ "GET_CONFIG that wraps", VHOST_VDPA_GET_CONFIG, config_wraps, ALL(-EINVAL) },
	{ "SET_CONFIG", VHOST_VDPA_SET_CONFIG, config_good, ALL(0) },
	{ "SET_CONFIG of nothing", VHOST_VDPA_SET_CONFIG, config_empty, ALL(-EINVAL) },
	{ "SET_CONFIG beyond", VHOST_VDPA_SET_CONFIG, config_beyond, ALL(-EINVAL) },
	{ "SET_CONFIG that wraps", VHOST_VDPA_SET_CONFIG, config_wraps, ALL(-EINVAL) },
	{ "SET_CONFIG_CALL", VHOST_VDPA_SET_CONFIG_CALL, { .fd = NOBODY }, ALL(0) },
	{ "SET_CONFIG_CALL closed", VHOST_VDPA_SET_CONFIG_CALL, { .fd = CLOSED }, ALL(-EBADF) },
	{ "SET_CONFIG_CALL no eventfd", VHOST_VDPA_SET_CONFIG_CALL, { .fd = ITSELF },
	  ALL(-EINVAL) },

	{ "SUSPEND", VHOST_VDPA_SUSPEND, {}, ALL(0) },
	{ "RESUME", VHOST_VDPA_RESUME, {}, ALL(0) },

	{ "SET_MEM_TABLE", VHOST_SET_MEM_TABLE, {}, OWNERS(0) },
	{ "SET_MEM_TABLE with padding", VHOST_SET_MEM_TABLE, { .memory = { .padding = 1 } },
	  OWNERS(-EOPNOTSUPP) },
	{ "SET_LOG_BASE", VHOST_SET_LOG_BASE, {}, OWNERS(-ENOTTY) },
	{ "SET_LOG_FD", VHOST_SET_LOG_FD, {}, OWNERS(-ENOTTY) },
	{ "RESET_OWNER", VHOST_RESET_OWNER, {}, OWNERS(-ENOTTY) },
	{ "unknown", _IO(VHOST_VIRTIO, 0xbf), {}, OWNERS(-ENOTTY) },
	{ "unknown, of a queue that is none", _IO(VHOST_VIRTIO, 0xbf), VQ(3, 0),
	  OWNERS(-ENOBUFS) },

	{ "SET_VRING_NUM", VHOST_SET_VRING_NUM, VQ(0, 64), { -EPERM, 0, 0, -EBUSY, 0 } },
	{ "SET_VRING_NUM to 3", VHOST_SET_VRING_NUM, VQ(0, 3),
	  { -EPERM, -EINVAL, -EINVAL, -EBUSY, -EINVAL } },
	{ "SET_VRING_NUM to 0", VHOST_SET_VRING_NUM, VQ(0, 0),
	  { -EPERM, -EINVAL, -EINVAL, -EBUSY, -EINVAL } },
	{ "SET_VRING_NUM too large", VHOST_SET_VRING_NUM, VQ(0, 512),
	  { -EPERM, -EINVAL, -EINVAL, -EBUSY, -EINVAL } },
	{ "SET_VRING_ADDR", VHOST_SET_VRING_ADDR, ADDR(0, 4096, 8192, 12288),
	  { -EPERM, 0, 0, -EINVAL, 0 } },
	{ "SET_VRING_ADDR, odd driver area", VHOST_SET_VRING_ADDR, ADDR(0, 4096, 8193, 12288),
	  OWNERS(-EINVAL) },
	{ "SET_VRING_ADDR, odd device area", VHOST_SET_VRING_ADDR, ADDR(0, 4096, 8192, 12290),
	  OWNERS(-EINVAL) },
	{ "SET_VRING_ADDR, unknown flags", VHOST_SET_VRING_ADDR, ADDR(0x80, 4096, 8192, 12288),
	  OWNERS(-EOPNOTSUPP) },
	{ "SET_VRING_BASE", VHOST_SET_VRING_BASE, VQ(0, 5), { -EPERM, 0, 0, -EINVAL, 0 } },
	{ "SET_VRING_BASE too large", VHOST_SET_VRING_BASE, VQ(0, 0x10000), OWNERS(-EINVAL) },
	{ "GET_VRING_BASE", VHOST_GET_VRING_BASE, VQ(0, 0), OWNERS(0) },
	{ "SET_VRING_KICK", VHOST_SET_VRING_KICK, FD(0, NOBODY), OWNERS(0) },
	{ "SET_VRING_KICK closed", VHOST_SET_VRING_KICK, FD(0, CLOSED), OWNERS(-EBADF) },
	{ "SET_VRING_KICK no eventfd", VHOST_SET_VRING_KICK, FD(0, ITSELF), OWNERS(-EINVAL) },
	{ "SET_VRING_CALL", VHOST_SET_VRING_CALL, FD(0, NOBODY), OWNERS(0) },
	{ "SET_VRING_CALL closed", VHOST_SET_VRING_CALL, FD(0, CLOSED), OWNERS(-EBADF) },
	{ "SET_VRING_CALL no eventfd", VHOST_SET_VRING_CALL, FD(0, ITSELF), OWNERS(-EINVAL) },
	{ "SET_VRING_ERR", VHOST_SET_VRING_ERR, FD(0, NOBODY), OWNERS(0) },
	{ "SET_VRING_ERR closed", VHOST_SET_VRING_ERR, FD(0, CLOSED), OWNERS(-EBADF) },
	{ "SET_VRING_ERR no eventfd", VHOST_SET_VRING_ERR, FD(0, ITSELF), OWNERS(-EINVAL) },
	{ "SET_VRING_ENABLE off", VHOST_VDPA_SET_VRING_ENABLE, VQ(0, 0), OWNERS(0) },
	{ "GET_VRING_GROUP", VHOST_VDPA_GET_VRING_GROUP, VQ(0, 0), OWNERS(0) },
	{ "GET_VRING_DESC_GROUP", VHOST_VDPA_GET_VRING_DESC_GROUP, VQ(0, 0), OWNERS(0) },
	{ "GET_VRING_SIZE", VHOST_VDPA_GET_VRING_SIZE, VQ(0, 0), OWNERS(0) },
	{ "SET_GROUP_ASID", VHOST_VDPA_SET_GROUP_ASID, VQ(1, 1),
	  { -EPERM, 0, 0, -EBUSY, -EBUSY } },
	{ "SET_GROUP_ASID of no group", VHOST_VDPA_SET_GROUP_ASID, VQ(3, 0), OWNERS(-EINVAL) },
	{ "SET_GROUP_ASID to no space", VHOST_VDPA_SET_GROUP_ASID, VQ(0, 2), OWNERS(-EINVAL) },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* those whose argument begins with the index of a queue */
static const struct {
	const char *name;
	unsigned long cmd;
} vring_rows[] = {
	{ "SET_VRING_NUM", VHOST_SET_VRING_NUM },
	{ "SET_VRING_ADDR", VHOST_SET_VRING_ADDR },
	{ "SET_VRING_BASE", VHOST_SET_VRING_BASE },
	{ "GET_VRING_BASE", VHOST_GET_VRING_BASE },
	{ "SET_VRING_KICK", VHOST_SET_VRING_KICK },
	{ "SET_VRING_CALL", VHOST_SET_VRING_CALL },
	{ "SET_VRING_ERR", VHOST_SET_VRING_ERR },
	{ "SET_VRING_ENABLE", VHOST_VDPA_SET_VRING_ENABLE },
	{ "GET_VRING_GROUP", VHOST_VDPA_GET_VRING_GROUP },
	{ "GET_VRING_DESC_GROUP", VHOST_VDPA_GET_VRING_DESC_GROUP },
	{ "GET_VRING_SIZE", VHOST_VDPA_GET_VRING_SIZE },
};

FIXTURE(table) {
	struct vhost v;
	long pinned;
};

FIXTURE_SETUP(table)
{
	if (device_exists(NAME))
		device_del(NAME);
	self->pinned = pages_pinned();
	self->v.fd = -1;
	ASSERT_EQ(0, write_file("/sys/bus/vdpa/drivers_autoprobe", "0"));
	ASSERT_EQ(0, device_add(NAME, "vdpasim_net"));
	ASSERT_EQ(0, device_bind(NAME, "vhost_vdpa"));
}

FIXTURE_TEARDOWN(table)
{
	vhost_close(&self->v);
	if (device_exists(NAME))
		EXPECT_EQ(0, device_del(NAME));
	EXPECT_EQ(self->pinned, pages_pinned());
	write_file("/sys/bus/vdpa/drivers_autoprobe", "1");
}

/* Return: 0 and a new session in @state, or -errno. */
static int enter(struct vhost *v, enum state state)
{
	int err;

	vhost_close(v);
	err = vhost_open_with(v, NAME, 64 << 10);
	if (!err && state == OWNED)
		err = vhost_ioctl(v, VHOST_SET_OWNER, NULL);
	if (!err && state >= NEGOTIATED)
		err = vhost_negotiate(v, 0);
	if (!err && state >= RUNNING)
		err = vhost_set_status(v, vhost_get_status(v) | VIRTIO_CONFIG_S_DRIVER_OK);
	if (!err && state >= SUSPENDED)
		err = vhost_ioctl(v, VHOST_VDPA_SUSPEND, NULL);
	return err;
}

static int call(struct vhost *v, const struct row *row)
{
	union arg arg = row->arg;

	if (row->arg.file.fd == ITSELF)
		arg.file.fd = v->fd;
	if (row->cmd == VHOST_VDPA_SET_CONFIG_CALL && row->arg.fd == ITSELF)
		arg.fd = v->fd;
	return vhost_ioctl(v, row->cmd, &arg);
}

/* What can be seen of a session, to be compared. */
struct view {
	int status;
	uint64_t features;
	struct vhost_vring_state base;
};

static struct view look(struct vhost *v)
{
	struct view view = { .status = vhost_get_status(v) };

	vhost_ioctl(v, VHOST_GET_FEATURES, &view.features);
	if (vhost_ioctl(v, VHOST_GET_VRING_BASE, &view.base))
		view.base.num = ~0u;
	return view;
}

TEST_F_TIMEOUT(table, states, 250)
{
	struct view before, after;
	enum state state;
	unsigned int i;

	for (state = 0; state < STATES; state++)
		for (i = 0; i < ROWS; i++) {
			ASSERT_EQ(0, enter(&self->v, state)) {
				TH_LOG("%s", state_names[state]);
			}
			before = look(&self->v);
			EXPECT_EQ(rows[i].want[state], call(&self->v, &rows[i])) {
				TH_LOG("%s: %s", state_names[state], rows[i].name);
			}
			after = look(&self->v);
			if (rows[i].want[state]) {
				EXPECT_EQ(0, memcmp(&before, &after, sizeof(before))) {
					TH_LOG("%s: %s, refused, changed something",
					       state_names[state], rows[i].name);
				}
			}
		}
}

/* A child with the same file: what is the owner's is refused, the rest is not. */
TEST_F_TIMEOUT(table, not_the_owner, 250)
{
	int status, want, got;
	unsigned int i;
	pid_t pid;

	for (i = 0; i < ROWS; i++) {
		ASSERT_EQ(0, enter(&self->v, NEGOTIATED));
		want = rows[i].want[OPENED] == -EPERM ? -EPERM : rows[i].want[NEGOTIATED];
		pid = fork();
		if (!pid)
			_exit(-call(&self->v, &rows[i]));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		got = -WEXITSTATUS(status);
		EXPECT_EQ(want, got) {
			TH_LOG("%s: %s", state_names[STATES], rows[i].name);
		}
	}
}

TEST_F(table, gone)
{
	unsigned int i;

	ASSERT_EQ(0, enter(&self->v, RUNNING));
	ASSERT_EQ(0, device_del(NAME));
	for (i = 0; i < ROWS; i++) {
		EXPECT_EQ(-ENODEV, call(&self->v, &rows[i])) {
			TH_LOG("gone: %s", rows[i].name);
		}
	}
}

/* The kernel must not follow the pointer, nor act before it has the argument. */
TEST_F_TIMEOUT(table, bad_pointers, 60)
{
	struct view before, after;
	unsigned int i;

	ASSERT_EQ(0, enter(&self->v, NEGOTIATED));
	before = look(&self->v);
	for (i = 0; i < ROWS; i++) {
		bool log = rows[i].cmd == VHOST_SET_LOG_BASE || rows[i].cmd == VHOST_SET_LOG_FD;

		if (rows[i].cmd == VHOST_SET_OWNER || rows[i].cmd == VHOST_VDPA_SUSPEND ||
		    rows[i].cmd == VHOST_VDPA_RESUME || log)
			continue;
		EXPECT_EQ(-EFAULT, vhost_ioctl(&self->v, rows[i].cmd, (void *)1)) {
			TH_LOG("%s", rows[i].name);
		}
		EXPECT_EQ(-EFAULT, vhost_ioctl(&self->v, rows[i].cmd, (void *)~0ul)) {
			TH_LOG("%s", rows[i].name);
		}
	}
	after = look(&self->v);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

static volatile bool changing;

static void *change_index(void *arg)
{
	volatile struct vhost_vring_state *state = arg;

	while (changing) {
		state->index = 0;
		state->index = UINT32_MAX;
	}
	return NULL;
}

/* Fault 9: the index is what it was when it was checked, whatever it becomes meanwhile. */
TEST_F_TIMEOUT(table, index_changes_meanwhile, 60)
{
	struct vhost_vring_state state = { .num = 1 };
	unsigned int i, done = 0;
	pthread_t thread;

	ASSERT_EQ(0, enter(&self->v, NEGOTIATED));
	changing = true;
	ASSERT_EQ(0, pthread_create(&thread, NULL, change_index, &state));
	for (i = 0; i < 20000; i++) {
		int err = vhost_ioctl(&self->v, VHOST_SET_VRING_BASE, &state);

		done += !err;
		if (err)
			ASSERT_EQ(-ENOBUFS, err);
	}
	changing = false;
	pthread_join(thread, NULL);
	/* or it did not change */
	EXPECT_LT(0, done);
	EXPECT_GT(20000, done);
}

TEST_F_TIMEOUT(table, queues_that_are_none, 60)
{
	static const uint32_t bad[] = { 3, 0x8000, 0xffff, 0x10000, 0x80000000, 0xffffffff };
	enum state state;
	unsigned int i, j;
	union arg arg;

	for (state = OPENED; state < STATES; state++) {
		ASSERT_EQ(0, enter(&self->v, state));
		for (i = 0; i < sizeof(vring_rows) / sizeof(vring_rows[0]); i++)
			for (j = 0; j < sizeof(bad) / sizeof(bad[0]); j++) {
				arg = any;
				arg.state.index = bad[j];
				EXPECT_EQ(state == OPENED ? -EPERM : -ENOBUFS,
					  vhost_ioctl(&self->v, vring_rows[i].cmd, &arg)) {
					TH_LOG("%s: %s of %#x", state_names[state],
					       vring_rows[i].name, bad[j]);
				}
			}
	}
}

#ifdef __x86_64__
/* An ioctl by the system call of 32-bit processes. */
static int ioctl32(int fd, unsigned long cmd, void *arg)
{
	long ret;

	asm volatile("int $0x80" : "=a" (ret)
		     : "a" (54l), "b" ((long)fd), "c" (cmd), "d" (arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

TEST_F(table, compat)
{
	union arg *arg = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	unsigned int i;

	ASSERT_NE(MAP_FAILED, arg);
	ASSERT_EQ(0, enter(&self->v, OPENED));
	ASSERT_EQ(0, ioctl32(self->v.fd, VHOST_VDPA_GET_DEVICE_ID, arg));
	EXPECT_EQ(VIRTIO_ID_NET, arg->state.index);
	for (i = 0; i < ROWS; i++) {
		if (rows[i].arg.file.fd == ITSELF || rows[i].arg.fd == ITSELF)
			continue;
		ASSERT_EQ(0, enter(&self->v, NEGOTIATED));
		*arg = rows[i].arg;
		EXPECT_EQ(rows[i].want[NEGOTIATED], ioctl32(self->v.fd, rows[i].cmd, arg)) {
			TH_LOG("compat: %s", rows[i].name);
		}
	}
	munmap(arg, 4096);
}
#endif

TEST_HARNESS_MAIN
