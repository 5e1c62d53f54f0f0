// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once, on the same few devices: they are created, deleted, bound and unbound, and
 * given to namespaces that die, while processes open them, map, kick, poll, mmap, fork, exit and
 * are killed. What a step returns does not matter; that each kind of step also succeeds now and
 * then, that everybody comes to an end, and that nothing is left, does. The kernel looks on.
 *
 *	race-stress SECONDS SEED [partly]
 *
 * for so long, and where a machine is slow until each kind of step has succeeded: ten times as long
 * at most. "partly" when there is somebody else who keeps steps from succeeding.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/vdpa.h>
#include <linux/virtio_config.h>
#include "device.h"
#include "net.h"
#include "nl.h"
#include "pages.h"
#include "vhost.h"

#define DEVICES 3
#define BIT(n) (1ull << (n))

static const char *const names[DEVICES] = { "r0", "r1", "r2" };

enum step {
	CREATE, DELETE, DELETE_ALL, BIND, UNBIND, REASSIGN, MOVE, DUMP, CONFIG, LINK,
	OPEN, DRIVE, MAP, UNMAP, BATCH, KICK, POLL, MMAP, FORK, RESET, SUSPEND, KILLED,
	STEPS
};

static const char *const words[STEPS] = {
	"create", "delete", "delete all", "bind", "unbind", "reassign", "move to a namespace", "dump",
	"read configuration", "set link", "open", "drive", "map", "unmap", "batch", "kick", "poll",
	"mmap", "fork", "reset", "suspend and resume", "kill",
};

/* shared by all processes: how often a step succeeded, and was tried */
static struct count {
	atomic_long well, tried;
} *counts;

static time_t end, latest;
static unsigned int seed;

static bool each_went_well(void)
{
	unsigned int i;

	for (i = 0; i < STEPS; i++)
		if (!counts[i].well)
			return false;
	return true;
}

static int number(int below)
{
	return rand_r(&seed) % below;
}

static const char *any_device(void)
{
	return names[number(DEVICES)];
}

static bool over(void)
{
	time_t now = time(NULL);

	return now >= latest || (now >= end && each_went_well());
}

static void note(enum step step, bool well)
{
	counts[step].tried++;
	if (well)
		counts[step].well++;
}

/* The administrator's requests */

static int create(struct nl *nl)
{
	static const char *const drivers[] = { "virtio", "vhost", "vhost", "none", "any" };
	bool disk = !number(6);

	nl_start(nl, VDPA_CMD_DEV_NEW, false);
	mnl_attr_put_strz(nl->request, VDPA_ATTR_MGMTDEV_DEV_NAME,
			  disk ? "vdpasim_blk" : "vdpasim_net");
	mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_NAME, any_device());
	mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_DRIVER, drivers[number(5)]);
	return nl_send(nl, NULL, NULL);
}

static int named(struct nl *nl, uint8_t cmd, const char *name)
{
	return nl_about(nl, cmd, VDPA_ATTR_DEV_NAME, name);
}

static int delete_all(struct nl *nl)
{
	return nl_about(nl, VDPA_CMD_DEV_DEL, VDPA_ATTR_MGMTDEV_DEV_NAME,
			number(2) ? "vdpasim_net" : "vdpasim_blk");
}

static int reassign(struct nl *nl)
{
	static const char *const drivers[] = { "virtio", "vhost", "vhost", "none" };

	nl_start(nl, VDPA_CMD_DEV_ATTR_SET, false);
	mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_NAME, any_device());
	mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_DRIVER, drivers[number(4)]);
	return nl_send(nl, NULL, NULL);
}

/* into a namespace that dies with the file */
static int move(struct nl *nl)
{
	int own = open("/proc/self/ns/net", O_RDONLY), fd = -1, err = -EINVAL;

	if (own >= 0 && !unshare(CLONE_NEWNET)) {
		fd = open("/proc/self/ns/net", O_RDONLY);
		setns(own, CLONE_NEWNET);
		nl_start(nl, VDPA_CMD_DEV_ATTR_SET, false);
		mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_NAME, any_device());
		mnl_attr_put_u32(nl->request, VDPA_ATTR_DEV_NETNS_FD, fd);
		err = nl_send(nl, NULL, NULL);
		close(fd);
	}
	close(own);
	return err;
}

static void administrate(void)
{
	static const uint8_t dumps[] = { VDPA_CMD_DEV_GET, VDPA_CMD_DEV_CONFIG_GET, VDPA_CMD_MGMTDEV_GET };
	struct nl nl;

	if (!nl_open(&nl))
		_exit(1);
	while (!over()) {
		static const enum step often[] = { CREATE, CREATE, REASSIGN, DUMP };
		enum step step = number(2) ? number(LINK + 1) : often[number(4)];

		switch (step) {
		case CREATE: note(step, !create(&nl)); break;
		case DELETE: note(step, !named(&nl, VDPA_CMD_DEV_DEL, any_device())); break;
		case DELETE_ALL: if (!number(10)) note(step, !delete_all(&nl)); break;
		case BIND: note(step, !device_bind(any_device(), number(3) ? "vhost_vdpa" : "virtio_vdpa")); break;
		case UNBIND: note(step, !device_unbind(any_device())); break;
		case REASSIGN: note(step, !reassign(&nl)); break;
		case MOVE: note(step, !move(&nl)); break;
		case DUMP: note(step, nl_count(&nl, dumps[number(3)]) >= 0); break;
		case CONFIG: note(step, !named(&nl, VDPA_CMD_DEV_CONFIG_GET, any_device())); break;
		default: note(step, !nl_set_link(&nl, any_device(), number(2))); break;
		}
		/* time for others to find a device as it is */
		usleep(1000 * number(40));
	}
	nl_close(&nl);
	_exit(0);
}

