// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring library against a model: a driver that keeps account of every chain with
 * numbers that do not wrap, and a device that does what chance says. A run is what its
 * seed makes it; "vdpa_ring_model.seed=" on the command line repeats one.
 */

#include <linux/bits.h>
#include <linux/io.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <uapi/linux/virtio_config.h>

#include "driver.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "vdpa_ring_model."
static unsigned long seed;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "of the model's random operations, 0 for a random one");

#define STEPS	150000
#define AREA	96		/* bytes that a chain has for either direction */
#define SEGS	4		/* most segments of a direction */
#define UNTOUCHED 0xee

/* one chain */
struct model_req {
	u16 id;
	u16 descs;
	u8 tag;
	u32 out;
	u32 in;
	u32 pushed;	/* what the driver shall be told */
	u32 touched;	/* most that was ever written */
};

/*
 * Chains in the order in which they were offered: [0, reaped) were taken back by the
 * driver, up to @flushed the device has published, up to @fetched it has them.
 */
struct model {
	struct kunit *test;
	struct rnd_state rnd;
	bool packed;
	bool event_idx;
	bool indirect;
	u32 num;
	struct vdpa_memory *mem;
	struct vdpa_ring *ring;
	struct vdpa_ring_config cfg;
	u32 offered, fetched, flushed, reaped;
	u32 offered_descs, fetched_descs, flushed_descs, reaped_descs;
	struct model_req reqs[64];
	struct test_desc *desc;
	struct test_avail *avail;
	struct test_used_ring *used;
	struct test_desc *tables;	/* 2 * SEGS for each identity */
	u8 *out, *in;			/* AREA for each identity */
	u16 free[64];			/* descriptors (split) or identities (packed) */
	u32 n_free;
	u32 n_descs;			/* that are free */
	u16 next[64];			/* split: the chain of a head */
	bool events_off;
	u32 event_at;			/* chains (split) or descriptors (packed) */
	bool ok;
};

