/* zip by libarchive, read from front to back: so it may come from a pipe, from another archive or be cut off,
 * and a directory of millions of entries costs no memory. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/text.h"
#include "diagnose/event.h"
#include "diagnose/escape.h"
#include "diagnose/source_int.h"

#define WORDS_BYTES 120 /* shown of what libarchive says */

struct zip_stream {
	struct stream base;
	struct walk *w;
	struct stream *below;
	struct archive *a;
	struct span left; /* unpacked by libarchive, not yet in buf */
	uint8_t *buf;     /* STREAM_BLOCK_BYTES */
	int below_err;
	bool is_below_at_end;
};

static la_ssize_t pull(struct archive *a, void *ctx, const void **ret)
{
	struct zip_stream *z = ctx;
	struct span block = {0};
	if (z->below_err == 0 && !z->is_below_at_end)
		z->below_err = stream_read(z->below, &block);
	z->is_below_at_end = block.n == 0;
	*ret = block.p;
	if (block.n == 0 && z->below_err != 0) {
		archive_set_error(a, EIO, "%s", err_text(z->below_err));
		return -1;
	}
	return (la_ssize_t)block.n;
}

static int zip_error(const struct zip_stream *z)
{
	if (z->below_err != 0)
		return z->below_err;
	return z->is_below_at_end ? ERR_MORE : ERR_MALFORMED;
}

/* The next piece of the open member into z->left. 0 without bytes: its end. */
static int next_piece(struct zip_stream *z)
{
	const void *p = NULL;
	size_t n = 0;
	la_int64_t offset; /* goes on without holes in a zip */
	int code;
	do
		code = archive_read_data_block(z->a, &p, &n, &offset);
	while (code == ARCHIVE_RETRY || (code == ARCHIVE_OK && n == 0));
	z->left = code == ARCHIVE_OK || code == ARCHIVE_WARN ? span_of(p, n) : (struct span){0};
	if (code == ARCHIVE_OK || code == ARCHIVE_EOF)
		return 0;
	return code == ARCHIVE_WARN ? ERR_MALFORMED : zip_error(z);
}

/* The open member's bytes. Piece by piece, because archive_read_data() forgets those before an error. */
static int zip_read(struct stream *s, struct span *ret)
{
	struct zip_stream *z = CONTAINER_OF(s, struct zip_stream, base);
	size_t n = 0;
	int err = 0;
	while (n < STREAM_BLOCK_BYTES && err == 0) {
		if (z->left.n == 0)
			err = next_piece(z);
		if (z->left.n == 0)
			break;
		size_t part = z->left.n < STREAM_BLOCK_BYTES - n ? z->left.n : STREAM_BLOCK_BYTES - n;
		memcpy(z->buf + n, z->left.p, part);
		z->left = span_skip(z->left, part);
		n += part;
	}
	*ret = span_of(z->buf, n);
	int limit = walk_count(z->w, n);
	return err != 0 ? err : limit;
}

/* ---- members ---- */

/* "bundle.zip:folder/member", safe to print. */
static struct text member_name(const char *archive, struct archive_entry *e)
{
	struct text t = {0};
	const char *name = archive_entry_pathname_utf8(e);
	if (name == NULL)
		name = archive_entry_pathname(e);
	escape_put(&t, span_str(archive), SOURCE_NAME_BYTES / 2);
	text_str(&t, ":");
	escape_put(&t, span_str(name != NULL ? name : "?"), SOURCE_NAME_BYTES / 2);
	return t;
}

static int64_t member_time(struct archive_entry *e, int64_t otherwise)
{
	int64_t s = archive_entry_mtime_is_set(e) ? archive_entry_mtime(e) : 0;
	return s > 0 && s < INT64_MAX / 1000 ? s * 1000 : otherwise;
}

/* Deflate and stored are what DART and everybody writes. LZMA, xz, zstd and PPMd take as much memory as the
 * archive says, so they are refused; libarchive tells the method only in its name of the format. */
static bool is_method_read(struct archive *a)
{
	const char *format = archive_format_name(a);
	return format != NULL &&
	       (strstr(format, "(deflation)") != NULL || strstr(format, "(uncompressed)") != NULL);
}