/* Processes that use devices */

static int message(struct net *net, uint8_t type)
{
	uint64_t page = number(512);

	return vhost_message(&net->vhost, type, 0x80000000ull + page * 4096,
			     (1 + number(8)) * 4096,
			     (uintptr_t)net->vhost.memory + page * 4096, VHOST_ACCESS_RW);
}

static bool batch(struct net *net)
{
	bool well = !vhost_message(&net->vhost, VHOST_IOTLB_BATCH_BEGIN, 0, 0, 0, 0);
	int i;

	for (i = 0; i < 8; i++)
		message(net, number(2) ? VHOST_IOTLB_UPDATE : VHOST_IOTLB_INVALIDATE);
	return !vhost_message(&net->vhost, VHOST_IOTLB_BATCH_END, 0, 0, 0, 0) && well;
}

static bool forks(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid;
}

static void act(struct net *net, enum step step)
{
	static const uint8_t to[6] = { 255, 255, 255, 255, 255, 255 };
	struct pollfd poller = { .fd = net->vhost.fd, .events = POLLIN };
	void *doorbell;

	switch (step) {
	case DRIVE: note(step, !net_transmit(net, to, 60)); break;
	case MAP: note(step, !message(net, VHOST_IOTLB_UPDATE)); break;
	case UNMAP: note(step, !message(net, VHOST_IOTLB_INVALIDATE)); break;
	case BATCH: note(step, batch(net)); break;
	case KICK: vring_kick(&net->tx); note(step, true); break;
	case POLL: note(step, poll(&poller, 1, 1) >= 0); break;
	case MMAP:
		/* simulators have no doorbells: the refusal is the way that is raced with */
		doorbell = mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, net->vhost.fd, 0);
		note(step, doorbell == MAP_FAILED);
		break;
	case FORK: note(step, forks()); break;
	case RESET:
		if (!number(4))
			note(step, !vhost_set_status(&net->vhost, 0));
		break;
	default:
		note(SUSPEND, !ioctl(net->vhost.fd, VHOST_VDPA_SUSPEND) &&
			      !ioctl(net->vhost.fd, VHOST_VDPA_RESUME));
	}
}

/* One session, until something ends it. */
static void use_once(void)
{
	struct net net;
	int i, err = net_start(&net, any_device(), BIT(VIRTIO_F_VERSION_1) | BIT(17));

	note(OPEN, !err);
	if (err) {
		usleep(1000);
		return;
	}
	for (i = 0; i < 40 && !over(); i++)
		act(&net, DRIVE + number(SUSPEND - DRIVE + 1));
	net_stop(&net);
}

static void use(void)
{
	while (!over())
		use_once();
	_exit(0);
}

/* starts processes that use devices, and kills them in the midst of it */
static void kill_users(void)
{
	while (!over()) {
		pid_t pid = fork();

		if (!pid) {
			seed += getpid();
			use();
		}
		usleep(1000 * number(60));
		note(KILLED, !kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
	}
	_exit(0);
}

static void (*const workers[])(void) = {
	administrate, administrate, use, use, kill_users,
};

#define WORKERS (sizeof(workers) / sizeof(workers[0]))

static bool all_gone(const void *data)
{
	struct nl *nl = (void *)data;
	int i;

	for (i = 0; i < DEVICES; i++)
		if (device_exists(names[i]))
			named(nl, VDPA_CMD_DEV_DEL, names[i]);
	for (i = 0; i < DEVICES; i++)
		if (device_exists(names[i]))
			return false;
	return true;
}

int main(int argc, char **argv)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	pid_t pids[WORKERS];
	struct nl nl;
	int status, bad = 0;
	unsigned int i;
	long pinned, total = 0;

	if (argc < 3 || !nl_open(&nl)) {
		fprintf(stderr, "usage: race-stress SECONDS SEED [partly]\n");
		return 2;
	}
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	pinned = pages_pinned();
	counts = mmap(NULL, sizeof(*counts) * STEPS, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		return 1;
	end = time(NULL) + atoi(argv[1]);
	latest = argc == 3 ? end + 9 * atoi(argv[1]) : end;
	for (i = 0; i < WORKERS; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			seed = atoi(argv[2]) + i;
			workers[i]();
		}
	}
	for (i = 0; i < WORKERS; i++)
		if (waitpid(pids[i], &status, 0) != pids[i] || status) {
			printf("worker %u ended with status %#x\n", i, status);
			bad++;
		}
	for (i = 0; i < STEPS; i++) {
		printf("# %s: %ld of %ld\n", words[i], counts[i].well, counts[i].tried);
		total += counts[i].tried;
		if (argc == 3 && !counts[i].well) {
			printf("never well: %s\n", words[i]);
			bad++;
		}
	}
	printf("# %ld steps, seed %s\n", total, argv[2]);
	if (!wait_until(all_gone, &nl, 10)) {
		printf("devices stay\n");
		bad++;
	}
	if (pages_pinned() != pinned) {
		printf("%ld pages stay pinned\n", pages_pinned() - pinned);
		bad++;
	}
	return bad != 0;
}
