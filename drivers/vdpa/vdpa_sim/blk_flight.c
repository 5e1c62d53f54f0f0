// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block device simulator: requests in flight, of a disk on a file.
 *
 * A burst is too short to wait for a file in it. A request is fetched in one burst, with
 * a copy of the data to be written; the file is read or written between bursts; and a
 * later burst fetches the chain once more, to complete it. Requests are completed in the
 * order in which they were fetched, so that a queue which stops leaves a ring without
 * holes: those that the driver was not told of are put back, and done again if it goes on.
 */
#include <linux/cleanup.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include "blk.h"
#include "blk_file.h"

/* memory that the requests of a queue may have, bytes; more wait in the ring */
#define FLIGHT_BYTES (4 * BLK_FILE_REQUEST_MAX)

/**
 * struct blk_request - one that was fetched
 * @link: in &blk_flight.requests
 * @flight: whose
 * @at: where in the ring it is
 * @id: of its chain
 * @descs: of its chain
 * @type: VIRTIO_BLK_T_*, or BLK_T_NONE without a header or room for an answer
 * @bytes: of its data
 * @done: it can be completed; protected by &blk_flight.lock
 * @inquiry: it is answered only then
 * @status: for the driver, when it is done
 * @io: what it does to the file
 */
struct blk_request {
	struct list_head link;
	struct blk_flight *flight;
	struct vdpa_ring_state at;
	u16 id;
	u16 descs;
	u32 type;
	u32 bytes;
	bool done;
	bool inquiry;
	u8 status;
	struct blk_io io;
};

/**
 * struct blk_flight - requests of a queue
 * @queue: which; its lock protects @requests and @bytes
 * @requests: in the order in which they were fetched
 * @bytes: of their data
 * @lock: protects @airborne. Outside of the queue's kick_lock, taken with interrupts off.
 * @airborne: how many the file is busy with
 * @landed: woken when there are none
 */
struct blk_flight {
	struct vdpa_sim_queue *queue;
	struct list_head requests;
	u32 bytes;
	spinlock_t lock; /* see above */
	unsigned int airborne;
	wait_queue_head_t landed;
};

static struct blk_flight *flight_of(struct vdpa_sim_queue *queue)
{
	return &sim_to_blk(queue->sim)->flights[queue->index];
}

static struct blk_request *request_alloc(struct blk_flight *flight,
					 const struct vdpa_ring_state *at,
					 const struct vdpa_chain *chain)
{
	struct blk_request *req = kzalloc(sizeof(*req), GFP_NOIO);

	if (!req)
		return NULL;
	req->flight = flight;
	req->at = *at;
	req->id = chain->id;
	req->descs = chain->descs;
	req->type = BLK_T_NONE;
	return req;
}

static void free_pages_of(struct blk_io *io)
{
	unsigned int i;

	for (i = 0; i < io->nr; i++)
		__free_page(io->pages[i].bv_page);
	kvfree(io->pages);
}

static void request_free(struct blk_request *req)
{
	if (req->io.pages)
		free_pages_of(&req->io);
	kfree(req->io.ranges);
	kfree(req);
}

/* Have pages for @len bytes. Return: 0 or -ENOMEM. */
static int alloc_data(struct blk_io *io, u32 len)
{
	unsigned int pages = DIV_ROUND_UP(len, PAGE_SIZE);
	struct page *page;
	u32 part;

	io->pages = kvmalloc_array(pages, sizeof(*io->pages), GFP_NOIO);
	if (!io->pages)
		return -ENOMEM;
	for (io->len = len; len; len -= part) {
		part = min_t(u32, len, PAGE_SIZE);
		page = alloc_page(GFP_NOIO | __GFP_ACCOUNT | __GFP_NOWARN);
		if (!page)
			return -ENOMEM;
		bvec_set_page(&io->pages[io->nr++], page, part, 0);
	}
	return 0;
}

/* Copy what is to be written. Return: 0 or -errno. */
static int pull_data(const struct blk_io *io, struct vdpa_chain *chain)
{
	unsigned int i;
	ssize_t moved;

	for (i = 0; i < io->nr; i++) {
		moved = vdpa_chain_pull(chain, page_address(io->pages[i].bv_page),
					io->pages[i].bv_len);
		if (moved < 0)
			return moved;
	}
	return 0;
}

/* Copy what was read, as far as there is room. Return: 0 or -errno. */
static int push_data(const struct blk_io *io, struct vdpa_chain *chain)
{
	u32 room = min(chain->in.left - 1, io->len), part;
	unsigned int i;
	ssize_t moved;

	for (i = 0; room; i++, room -= part) {
		part = min(room, io->pages[i].bv_len);
		moved = vdpa_chain_push(chain, page_address(io->pages[i].bv_page), part);
		if (moved < 0)
			return moved;
	}
	return 0;
}

