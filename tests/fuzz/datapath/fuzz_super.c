/* Payload of a CSTP_SUPER, behind a byte of MTU. What is accepted reads nothing beyond it, can be written to
 * a device that takes it and cut for one that does not, both with the same result: sound packets, none too
 * large, as many as counted. */
#include <stdlib.h>

#include "../../unit/datapath/packets.h"
#include "datapath/outlet.h"

#define PACKETS_MAX 300

struct seen {
	uint64_t hash;
	unsigned n_packets;
	size_t n_bytes, largest;
};

static void see(struct seen *s, const uint8_t *p, size_t n)
{
	if (!packet_is_sound(p, n))
		abort();
	for (size_t i = 0; i < n; i++)
		s->hash = (s->hash ^ p[i]) * 0x100000001b3;
	s->n_packets++;
	s->n_bytes += n;
	s->largest = n > s->largest ? n : s->largest;
}

static int on_write(void *ctx, const struct iovec *iov, unsigned n_iov)
{
	static uint8_t flat[PACKET_MAX];
	struct vnet_hdr h = vnet_read(iov[0].iov_base);
	struct split s;
	size_t n = 0;
	uint8_t *p;
	for (unsigned i = 1; i < n_iov; i++) {
		memcpy(flat + n, iov[i].iov_base, iov[i].iov_len);
		n += iov[i].iov_len;
	}
	if (split_open(&s, &h, flat, n, 0) < 0)
		abort();
	while (split_next(&s, &p, &n))
		see(ctx, p, n);
	return 0;
}

static void on_refused(void *ctx, struct span head, unsigned n_packets)
{
	(void)ctx, (void)head, (void)n_packets;
	abort();
}

static struct seen write_to(const struct super *u, unsigned kinds)
{
	struct seen s = {0};
	struct outlet o;
	const struct outlet_config c = {
	        .has_vnet_hdr = true, .kinds = kinds, .write = on_write, .refused = on_refused, .ctx = &s};
	if (outlet_open(&o, &c) < 0)
		abort();
	outlet_put_super(&o, u);
	outlet_flush(&o);
	outlet_close(&o);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct super u;
	if (size < 1)
		return 0;
	size_t max_bytes = data[0] * 64u, n = size - 1;
	uint8_t *payload = malloc(n ? n : 1); /* exactly as large: sanitizers see what goes beyond */
	if (payload == NULL)
		return 0;
	memcpy(payload, data + 1, n);
	if (super_parse(span_of(payload, n), max_bytes, &u) == 0) {
		struct seen whole = write_to(&u, COALESCE_TCP4 | COALESCE_TCP6 | COALESCE_UDP),
		            cut = write_to(&u, 0);
		if (whole.hash != cut.hash || whole.n_packets != u.form.n_packets ||
		        cut.n_packets != u.form.n_packets || cut.n_packets < 2 ||
		        cut.n_packets > PACKETS_MAX || cut.n_bytes != u.form.total_bytes ||
		        cut.largest != u.form.largest_bytes || cut.largest > max_bytes)
			abort();
	}
	free(payload);
	return 0;
}
