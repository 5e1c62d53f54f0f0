/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VDPA_SIM_BLK_FILE_H
#define _VDPA_SIM_BLK_FILE_H

#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/workqueue.h>
#include <uapi/linux/virtio_blk.h>

struct netlink_ext_ack;

/**
 * struct blk_file - a file or block device that holds a disk's content
 * @file: open while there is a disk on it
 * @bytes: its size when it was opened
 * @block: least unit of direct I/O, bytes; 0 if it cannot be done
 * @direct: past the page cache
 */
struct blk_file {
	struct file *file;
	u64 bytes;
	u32 block;
	bool direct;
};

/**
 * struct blk_io - something to be done to a file
 * @work: does it
 * @iocb: does it later
 * @file: which
 * @done: called once when it is, in any context
 * @type: VIRTIO_BLK_T_*
 * @pos: first byte
 * @len: bytes, all that @pages have
 * @stable: a write is on the medium when it is done
 * @ranges: of a discard or write of zeroes
 * @nr: entries of @ranges or @pages
 * @pages: data of a read or write
 * @err: 0 or -errno, when it is done
 */
struct blk_io {
	struct work_struct work;
	struct kiocb iocb;
	const struct blk_file *file;
	void (*done)(struct blk_io *io);
	u32 type;
	u64 pos;
	u32 len;
	bool stable;
	struct virtio_blk_discard_write_zeroes *ranges;
	unsigned int nr;
	struct bio_vec *pages;
	int err;
};

int blk_file_open(struct blk_file *file, const char *path, bool read_only,
		  struct netlink_ext_ack *extack);
void blk_file_close(struct blk_file *file);
bool blk_file_can_zero(const struct blk_file *file);
void blk_io_submit(struct blk_io *io);
int blk_file_init(void);
void blk_file_exit(void);

#endif /* _VDPA_SIM_BLK_FILE_H */
