// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "device.h"
#include "pages.h"

long pages_vmstat(const char *key)
{
	char name[64];
	long value, found = -1;
	FILE *file;

	/* every processor counts for itself; this adds them up */
	write_file("/proc/sys/vm/stat_refresh", "1");
	file = fopen("/proc/vmstat", "r");
	while (file && fscanf(file, "%63s %ld", name, &value) == 2)
		if (!strcmp(name, key))
			found = value;
	if (file)
		fclose(file);
	return found;
}

long pages_pinned(void)
{
	return pages_vmstat("nr_foll_pin_acquired") - pages_vmstat("nr_foll_pin_released");
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
