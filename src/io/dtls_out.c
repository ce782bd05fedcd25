/* The batch of datagrams that waits to be sent: plain memory with a limit. */
#include <errno.h>
#include <stdlib.h>

#include "io/dtls_internal.h"

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

bool dtls_out_put(struct dtls_out *o, const void *p, size_t n)
{
	if (o->n_dgram >= o->cap_dgram || n > o->cap - o->n)
		return false;
	memcpy(o->p + o->n, p, n);
	o->dgram[o->n_dgram++] = (struct udp_piece){.offset = (uint32_t)o->n, .len = (uint32_t)n};
	o->n += n;
	return true;
}
