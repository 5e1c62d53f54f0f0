// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block device simulator: the content of a disk in memory, in pages that exist once
 * written.
 *
 * Readers and writers take no lock: pages are freed by RCU, and a request of a driver
 * does not sleep while it uses one, as no page fault is taken in a burst. Two requests
 * for the same sectors at the same time have no order, here as on any disk.
 *
 * Callers have checked that [pos, pos + len) is inside the disk.
 */
#include <linux/cleanup.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "blk_store.h"

/* A leaf is a page of pointers, so that few levels lead to it. */
#define LEAF_PAGES (PAGE_SIZE / sizeof(struct page *))
#define LEAF_BYTES (LEAF_PAGES * PAGE_SIZE)

/**
 * struct blk_leaf - the pages of an aligned part of the disk
 * @pages: those that exist
 */
struct blk_leaf {
	struct page __rcu *pages[LEAF_PAGES];
};

/**
 * struct blk_store - a disk's content
 * @bytes: size; constant
 * @ref: one per device
 * @lock: held while pages and leaves come and go
 * @leaves: struct blk_leaf by position; one that is absent reads as zeroes. They stay.
 * @nr_pages: how many pages exist
 */
struct blk_store {
	u64 bytes;
	struct kref ref;
	struct mutex lock; /* see above */
	struct xarray leaves;
	unsigned long nr_pages;
};

/**
 * blk_store_create() - make an empty disk
 * @bytes: its size
 *
 * Return: the store with one reference, or NULL.
 */
struct blk_store *blk_store_create(u64 bytes)
{
	struct blk_store *store = kzalloc(sizeof(*store), GFP_KERNEL_ACCOUNT);

	if (!store)
		return NULL;
	store->bytes = bytes;
	kref_init(&store->ref);
	mutex_init(&store->lock);
	xa_init(&store->leaves);
	return store;
}

/* Another device has the same disk. */
struct blk_store *blk_store_get(struct blk_store *store)
{
	kref_get(&store->ref);
	return store;
}

u64 blk_store_bytes(const struct blk_store *store)
{
	return store->bytes;
}

