/* What the layers of source*.c share. */
#ifndef DIAGNOSE_SOURCE_INT_H
#define DIAGNOSE_SOURCE_INT_H

#include "base/util.h"
#include "diagnose/source.h"

/* One layer: bytes that are read from a file, or unpacked from the layer below. */
struct stream {
	/* Next bytes into *ret, valid until the next call; none at the end. 0, -errno, or ERR_MORE: cut off,
	 * ERR_MALFORMED: damaged, ERR_TOO_LARGE: a limit, ERR_UNSUPPORTED. Bytes may come with an error: they
	 * are the last ones. Reading again gives the error again. */
	int (*read)(struct stream *s, struct span *ret);
	struct span pending; /* looked at already, to be read first */
};

#define STREAM_BLOCK_BYTES (SOURCE_BLOCK_BYTES / 4) /* of unpacked bytes */

/* One FILE being walked. */
struct walk {
	const struct source_visitor *v;
	uint64_t packed_bytes, unpacked_bytes;
	uint32_t members;
	unsigned depth, zip_depth;
	const char *limit; /* words of the limit that was reached, NULL: none */
	bool is_read;      /* anything */
};

static inline int stream_read(struct stream *s, struct span *ret)
{
	if (s->pending.n > 0) {
		*ret = s->pending;
		s->pending.n = 0;
		return 0;
	}
	*ret = (struct span){0};
	return s->read(s, ret);
}

/* Counts what a layer has unpacked. ERR_TOO_LARGE: w->limit says which limit it is. */
MUST_USE int walk_count(struct walk *w, size_t bytes);
void walk_note(struct walk *w, const char *name, bool is_lost, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* What s holds, in whatever packing. */
void walk_stream(struct walk *w, struct stream *s, const char *name, int64_t written_at_ms);

/* s begins with the head of such a file. */
void walk_gzip(struct walk *w, struct stream *s, const char *name, int64_t written_at_ms);
void walk_zip(struct walk *w, struct stream *s, const char *name, int64_t written_at_ms);

#endif
