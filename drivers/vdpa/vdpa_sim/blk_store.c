// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block device simulator: the content of a disk, in pages that exist once written.
 *
 * Callers have checked that [pos, pos + len) is inside the disk.
 */
#include <linux/cleanup.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "blk.h"

/**
 * blk_store_create() - make an empty disk
 * @bytes: its size
 *
 * Return: the store with one reference, or NULL.
 */
struct blk_store *blk_store_create(u64 bytes)
{
	struct blk_store *store = kzalloc(sizeof(*store), GFP_KERNEL);

	if (!store)
		return NULL;
	store->bytes = bytes;
	kref_init(&store->ref);
	init_rwsem(&store->lock);
	xa_init(&store->pages);
	return store;
}

static void blk_store_release(struct kref *ref)
{
	struct blk_store *store = container_of(ref, struct blk_store, ref);
	struct page *page;
	unsigned long index;

	xa_for_each(&store->pages, index, page)
		__free_page(page);
	xa_destroy(&store->pages);
	kfree(store);
}

/**
 * blk_store_put() - drop a reference
 * @store: store or NULL
 */
void blk_store_put(struct blk_store *store)
{
	if (store)
		kref_put(&store->ref, blk_store_release);
}

/* How much of [@pos, @pos + @len) lies in the page of @pos. */
static size_t in_page(u64 pos, u64 len)
{
	return min_t(u64, len, PAGE_SIZE - offset_in_page(pos));
}

/**
 * blk_store_read() - copy to a request's buffers
 * @store: disk
 * @pos: first byte
 * @len: bytes
 * @chain: where to; has room
 *
 * Context: Process context, within a burst.
 * Return: 0, or -errno when the ring broke.
 */
int blk_store_read(struct blk_store *store, u64 pos, u64 len,
		   struct vdpa_chain *chain)
{
	struct page *page;
	ssize_t moved;
	size_t part;

	guard(rwsem_read)(&store->lock);

	for (; len; pos += part, len -= part) {
		part = in_page(pos, len);
		page = xa_load(&store->pages, pos >> PAGE_SHIFT);
		if (page)
			moved = vdpa_chain_push(chain, page_address(page) +
						offset_in_page(pos), part);
		else
			moved = vdpa_chain_zero(chain, part);
		if (moved < 0)
			return moved;
	}
	return 0;
}

/* The page of @pos, made when it is not there. */
static struct page *page_to_write(struct blk_store *store, u64 pos)
{
	unsigned long index = pos >> PAGE_SHIFT;
	struct page *page = xa_load(&store->pages, index);
	struct page *other;

	if (page)
		return page;

	page = alloc_page(GFP_NOIO | __GFP_ZERO);
	if (!page)
		return NULL;

	other = xa_cmpxchg(&store->pages, index, NULL, page, GFP_NOIO);
	if (!other)
		return page;

	/* another device of the store was first, or there is no memory */
	__free_page(page);
	return xa_is_err(other) ? NULL : other;
}

/**
 * blk_store_write() - copy from a request's buffers
 * @store: disk
 * @pos: first byte
 * @len: bytes
 * @chain: where from; has that much
 *
 * Context: Process context, within a burst.
 * Return: 0; -ENOMEM, with part of it written; or -errno when the ring broke.
 */
int blk_store_write(struct blk_store *store, u64 pos, u64 len,
		    struct vdpa_chain *chain)
{
	struct page *page;
	ssize_t moved;
	size_t part;

	guard(rwsem_read)(&store->lock);

	for (; len; pos += part, len -= part) {
		part = in_page(pos, len);
		page = page_to_write(store, pos);
		if (!page)
			return -ENOMEM;
		moved = vdpa_chain_pull(chain, page_address(page) +
					offset_in_page(pos), part);
		if (moved < 0)
			return moved;
	}
	return 0;
}

/**
 * blk_store_zero() - make a range read as zeroes
 * @store: disk
 * @pos: first byte
 * @len: bytes
 * @unmap: give memory back
 *
 * Context: Process context. May sleep.
 */
void blk_store_zero(struct blk_store *store, u64 pos, u64 len, bool unmap)
{
	struct page *page;
	unsigned long index;
	u64 from, end;

	if (!len)
		return;

	guard(rwsem_write)(&store->lock);

	/* only pages that exist are visited, however large the range */
	xa_for_each_range(&store->pages, index, page, pos >> PAGE_SHIFT,
			  (pos + len - 1) >> PAGE_SHIFT) {
		from = max(pos, (u64)index << PAGE_SHIFT);
		end = min(pos + len, ((u64)index + 1) << PAGE_SHIFT);

		if (unmap && end - from == PAGE_SIZE) {
			xa_erase(&store->pages, index);
			__free_page(page);
		} else {
			memset(page_address(page) + offset_in_page(from), 0,
			       end - from);
		}
	}
}
