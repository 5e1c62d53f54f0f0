// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices in network namespaces: what the administrator of one sees and may change, and where
 * devices go when it dies. A namespace is a socket that was opened in it: the family answers
 * by the socket's.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "device.h"
#include "net.h"
#include "nl.h"
#include "kselftest_harness.h"

#define NET "vdpasim_net"

static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 };

/* A namespace, with a file that stands for it and a socket in it. */
struct space {
	int fd;
	struct nl nl;
};

/* Return: false unless it is there, with the caller back in its own. */
static bool space_open(struct space *space)
{
	int own = open("/proc/self/ns/net", O_RDONLY);
	bool well = own >= 0 && !unshare(CLONE_NEWNET);

	if (well) {
		space->fd = open("/proc/self/ns/net", O_RDONLY);
		well = space->fd >= 0 && nl_open(&space->nl);
		well = !setns(own, CLONE_NEWNET) && well;
	}
	close(own);
	return well;
}

static void space_close(struct space *space)
{
	nl_close(&space->nl);
	close(space->fd);
}

struct seen {
	int messages;
	char names[4][32];
	int netns;		/* of the last, or -1 */
};

static void see(const struct nlattr **attrs, const struct nlmsghdr *msg, void *data)
{
	struct seen *seen = data;

	if (attrs[VDPA_ATTR_DEV_NAME] && seen->messages < 4)
		snprintf(seen->names[seen->messages], 32, "%s",
			 mnl_attr_get_str(attrs[VDPA_ATTR_DEV_NAME]));
	seen->netns = attrs[VDPA_ATTR_DEV_NETNS_ID] ?
		      (int)mnl_attr_get_u32(attrs[VDPA_ATTR_DEV_NETNS_ID]) : -1;
	seen->messages++;
}

static struct seen seen;

static int ask(struct nl *nl, uint8_t cmd, const char *name)
{
	memset(&seen, 0, sizeof(seen));
	nl_start(nl, cmd, !name);
	if (name)
		mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_NAME, name);
	return nl_send(nl, see, &seen);
}

static void start_change(struct nl *nl, const char *name)
{
	nl_start(nl, VDPA_CMD_DEV_ATTR_SET, false);
	mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_NAME, name);
}

static int move(struct nl *nl, const char *name, uint32_t fd)
{
	start_change(nl, name);
	mnl_attr_put_u32(nl->request, VDPA_ATTR_DEV_NETNS_FD, fd);
	return nl_send(nl, NULL, NULL);
}

static int set_mac(struct nl *nl, const char *name)
{
	start_change(nl, name);
	mnl_attr_put(nl->request, VDPA_ATTR_DEV_NET_CFG_MACADDR, sizeof(mac), mac);
	return nl_send(nl, NULL, NULL);
}

static int set_driver(struct nl *nl, const char *name)
{
	start_change(nl, name);
	mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_DRIVER, "none");
	return nl_send(nl, NULL, NULL);
}

static int create(struct nl *nl, const char *name, int fd)
{
	nl_start(nl, VDPA_CMD_DEV_NEW, false);
	mnl_attr_put_strz(nl->request, VDPA_ATTR_MGMTDEV_DEV_NAME, NET);
	mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_NAME, name);
	mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_DRIVER, "none");
	if (fd >= 0)
		mnl_attr_put_u32(nl->request, VDPA_ATTR_DEV_NETNS_FD, fd);
	return nl_send(nl, NULL, NULL);
}

static int delete(struct nl *nl, const char *name)
{
	return nl_about(nl, VDPA_CMD_DEV_DEL, VDPA_ATTR_DEV_NAME, name);
}

FIXTURE(spaces) {
	struct nl nl;
	struct space a, b;
};

FIXTURE_SETUP(spaces)
{
	ASSERT_TRUE(nl_open(&self->nl));
	ASSERT_TRUE(space_open(&self->a));
	ASSERT_TRUE(space_open(&self->b));
	ASSERT_EQ(0, create(&self->nl, "host", -1));
	ASSERT_EQ(0, create(&self->nl, "in-a", self->a.fd));
	ASSERT_EQ(0, create(&self->nl, "in-b", self->b.fd));
}

FIXTURE_TEARDOWN(spaces)
{
	EXPECT_EQ(0, nl_about(&self->nl, VDPA_CMD_DEV_DEL, VDPA_ATTR_MGMTDEV_DEV_NAME, NET));
	space_close(&self->a);
	space_close(&self->b);
	nl_close(&self->nl);
}