/*
 * Preparing a request. Each returns 0 if the file is to do it; a status, with which it is
 * done; -EBUSY if there is no memory for it until others are completed; or -errno when the
 * ring broke or a page is absent. VIRTIO_BLK_S_OK is 0: what is done well at once is so by
 * LANDED.
 */
#define LANDED 256

/* Is there memory for @len bytes more? */
static int reserve(const struct blk_flight *flight, struct blk_request *req, u32 len)
{
	if (len > BLK_FILE_REQUEST_MAX)
		return VIRTIO_BLK_S_IOERR;
	if (flight->bytes + len > FLIGHT_BYTES && !list_empty(&flight->requests))
		return -EBUSY;
	return alloc_data(&req->io, len);
}

static int prepare_rw(struct blk_flight *flight, struct blk_request *req,
		      struct vdpa_chain *chain, u64 sector)
{
	struct vdpa_sim_blk *blk = sim_to_blk(flight->queue->sim);
	bool write = req->type == VIRTIO_BLK_T_OUT;
	u32 len = write ? chain->out.left : chain->in.left - 1;
	int err;

	if ((write && blk->read_only) || !vdpa_sim_blk_range_valid(blk, sector, len))
		return VIRTIO_BLK_S_IOERR;
	if (!len)
		return LANDED;
	err = reserve(flight, req, len);
	if (err)
		return err;
	req->bytes = len;
	req->io.pos = sector << BLK_SECTOR_SHIFT;
	return write ? pull_data(&req->io, chain) : 0;
}

static int prepare_zero(struct blk_flight *flight, struct blk_request *req,
			struct vdpa_chain *chain)
{
	struct vdpa_sim_blk *blk = sim_to_blk(flight->queue->sim);

	req->io.ranges = kmalloc_array(BLK_RANGES_MAX, sizeof(*req->io.ranges), GFP_NOIO);
	if (!req->io.ranges)
		return -ENOMEM;
	req->bytes = chain->out.left;
	return vdpa_sim_blk_ranges(blk, chain, req->type, req->io.ranges, &req->io.nr);
}

static int prepare(struct blk_flight *flight, struct blk_request *req,
		   struct vdpa_chain *chain)
{
	struct vdpa_sim_blk *blk = sim_to_blk(flight->queue->sim);
	u64 sector;
	int ret;

	/* it cannot be answered */
	if (!chain->in.left)
		return LANDED;
	ret = vdpa_sim_blk_header(chain, &req->type, &sector);
	if (ret)
		return ret;
	if (!vdpa_sim_blk_negotiated(blk, req->type))
		return VIRTIO_BLK_S_UNSUPP;
	switch (req->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		return prepare_rw(flight, req, chain, sector);
	case VIRTIO_BLK_T_FLUSH:
		return blk->read_only ? LANDED : 0;
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return prepare_zero(flight, req, chain);
	default:
		req->inquiry = true;
		return LANDED;
	}
}

/* The file is done with a request. Any context. */
static void request_done(struct blk_io *io)
{
	struct blk_request *req = container_of(io, struct blk_request, io);
	struct blk_flight *flight = req->flight;

	/* who sees under the lock that it is done may free it, and the queue */
	scoped_guard(spinlock_irqsave, &flight->lock) {
		req->status = io->err ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
		req->done = true;
		if (!--flight->airborne)
			wake_up(&flight->landed);
		vdpa_sim_queue_wake(flight->queue);
	}
}

static void take_off(struct blk_flight *flight, struct blk_request *req)
{
	struct vdpa_sim_blk *blk = sim_to_blk(flight->queue->sim);

	req->io.file = &blk->file;
	req->io.type = req->type;
	req->io.done = request_done;
	/* a driver that does not flush expects that there is no need to */
	req->io.stable = !(blk->sim.features & BIT_ULL(VIRTIO_BLK_F_FLUSH));
	scoped_guard(spinlock_irq, &flight->lock)
		flight->airborne++;
	blk_io_submit(&req->io);
}

/* Fetch a request and begin it. Return: 1, 0 if there is none, or -errno. */
static int fetch(struct blk_flight *flight)
{
	struct vdpa_ring *ring = flight->queue->ring;
	struct vdpa_ring_state at;
	struct blk_request *req;
	struct vdpa_chain chain;
	int ret;

	vdpa_ring_get_state(ring, &at);
	ret = vdpa_ring_next(ring, &chain);
	if (ret <= 0)
		return ret;
	req = request_alloc(flight, &at, &chain);
	if (!req) {
		vdpa_ring_unget(ring, &chain);
		/* later, that is now if nothing comes to wake it */
		if (list_empty(&flight->requests))
			vdpa_sim_queue_wake(flight->queue);
		return -EBUSY;
	}
	ret = prepare(flight, req, &chain);
	if (ret == -ENOMEM)
		ret = list_empty(&flight->requests) ? VIRTIO_BLK_S_IOERR : -EBUSY;
	if (ret < 0) {
		if (ret == -EAGAIN || ret == -EBUSY)
			vdpa_ring_unget(ring, &chain);
		request_free(req);
		return ret;
	}
	list_add_tail(&req->link, &flight->requests);
	flight->bytes += req->io.len;
	if (ret) {
		req->status = ret == LANDED ? VIRTIO_BLK_S_OK : ret;
		req->done = true;
	} else {
		take_off(flight, req);
	}
	return 1;
}

