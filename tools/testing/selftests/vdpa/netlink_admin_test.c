// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the family "vdpa" does beyond stock: devices for a bus driver, names that the kernel
 * chooses, what is restricted to a management device, the state of devices and queues,
 * notifications.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include "device.h"
#include "net.h"
#include "nl.h"
#include "pages.h"
#include "kselftest_harness.h"

#define NET "vdpasim_net"
#define BLK "vdpasim_blk"
#define BIT(n) (1ull << (n))
#define UP (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)

static const struct wish for_virtio[] = { { VDPA_ATTR_DEV_DRIVER, .text = "virtio" }, {} };
static const struct wish for_vhost[] = { { VDPA_ATTR_DEV_DRIVER, .text = "vhost" }, {} };
static const struct wish for_none[] = { { VDPA_ATTR_DEV_DRIVER, .text = "none" }, {} };
static const struct wish for_any[] = { { VDPA_ATTR_DEV_DRIVER, .text = "any" }, {} };

/* The last message of an answer. */
struct said {
	int messages;
	bool has[256];
	uint64_t number[256];
	char string[256][64];
};

static void keep(const struct nlattr **attrs, const struct nlmsghdr *msg, void *data)
{
	struct said *said = data;
	int i, len;

	said->messages++;
	memset(said->has, 0, sizeof(said->has));
	for (i = 0; i < 256; i++) {
		if (!attrs[i])
			continue;
		said->has[i] = true;
		len = mnl_attr_get_payload_len(attrs[i]);
		said->number[i] = 0;
		memcpy(&said->number[i], mnl_attr_get_payload(attrs[i]), len < 8 ? len : 8);
		snprintf(said->string[i], 64, "%.*s", len,
			 (char *)mnl_attr_get_payload(attrs[i]));
	}
}

FIXTURE(admin) {
	struct nl nl;
	struct said said;
};

FIXTURE_SETUP(admin)
{
	ASSERT_TRUE(nl_open(&self->nl));
}

static int request(struct nl *nl, uint8_t cmd, bool dump, uint16_t attr, const char *text,
		   struct said *said)
{
	nl_start(nl, cmd, dump);
	if (attr)
		mnl_attr_put_strz(nl->request, attr, text);
	return nl_send(nl, said ? keep : NULL, said);
}

static int get(struct nl *nl, const char *name, struct said *said)
{
	memset(said, 0, sizeof(*said));
	return request(nl, VDPA_CMD_DEV_GET, false, VDPA_ATTR_DEV_NAME, name, said);
}

static int set_driver(struct nl *nl, uint8_t cmd, uint16_t attr, const char *name,
		      const char *driver)
{
	nl_start(nl, cmd, false);
	mnl_attr_put_strz(nl->request, attr, name);
	mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_DRIVER, driver);
	return nl_send(nl, NULL, NULL);
}

static int change(struct nl *nl, const char *name, const char *driver)
{
	return set_driver(nl, VDPA_CMD_DEV_ATTR_SET, VDPA_ATTR_DEV_NAME, name, driver);
}

static int set_default(struct nl *nl, const char *mgmtdev, const char *driver)
{
	return set_driver(nl, VDPA_CMD_MGMTDEV_SET, VDPA_ATTR_MGMTDEV_DEV_NAME, mgmtdev, driver);
}

FIXTURE_TEARDOWN(admin)
{
	set_default(&self->nl, NET, "any");
	request(&self->nl, VDPA_CMD_DEV_DEL, false, VDPA_ATTR_MGMTDEV_DEV_NAME, NET, NULL);
	request(&self->nl, VDPA_CMD_DEV_DEL, false, VDPA_ATTR_MGMTDEV_DEV_NAME, BLK, NULL);
	nl_close(&self->nl);
}

static bool bound_to(struct nl *nl, const char *name, const char *driver)
{
	static struct said said;

	if (get(nl, name, &said))
		return false;
	return driver ? said.has[VDPA_ATTR_DEV_BOUND_DRIVER] &&
			!strcmp(driver, said.string[VDPA_ATTR_DEV_BOUND_DRIVER]) :
			!said.has[VDPA_ATTR_DEV_BOUND_DRIVER];
}