TEST_F(spaces, each_sees_its_own)
{
	static const uint8_t commands[] = {
		VDPA_CMD_DEV_GET, VDPA_CMD_DEV_CONFIG_GET, VDPA_CMD_DEV_VSTATS_GET,
	};
	int i;

	ASSERT_EQ(0, ask(&self->a.nl, VDPA_CMD_DEV_GET, NULL));
	EXPECT_EQ(1, seen.messages);
	EXPECT_STREQ("in-a", seen.names[0]);
	EXPECT_EQ(-1, seen.netns);
	ASSERT_EQ(0, ask(&self->b.nl, VDPA_CMD_DEV_CONFIG_GET, NULL));
	EXPECT_EQ(1, seen.messages);
	EXPECT_STREQ("in-b", seen.names[0]);
	EXPECT_EQ(0, ask(&self->a.nl, VDPA_CMD_DEV_GET, "in-a"));
	EXPECT_EQ(0, ask(&self->a.nl, VDPA_CMD_DEV_CONFIG_GET, "in-a"));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-ENODEV, ask(&self->a.nl, commands[i], "in-b"));
		EXPECT_EQ(-ENODEV, ask(&self->a.nl, commands[i], "host"));
	}
	/* nobody tells a foreign name from one that does not exist */
	EXPECT_STREQ("no device of that name", self->a.nl.text);
	EXPECT_EQ(-ENODEV, ask(&self->a.nl, VDPA_CMD_DEV_GET, "nobody"));
	EXPECT_STREQ("no device of that name", self->a.nl.text);
	EXPECT_EQ(0, ask(&self->nl, VDPA_CMD_DEV_GET, NULL));
	EXPECT_EQ(3, seen.messages);
}

static int dump_queues(struct nl *nl, const char *name)
{
	memset(&seen, 0, sizeof(seen));
	nl_start(nl, VDPA_CMD_QUEUE_GET, true);
	mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_NAME, name);
	return nl_send(nl, see, &seen) ?: seen.messages;
}

TEST_F(spaces, queues_of_its_own)
{
	EXPECT_EQ(3, dump_queues(&self->a.nl, "in-a"));
	EXPECT_EQ(-ENODEV, dump_queues(&self->a.nl, "in-b"));
	EXPECT_EQ(3, dump_queues(&self->nl, "in-b"));
}

/* Numbers of namespaces are the requester's, one each, and stay. */
TEST_F(spaces, the_host_is_told_where)
{
	int a;

	ASSERT_EQ(0, ask(&self->nl, VDPA_CMD_DEV_GET, "host"));
	EXPECT_EQ(-1, seen.netns);
	ASSERT_EQ(0, ask(&self->nl, VDPA_CMD_DEV_GET, "in-a"));
	EXPECT_LE(0, seen.netns);
	a = seen.netns;
	ASSERT_EQ(0, ask(&self->nl, VDPA_CMD_DEV_GET, "in-b"));
	EXPECT_LE(0, seen.netns);
	EXPECT_NE(a, seen.netns);
	ASSERT_EQ(0, move(&self->nl, "host", self->a.fd));
	ASSERT_EQ(0, ask(&self->nl, VDPA_CMD_DEV_GET, "host"));
	EXPECT_EQ(a, seen.netns);
}

TEST_F(spaces, management_devices_are_the_hosts)
{
	EXPECT_EQ(0, ask(&self->a.nl, VDPA_CMD_MGMTDEV_GET, NULL));
	EXPECT_EQ(0, seen.messages);
	EXPECT_EQ(-ENODEV, create(&self->a.nl, "new", -1));
	EXPECT_EQ(-ENODEV, nl_about(&self->a.nl, VDPA_CMD_MGMTDEV_GET,
				    VDPA_ATTR_MGMTDEV_DEV_NAME, NET));
	EXPECT_EQ(-ENODEV, nl_about(&self->a.nl, VDPA_CMD_DEV_DEL,
				    VDPA_ATTR_MGMTDEV_DEV_NAME, NET));
	EXPECT_FALSE(device_exists("new"));
	EXPECT_TRUE(device_exists("in-a"));
}