/* Answer a request, whose chain may be another than it was. Return: 0 or -errno. */
static int answer(struct blk_flight *flight, struct blk_request *req,
		  struct vdpa_chain *chain)
{
	int ret = req->status;

	if (!chain->in.left)
		return 0;
	if (req->inquiry)
		ret = vdpa_sim_blk_inquire(chain, req->type, chain->in.left - 1);
	else if (ret == VIRTIO_BLK_S_OK && req->type == VIRTIO_BLK_T_IN && req->io.len)
		ret = push_data(&req->io, chain);
	if (ret < 0)
		return ret;
	req->status = ret;
	return vdpa_sim_blk_answer(chain, ret);
}

static void forget(struct blk_flight *flight, struct blk_request *req)
{
	flight->bytes -= req->io.len;
	list_del(&req->link);
	request_free(req);
}

/* Complete the request that was fetched first. Return: 0 or -errno. */
static int land(struct blk_flight *flight, struct blk_request *req)
{
	struct vdpa_sim_queue *queue = flight->queue;
	struct vdpa_chain chain = { .ring = queue->ring };
	struct vdpa_ring_state end;
	int err;

	vdpa_ring_get_state(queue->ring, &end);
	vdpa_ring_seek(queue->ring, &req->at);
	err = vdpa_ring_next(queue->ring, &chain);
	if (err > 0)
		err = answer(flight, req, &chain);
	vdpa_ring_seek(queue->ring, &end);
	if (err < 0)
		return err;
	chain.id = req->id;
	chain.descs = req->descs;
	vdpa_ring_complete(queue->ring, &chain);
	queue->chains++;
	if (req->type != BLK_T_NONE)
		vdpa_sim_blk_count(queue, req->type, req->status, req->bytes);
	forget(flight, req);
	return 0;
}

/* Complete what is done, up to the first that is not. Return: 0 or -errno. */
static int land_all(struct blk_flight *flight)
{
	struct blk_request *req;
	bool done;
	int err = 0;

	while (!err && !list_empty(&flight->requests)) {
		req = list_first_entry(&flight->requests, struct blk_request, link);
		scoped_guard(spinlock_irq, &flight->lock)
			done = req->done;
		if (!done)
			break;
		err = land(flight, req);
	}
	return err;
}

/**
 * vdpa_sim_blk_serve_file() - &vdpa_sim_class.serve of a disk on a file
 * @queue: request queue
 *
 * Context: Process context, @queue's lock held, within a burst.
 * Return: as &vdpa_sim_class.serve.
 */
int vdpa_sim_blk_serve_file(struct vdpa_sim_queue *queue)
{
	struct blk_flight *flight = flight_of(queue);
	int i, ret = 1;

	lockdep_assert_held(&queue->lock);

	for (i = 0; ret > 0 && i < VDPA_SIM_BURST; i++)
		ret = land_all(flight) ?: fetch(flight);
	return ret < 0 ? ret : land_all(flight);
}

/**
 * vdpa_sim_blk_stop() - &vdpa_sim_class.stop
 * @queue: request queue
 *
 * Context: Process context, @queue's lock held. Waits for the file.
 */
void vdpa_sim_blk_stop(struct vdpa_sim_queue *queue)
{
	struct blk_request *req, *next;
	struct blk_flight *flight;

	lockdep_assert_held(&queue->lock);

	if (!sim_to_blk(queue->sim)->flights)
		return;
	flight = flight_of(queue);
	scoped_guard(spinlock_irq, &flight->lock)
		wait_event_lock_irq(flight->landed, !flight->airborne, flight->lock);
	req = list_first_entry_or_null(&flight->requests, struct blk_request, link);
	if (req)
		vdpa_ring_seek(queue->ring, &req->at);
	list_for_each_entry_safe(req, next, &flight->requests, link)
		forget(flight, req);
}

/**
 * vdpa_sim_blk_flights_create() - have requests in flight
 * @blk: disk whose file is open
 *
 * Return: 0 or -ENOMEM.
 */
int vdpa_sim_blk_flights_create(struct vdpa_sim_blk *blk)
{
	u32 i, n = blk->sim.vdpa.nvqs;

	blk->flights = kcalloc(n, sizeof(*blk->flights), GFP_KERNEL_ACCOUNT);
	if (!blk->flights)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		blk->flights[i].queue = &blk->sim.queues[i];
		INIT_LIST_HEAD(&blk->flights[i].requests);
		spin_lock_init(&blk->flights[i].lock);
		init_waitqueue_head(&blk->flights[i].landed);
	}
	return 0;
}