static void read_override(const char *name, char *text, size_t size)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/bus/vdpa/devices/%s/driver_override", name);
	text[0] = 0;
	file = fopen(path, "r");
	if (file && fgets(text, size, file))
		text[strcspn(text, "\n")] = 0;
	if (file)
		fclose(file);
}

/* Nobody binds or unbinds. Both modules are loaded. */
TEST_F(admin, created_for_a_driver)
{
	char text[64];

	ASSERT_EQ(0, device_create("a-virtio", NET, for_virtio, NULL));
	EXPECT_TRUE(bound_to(&self->nl, "a-virtio", "virtio_vdpa"));
	ASSERT_EQ(0, device_create("a-vhost", BLK, for_vhost, NULL));
	EXPECT_TRUE(bound_to(&self->nl, "a-vhost", "vhost_vdpa"));
	ASSERT_EQ(0, device_create("a-none", NET, for_none, NULL));
	EXPECT_TRUE(bound_to(&self->nl, "a-none", NULL));
	ASSERT_EQ(0, device_create("a-any", NET, for_any, NULL));
	EXPECT_FALSE(bound_to(&self->nl, "a-any", NULL));

	/* what sysfs has to say about it agrees */
	read_override("a-vhost", text, sizeof(text));
	EXPECT_STREQ("vhost_vdpa", text);
	read_override("a-any", text, sizeof(text));
	EXPECT_STREQ("(null)", text);
	ASSERT_EQ(0, get(&self->nl, "a-vhost", &self->said));
	EXPECT_STREQ("vhost", self->said.string[VDPA_ATTR_DEV_DRIVER]);
	ASSERT_EQ(0, get(&self->nl, "a-none", &self->said));
	EXPECT_STREQ("none", self->said.string[VDPA_ATTR_DEV_DRIVER]);
	ASSERT_EQ(0, get(&self->nl, "a-any", &self->said));
	EXPECT_FALSE(self->said.has[VDPA_ATTR_DEV_DRIVER]);
	ASSERT_EQ(0, write_file("/sys/bus/vdpa/devices/a-any/driver_override", "other"));
	ASSERT_EQ(0, get(&self->nl, "a-any", &self->said));
	EXPECT_STREQ("other", self->said.string[VDPA_ATTR_DEV_DRIVER]);
}

TEST_F(admin, driver_that_is_none)
{
	static const struct wish bad[] = { { VDPA_ATTR_DEV_DRIVER, .text = "vhost_vdpa" }, {} };
	static const struct wish empty[] = { { VDPA_ATTR_DEV_DRIVER, .text = "" }, {} };
	char why[DEVICE_WHY];

	EXPECT_EQ(-EINVAL, device_create("a-bad", NET, bad, why));
	EXPECT_NE(NULL, strstr(why, "virtio, vhost, vfio, none or any"));
	EXPECT_EQ(-EINVAL, device_create("a-bad", NET, empty, why));
	EXPECT_FALSE(device_exists("a-bad"));
	/* a refusal leaves no wish behind */
	ASSERT_EQ(0, device_create("a-none", NET, for_none, NULL));
	ASSERT_EQ(-EEXIST, device_create("a-none", NET, for_none, why));
	ASSERT_EQ(0, device_create("a-any", NET, NULL, NULL));
	EXPECT_FALSE(bound_to(&self->nl, "a-any", NULL));
}

/* One whose module nobody has yet is taken when it comes: nothing has it, and it is there. */
TEST_F(admin, driver_that_is_not_there)
{
	static const struct wish vfio[] = { { VDPA_ATTR_DEV_DRIVER, .text = "vfio" }, {} };

	ASSERT_EQ(0, device_create("a-vfio", NET, vfio, NULL));
	EXPECT_TRUE(bound_to(&self->nl, "a-vfio", NULL));
}