TEST_F(spaces, moved)
{
	int host = open("/proc/self/ns/net", O_RDONLY);

	ASSERT_LE(0, host);
	ASSERT_EQ(0, move(&self->nl, "host", self->a.fd));
	EXPECT_EQ(0, ask(&self->a.nl, VDPA_CMD_DEV_GET, "host"));
	ASSERT_EQ(0, move(&self->nl, "host", self->b.fd));
	EXPECT_EQ(-ENODEV, ask(&self->a.nl, VDPA_CMD_DEV_GET, "host"));
	EXPECT_EQ(0, ask(&self->b.nl, VDPA_CMD_DEV_GET, "host"));
	/* one that was moved is the host's to take back */
	ASSERT_EQ(0, move(&self->nl, "host", host));
	EXPECT_EQ(-ENODEV, ask(&self->b.nl, VDPA_CMD_DEV_GET, "host"));
	ASSERT_EQ(0, ask(&self->nl, VDPA_CMD_DEV_GET, "host"));
	EXPECT_EQ(-1, seen.netns);
	close(host);
	/* and to delete, wherever it is; as the host's administrator in that namespace may */
	EXPECT_EQ(0, delete(&self->nl, "in-a"));
	EXPECT_EQ(-ENODEV, delete(&self->b.nl, "host"));
	EXPECT_EQ(0, delete(&self->b.nl, "in-b"));
}

TEST_F(spaces, no_namespace)
{
	int file = open("/proc/self/status", O_RDONLY);

	ASSERT_LE(0, file);
	EXPECT_EQ(-EBADF, move(&self->nl, "host", 1000));
	EXPECT_EQ(VDPA_ATTR_DEV_NETNS_FD, self->nl.bad_attr);
	EXPECT_EQ(-EINVAL, move(&self->nl, "host", file));
	EXPECT_EQ(-EINVAL, create(&self->nl, "new", file));
	EXPECT_FALSE(device_exists("new"));
	EXPECT_EQ(0, ask(&self->nl, VDPA_CMD_DEV_GET, "host"));
	EXPECT_EQ(-1, seen.netns);
	/* a refusal leaves no wish behind */
	EXPECT_EQ(-EEXIST, create(&self->nl, "host", self->a.fd));
	EXPECT_EQ(0, create(&self->nl, "next", -1));
	EXPECT_EQ(-ENODEV, ask(&self->a.nl, VDPA_CMD_DEV_GET, "next"));
	close(file);
}

/* A device of a namespace that somebody else than the host's administrator owns. */
struct tenant {
	int ready[2], go[2];
	pid_t pid;
};

/* what the tenant finds, as the number of the line that it did not expect, or 0 */
static int be_tenant(struct tenant *tenant)
{
	struct nl nl;
	char byte;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) || !nl_open(&nl))
		return __LINE__;
	if (write(tenant->ready[1], "r", 1) != 1 || read(tenant->go[0], &byte, 1) != 1)
		return __LINE__;
	if (ask(&nl, VDPA_CMD_DEV_GET, NULL) || seen.messages != 1)
		return __LINE__;
	if (set_mac(&nl, "theirs"))
		return __LINE__;
	if (set_mac(&nl, "host") != -ENODEV)
		return __LINE__;
	if (set_driver(&nl, "theirs") != -EPERM || !strstr(nl.text, "host administrator"))
		return __LINE__;
	if (move(&nl, "theirs", 0) != -EPERM)
		return __LINE__;
	if (delete(&nl, "theirs") != -EPERM || create(&nl, "more", -1) != -EPERM)
		return __LINE__;
	/* statistics may be read; there are none before FEATURES_OK */
	nl_start(&nl, VDPA_CMD_DEV_VSTATS_GET, false);
	mnl_attr_put_strz(nl.request, VDPA_ATTR_DEV_NAME, "theirs");
	mnl_attr_put_u32(nl.request, VDPA_ATTR_DEV_QUEUE_INDEX, 0);
	if (nl_send(&nl, NULL, NULL) != -EAGAIN)
		return __LINE__;
	return 0;
}

