/* gzip (RFC 1952): one member after the other, as rotated logs that were put together are. */
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/err.h"
#include "diagnose/source_int.h"

#define WANT_GZIP 16 /* added to the window's bits: zlib reads gzip's head and checks its sum */

struct gzip_stream {
	struct stream base;
	struct walk *w;
	struct stream *below;
	z_stream z;
	uint8_t *buf; /* STREAM_BLOCK_BYTES */
	int below_err;
	bool is_at_end, is_between; /* between members */
};

/* More packed bytes; false: there are none. */
static bool fill(struct gzip_stream *g)
{
	struct span block = {0};
	if (g->below_err == 0)
		g->below_err = stream_read(g->below, &block);
	g->z.next_in = (uint8_t *)(uintptr_t)block.p; /* zlib does not write there */
	g->z.avail_in = (uInt)block.n;
	return block.n > 0;
}

/* After a member: another one, or the end. What is neither is padding of a tape or a transfer, and ends it.
 */
static int next_member(struct gzip_stream *g)
{
	if (g->z.avail_in == 0 && !fill(g)) {
		g->is_at_end = true;
		return g->below_err;
	}
	if (g->z.next_in[0] != 0x1f) {
		g->is_at_end = true;
		return 0;
	}
	g->is_between = false;
	return inflateReset(&g->z) == Z_OK ? 0 : ERR_MALFORMED;
}

static int step(struct gzip_stream *g)
{
	if (g->is_between)
		return next_member(g);
	if (g->z.avail_in == 0 && !fill(g))
		return g->below_err != 0 ? g->below_err : ERR_MORE;
	int code = inflate(&g->z, Z_NO_FLUSH);
	if (code == Z_STREAM_END)
		g->is_between = true;
	else if (code == Z_MEM_ERROR)
		return -ENOMEM;
	else if (code != Z_OK && code != Z_BUF_ERROR)
		return ERR_MALFORMED;
	return 0;
}

static int gzip_read(struct stream *s, struct span *ret)
{
	struct gzip_stream *g = CONTAINER_OF(s, struct gzip_stream, base);
	int err = 0;
	g->z.next_out = g->buf;
	g->z.avail_out = STREAM_BLOCK_BYTES;
	while (err == 0 && g->z.avail_out > 0 && !g->is_at_end)
		err = step(g);
	size_t n = STREAM_BLOCK_BYTES - g->z.avail_out;
	*ret = span_of(g->buf, n);
	int limit = walk_count(g->w, n);
	return err != 0 ? err : limit;
}

void walk_gzip(struct walk *w, struct stream *s, const char *name, int64_t written_at_ms)
{
	struct gzip_stream g = {.base = {.read = gzip_read}, .w = w, .below = s};
	g.buf = malloc(STREAM_BLOCK_BYTES);
	if (g.buf != NULL && inflateInit2(&g.z, MAX_WBITS + WANT_GZIP) == Z_OK) {
		walk_stream(w, &g.base, name, written_at_ms);
		inflateEnd(&g.z);
	} else {
		walk_note(w, name, true, "cannot be unpacked: %s", err_text(-ENOMEM));
	}
	free(g.buf);
}