TEST_F(admin, given_to_another_driver)
{
	char node[128];
	int fd;

	ASSERT_EQ(0, device_create("a", NET, for_virtio, NULL));
	EXPECT_EQ(0, change(&self->nl, "a", "vhost"));
	EXPECT_TRUE(bound_to(&self->nl, "a", "vhost_vdpa"));
	/* also from a process that has it open */
	ASSERT_TRUE(vhost_node("a", node, sizeof(node)));
	fd = open(node, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, change(&self->nl, "a", "virtio"));
	EXPECT_TRUE(bound_to(&self->nl, "a", "virtio_vdpa"));
	close(fd);
	EXPECT_EQ(0, change(&self->nl, "a", "none"));
	EXPECT_TRUE(bound_to(&self->nl, "a", NULL));
	EXPECT_EQ(0, change(&self->nl, "a", "vhost"));
	/* the one that it has will do */
	EXPECT_EQ(0, change(&self->nl, "a", "any"));
	EXPECT_TRUE(bound_to(&self->nl, "a", "vhost_vdpa"));
	EXPECT_EQ(-EINVAL, change(&self->nl, "a", "nobody"));
	EXPECT_TRUE(bound_to(&self->nl, "a", "vhost_vdpa"));
}

TEST_F(admin, default_of_a_management_device)
{
	ASSERT_EQ(0, set_default(&self->nl, NET, "none"));
	ASSERT_EQ(0, device_create("a", NET, NULL, NULL));
	EXPECT_TRUE(bound_to(&self->nl, "a", NULL));
	/* a device's own wish goes first; other management devices have their own */
	ASSERT_EQ(0, device_create("b", NET, for_vhost, NULL));
	EXPECT_TRUE(bound_to(&self->nl, "b", "vhost_vdpa"));
	ASSERT_EQ(0, device_create("c", BLK, NULL, NULL));
	EXPECT_FALSE(bound_to(&self->nl, "c", NULL));

	ASSERT_EQ(0, request(&self->nl, VDPA_CMD_MGMTDEV_GET, false, VDPA_ATTR_MGMTDEV_DEV_NAME,
			     NET, &self->said));
	EXPECT_STREQ("none", self->said.string[VDPA_ATTR_DEV_DRIVER]);
	EXPECT_EQ(-EINVAL, set_default(&self->nl, NET, "nobody"));
	EXPECT_EQ(-EINVAL, request(&self->nl, VDPA_CMD_MGMTDEV_SET, false,
				   VDPA_ATTR_MGMTDEV_DEV_NAME, NET, NULL));
	EXPECT_EQ(-ENODEV, set_default(&self->nl, "nobody", "vhost"));
}

TEST_F(admin, name_of_the_kernels_choice)
{
	char names[3][64];
	int i;

	/* one that is taken is passed over */
	ASSERT_EQ(0, device_create("vdpa1", BLK, for_none, NULL));
	for (i = 0; i < 3; i++) {
		memset(&self->said, 0, sizeof(self->said));
		ASSERT_EQ(0, request(&self->nl, VDPA_CMD_DEV_NEW, false,
				     VDPA_ATTR_MGMTDEV_DEV_NAME, NET, &self->said));
		ASSERT_EQ(1, self->said.messages);
		strcpy(names[i], self->said.string[VDPA_ATTR_DEV_NAME]);
		EXPECT_EQ(0, strncmp(names[i], "vdpa", 4));
		EXPECT_STRNE("vdpa1", names[i]);
		EXPECT_TRUE(device_exists(names[i]));
		EXPECT_EQ(VIRTIO_ID_NET, self->said.number[VDPA_ATTR_DEV_ID]);
	}
	EXPECT_STRNE(names[0], names[1]);
	EXPECT_STRNE(names[1], names[2]);
}

static int count(struct nl *nl, uint8_t cmd, const char *mgmtdev)
{
	struct said said = {};
	int err = request(nl, cmd, true, mgmtdev ? VDPA_ATTR_MGMTDEV_DEV_NAME : 0, mgmtdev, &said);

	return err ?: said.messages;
}