TEST_F(spaces, owned_by_a_tenant)
{
	struct tenant tenant;
	char path[64], byte;
	int fd, status;

	ASSERT_EQ(0, pipe(tenant.ready));
	ASSERT_EQ(0, pipe(tenant.go));
	tenant.pid = fork();
	if (!tenant.pid)
		_exit(be_tenant(&tenant) % 255);
	close(tenant.ready[1]);
	ASSERT_EQ(1, read(tenant.ready[0], &byte, 1));
	snprintf(path, sizeof(path), "/proc/%d/ns/net", tenant.pid);
	fd = open(path, O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, create(&self->nl, "theirs", fd));
	close(fd);
	ASSERT_EQ(1, write(tenant.go[1], "g", 1));
	ASSERT_EQ(tenant.pid, waitpid(tenant.pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(device_exists("theirs"));
	close(tenant.ready[0]);
	close(tenant.go[0]);
	close(tenant.go[1]);
}

static bool is_back(const void *data)
{
	struct nl *nl = (void *)data;

	return !ask(nl, VDPA_CMD_DEV_GET, "wanderer") && seen.netns == -1;
}

/* The namespace's end comes when its last file is closed, some time afterwards. */
TEST_F(spaces, back_when_one_dies)
{
	struct space space, other;
	int i, j;

	for (i = 0; i < 5; i++) {
		ASSERT_TRUE(space_open(&space));
		ASSERT_EQ(0, i % 2 ? move(&self->nl, "wanderer", space.fd) :
				     create(&self->nl, "wanderer", space.fd));
		ASSERT_EQ(0, ask(&space.nl, VDPA_CMD_DEV_GET, "wanderer"));
		space_close(&space);
		EXPECT_TRUE(wait_until(is_back, &self->nl, 20));
		/* nor is it another's, whose memory may be the dead one's */
		for (j = 0; j < 5; j++) {
			ASSERT_TRUE(space_open(&other));
			EXPECT_EQ(-ENODEV, ask(&other.nl, VDPA_CMD_DEV_GET, "wanderer"));
			space_close(&other);
		}
		if (i % 2)
			ASSERT_EQ(0, delete(&self->nl, "wanderer"));
	}
	ASSERT_EQ(0, ask(&self->nl, VDPA_CMD_DEV_GET, "in-a"));
	EXPECT_LE(0, seen.netns);
}

/* Namespaces die while devices come, are asked for and go. */
TEST_F(spaces, death_under_load)
{
	int i, status;
	pid_t asker = fork();

	if (!asker) {
		struct nl nl;

		for (i = 0; nl_open(&nl) && i < 300; i++) {
			ask(&nl, VDPA_CMD_DEV_GET, NULL);
			ask(&nl, VDPA_CMD_DEV_GET, "passing");
			nl_close(&nl);
		}
		_exit(i != 300);
	}
	for (i = 0; i < 60; i++) {
		struct space space;

		ASSERT_TRUE(space_open(&space));
		ASSERT_EQ(0, create(&self->nl, "passing", space.fd));
		space_close(&space);
		ASSERT_EQ(0, delete(&self->nl, "passing"));
	}
	ASSERT_EQ(asker, waitpid(asker, &status, 0));
	EXPECT_EQ(0, status);
}

#define LOG 512

static void note(const struct nlmsghdr *msg, uint8_t cmd, void *data)
{
	const struct nlattr *attr;
	char *log = data;

	mnl_attr_for_each(attr, msg, 4)
		if (mnl_attr_get_type(attr) == VDPA_ATTR_DEV_NAME)
			snprintf(log + strlen(log), LOG - strlen(log), "%d:%s ", cmd,
				 mnl_attr_get_str(attr));
}

/* Return: commands and names of the notifications that have come. */
static const char *heard(struct nl *nl)
{
	static char log[LOG];

	log[0] = 0;
	nl_hear(nl, note, log);
	return log;
}

TEST_F(spaces, told_of_its_own)
{
	struct nl host;

	_Static_assert(VDPA_CMD_DEV_CREATED_NTF == 130 && VDPA_CMD_DEV_DELETED_NTF == 131 &&
		       VDPA_CMD_DEV_LINK_NTF == 135, "numbers below");
	ASSERT_TRUE(nl_open(&host));
	ASSERT_EQ(0, nl_listen(&self->a.nl));
	ASSERT_EQ(0, nl_listen(&self->b.nl));
	ASSERT_EQ(0, nl_listen(&host));

	ASSERT_EQ(0, create(&self->nl, "new", self->a.fd));
	ASSERT_EQ(0, nl_set_link(&self->nl, "new", 0));
	EXPECT_STREQ("130:new 135:new ", heard(&self->a.nl));
	EXPECT_STREQ("", heard(&self->b.nl));
	EXPECT_STREQ("130:new 135:new ", heard(&host));

	ASSERT_EQ(0, move(&self->nl, "new", self->b.fd));
	EXPECT_STREQ("131:new ", heard(&self->a.nl));
	EXPECT_STREQ("130:new ", heard(&self->b.nl));
	EXPECT_STREQ("", heard(&host));

	ASSERT_EQ(0, delete(&self->nl, "new"));
	EXPECT_STREQ("", heard(&self->a.nl));
	EXPECT_STREQ("131:new ", heard(&self->b.nl));
	EXPECT_STREQ("131:new ", heard(&host));
	nl_close(&host);
}

TEST_HARNESS_MAIN
