/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/vhost-vdpa-N: what goes beyond linux/vhost.h and linux/vhost_types.h. Backend
 * features count from 48 here, ioctls from number 0xC0.
 */
#ifndef _UAPI_LINUX_VHOST_VDPA_H
#define _UAPI_LINUX_VHOST_VDPA_H

/*
 * A write of IOTLB messages fails with the reason for which its first message could not
 * be served, rather than with EFAULT for all of them:
 *
 *	EPERM	the writer is not the owner
 *	EINVAL	an address space, range, permission or type that cannot be
 *	EEXIST	something is mapped there already
 *	ENOSPC	too many maps
 *	ENOMEM	out of memory, RLIMIT_MEMLOCK counted
 *	EFAULT	no memory at those addresses, or none that can be mapped
 *	EACCES	the memory cannot be written to
 *
 * or the device's own error. An update of nothing but memory that cannot be mapped for
 * this device is such a failure then, too; otherwise it is skipped without a word.
 */
#define VHOST_BACKEND_F_IOTLB_ERRNO 48

#endif /* _UAPI_LINUX_VHOST_VDPA_H */
