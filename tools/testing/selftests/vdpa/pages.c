// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "device.h"
#include "pages.h"

/* Both at once, as far as the kernel can: who pins and unpins meanwhile is not seen. */
static void vmstat(const char *one, const char *other, long *value, long *other_value)
{
	char name[64];
	FILE *file;
	long found;

	/* every processor counts for itself; this adds them up */
	write_file("/proc/sys/vm/stat_refresh", "1");
	*value = *other_value = -1;
	file = fopen("/proc/vmstat", "r");
	while (file && fscanf(file, "%63s %ld", name, &found) == 2) {
		if (!strcmp(name, one))
			*value = found;
		if (!strcmp(name, other))
			*other_value = found;
	}
	if (file)
		fclose(file);
}

long pages_vmstat(const char *key)
{
	long value, none;

	vmstat(key, "", &value, &none);
	return value;
}

long pages_pinned(void)
{
	long acquired, released;

	vmstat("nr_foll_pin_acquired", "nr_foll_pin_released", &acquired, &released);
	return acquired - released;
}

long pages_vm_pin(void)
{
	char line[256];
	long kb = -1;
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmPin: %ld kB", &kb) == 1)
			break;
	if (file)
		fclose(file);
	return kb;
}

bool pages_by_pinning(void)
{
	char value = 'Y';
	int fd = open("/sys/module/vdpa_sim/parameters/use_va", O_RDONLY);

	if (fd >= 0) {
		if (read(fd, &value, 1) != 1)
			value = 'Y';
		close(fd);
	}
	return value == 'N';
}
