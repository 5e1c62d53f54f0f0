// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block device simulator: a disk whose content is in a file or on a block device.
 *
 * I/O is asynchronous: work items begin it, several at a time. Past the page cache where
 * the file can do that in blocks as small as the disk's; a flush reaches the medium either
 * way.
 */
#include <linux/blkdev.h>
#include <linux/cleanup.h>
#include <linux/falloc.h>
#include <linux/mm.h>
#include <linux/netlink.h>
#include <linux/stat.h>
#include <linux/uio.h>
#include "blk.h"
#include "blk_file.h"

/* of all disks: writing their data back is how memory is reclaimed */
static struct workqueue_struct *blk_file_wq;

/* The least unit of direct I/O, or 0 if the file has none, or does not tell. */
static u32 direct_block(struct file *file)
{
	struct inode *inode = file_inode(file);
	struct kstat stat;

	if (!(file->f_mode & FMODE_CAN_ODIRECT))
		return 0;
	if (S_ISBLK(inode->i_mode))
		return bdev_logical_block_size(file_bdev(file));
	if (vfs_getattr(&file->f_path, &stat, STATX_DIOALIGN, 0) ||
	    !(stat.result_mask & STATX_DIOALIGN))
		return 0;
	/* data is in whole pages of memory */
	return stat.dio_mem_align <= PAGE_SIZE ? stat.dio_offset_align : 0;
}

/**
 * blk_file_open() - open what holds a disk's content
 * @file: filled
 * @path: as the caller of the netlink command sees it
 * @read_only: it is not to be written
 * @extack: what is wrong with it
 *
 * A block device is claimed, so that nothing else writes to it.
 *
 * Context: Process context.
 * Return: 0; -EINVAL for what is neither file nor block device; what open(2) returns.
 */
int blk_file_open(struct blk_file *file, const char *path, bool read_only,
		  struct netlink_ext_ack *extack)
{
	struct file *opened;
	umode_t mode;

	opened = filp_open(path, O_LARGEFILE | O_EXCL | (read_only ? O_RDONLY : O_RDWR), 0);
	if (IS_ERR(opened)) {
		NL_SET_ERR_MSG(extack, "the backing file cannot be opened");
		return PTR_ERR(opened);
	}
	mode = file_inode(opened)->i_mode;
	if ((!S_ISREG(mode) && !S_ISBLK(mode)) || !opened->f_op->read_iter ||
	    (!read_only && !opened->f_op->write_iter)) {
		NL_SET_ERR_MSG(extack, "the backing file is neither a file nor a block device");
		fput(opened);
		return -EINVAL;
	}
	file->file = opened;
	file->bytes = i_size_read(opened->f_mapping->host);
	file->block = direct_block(opened);
	return 0;
}

/**
 * blk_file_close() - undo blk_file_open()
 * @file: file without I/O
 */
void blk_file_close(struct blk_file *file)
{
	fput(file->file);
}

/**
 * blk_file_can_zero() - tell if parts of a file can be given back
 * @file: file
 *
 * Return: discards and writes of zeroes may work.
 */
bool blk_file_can_zero(const struct blk_file *file)
{
	return file->file->f_op->fallocate;
}

static void io_end(struct blk_io *io, int err)
{
	io->err = err;
	io->done(io);
}

/* All or nothing: a disk knows no end of file. */
static void rw_end(struct blk_io *io, long ret)
{
	io_end(io, ret == io->len ? 0 : ret < 0 ? ret : -EIO);
}

static void rw_complete(struct kiocb *iocb, long ret)
{
	/* vfs_iocb_iter_write() began it */
	if (iocb->ki_flags & IOCB_WRITE)
		kiocb_end_write(iocb);
	rw_end(container_of(iocb, struct blk_io, iocb), ret);
}

