// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "device.h"
#include "nl.h"

#define BUS "/sys/bus/vdpa/"

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

long read_number(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return text[0] ? atol(text) : -1;
}

int device_create(const char *name, const char *mgmtdev, const struct wish *wishes,
		  char *why)
{
	const char *slash = strchr(mgmtdev, '/');
	const struct wish *wish;
	char bus[32];
	struct nl nl;
	int err;

	if (!nl_open(&nl))
		return -EPROTO;
	nl_start(&nl, VDPA_CMD_DEV_NEW, false);
	if (slash) {
		snprintf(bus, sizeof(bus), "%.*s", (int)(slash - mgmtdev), mgmtdev);
		mnl_attr_put_strz(nl.request, VDPA_ATTR_MGMTDEV_BUS_NAME, bus);
	}
	mnl_attr_put_strz(nl.request, VDPA_ATTR_MGMTDEV_DEV_NAME,
			  slash ? slash + 1 : mgmtdev);
	mnl_attr_put_strz(nl.request, VDPA_ATTR_DEV_NAME, name);
	for (wish = wishes; wish && wish->attr; wish++) {
		if (wish->text)
			mnl_attr_put_strz(nl.request, wish->attr, wish->text);
		else if (wish->bytes)
			mnl_attr_put(nl.request, wish->attr, wish->size, wish->bytes);
		else
			mnl_attr_put(nl.request, wish->attr, wish->size, &wish->number);
	}
	err = nl_send(&nl, NULL, NULL);
	if (why)
		snprintf(why, DEVICE_WHY, "%s", nl.text);
	else if (err)
		fprintf(stderr, "# dev add %s: %s (%s)\n", name, strerror(-err), nl.text);
	nl_close(&nl);
	return err;
}

int device_add(const char *name, const char *mgmtdev)
{
	return device_create(name, mgmtdev, NULL, NULL);
}

int device_add_net(const char *name, const uint8_t *mac, uint16_t max_vqp)
{
	const struct wish wishes[] = {
		{ VDPA_ATTR_DEV_NET_CFG_MACADDR, 6, .bytes = mac },
		{ max_vqp ? VDPA_ATTR_DEV_NET_CFG_MAX_VQP : 0, 2, max_vqp },
		{},
	};

	return device_create(name, "vdpasim_net", wishes, NULL);
}

int device_del(const char *name)
{
	struct nl nl;
	int err;

	if (!nl_open(&nl))
		return -EPROTO;
	err = nl_about(&nl, VDPA_CMD_DEV_DEL, VDPA_ATTR_DEV_NAME, name);
	nl_close(&nl);
	return err;
}

bool device_exists(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), BUS "devices/%s", name);
	return !access(path, F_OK);
}

int device_unbind(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), BUS "devices/%s/driver/unbind", name);
	return write_file(path, name);
}

/* Give it to a driver, whoever has it now. */
int device_bind(const char *name, const char *driver)
{
	char path[512], *to;
	int err;

	snprintf(path, sizeof(path), BUS "devices/%s/driver_override", name);
	err = write_file(path, driver);
	if (err)
		return err;
	device_unbind(name);
	err = write_file(BUS "drivers_probe", name);
	if (err)
		return err;
	snprintf(path, sizeof(path), BUS "devices/%s/driver", name);
	to = realpath(path, NULL);
	err = to && !strcmp(basename(to), driver) ? 0 : -ENODEV;
	free(to);
	return err;
}

bool device_child(const char *name, const char *kind, char *child, size_t size)
{
	char pattern[512];
	glob_t found;
	bool there;

	snprintf(pattern, sizeof(pattern), BUS "devices/%s/%s%s", name, kind,
		 strchr(kind, '*') ? "" : "/*");
	there = !glob(pattern, 0, NULL, &found) && found.gl_pathc;
	if (there)
		snprintf(child, size, "%s", basename(found.gl_pathv[0]));
	globfree(&found);
	return there;
}

bool vhost_node(const char *name, char *path, size_t size)
{
	char child[128];

	if (!device_child(name, "vhost-vdpa-*", child, sizeof(child)))
		return false;
	snprintf(path, size, "/dev/%s", child);
	return true;
}

bool wait_until(bool (*done)(const void *), const void *data, int seconds)
{
	int i;

	for (i = 0; i < seconds * 100; i++) {
		if (done(data))
			return true;
		usleep(10000);
	}
	return false;
}