static void walk_member(
        struct zip_stream *z, struct archive_entry *e, const char *archive, int64_t written_at_ms)
{
	struct walk *w = z->w;
	struct text name = member_name(archive, e);
	const char *shown = text_cstr(&name);
	if (archive_entry_is_encrypted(e))
		walk_note(
		        w, shown, true, "is encrypted: unpack it with its password, and give what comes out");
	else if (!is_method_read(z->a))
		walk_note(w, shown, true, "is compressed in a way that is not read: unpack it first");
	else
		walk_stream(w, &z->base, shown, member_time(e, written_at_ms));
	text_done(&name);
}

static bool is_folder(struct archive_entry *e)
{
	const char *name = archive_entry_pathname(e);
	size_t n = name != NULL ? strlen(name) : 0;
	return archive_entry_filetype(e) == AE_IFDIR || (n > 0 && name[n - 1] == '/');
}

/* How the walk ended: nothing to say when it came to the archive's end. */
static void note_end(struct zip_stream *z, const char *name, int code, bool has_members)
{
	struct walk *w = z->w;
	if (w->limit != NULL)
		walk_note(w, name, false, "%s: the rest was not read", w->limit);
	else if (code == ARCHIVE_FATAL && zip_error(z) == ERR_MORE && has_members)
		walk_note(w, name, false, "is cut off: what is there was read");
	else if (code == ARCHIVE_FATAL) {
		struct text t = {0};
		const char *words = archive_error_string(z->a);
		escape_put(&t, span_str(words != NULL ? words : "damaged"), WORDS_BYTES);
		walk_note(w, name, !has_members, "cannot be unpacked%s: %s", has_members ? " to its end" : "",
		        text_cstr(&t));
		text_done(&t);
	} else if (!has_members)
		walk_note(w, name, true, "is an archive without files");
}

static void walk_members(struct zip_stream *z, const char *name, int64_t written_at_ms)
{
	struct walk *w = z->w;
	struct archive_entry *e;
	bool has_members = false;
	int code = ARCHIVE_OK;
	while (w->limit == NULL) {
		code = archive_read_next_header(z->a, &e);
		if (code == ARCHIVE_EOF || code == ARCHIVE_FATAL)
			break;
		if (++w->members > SOURCE_MEMBERS_MAX) {
			w->limit = "has more than 4096 members";
			break;
		}
		if (code == ARCHIVE_RETRY || is_folder(e))
			continue;
		has_members = true;
		z->base.pending = z->left = (struct span){0};
		walk_member(z, e, name, written_at_ms);
	}
	note_end(z, name, code, has_members);
}

/* libarchive converts names to the locale's encoding, and has none for what the locale cannot show; ours is
 * UTF-8 whatever the user's is. NULL: this system has no such locale, then some names are not shown. */
static locale_t utf8_begin(locale_t *ret_before)
{
	locale_t l = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	*ret_before = l != (locale_t)0 ? uselocale(l) : (locale_t)0;
	return l;
}

static void utf8_end(locale_t l, locale_t before)
{
	if (l == (locale_t)0)
		return;
	(void)uselocale(before);
	freelocale(l);
}

void walk_zip(struct walk *w, struct stream *s, const char *name, int64_t written_at_ms)
{
	locale_t before, utf8 = utf8_begin(&before);
	struct zip_stream z = {.base = {.read = zip_read}, .w = w, .below = s, .a = archive_read_new()};
	z.buf = malloc(STREAM_BLOCK_BYTES);
	if (z.a == NULL || z.buf == NULL || archive_read_support_format_zip_streamable(z.a) != ARCHIVE_OK ||
	        archive_read_open(z.a, &z, NULL, pull, NULL) != ARCHIVE_OK)
		walk_note(w, name, true, "cannot be unpacked: %s",
		        err_text(z.below_err ? z.below_err : -ENOMEM));
	else
		walk_members(&z, name, written_at_ms);
	if (z.a != NULL)
		archive_read_free(z.a);
	free(z.buf);
	utf8_end(utf8, before);
}