#define CHECK(m, cond)							\
	do {								\
		if (!(cond) && (m)->ok) {				\
			(m)->ok = false;				\
			KUNIT_FAIL((m)->test, "%s", #cond);		\
		}							\
	} while (0)

static u32 chance(struct model *m, u32 below)
{
	return prandom_u32_state(&m->rnd) % below;
}

static struct model_req *req(struct model *m, u32 i)
{
	return &m->reqs[i % ARRAY_SIZE(m->reqs)];
}

/* The driver */

struct model_seg {
	u64 addr;
	u32 len;
	u16 flags;
};

/* Cut @len bytes at @mem into pieces. Return: how many. */
static u32 cut(struct model *m, struct model_seg *segs, u8 *mem, u32 len, u16 flags)
{
	u32 n = 0, part;

	for (; len; len -= part, mem += part) {
		part = n == SEGS - 1 ? len : 1 + chance(m, len);
		segs[n++] = (struct model_seg) { virt_to_phys(mem), part, flags };
	}
	return n;
}

static void put_desc(struct test_desc *desc, const struct model_seg *seg, u16 flags, u16 next)
{
	test_desc(desc, seg->addr, seg->len, seg->flags | flags, next);
}

/* What a packed descriptor says: identity and flags are where flags and next are. */
static void put_packed(struct test_desc *desc, const struct model_seg *seg, u16 flags, u16 id)
{
	test_desc(desc, seg->addr, seg->len, id, seg->flags | flags);
}

static void offer_split(struct model *m, const struct model_seg *segs, u32 n, u16 head)
{
	u16 at = head, next;
	u32 i;

	for (i = 0; i < n; i++, at = next) {
		next = i + 1 < n ? m->free[--m->n_free] : 0;
		m->next[at] = i + 1 < n ? next : 0xffff;
		put_desc(&m->desc[at], &segs[i], i + 1 < n ? F_NEXT : 0, next);
	}
	m->avail->ring[m->offered % m->num] = cpu_to_le16(head);
	m->avail->idx = cpu_to_le16(m->offered + 1);
}

static u16 wrap_flags(struct model *m, u32 descs)
{
	return descs / m->num % 2 ? BIT(VRING_PACKED_DESC_F_USED) :
				    BIT(VRING_PACKED_DESC_F_AVAIL);
}

static void offer_packed(struct model *m, const struct model_seg *segs, u32 n, u16 id)
{
	u32 at = m->offered_descs + n;

	while (n--) {
		at--;
		put_packed(&m->desc[at % m->num], &segs[n],
			   wrap_flags(m, at) | (at + 1 < m->offered_descs +
						req(m, m->offered)->descs ? F_NEXT : 0), id);
	}
}

/* Make all of it one descriptor that refers to a table. */
static void make_table(struct model *m, struct model_seg *segs, u32 n, u16 id)
{
	struct test_desc *table = m->tables + 2 * SEGS * id;
	u32 i;

	for (i = 0; i < n; i++) {
		if (m->packed)
			put_packed(&table[i], &segs[i], 0, 0);
		else
			put_desc(&table[i], &segs[i], i + 1 < n ? F_NEXT : 0, i + 1);
	}
	segs[0] = (struct model_seg) { virt_to_phys(table), 16 * n, F_INDIRECT };
}

static void op_offer(struct model *m)
{
	struct model_req *r = req(m, m->offered);
	struct model_seg segs[2 * SEGS];
	u32 n, i;

	if (m->n_descs < 2 * SEGS || !m->n_free)
		return;
	*r = (struct model_req) {
		.id = m->free[--m->n_free],
		.tag = prandom_u32_state(&m->rnd),
		.out = chance(m, AREA),
		.in = chance(m, AREA),
	};
	if (!r->out && !r->in)
		r->out = 1;
	for (i = 0; i < AREA; i++)
		m->out[AREA * r->id + i] = r->tag + i;
	memset(m->in + AREA * r->id, UNTOUCHED, AREA);
	n = cut(m, segs, m->out + AREA * r->id, r->out, 0);
	n += cut(m, segs + n, m->in + AREA * r->id, r->in, F_WRITE);
	if (m->indirect && chance(m, 2)) {
		make_table(m, segs, n, r->id);
		n = 1;
	}
	r->descs = n;
	m->n_descs -= n;
	if (m->packed)
		offer_packed(m, segs, n, r->id);
	else
		offer_split(m, segs, n, r->id);
	m->offered++;
	m->offered_descs += n;
}

/* The driver takes back the next chain if it sees that it is used. Return: it did. */
static bool reap(struct model *m)
{
	struct model_req *r = req(m, m->reaped);
	struct test_desc *desc;
	u16 id, flags, at;
	bool wrap;
	u32 len, i;

	if (m->packed) {
		desc = &m->desc[m->reaped_descs % m->num];
		flags = le16_to_cpu(desc->next);
		wrap = !(m->reaped_descs / m->num % 2);
		if (!!(flags & BIT(VRING_PACKED_DESC_F_AVAIL)) != wrap ||
		    !!(flags & BIT(VRING_PACKED_DESC_F_USED)) != wrap)
			return false;
		id = le16_to_cpu(desc->flags);
		len = le32_to_cpu(desc->len);
	} else {
		if (le16_to_cpu(m->used->idx) == (u16)m->reaped)
			return false;
		id = le32_to_cpu(m->used->ring[m->reaped % m->num].id);
		len = le32_to_cpu(m->used->ring[m->reaped % m->num].len);
	}
	CHECK(m, m->reaped < m->flushed);
	CHECK(m, id == r->id);
	CHECK(m, len == r->pushed);
	for (i = 0; i < AREA; i++)
		CHECK(m, m->in[AREA * r->id + i] ==
			 (i < r->touched ? (u8)(r->tag ^ i) : UNTOUCHED));

	m->n_descs += r->descs;
	if (m->packed || r->descs == 1)
		m->free[m->n_free++] = r->id;
	else
		for (at = r->id; at != 0xffff; at = m->next[at])
			m->free[m->n_free++] = at;
	m->reaped++;
	m->reaped_descs += r->descs;
	return true;
}

static void op_reap(struct model *m)
{
	u32 n = chance(m, 8);

	while (n-- && reap(m))
		;
}

/* The driver says when it wants to be told. */
static void op_listen(struct model *m)
{
	__le16 *event = (void *)m->avail;
	u32 at;

	m->events_off = chance(m, 2);
	if (!m->packed) {
		m->event_at = m->reaped + chance(m, m->num);
		m->avail->flags = cpu_to_le16(m->events_off ? VRING_AVAIL_F_NO_INTERRUPT : 0);
		m->avail->ring[m->num] = cpu_to_le16(m->event_at);
		return;
	}
	at = m->reaped_descs + chance(m, m->num);
	m->event_at = at;
	event[0] = cpu_to_le16(at % m->num |
			       (at / m->num % 2 ? 0 : BIT(VRING_PACKED_EVENT_F_WRAP_CTR)));
	if (m->events_off)
		event[1] = cpu_to_le16(VRING_PACKED_EVENT_FLAG_DISABLE);
	else
		event[1] = cpu_to_le16(m->event_idx ? VRING_PACKED_EVENT_FLAG_DESC :
						      VRING_PACKED_EVENT_FLAG_ENABLE);
}

/*
 * Will the driver want to hear of what is published now? The place in a packed ring is
 * told with one bit for the round, so that one of two rounds ago looks like a new one.
 */
static bool wants_event(struct model *m, u32 old, u32 old_descs)
{
	if (m->packed) {
		u32 ahead = m->event_at + 2 * m->num * STEPS - old_descs;

		if (m->events_off)
			return false;
		return !m->event_idx || ahead % (2 * m->num) < m->flushed_descs - old_descs;
	}
	if (!m->event_idx)
		return !m->events_off;
	return m->event_at >= old && m->event_at < m->flushed;
}

/* The device */

static void back_to(struct model *m, u32 i)
{
	while (m->fetched > i)
		m->fetched_descs -= req(m, --m->fetched)->descs;
}

/* Fetch a chain and look at all of it. Return: whether there was one. */
static bool fetch(struct model *m, struct vdpa_chain *chain)
{
	struct model_req *r = req(m, m->fetched);
	u8 buf[AREA];
	u32 i, step;
	int got;

	got = vdpa_ring_next(m->ring, chain);
	CHECK(m, got == (m->fetched < m->offered));
	if (got != 1)
		return false;
	CHECK(m, chain->id == r->id);
	CHECK(m, chain->out.left == r->out);
	CHECK(m, chain->in.left == r->in);
	for (i = 0; i < r->out && m->ok; i += step) {
		step = min(1 + chance(m, AREA), r->out - i);
		CHECK(m, vdpa_chain_pull(chain, buf + i, step) == step);
	}
	for (i = 0; i < r->out; i++)
		CHECK(m, buf[i] == (u8)(r->tag + i));
	m->fetched++;
	m->fetched_descs += r->descs;
	return true;
}

/* Write some of what the chain has room for, and complete it. */
static void answer(struct model *m, struct vdpa_chain *chain)
{
	struct model_req *r = req(m, m->fetched - 1);
	u8 buf[AREA];
	u32 i, len = chance(m, r->in + 1);

	for (i = 0; i < len; i++)
		buf[i] = r->tag ^ i;
	CHECK(m, vdpa_chain_push(chain, buf, len) == len);
	r->pushed = len;
	r->touched = max(r->touched, len);
	vdpa_ring_complete(m->ring, chain);
}

/* A burst's worth of chains, some of them put back. */
static void op_serve(struct model *m)
{
	u32 n = chance(m, 6);
	struct vdpa_ring_place mark;
	struct vdpa_chain chain;
	u32 start = m->fetched;
	bool back = !chance(m, 4);

	vdpa_ring_mark(m->ring, &mark);
	while (n-- && m->ok && fetch(m, &chain)) {
		if (!chance(m, 8)) {
			vdpa_ring_unget(m->ring, &chain);
			back_to(m, m->fetched - 1);
		} else {
			answer(m, &chain);
		}
	}
	if (back) {
		vdpa_ring_rewind(m->ring, &mark);
		back_to(m, start);
	}
}

static void op_flush(struct model *m)
{
	u32 old = m->flushed, old_descs = m->flushed_descs;
	int notify = vdpa_ring_flush(m->ring);

	m->flushed = m->fetched;
	m->flushed_descs = m->fetched_descs;
	CHECK(m, notify == (old != m->flushed && wants_event(m, old, old_descs)));
}

/*
 * Requests that outlive a burst: all are fetched, some of them completed when they are
 * fetched again, and the others put back.
 */
static void op_outlive(struct model *m)
{
	struct vdpa_ring_state state[6];
	struct vdpa_chain chain;
	u32 n = 0, start = m->fetched, first = 0, done = chance(m, ARRAY_SIZE(state));

	for (; n < ARRAY_SIZE(state) - 1; n++) {
		vdpa_ring_get_state(m->ring, &state[n]);
		if (!m->ok || !fetch(m, &chain))
			break;
	}
	vdpa_ring_get_state(m->ring, &state[n]);
	while (m->ok && first < min(done, n)) {
		vdpa_ring_seek(m->ring, &state[first]);
		back_to(m, start + first);
		if (fetch(m, &chain))
			answer(m, &chain);
		first++;
		if (!chance(m, 3))
			op_flush(m);
		/* there may be something new at the end meanwhile */
		vdpa_ring_seek(m->ring, &state[n]);
		CHECK(m, vdpa_ring_enable_kick(m->ring) == (start + n < m->offered));
		op_offer(m);
	}
	vdpa_ring_seek(m->ring, &state[first]);
	back_to(m, start + first);
}

/* The device asks for kicks: it is told of what is there, and the driver what it asks. */
static void op_enable_kick(struct model *m)
{
	__le16 *event = (void *)m->used;
	int more = vdpa_ring_enable_kick(m->ring);
	u32 at = m->fetched_descs;

	CHECK(m, more == (m->fetched < m->offered));
	if (m->packed) {
		CHECK(m, le16_to_cpu(event[1]) ==
			 (m->event_idx ? VRING_PACKED_EVENT_FLAG_DESC :
					 VRING_PACKED_EVENT_FLAG_ENABLE));
		if (m->event_idx)
			CHECK(m, le16_to_cpu(event[0]) ==
				 (at % m->num | (at / m->num % 2 ? 0 :
				  BIT(VRING_PACKED_EVENT_F_WRAP_CTR))));
		return;
	}
	CHECK(m, !m->used->flags);
	event = (void *)&m->used->ring[m->num];
	if (m->event_idx)
		CHECK(m, le16_to_cpu(*event) == (u16)m->fetched);
}

static void op_disable_kick(struct model *m)
{
	__le16 *event = (void *)m->used;

	CHECK(m, !vdpa_ring_disable_kick(m->ring));
	if (m->event_idx)
		return;
	CHECK(m, le16_to_cpu(m->packed ? event[1] : m->used->flags) ==
		 (m->packed ? VRING_PACKED_EVENT_FLAG_DISABLE : VRING_USED_F_NO_NOTIFY));
}

/* Stopped and started anew, the ring goes on behind what the driver was told of. */
static void op_restart(struct model *m)
{
	struct vdpa_ring_state state;

	vdpa_ring_stop(m->ring);
	vdpa_ring_get_state(m->ring, &state);
	back_to(m, m->flushed);
	if (m->packed) {
		CHECK(m, state.avail == m->fetched_descs % m->num);
		CHECK(m, state.avail_wrap == !(m->fetched_descs / m->num % 2));
		CHECK(m, state.used == state.avail && state.used_wrap == state.avail_wrap);
	} else {
		CHECK(m, state.avail == (u16)m->fetched);
	}
	m->cfg.state = state;
	CHECK(m, !vdpa_ring_start(m->ring, &m->cfg));
}

/* A change of any map: all that was remembered is looked up anew. */
static void op_remap(struct model *m)
{
	vdpa_memory_exit(m->mem);
	vdpa_memory_unmap(m->mem, TEST_BUF_AS, 0, 1);
	CHECK(m, !vdpa_memory_enter(m->mem));
}

static void step(struct model *m)
{
	static void (*const ops[])(struct model *m) = {
		op_offer, op_offer, op_offer, op_offer, op_serve, op_serve, op_serve,
		op_outlive, op_flush, op_flush, op_reap, op_reap, op_listen, op_enable_kick,
		op_disable_kick,
	};
	u32 which = chance(m, 1000);

	if (which == 0)
		op_restart(m);
	else if (which == 1)
		op_remap(m);
	else
		ops[which % ARRAY_SIZE(ops)](m);
}

struct model_kind {
	const char *desc;
	u32 num;
	u64 features;
};

#define PACKED	BIT_ULL(VIRTIO_F_RING_PACKED)
#define EVENTS	BIT_ULL(VIRTIO_RING_F_EVENT_IDX)
#define TABLES	BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC)

static const struct model_kind kinds[] = {
	{ "split", 16, 0 },
	{ "split, events", 16, EVENTS },
	{ "split, tables", 32, TABLES },
	{ "split, events and tables", 8, EVENTS | TABLES },
	{ "packed", 16, PACKED },
	{ "packed, events", 13, PACKED | EVENTS },
	{ "packed, tables", 32, PACKED | TABLES },
	{ "packed, events and tables", 9, PACKED | EVENTS | TABLES },
};

KUNIT_ARRAY_PARAM_DESC(model_kind, kinds, desc);

static void ring_free(void *ring)
{
	vdpa_ring_free(ring);
}

static void set_up(struct kunit *test, struct model *m, const struct model_kind *kind)
{
	u32 i;

	m->test = test;
	m->ok = true;
	m->num = kind->num;
	m->packed = kind->features & PACKED;
	m->event_idx = kind->features & EVENTS;
	m->indirect = kind->features & TABLES;
	m->mem = test_memory(test, 0);
	m->desc = test_buf(test, PAGE_SIZE);
	m->avail = test_buf(test, PAGE_SIZE);
	m->used = test_buf(test, PAGE_SIZE);
	m->tables = test_buf(test, 16 * 2 * SEGS * m->num);
	m->out = test_buf(test, AREA * m->num);
	m->in = test_buf(test, AREA * m->num);
	for (i = 0; i < m->num; i++)
		m->free[i] = i;
	m->n_free = m->num;
	m->n_descs = m->num;
	m->cfg = (struct vdpa_ring_config) {
		.num = m->num,
		.desc = virt_to_phys(m->desc),
		.driver = virt_to_phys(m->avail),
		.device = virt_to_phys(m->used),
		.asid = TEST_RING_AS,
		.ring_asid = TEST_RING_AS,
		.features = kind->features,
		.state = { .avail_wrap = true, .used_wrap = true },
	};
	m->ring = vdpa_ring_alloc(m->mem, m->num);
	KUNIT_ASSERT_NOT_NULL(test, m->ring);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, ring_free, m->ring));
	KUNIT_ASSERT_EQ(test, 0, vdpa_ring_start(m->ring, &m->cfg));
}

static void model_random(struct kunit *test)
{
	const struct model_kind *kind = test->param_value;
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	unsigned long this = seed ?: get_random_u32();
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	set_up(test, m, kind);
	prandom_seed_state(&m->rnd, this);
	KUNIT_ASSERT_EQ(test, 0, vdpa_memory_enter(m->mem));
	op_listen(m);
	for (i = 0; i < STEPS && m->ok; i++) {
		step(m);
		CHECK(m, !vdpa_ring_broken(m->ring));
		if (i % 1024 == 0)
			cond_resched();
	}
	vdpa_memory_exit(m->mem);
	kunit_info(test, "seed %lu: %u steps, %u chains\n", this, i, m->reaped);
	KUNIT_EXPECT_LT(test, STEPS / 100, m->reaped);
}

static struct kunit_case model_cases[] = {
	KUNIT_CASE_PARAM(model_random, model_kind_gen_params),
	{}
};

static struct kunit_suite model_suite = {
	.name = "vdpa_ring_model",
	.test_cases = model_cases,
};

kunit_test_suite(model_suite);
