#include "wire/pieces.h"

#include <stdlib.h>

#include "base/rd.h"
#include "base/wr.h"

#define PIECE_LAST_BIT 0x8000u
#define N_UNITS        (PIECE_PACKET_MAX / PIECE_UNIT_BYTES)

struct piece {
	uint16_t id, offset; /* bytes */
	bool is_last;
	struct span bytes;
};

/* Payload of one record. ERR_MALFORMED. */
static int piece_parse(struct span payload, struct piece *ret)
{
	struct rd r = rd_open(payload);
	struct piece p = {.id = rd_u16(&r)};
	uint16_t where = rd_u16(&r);
	p.bytes = rd_rest(&r);
	p.is_last = (where & PIECE_LAST_BIT) != 0;
	p.offset = where & (PIECE_LAST_BIT - 1);
	if (!rd_ok(&r) || p.bytes.n == 0 || p.offset % PIECE_UNIT_BYTES != 0)
		return ERR_MALFORMED;
	if (!p.is_last && p.bytes.n % PIECE_UNIT_BYTES != 0)
		return ERR_MALFORMED;
	if (p.offset + p.bytes.n > PIECE_PACKET_MAX)
		return ERR_MALFORMED;
	*ret = p;
	return 0;
}

/* ---- cutting ---- */

struct cutter cutter_open(struct span packet, uint16_t id, size_t max_payload)
{
	struct cutter c = {.packet = packet, .id = id};
	if (max_payload > PIECE_PACKET_MAX)
		max_payload = PIECE_PACKET_MAX;
	c.is_done = packet.n == 0 || packet.n > PIECE_PACKET_MAX ||
	            max_payload < PIECE_HEADER_BYTES + PIECE_UNIT_BYTES;
	if (!c.is_done)
		c.step_bytes =
		        (uint16_t)((max_payload - PIECE_HEADER_BYTES) / PIECE_UNIT_BYTES * PIECE_UNIT_BYTES);
	return c;
}

size_t cutter_next(struct cutter *c, uint8_t *buf)
{
	if (c->is_done)
		return 0;
	struct span rest = span_skip(c->packet, c->offset);
	bool is_last = rest.n <= c->step_bytes;
	struct wr w = wr_open(buf, PIECE_HEADER_BYTES + (size_t)c->step_bytes);
	wr_u16(&w, c->id);
	wr_u16(&w, (uint16_t)(c->offset | (is_last ? PIECE_LAST_BIT : 0)));
	wr_put(&w, span_of(rest.p, is_last ? rest.n : c->step_bytes));
	c->is_done = is_last;
	c->offset = (uint16_t)(c->offset + c->step_bytes);
	return wr_ok(&w) ? w.n : 0;
}

/* ---- putting together ---- */

struct joiner_slot {
	bool is_used;
	uint16_t id;
	uint16_t n_units;    /* that are there */
	uint16_t end_bytes;  /* as the last piece says; 0: not here yet */
	uint16_t seen_bytes; /* end of the furthest piece */
	ms_t began_ms;
	uint64_t units[N_UNITS / 64]; /* a bit for each PIECE_UNIT_BYTES */
	uint8_t *bytes;
};

struct joiner {
	size_t max_packet_bytes;
	uint64_t n_lost;
	struct joiner_slot slots[PIECE_SLOTS];
	uint8_t bytes[];
};

struct joiner *joiner_new(size_t max_packet_bytes)
{
	if (max_packet_bytes > PIECE_PACKET_MAX)
		max_packet_bytes = PIECE_PACKET_MAX;
	struct joiner *j = calloc(1, sizeof(*j) + PIECE_SLOTS * max_packet_bytes);
	if (j == NULL)
		return NULL;
	j->max_packet_bytes = max_packet_bytes;
	for (size_t i = 0; i < PIECE_SLOTS; i++)
		j->slots[i].bytes = j->bytes + i * max_packet_bytes;
	return j;
}

void joiner_free(struct joiner *j)
{
	free(j);
}

uint64_t joiner_n_lost(const struct joiner *j)
{
	return j->n_lost;
}

static bool is_stale(const struct joiner_slot *s, ms_t now_ms)
{
	return s->is_used && now_ms >= ms_add(s->began_ms, PIECE_TIMEOUT_MS);
}

static void begin(struct joiner_slot *s, uint16_t id, ms_t now_ms)
{
	uint8_t *bytes = s->bytes;
	*s = (struct joiner_slot){.is_used = true, .id = id, .began_ms = now_ms, .bytes = bytes};
}

/* The slot of this id; else a free one, else the oldest. */
static struct joiner_slot *find_slot(struct joiner *j, uint16_t id, ms_t now_ms)
{
	struct joiner_slot *best = &j->slots[0];
	for (size_t i = 0; i < PIECE_SLOTS; i++) {
		struct joiner_slot *s = &j->slots[i];
		if (is_stale(s, now_ms)) {
			s->is_used = false;
			j->n_lost++;
		}
		if (s->is_used && s->id == id)
			return s;
		if (best->is_used && (!s->is_used || s->began_ms < best->began_ms))
			best = s;
	}
	j->n_lost += best->is_used;
	begin(best, id, now_ms);
	return best;
}

static void mark(struct joiner_slot *s, size_t from, size_t to)
{
	for (size_t u = from; u < to; u++) {
		uint64_t bit = 1ull << (u % 64);
		s->n_units = (uint16_t)(s->n_units + !(s->units[u / 64] & bit));
		s->units[u / 64] |= bit;
	}
}

static size_t units_of(size_t bytes)
{
	return (bytes + PIECE_UNIT_BYTES - 1) / PIECE_UNIT_BYTES;
}

/* False: at odds with what is there about the packet's end. */
static bool fits(const struct joiner_slot *s, const struct piece *p, size_t end)
{
	if (s->end_bytes != 0 && (p->is_last ? end != s->end_bytes : end > s->end_bytes))
		return false;
	return !p->is_last || end >= s->seen_bytes;
}

enum joiner_result joiner_put(struct joiner *j, struct span payload, ms_t now_ms, struct span *ret)
{
	struct piece p;
	if (piece_parse(payload, &p) < 0)
		return JOINER_DROPPED;
	size_t end = p.offset + p.bytes.n;
	if (end > j->max_packet_bytes)
		return JOINER_DROPPED;
	struct joiner_slot *s = find_slot(j, p.id, now_ms);
	if (!fits(s, &p, end)) {
		s->is_used = false;
		return JOINER_DROPPED;
	}
	memcpy(s->bytes + p.offset, p.bytes.p, p.bytes.n);
	mark(s, p.offset / PIECE_UNIT_BYTES, units_of(end));
	if (end > s->seen_bytes)
		s->seen_bytes = (uint16_t)end;
	if (p.is_last)
		s->end_bytes = (uint16_t)end;
	if (s->end_bytes == 0 || s->n_units < units_of(s->end_bytes))
		return JOINER_MORE;
	s->is_used = false;
	*ret = span_of(s->bytes, s->end_bytes);
	return JOINER_PACKET;
}
