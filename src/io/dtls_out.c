#include <errno.h>
#include <stdlib.h>

#include "io/dtls.h"

#define UDP_PAYLOAD_MAX 65507 /* 65535 - 20 - 8 */

int dtls_out_init(struct dtls_out *o, size_t cap_bytes, size_t cap_dgram)
{
	struct dtls_out new = {.cap = cap_bytes, .cap_dgram = cap_dgram};

	if (cap_bytes == 0 || cap_bytes > UINT32_MAX || cap_dgram == 0)
		return -EINVAL;
	new.p = malloc(cap_bytes);
	new.dgram = calloc(cap_dgram, sizeof(new.dgram[0]));
	if (new.p == NULL || new.dgram == NULL) {
		dtls_out_done(&new);
		return -ENOMEM;
	}
	*o = new;
	return 0;
}

void dtls_out_done(struct dtls_out *o)
{
	free(o->p);
	free(o->dgram);
	*o = (struct dtls_out){0};
}

bool dtls_out_run(const struct dtls_out *o, size_t *at, size_t max_segments, struct span *ret,
        size_t *ret_segment_bytes)
{
	if (*at >= o->n_dgram)
		return false;
	const struct dtls_dgram *first = &o->dgram[*at];
	size_t bytes = first->len, n = 1, last = first->len;

	/* a shorter one may only be the last of its run */
	while (*at + n < o->n_dgram && n < max_segments && last == first->len) {
		size_t next = o->dgram[*at + n].len;
		if (next > first->len || bytes + next > UDP_PAYLOAD_MAX)
			break;
		bytes += last = next;
		n++;
	}
	*ret = span_of(o->p + first->offset, bytes);
	*ret_segment_bytes = first->len;
	*at += n;
	return true;
}