TEST_F(admin, dump_of_a_management_device)
{
	char name[16];
	int i;

	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		ASSERT_EQ(0, device_create(name, i % 4 ? NET : BLK, for_none, NULL));
	}
	EXPECT_EQ(100, count(&self->nl, VDPA_CMD_DEV_GET, NULL));
	EXPECT_EQ(75, count(&self->nl, VDPA_CMD_DEV_GET, NET));
	EXPECT_EQ(25, count(&self->nl, VDPA_CMD_DEV_GET, BLK));
	EXPECT_EQ(75, count(&self->nl, VDPA_CMD_DEV_CONFIG_GET, NET));
	EXPECT_EQ(25, count(&self->nl, VDPA_CMD_DEV_CONFIG_GET, BLK));
	EXPECT_EQ(-ENODEV, count(&self->nl, VDPA_CMD_DEV_GET, "nobody"));
}

TEST_F(admin, delete_all_of_a_management_device)
{
	ASSERT_EQ(0, device_create("n0", NET, for_vhost, NULL));
	ASSERT_EQ(0, device_create("n1", NET, for_virtio, NULL));
	ASSERT_EQ(0, device_create("b0", BLK, for_none, NULL));
	/* of both it could be either */
	nl_start(&self->nl, VDPA_CMD_DEV_DEL, false);
	mnl_attr_put_strz(self->nl.request, VDPA_ATTR_MGMTDEV_DEV_NAME, NET);
	mnl_attr_put_strz(self->nl.request, VDPA_ATTR_DEV_NAME, "b0");
	EXPECT_EQ(-EINVAL, nl_send(&self->nl, NULL, NULL));
	EXPECT_EQ(3, count(&self->nl, VDPA_CMD_DEV_GET, NULL));

	EXPECT_EQ(0, request(&self->nl, VDPA_CMD_DEV_DEL, false, VDPA_ATTR_MGMTDEV_DEV_NAME, NET,
			     NULL));
	EXPECT_EQ(1, count(&self->nl, VDPA_CMD_DEV_GET, NULL));
	EXPECT_TRUE(device_exists("b0"));
	EXPECT_EQ(-ENODEV, request(&self->nl, VDPA_CMD_DEV_DEL, false,
				   VDPA_ATTR_MGMTDEV_DEV_NAME, "nobody", NULL));
}

TEST_F(admin, who_uses_a_device)
{
	struct net net;

	ASSERT_EQ(0, device_create("a", NET, for_vhost, NULL));
	ASSERT_EQ(0, get(&self->nl, "a", &self->said));
	EXPECT_TRUE(self->said.has[VDPA_ATTR_DEV_STATUS]);
	EXPECT_EQ(0, self->said.number[VDPA_ATTR_DEV_STATUS]);
	EXPECT_FALSE(self->said.has[VDPA_ATTR_DEV_OWNER_PID]);
	EXPECT_EQ(0, self->said.number[VDPA_ATTR_DEV_MAPS]);

	ASSERT_EQ(0, net_start(&net, "a", BIT(VIRTIO_F_VERSION_1)));
	ASSERT_EQ(0, get(&self->nl, "a", &self->said));
	EXPECT_EQ(UP | VIRTIO_CONFIG_S_DRIVER_OK, self->said.number[VDPA_ATTR_DEV_STATUS]);
	EXPECT_EQ(getpid(), self->said.number[VDPA_ATTR_DEV_OWNER_PID]);
	EXPECT_EQ(1, self->said.number[VDPA_ATTR_DEV_MAPS]);
	EXPECT_EQ(pages_by_pinning() ? VHOST_MEMORY / 4096 : 0,
		  self->said.number[VDPA_ATTR_DEV_PINNED_PAGES]);
	net_stop(&net);
	ASSERT_EQ(0, get(&self->nl, "a", &self->said));
	EXPECT_FALSE(self->said.has[VDPA_ATTR_DEV_OWNER_PID]);
	EXPECT_EQ(0, self->said.number[VDPA_ATTR_DEV_PINNED_PAGES]);
	EXPECT_EQ(0, self->said.number[VDPA_ATTR_DEV_MAPS]);
}

