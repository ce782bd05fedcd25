/* ns per segment: a super-packet of 64 KiB cut into segments of 1382 bytes of payload, and such segments
 * joined. */
#include "micro.h"

#include <string.h>

#include "datapath/coalesce.h"
#include "datapath/split.h"
#include "wire/ip.h"

#define PAYLOAD  1382
#define SEGMENTS 46
#define HEAD     52

static uint8_t super_packet[65536], work[65536], segments[SEGMENTS][HEAD + PAYLOAD];
static const struct vnet_hdr header = {.flags = VNET_NEEDS_CSUM,
        .gso_type = VNET_GSO_TCPV4,
        .gso_size = PAYLOAD,
        .csum_start = 20,
        .csum_offset = 16};

static void make(void)
{
	static const uint8_t head[HEAD] = {0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0,
	        2, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x10, 1, 1};
	size_t n = HEAD + SEGMENTS * PAYLOAD;
	struct split s;
	uint8_t *p;

	for (size_t i = 0; i < n; i++)
		super_packet[i] = i < HEAD ? head[i] : (uint8_t)(i * 7);
	super_packet[2] = (uint8_t)(n >> 8);
	super_packet[3] = (uint8_t)n;
	memcpy(work, super_packet, n);
	micro_must(split_open(&s, &header, work, n, 0), "split");
	for (size_t i = 0; split_next(&s, &p, &n); i++)
		memcpy(segments[i], p, n);
}

static void split_all(void *ctx)
{
	struct split s;
	uint8_t *p;
	size_t n;

	(void)ctx;
	memcpy(work, super_packet, HEAD); /* the payload may be anything */
	micro_must(split_open(&s, &header, work, HEAD + SEGMENTS * PAYLOAD, 0), "split");
	while (split_next(&s, &p, &n))
		;
}

static unsigned n_writes;

static void count(void *ctx, const struct iovec *iov, unsigned n)
{
	(void)ctx, (void)iov, (void)n;
	n_writes++;
}

static void join_all(void *ctx)
{
	struct coalesce *c = ctx;

	for (int i = 0; i < SEGMENTS; i++)
		coalesce_add(c, segments[i], sizeof(segments[i]));
	coalesce_flush(c);
}

static void sum_one(void *ctx)
{
	volatile uint32_t *sum = ctx;

	*sum = ip_sum(0, span_of(super_packet + HEAD, 1400));
}

int main(void)
{
	static struct coalesce c;
	volatile uint32_t sum;

	make();
	coalesce_init(&c, COALESCE_TCP4, count, NULL);
	join_all(&c);
	micro_must(n_writes == 1 ? 0 : -1, "the segments do not join");
	printf("split, ns per segment      %6.1f\n", micro_ns(split_all, NULL, 2000) / SEGMENTS);
	printf("coalesce, ns per segment   %6.1f\n", micro_ns(join_all, &c, 2000) / SEGMENTS);
	printf("checksum of 1400 bytes, ns %6.1f\n", micro_ns(sum_one, (void *)(uintptr_t)&sum, 100000));
	return 0;
}
