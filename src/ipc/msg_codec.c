/* Messages as bytes: by the fields that their rows list. */
#include <errno.h>

#include "base/err.h"
#include "base/rd.h"
#include "ipc/msg_int.h"

static int addr_put(struct wr *w, const struct ip_addr *a)
{
	if (a->family != 0 && a->family != 4 && a->family != 6)
		return ERR_MALFORMED;
	wr_u8(w, a->family);
	wr_put(w, span_of(a->b, a->family == 4 ? 4 : a->family == 6 ? 16 : 0));
	return 0;
}

static struct ip_addr addr_get(struct rd *r)
{
	struct ip_addr a = {.family = rd_u8(r)};
	if (a.family != 0 && a.family != 4 && a.family != 6)
		r->is_bad = true;
	else
		rd_copy(r, a.b, a.family == 4 ? 4 : a.family == 6 ? 16 : 0);
	return a;
}

static int str_put(struct wr *w, const char *s, size_t size)
{
	size_t n = strnlen(s, size);
	if (n == size)
		return ERR_MALFORMED;
	wr_u16(w, (uint16_t)n);
	wr_put(w, span_of(s, n));
	return 0;
}

static void str_get(struct rd *r, char *ret, size_t size)
{
	struct span s = rd_span(r, rd_u16(r));
	if (ipc_set_str(ret, size, s) < 0)
		r->is_bad = true;
}

static int addrs_put(struct wr *w, const struct ipc_field *f, const uint8_t *base)
{
	uint16_t n;
	memcpy(&n, base + f->count_offset, sizeof(n));
	if (n > f->size)
		return ERR_MALFORMED;
	wr_u16(w, n);
	const struct ip_addr *a = (const void *)(base + f->offset);
	int r = 0;
	for (uint16_t i = 0; i < n && r == 0; i++)
		r = addr_put(w, &a[i]);
	return r;
}

static void addrs_get(struct rd *r, const struct ipc_field *f, uint8_t *base)
{
	uint16_t n = rd_u16(r);
	if (n > f->size) {
		r->is_bad = true;
		return;
	}
	memcpy(base + f->count_offset, &n, sizeof(n));
	struct ip_addr *a = (void *)(base + f->offset);
	for (uint16_t i = 0; i < n && rd_ok(r); i++)
		a[i] = addr_get(r);
}

/* ---- fields ---- */

static int field_put(struct wr *w, const struct ipc_field *f, const uint8_t *base)
{
	const void *at = base + f->offset;
	switch (f->kind) {
	case F_U8:
		if (*(const uint8_t *)at > f->max)
			return ERR_MALFORMED;
		wr_u8(w, *(const uint8_t *)at);
		return 0;
	case F_BOOL:
		wr_u8(w, *(const bool *)at);
		return 0;
	case F_U16:
		wr_u16(w, *(const uint16_t *)at);
		return 0;
	case F_U32:
		wr_u32(w, *(const uint32_t *)at);
		return 0;
	case F_U64:
		wr_u64(w, *(const uint64_t *)at);
		return 0;
	case F_STR:
		return str_put(w, at, f->size);
	case F_BYTES:
		wr_put(w, span_of(at, f->size));
		return 0;
	case F_ADDR:
		return addr_put(w, at);
	default:
		return addrs_put(w, f, base);
	}
}

static void field_get(struct rd *r, const struct ipc_field *f, uint8_t *base)
{
	void *at = base + f->offset;
	uint8_t small;
	switch (f->kind) {
	case F_U8:
		small = rd_u8(r);
		r->is_bad |= small > f->max;
		*(uint8_t *)at = small;
		break;
	case F_BOOL:
		small = rd_u8(r);
		r->is_bad |= small > 1;
		*(bool *)at = small == 1;
		break;
	case F_U16:
		*(uint16_t *)at = rd_u16(r);
		break;
	case F_U32:
		*(uint32_t *)at = rd_u32(r);
		break;
	case F_U64:
		*(uint64_t *)at = rd_u64(r);
		break;
	case F_STR:
		str_get(r, at, f->size);
		break;
	case F_BYTES:
		rd_copy(r, at, f->size);
		break;
	case F_ADDR:
		*(struct ip_addr *)at = addr_get(r);
		break;
	case F_ADDRS:
		addrs_get(r, f, base);
		break;
	}
}

/* ---- messages ---- */

int ipc_format(const struct ipc_msg *m, struct wr *w)
{
	const struct ipc_row *row = ipc_row_find(m->type);
	if (row == NULL)
		return ERR_MALFORMED;
	wr_u8(w, m->type);
	wr_u32(w, m->ref);
	for (size_t i = 0; i < row->n_fields; i++) {
		int r = field_put(w, &row->fields[i], (const uint8_t *)m);
		if (r < 0)
			return r;
	}
	return wr_ok(w) ? 0 : -ENOBUFS;
}

int ipc_parse(struct span in, struct ipc_msg *ret)
{
	struct rd r = rd_open(in);
	struct ipc_msg m = {.type = rd_u8(&r)};
	m.ref = rd_u32(&r);
	const struct ipc_row *row = ipc_row_find(m.type);
	if (row == NULL)
		return ERR_MALFORMED;
	for (size_t i = 0; i < row->n_fields && rd_ok(&r); i++)
		field_get(&r, &row->fields[i], (uint8_t *)&m);
	bool is_good = rd_end(&r);
	if (is_good)
		*ret = m;
	ipc_wipe(&m);
	return is_good ? 0 : ERR_MALFORMED;
}

void ipc_wipe(struct ipc_msg *m)
{
	explicit_bzero(m, sizeof(*m));
}

/* ---- strings ---- */

int ipc_set_str(char *dst, size_t cap, struct span s)
{
	if (s.n >= cap)
		return ERR_TOO_LARGE;
	if (s.n > 0 && memchr(s.p, 0, s.n) != NULL)
		return ERR_MALFORMED;
	if (s.n > 0)
		memcpy(dst, s.p, s.n);
	dst[s.n] = '\0';
	return 0;
}

void ipc_cut_str(char *dst, size_t cap, const char *s)
{
	size_t n = strnlen(s, cap - 1);
	memcpy(dst, s, n);
	dst[n] = '\0';
}