static void keep_queue(const struct nlattr **attrs, const struct nlmsghdr *msg, void *data)
{
	struct said *queues = data;
	uint32_t index = mnl_attr_get_u32(attrs[VDPA_ATTR_DEV_QUEUE_INDEX]);

	if (index < 3)
		keep(attrs, msg, &queues[index]);
}

TEST_F(admin, queues_of_a_device)
{
	static const uint8_t to[6] = { 255, 255, 255, 255, 255, 255 };
	struct said queues[3] = {};
	struct net net;
	int i;

	ASSERT_EQ(0, device_create("a", NET, for_vhost, NULL));
	ASSERT_EQ(0, net_start(&net, "a", BIT(VIRTIO_F_VERSION_1) | BIT(17)));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, net_transmit(&net, to, 60));
	nl_start(&self->nl, VDPA_CMD_QUEUE_GET, true);
	mnl_attr_put_strz(self->nl.request, VDPA_ATTR_DEV_NAME, "a");
	ASSERT_EQ(0, nl_send(&self->nl, keep_queue, queues));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, queues[i].messages);
		EXPECT_EQ(64, queues[i].number[VDPA_ATTR_DEV_QUEUE_SIZE]);
		EXPECT_EQ(1, queues[i].number[VDPA_ATTR_DEV_QUEUE_READY]);
		EXPECT_EQ(256, queues[i].number[VDPA_ATTR_DEV_MAX_VQ_SIZE]);
		EXPECT_EQ(i == 2, queues[i].number[VDPA_ATTR_DEV_QUEUE_GROUP]);
		EXPECT_EQ(0, queues[i].number[VDPA_ATTR_DEV_QUEUE_ASID]);
	}
	EXPECT_EQ(5, queues[1].number[VDPA_ATTR_DEV_QUEUE_AVAIL_INDEX]);
	EXPECT_EQ(5, queues[1].number[VDPA_ATTR_DEV_QUEUE_USED_INDEX]);
	EXPECT_EQ(5, queues[0].number[VDPA_ATTR_DEV_QUEUE_USED_INDEX]);
	EXPECT_LE(1, queues[1].number[VDPA_ATTR_DEV_QUEUE_KICKS]);
	EXPECT_LE(1, queues[1].number[VDPA_ATTR_DEV_QUEUE_INTERRUPTS]);
	net_stop(&net);

	EXPECT_EQ(-ENODEV, request(&self->nl, VDPA_CMD_QUEUE_GET, true, VDPA_ATTR_DEV_NAME,
				   "nobody", NULL));
	EXPECT_EQ(-EINVAL, request(&self->nl, VDPA_CMD_QUEUE_GET, true, 0, NULL, NULL));
}

TEST_F(admin, many_queues)
{
	const struct wish many[] = {
		{ VDPA_ATTR_DEV_NET_CFG_MAX_VQP, 2, 64 }, { VDPA_ATTR_DEV_DRIVER, .text = "none" }, {},
	};

	ASSERT_EQ(0, device_create("a", NET, many, NULL));
	memset(&self->said, 0, sizeof(self->said));
	ASSERT_EQ(0, request(&self->nl, VDPA_CMD_QUEUE_GET, true, VDPA_ATTR_DEV_NAME, "a",
			     &self->said));
	EXPECT_EQ(129, self->said.messages);
}

/* Notifications, in the order in which they come. */

#define LOG 2048

