/* Files of any packing as sequences of blocks: plain, gzip, zip, one in the other, folders, standard input.
 * Nothing is held but one block for each layer, nothing is written, and names inside archives are shown,
 * never opened. */
#ifndef DIAGNOSE_SOURCE_H
#define DIAGNOSE_SOURCE_H

#include "base/span.h"

#define SOURCE_BLOCK_BYTES      (1u << 20)   /* of files; unpacked blocks are a quarter of it */
#define SOURCE_EXPANDED_BYTES   (8ull << 30) /* that one FILE may unpack to, all layers added */
#define SOURCE_RATIO_MAX        250 /* unpacked to packed, deflate's worst is 1032; text has 10 to 100 */
#define SOURCE_RATIO_FREE_BYTES (64u << 20) /* unpacked before the ratio counts */
#define SOURCE_MEMBERS_MAX      4096        /* of the archives in one FILE, or files of a folder */
#define SOURCE_DEPTH_MAX        4           /* gzip and zip layers in each other */
#define SOURCE_ZIP_DEPTH_MAX    2           /* zip layers among them */
#define SOURCE_NAME_BYTES       512         /* shown of a name with the archive's before it */

/* What the walk tells of. Names are safe to print (escape_put) and borrowed. */
struct source_visitor {
	void (*begin)(void *ctx, const char *name, int64_t written_at_ms);
	/* Valid until the return. False: the rest of this one is not wanted. All blocks but the last have the
	 * full size, so that the first one shows what it is. */
	bool (*block)(void *ctx, struct span block);
	void (*end)(void *ctx);
	/* Something could not be read, or not to its end; between begin and end it is of that one, else of
	 * an archive or a file that has no begin. is_lost: nothing of it was read, or the system had an
	 * error. */
	void (*note)(void *ctx, const char *name, bool is_lost, const char *words);
	/* Bytes read of the FILE as it lies on disk, since the last call. */
	void (*progress)(void *ctx, uint64_t bytes); /* may be NULL */
	void *ctx;
};

/* Walks what path names; "-" is standard input, written at now_ms. False: nothing of it could be read (a
 * note says why). */
bool source_walk(const char *path, int64_t now_ms, const struct source_visitor *v);

/* The same for bytes in memory, e.g. of a fuzzer. */
bool source_walk_bytes(const char *name, struct span bytes, int64_t now_ms, const struct source_visitor *v);

/* Size on disk of what source_walk() would read, folders added up; 0: not known. */
uint64_t source_size(const char *path);

#endif
