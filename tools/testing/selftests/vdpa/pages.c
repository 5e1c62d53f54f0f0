// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>
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