static void note(const struct nlmsghdr *msg, uint8_t cmd, void *data)
{
	static const char *const words[] = {
		"created", "deleted", "bound", "unbound", "status", "link",
	};
	const struct nlattr *attr;
	char *log = data;

	if (cmd < VDPA_CMD_DEV_CREATED_NTF || cmd > VDPA_CMD_DEV_LINK_NTF)
		return;
	snprintf(log + strlen(log), LOG - strlen(log), "%s", words[cmd - VDPA_CMD_DEV_CREATED_NTF]);
	mnl_attr_for_each(attr, msg, 4) {
		if (mnl_attr_get_type(attr) == VDPA_ATTR_DEV_NAME ||
		    mnl_attr_get_type(attr) == VDPA_ATTR_DEV_BOUND_DRIVER)
			snprintf(log + strlen(log), LOG - strlen(log), ":%s",
				 mnl_attr_get_str(attr));
		if (mnl_attr_get_type(attr) == VDPA_ATTR_DEV_STATUS ||
		    mnl_attr_get_type(attr) == VDPA_ATTR_DEV_NET_LINK)
			snprintf(log + strlen(log), LOG - strlen(log), ":%u",
				 mnl_attr_get_u8(attr));
	}
	snprintf(log + strlen(log), LOG - strlen(log), " ");
}

static const char *heard(struct nl *nl, char log[LOG])
{
	log[0] = 0;
	nl_hear(nl, note, log);
	return log;
}

TEST_F(admin, notifications)
{
	struct nl listener;
	char log[LOG];

	ASSERT_TRUE(nl_open(&listener));
	ASSERT_EQ(0, nl_listen(&listener));

	ASSERT_EQ(0, device_create("a", NET, for_vhost, NULL));
	EXPECT_STREQ("created:a bound:a:vhost_vdpa ", heard(&listener, log));

	ASSERT_EQ(0, nl_set_link(&self->nl, "a", 0));
	EXPECT_STREQ("link:a:0 ", heard(&listener, log));

	ASSERT_EQ(0, change(&self->nl, "a", "virtio"));
	heard(&listener, log);
	EXPECT_EQ(0, strncmp(log, "unbound:a ", 10));
	EXPECT_NE(NULL, strstr(log, "status:a:0 "));
	EXPECT_NE(NULL, strstr(log, "status:a:11 "));
	EXPECT_NE(NULL, strstr(log, "status:a:15 "));
	EXPECT_NE(NULL, strstr(log, "bound:a:virtio_vdpa "));

	ASSERT_EQ(0, device_del("a"));
	heard(&listener, log);
	EXPECT_NE(NULL, strstr(log, "unbound:a deleted:a "));
	nl_close(&listener);
}

/*
 * Who only asks is answered at any time: while devices are created and deleted, with drivers that
 * take their time, and one among them that a process keeps open.
 */

static atomic_bool stop;

static void *create_and_delete(void *data)
{
	const char *name = data;
	char node[128];
	int fd;

	while (!stop) {
		if (device_create(name, NET, for_virtio, NULL) || device_del(name))
			break;
		if (device_create(name, NET, for_vhost, NULL) ||
		    !vhost_node(name, node, sizeof(node)))
			break;
		fd = open(node, O_RDWR);
		if (device_del(name))
			break;
		close(fd);
	}
	return (void *)(uintptr_t)stop;
}

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

TEST_F(admin, answered_while_others_work)
{
	long begin = milliseconds(), start, longest = 0;
	pthread_t thread;
	void *well;
	int asked = 0;

	ASSERT_EQ(0, device_create("asked", BLK, for_virtio, NULL));
	stop = false;
	pthread_create(&thread, NULL, create_and_delete, "busy");
	while (milliseconds() - begin < 5000) {
		start = milliseconds();
		ASSERT_EQ(0, get(&self->nl, "asked", &self->said));
		ASSERT_LE(1, count(&self->nl, VDPA_CMD_DEV_GET, NULL));
		ASSERT_EQ(1, count(&self->nl, VDPA_CMD_DEV_GET, BLK));
		if (milliseconds() - start > longest)
			longest = milliseconds() - start;
		asked++;
	}
	stop = true;
	pthread_join(thread, &well);
	EXPECT_NE(NULL, well);
	EXPECT_LT(50, asked);
	/* a slow machine is in no hurry, but who waits for the others waits for seconds */
	EXPECT_GT(2000, longest);
}

TEST_HARNESS_MAIN