static void blk_store_release(struct kref *ref)
{
	struct blk_store *store = container_of(ref, struct blk_store, ref);
	struct blk_leaf *leaf;
	struct page *page;
	unsigned long index;
	unsigned int i;

	/* nobody has it any more: nothing to wait for */
	xa_for_each(&store->leaves, index, leaf) {
		for (i = 0; i < LEAF_PAGES; i++) {
			page = rcu_dereference_protected(leaf->pages[i], true);
			if (page)
				__free_page(page);
		}
		free_page((unsigned long)leaf);
	}
	xa_destroy(&store->leaves);
	mutex_destroy(&store->lock);
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

static unsigned int leaf_slot(u64 pos)
{
	return (pos >> PAGE_SHIFT) % LEAF_PAGES;
}

/* The page of @pos, or NULL. */
static struct page *find_page(struct blk_store *store, struct blk_hint *hint, u64 pos)
{
	unsigned long index = div_u64(pos, LEAF_BYTES);

	if (!hint->leaf || hint->index != index) {
		hint->leaf = xa_load(&store->leaves, index);
		hint->index = index;
		if (!hint->leaf)
			return NULL;
	}
	return rcu_dereference(hint->leaf->pages[leaf_slot(pos)]);
}

/**
 * blk_store_read() - copy to a request's buffers
 * @store: disk
 * @hint: where the caller's last request was; all zeroes at first
 * @pos: first byte
 * @len: bytes
 * @chain: where to; has room
 *
 * Context: Process context, within a burst.
 * Return: 0; -EAGAIN, or -errno when the ring broke.
 */
int blk_store_read(struct blk_store *store, struct blk_hint *hint, u64 pos, u64 len,
		   struct vdpa_chain *chain)
{
	struct page *page;
	ssize_t moved;
	size_t part;

	guard(rcu)();

	for (; len; pos += part, len -= part) {
		part = in_page(pos, len);
		page = find_page(store, hint, pos);
		if (likely(page))
			moved = vdpa_chain_push(chain, page_address(page) +
						offset_in_page(pos), part);
		else
			moved = vdpa_chain_zero(chain, part);
		if (unlikely(moved < 0))
			return moved;
	}
	return 0;
}

/* Make the page of @pos, unless another was first. Return: 0 or -ENOMEM. */
static int make_page(struct blk_store *store, u64 pos)
{
	struct page *page = alloc_page(GFP_NOIO | __GFP_ZERO | __GFP_ACCOUNT);
	unsigned long index = div_u64(pos, LEAF_BYTES);
	struct page __rcu **slot;
	struct blk_leaf *leaf;
	int err = 0;

	if (!page)
		return -ENOMEM;

	guard(mutex)(&store->lock);
	leaf = xa_load(&store->leaves, index);
	if (!leaf) {
		leaf = (void *)__get_free_page(GFP_NOIO | __GFP_ZERO | __GFP_ACCOUNT);
		if (leaf)
			err = xa_err(xa_store(&store->leaves, index, leaf, GFP_NOIO));
		if (!leaf || err) {
			free_page((unsigned long)leaf);
			__free_page(page);
			return -ENOMEM;
		}
	}
	slot = &leaf->pages[leaf_slot(pos)];
	if (rcu_access_pointer(*slot)) {
		__free_page(page);
		return 0;
	}
	rcu_assign_pointer(*slot, page);
	store->nr_pages++;
	return 0;
}

/* Copy what lies in one page. Return: bytes, 0 if there is no page, or -errno. */
static ssize_t write_page(struct blk_store *store, struct blk_hint *hint, u64 pos,
			  size_t part, struct vdpa_chain *chain)
{
	struct page *page;

	guard(rcu)();
	page = find_page(store, hint, pos);
	if (unlikely(!page))
		return 0;
	return vdpa_chain_pull(chain, page_address(page) + offset_in_page(pos), part);
}

/**
 * blk_store_write() - copy from a request's buffers
 * @store: disk
 * @hint: where the caller's last request was; all zeroes at first
 * @pos: first byte
 * @len: bytes
 * @chain: where from; has that much
 *
 * Context: Process context, within a burst. May sleep.
 * Return: 0; -ENOMEM, with part of it written; -EAGAIN, or -errno when the ring broke.
 */
int blk_store_write(struct blk_store *store, struct blk_hint *hint, u64 pos, u64 len,
		    struct vdpa_chain *chain)
{
	ssize_t moved;
	size_t part;
	int err;

	while (len) {
		part = in_page(pos, len);
		moved = write_page(store, hint, pos, part, chain);
		if (unlikely(moved < 0))
			return moved;
		if (unlikely(!moved)) {
			err = make_page(store, pos);
			if (err)
				return err;
		}
		pos += moved;
		len -= moved;
	}
	return 0;
}

static void free_page_rcu(struct rcu_head *head)
{
	__free_page(container_of(head, struct page, rcu_head));
}

/* Give the page of a slot back, if there is one, once nobody uses it any more. */
static void drop_page(struct blk_store *store, struct page __rcu **slot)
{
	struct page *page;

	lockdep_assert_held(&store->lock);
	page = rcu_replace_pointer(*slot, NULL, lockdep_is_held(&store->lock));
	if (!page)
		return;
	store->nr_pages--;
	call_rcu(&page->rcu_head, free_page_rcu);
}

/* Make part of a page read as zeroes, and all of it go if @unmap. */
static void zero_in_page(struct blk_store *store, struct page __rcu **slot, size_t off,
			 size_t len, bool unmap)
{
	struct page *page = rcu_dereference_protected(*slot, lockdep_is_held(&store->lock));

	if (!page)
		return;
	if (unmap && len == PAGE_SIZE)
		drop_page(store, slot);
	else
		memset(page_address(page) + off, 0, len);
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
	unsigned long index = div_u64(pos, LEAF_BYTES);
	u64 end = pos + len;
	struct blk_leaf *leaf;
	size_t part;

	guard(mutex)(&store->lock);

	while (pos < end) {
		/* only leaves that exist are visited, however large the range */
		leaf = xa_find(&store->leaves, &index, ULONG_MAX, XA_PRESENT);
		if (!leaf)
			return;
		pos = max(pos, (u64)index * LEAF_BYTES);
		for (; pos < end && div_u64(pos, LEAF_BYTES) == index; pos += part) {
			part = in_page(pos, end - pos);
			zero_in_page(store, &leaf->pages[leaf_slot(pos)],
				     offset_in_page(pos), part, unmap);
		}
		index++;
	}
}

/**
 * blk_store_used() - tell how much memory a disk has
 * @store: disk
 *
 * Return: bytes of the pages that were written and not given back.
 */
u64 blk_store_used(struct blk_store *store)
{
	return (u64)READ_ONCE(store->nr_pages) << PAGE_SHIFT;
}