static void io_rw(struct blk_io *io)
{
	struct file *file = io->file->file;
	bool write = io->type == VIRTIO_BLK_T_OUT;
	struct kiocb *iocb = &io->iocb;
	struct iov_iter iter;
	ssize_t ret;

	init_sync_kiocb(iocb, file);
	iocb->ki_pos = io->pos;
	iocb->ki_complete = rw_complete;
	if (io->file->direct)
		iocb->ki_flags |= IOCB_DIRECT;
	if (write)
		iocb->ki_flags |= IOCB_WRITE | (io->stable ? IOCB_DSYNC : 0);
	iov_iter_bvec(&iter, write ? ITER_SOURCE : ITER_DEST, io->pages, io->nr, io->len);
	ret = write ? vfs_iocb_iter_write(file, iocb, &iter) :
		      vfs_iocb_iter_read(file, iocb, &iter);
	/* else @io may be gone */
	if (ret != -EIOCBQUEUED)
		rw_end(io, ret);
}

/* Write zeroes where the file has no better way. */
static int write_zeroes(const struct blk_file *file, loff_t pos, u64 len)
{
	struct bio_vec zeroes[16];
	struct iov_iter iter;
	unsigned int i;
	ssize_t ret;
	size_t part;

	for (i = 0; i < ARRAY_SIZE(zeroes); i++)
		bvec_set_page(&zeroes[i], ZERO_PAGE(0), PAGE_SIZE, 0);
	for (; len; len -= part) {
		part = min_t(u64, len, ARRAY_SIZE(zeroes) * PAGE_SIZE);
		iov_iter_bvec(&iter, ITER_SOURCE, zeroes, ARRAY_SIZE(zeroes), part);
		ret = vfs_iter_write(file->file, &iter, &pos, 0);
		if (ret != part)
			return ret < 0 ? ret : -EIO;
		cond_resched();
	}
	return 0;
}

/*
 * A discard is advice, of which a file that cannot follow it takes no notice. What is
 * written with zeroes is given back only if the driver says so.
 */
static int zero_range(const struct blk_io *io,
		      const struct virtio_blk_discard_write_zeroes *range)
{
	bool discard = io->type == VIRTIO_BLK_T_DISCARD;
	loff_t pos = le64_to_cpu(range->sector) << BLK_SECTOR_SHIFT;
	u64 len = (u64)le32_to_cpu(range->num_sectors) << BLK_SECTOR_SHIFT;
	int mode = FALLOC_FL_ZERO_RANGE, err;

	if (!len)
		return 0;
	if (discard || range->flags)
		mode = FALLOC_FL_PUNCH_HOLE;
	err = vfs_fallocate(io->file->file, mode | FALLOC_FL_KEEP_SIZE, pos, len);
	if (err != -EOPNOTSUPP)
		return err;
	return discard ? 0 : write_zeroes(io->file, pos, len);
}

static int io_zero(const struct blk_io *io)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < io->nr; i++)
		err = zero_range(io, &io->ranges[i]);
	if (!err && io->stable)
		err = vfs_fsync(io->file->file, 1);
	return err;
}

static void io_work(struct work_struct *work)
{
	struct blk_io *io = container_of(work, struct blk_io, work);

	switch (io->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		io_rw(io);
		break;
	case VIRTIO_BLK_T_FLUSH:
		io_end(io, vfs_fsync(io->file->file, 1));
		break;
	default:
		io_end(io, io_zero(io));
	}
}

/**
 * blk_io_submit() - begin something
 * @io: all set up; not to be touched until it is done
 *
 * Context: Any context.
 */
void blk_io_submit(struct blk_io *io)
{
	INIT_WORK(&io->work, io_work);
	queue_work(blk_file_wq, &io->work);
}

/* Return: 0 or -ENOMEM. */
int __init blk_file_init(void)
{
	blk_file_wq = alloc_workqueue("vdpa_sim_blk", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return blk_file_wq ? 0 : -ENOMEM;
}

/* No disk is left. */
void blk_file_exit(void)
{
	destroy_workqueue(blk_file_wq);
}
