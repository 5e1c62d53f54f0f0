// SPDX-License-Identifier: GPL-2.0-only
/*
 * The administrator's work: many devices listed, created and deleted; what others wait for
 * meanwhile.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "bench.h"
#include "device.h"
#include "nl.h"

#define BUS "/sys/bus/vdpa/"
#define DEVICES 1000
#define PAIRS 500
#define SLOW_PAIRS 20
#define SECONDS 5

static void autoprobe(bool on)
{
	must(write_file(BUS "drivers_autoprobe", on ? "1" : "0"), "drivers_autoprobe");
}

static void dump(void)
{
	char name[32];
	double start;
	struct nl nl;
	int i, turn;

	autoprobe(false);
	if (!nl_open(&nl))
		die("netlink");
	for (i = 0; i < DEVICES; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		must(device_add(name, "vdpasim_net"), "dev add");
	}
	nl_count(&nl, VDPA_CMD_DEV_GET);
	start = now();
	for (turn = 0; turn < 10; turn++)
		if (nl_count(&nl, VDPA_CMD_DEV_GET) != DEVICES)
			die("dump");
	report("dump.1000", (now() - start) / 10 * 1000, "ms");
	for (i = 0; i < DEVICES; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		must(device_del(name), "dev del");
	}
	nl_close(&nl);
	autoprobe(true);
}

/* One after the other, on a socket that stays. */
static void pair(struct nl *nl, const char *name, const char *mgmtdev)
{
	nl_start(nl, VDPA_CMD_DEV_NEW, false);
	mnl_attr_put_strz(nl->request, VDPA_ATTR_MGMTDEV_DEV_NAME, mgmtdev);
	mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_NAME, name);
	must(nl_send(nl, NULL, NULL), "dev add");
	nl_start(nl, VDPA_CMD_DEV_DEL, false);
	mnl_attr_put_strz(nl->request, VDPA_ATTR_DEV_NAME, name);
	must(nl_send(nl, NULL, NULL), "dev del");
}

static void pairs(const char *figure, int count)
{
	double start;
	struct nl nl;
	int i;

	if (!nl_open(&nl))
		die("netlink");
	pair(&nl, "p", "vdpasim_net");
	start = now();
	for (i = 0; i < count; i++)
		pair(&nl, "p", "vdpasim_net");
	report(figure, count / (now() - start), "pairs/s");
	nl_close(&nl);
}

static void pairs_none(void)
{
	autoprobe(false);
	pairs("pairs.none", PAIRS);
	autoprobe(true);
}

static void pairs_vhost(void)
{
	/* a new device goes to the first driver, which is the other one */
	if (system("rmmod virtio_vdpa"))
		die("rmmod virtio_vdpa");
	pairs("pairs.vhost", PAIRS);
	if (system("insmod $VIRTIO_VDPA"))
		die("insmod $VIRTIO_VDPA");
}

static void pairs_virtio(void)
{
	pairs("pairs.virtio", SLOW_PAIRS);
}

/* Two management devices at once, with drivers that take their time. */

static atomic_bool stop;

struct maker {
	const char *mgmtdev;
	const char *name;
	int done;
};

static void *make(void *data)
{
	struct maker *maker = data;
	struct nl nl;

	if (!nl_open(&nl))
		die("netlink");
	while (!stop) {
		pair(&nl, maker->name, maker->mgmtdev);
		maker->done++;
	}
	nl_close(&nl);
	return NULL;
}

static void parallel(void)
{
	struct maker makers[2] = { { "vdpasim_net", "n" }, { "vdpasim_blk", "b" } };
	pthread_t threads[2];
	int i;

	stop = false;
	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, make, &makers[i]);
	sleep(SECONDS);
	stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	report("pairs.parallel", (makers[0].done + makers[1].done) / (double)SECONDS, "pairs/s");
}

/* What somebody waits who only asks, while another creates and deletes. */
static void latency(void)
{
	struct maker maker = { "vdpasim_net", "n" };
	double start, took, longest = 0, begin;
	pthread_t thread;
	struct nl nl;

	if (!nl_open(&nl))
		die("netlink");
	autoprobe(false);
	must(device_add("asked", "vdpasim_blk"), "dev add");
	autoprobe(true);
	stop = false;
	pthread_create(&thread, NULL, make, &maker);
	for (begin = now(); now() - begin < SECONDS;) {
		start = now();
		nl_start(&nl, VDPA_CMD_DEV_GET, false);
		mnl_attr_put_strz(nl.request, VDPA_ATTR_DEV_NAME, "asked");
		must(nl_send(&nl, NULL, NULL), "dev get");
		took = now() - start;
		longest = took > longest ? took : longest;
		usleep(1000);
	}
	stop = true;
	pthread_join(thread, NULL);
	report("get.longest", longest * 1000, "ms");
	must(device_del("asked"), "dev del");
	nl_close(&nl);
}

static const struct bench_figure figures[] = {
	{ "dump", dump },
	{ "pairsnone", pairs_none },
	{ "pairsvhost", pairs_vhost },
	{ "pairsvirtio", pairs_virtio },
	{ "parallel", parallel },
	{ "latency", latency },
	{},
};

int main(int argc, char **argv)
{
	return bench_main(argc, argv, figures);
}
