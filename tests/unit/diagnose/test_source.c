#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "../unit.h"
#include "base/text.h"
#include "diagnose/event.h"
#include "diagnose/source.h"

/* ---- making archives ---- */

static void gzip_put(struct text *out, struct span in)
{
	z_stream z = {0};
	size_t cap = in.n + in.n / 100 + 1000;
	uint8_t *buf = malloc(cap);
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (uint8_t *)(uintptr_t)in.p;
	z.avail_in = (uInt)in.n;
	z.next_out = buf;
	z.avail_out = (uInt)cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	text_put(out, span_of(buf, cap - z.avail_out));
	deflateEnd(&z);
	free(buf);
}

struct member {
	const char *name;
	struct span bytes;
};

static struct text zip_of(const struct member *m, size_t n, const char *options)
{
	size_t cap = 1000, used = 0;
	for (size_t i = 0; i < n; i++)
		cap += m[i].bytes.n + 1000;
	char *buf = malloc(cap);
	struct archive *a = archive_write_new();
	archive_write_set_format_zip(a);
	if (options != NULL) {
		assert_int_equal(archive_write_set_options(a, options), ARCHIVE_OK);
		archive_write_set_passphrase(a, "secret");
	}
	assert_int_equal(archive_write_open_memory(a, buf, cap, &used), ARCHIVE_OK);
	for (size_t i = 0; i < n; i++) {
		struct archive_entry *e = archive_entry_new();
		archive_entry_set_pathname(e, m[i].name);
		archive_entry_set_size(e, (la_int64_t)m[i].bytes.n);
		archive_entry_set_filetype(e, m[i].name[strlen(m[i].name) - 1] == '/' ? AE_IFDIR : AE_IFREG);
		archive_entry_set_perm(e, 0644);
		archive_entry_set_mtime(e, 1384565330, 0);
		assert_true(archive_write_header(a, e) >= ARCHIVE_WARN);
		if (m[i].bytes.n > 0)
			assert_int_equal(archive_write_data(a, m[i].bytes.p, m[i].bytes.n), m[i].bytes.n);
		archive_entry_free(e);
	}
	archive_write_close(a);
	archive_write_free(a);
	struct text t = {0};
	text_put(&t, span_of(buf, used));
	free(buf);
	return t;
}

static struct span bytes_of(const struct text *t)
{
	return span_of(t->p, t->n);
}

/* ---- the visitor ---- */

/* What the walk told: "[name]bytes" of small ones, "(name! words)" of notes; large ones as their length. */
struct diary {
	struct text text;
	uint64_t bytes, n_begun;
	int64_t written_at_ms;
	bool is_open, is_brief;
};

static void on_begin(void *ctx, const char *name, int64_t written_at_ms)
{
	struct diary *d = ctx;
	assert_false(d->is_open);
	d->is_open = true;
	d->n_begun++;
	d->written_at_ms = written_at_ms;
	if (!d->is_brief)
		text_fmt(&d->text, "[%s]", name);
}

static bool on_block(void *ctx, struct span block)
{
	struct diary *d = ctx;
	assert_true(d->is_open && block.n > 0);
	d->bytes += block.n;
	if (!d->is_brief)
		text_put(&d->text, block);
	return true;
}

static void on_end(void *ctx)
{
	struct diary *d = ctx;
	assert_true(d->is_open);
	d->is_open = false;
}

static void on_note(void *ctx, const char *name, bool is_lost, const char *words)
{
	struct diary *d = ctx;
	text_fmt(&d->text, "(%s%c %s)", name, is_lost ? '!' : ',', words);
}

static struct source_visitor visitor_of(struct diary *d)
{
	return (struct source_visitor){
	        .begin = on_begin, .block = on_block, .end = on_end, .note = on_note, .ctx = d};
}

static bool walk(struct diary *d, struct span bytes)
{
	struct source_visitor v = visitor_of(d);
	/* exactly as large as the input, so that a sanitizer sees a read beyond it */
	uint8_t *copy = malloc(bytes.n ? bytes.n : 1);
	if (bytes.n > 0)
		memcpy(copy, bytes.p, bytes.n);
	bool is_read = source_walk_bytes("f", span_of(copy, bytes.n), 77, &v);
	free(copy);
	assert_false(d->is_open);
	return is_read;
}

static void check(struct span bytes, bool is_read, const char *want)
{
	struct diary d = {0};
	assert_int_equal(walk(&d, bytes), is_read);
	assert_string_equal(text_cstr(&d.text), want);
	text_done(&d.text);
}

/* ---- plain and gzip ---- */

TEST(plain)
{
	check(span_str("hello"), true, "[f]hello");
	check(span_str(""), true, "[f]");
	check(span_str("PK"), true, "[f]PK");
}

TEST(gzip)
{
	struct text t = {0};
	gzip_put(&t, span_str("hello "));
	gzip_put(&t, span_str("world"));
	check(bytes_of(&t), true, "[f]hello world");
	text_put(&t, span_of("\0\0\0\0", 4)); /* padded */
	check(bytes_of(&t), true, "[f]hello world");
	struct text twice = {0};
	gzip_put(&twice, bytes_of(&t));
	check(bytes_of(&twice), true, "[f]hello world");
	text_done(&t);
	text_done(&twice);
}

TEST(gzip_cut_off)
{
	struct text in = {0}, t = {0};
	struct diary d = {.is_brief = true};
	uint32_t x = 1;
	for (int i = 0; i < 100000; i++)
		text_fmt(&in, "%u\n", x = x * 1664525 + 1013904223);
	gzip_put(&t, bytes_of(&in));
	assert_true(walk(&d, span_of(t.p, t.n / 2)));
	assert_true(d.bytes > in.n / 3 && d.bytes < in.n);
	assert_string_equal(text_cstr(&d.text), "(f, is cut off: what is there was read)");
	text_done(&d.text);

	d = (struct diary){.is_brief = true};
	memset(t.p + t.n / 2, 0xff, 100);
	assert_true(walk(&d, bytes_of(&t)));
	assert_true(d.bytes > in.n / 3);
	assert_string_equal(text_cstr(&d.text), "(f, is damaged: what could be unpacked of it was read)");
	text_done(&d.text);
	check(span_of(t.p, 5), false, "(f, is cut off: what is there was read)");
	text_done(&in);
	text_done(&t);
}

/* 200 MiB of zeros in 200 KB. */
TEST(gzip_bomb)
{
	size_t n = 200u << 20;
	void *zeros = calloc(1, n);
	struct text t = {0};
	struct diary d = {.is_brief = true};
	gzip_put(&t, span_of(zeros, n));
	free(zeros);
	assert_true(walk(&d, bytes_of(&t)));
	assert_true(d.bytes <= SOURCE_RATIO_FREE_BYTES + SOURCE_BLOCK_BYTES);
	assert_string_equal(
	        text_cstr(&d.text), "(f, expands to more than 250 times its size: the rest was not read)");
	text_done(&d.text);
	text_done(&t);
}

/* ---- zip ---- */

TEST(zip)
{
	const struct member m[] = {{"a.txt", span_str("one")}, {"dir/", {0}}, {"dir/b.txt", span_str("two")}};
	struct text t = zip_of(m, 3, NULL);
	struct diary d = {0};
	assert_true(walk(&d, bytes_of(&t)));
	assert_string_equal(text_cstr(&d.text), "[f:a.txt]one[f:dir/b.txt]two");
	assert_int_equal(
	        d.written_at_ms / 86400000, 1384565330 / 86400); /* zip has local time: the day, about */
	text_done(&d.text);
	text_done(&t);
	t = zip_of(m, 3, "zip:compression=store");
	check(bytes_of(&t), true, "[f:a.txt]one[f:dir/b.txt]two");
	text_done(&t);
	t = zip_of(m, 0, NULL);
	check(bytes_of(&t), false, "(f! is an archive without files)");
	text_done(&t);
}

TEST(nested)
{
	struct text gz = {0};
	gzip_put(&gz, span_str("in gzip"));
	struct text inner = zip_of(
	        (const struct member[]){{"i.txt", span_str("inner")}, {"log.gz", bytes_of(&gz)}}, 2, NULL);
	struct text outer = zip_of(
	        (const struct member[]){{"z.zip", bytes_of(&inner)}, {"o.txt", span_str("outer")}}, 2, NULL);
	check(bytes_of(&outer), true, "[f:z.zip:i.txt]inner[f:z.zip:log.gz]in gzip[f:o.txt]outer");
	struct text third = zip_of(
	        (const struct member[]){{"y.zip", bytes_of(&outer)}, {"p.txt", span_str("top")}}, 2, NULL);
	check(bytes_of(&third), true,
	        "(f:y.zip:z.zip! is an archive in an archive too deep to be "
	        "unpacked)[f:y.zip:o.txt]outer[f:p.txt]top");
	text_done(&gz);
	text_done(&inner);
	text_done(&outer);
	text_done(&third);
}

TEST(zip_hostile_names)
{
	struct text t = zip_of(
	        (const struct member[]){{"../../etc/passwd", span_str("x")}, {"a\x1b[2Jb\n", span_str("y")}},
	        2, NULL);
	check(bytes_of(&t), true, "[f:../../etc/passwd]x[f:a\\x1b[2Jb\\x0a]y");
	text_done(&t);
	/* marked as UTF-8 by its writer, with a locale that has no such letters */
	static const char utf8[] =
	        "PK\3\4\12\0\0\10\0\0\0\0\0\0\203\26\334\214\1\0\0\0\1\0\0\0\2\0\0\0\303\274x"
	        "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	check(span_of(utf8, sizeof(utf8) - 1), true, "[f:\xc3\xbc]x");
}

TEST(zip_encrypted)
{
	struct text t =
	        zip_of((const struct member[]){{"a.txt", span_str("one")}}, 1, "zip:encryption=traditional");
	check(bytes_of(&t), false,
	        "(f:a.txt! is encrypted: unpack it with its password, and give what comes out)");
	text_done(&t);
}

/* Cut anywhere: what stands whole before the cut is read, and it is said that there was more. */
TEST(zip_cut_off)
{
	struct text t =
	        zip_of((const struct member[]){{"a.txt", span_str("one")}, {"b.txt", span_str("two")}}, 2,
	                "zip:compression=store");
	for (size_t n = 4; n < t.n; n++) {
		struct diary d = {0};
		bool is_read = walk(&d, span_of(t.p, n));
		if (d.n_begun == 0)
			assert_false(is_read);
		if (n == t.n / 2) /* in the second one or behind it */
			assert_non_null(strstr(text_cstr(&d.text), "[f:a.txt]one"));
		text_done(&d.text);
	}
	text_done(&t);
}

TEST(zip_many_members)
{
	size_t n = SOURCE_MEMBERS_MAX + 10;
	struct member *m = calloc(n, sizeof(*m));
	for (size_t i = 0; i < n; i++)
		m[i] = (struct member){"x", span_str("y")};
	struct text t = zip_of(m, n, NULL);
	struct diary d = {.is_brief = true};
	assert_true(walk(&d, bytes_of(&t)));
	assert_int_equal(d.n_begun, SOURCE_MEMBERS_MAX);
	assert_string_equal(text_cstr(&d.text), "(f, has more than 4096 members: the rest was not read)");
	text_done(&d.text);
	text_done(&t);
	free(m);
}

/* ---- files ---- */

static void write_file(const char *folder, const char *name, const char *bytes)
{
	char path[300];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(bytes, f);
	fclose(f);
}

TEST(folder)
{
	char root[] = "/tmp/culvert-test-XXXXXX", path[300], want[800];
	struct diary d = {0};
	struct source_visitor v = visitor_of(&d);
	assert_non_null(mkdtemp(root));
	assert_false(source_walk(root, 0, &v)); /* empty */
	text_done(&d.text);
	write_file(root, "b.log", "two");
	write_file(root, "a.log", "one");
	(void)snprintf(path, sizeof(path), "%s/sub", root);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(source_walk(root, 0, &v));
	(void)snprintf(want, sizeof(want),
	        "[%s/a.log]one[%s/b.log]two(%s, 1 folders or special files in it were not read)", root, root,
	        root);
	assert_string_equal(text_cstr(&d.text), want);
	assert_int_equal(source_size(root), 6);
	assert_true(d.written_at_ms > INT64_C(1600000000000));
	text_done(&d.text);

	(void)snprintf(path, sizeof(path), "%s/missing", root);
	assert_false(source_walk(path, 0, &v));
	(void)snprintf(want, sizeof(want), "(%s! cannot be opened: No such file or directory)", path);
	assert_string_equal(text_cstr(&d.text), want);
	text_done(&d.text);
	for (const char *const *name = (const char *const[]){"a.log", "b.log", "sub", NULL}; *name; name++) {
		(void)snprintf(path, sizeof(path), "%s/%s", root, *name);
		assert_int_equal(remove(path), 0);
	}
	assert_int_equal(rmdir(root), 0);
}

/* What may block for ever or never end is told and left alone. */
TEST(special_files)
{
	char root[] = "/tmp/culvert-test-XXXXXX", path[300], want[800];
	struct diary d = {0};
	struct source_visitor v = visitor_of(&d);
	assert_non_null(mkdtemp(root));
	(void)snprintf(path, sizeof(path), "%s/pipe", root);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(source_walk(path, 0, &v));
	(void)snprintf(want, sizeof(want), "(%s! is a pipe into which nobody writes)", path);
	assert_string_equal(text_cstr(&d.text), want);
	text_done(&d.text);
	assert_false(source_walk("/dev/zero", 0, &v));
	assert_string_equal(text_cstr(&d.text), "(/dev/zero! is no file: it was not read)");
	text_done(&d.text);
	assert_int_equal(remove(path), 0);
	assert_int_equal(rmdir(root), 0);
}

static void on_begin_quiet(void *ctx, const char *name, int64_t written_at_ms)
{
	struct diary *d = ctx;
	(void)name;
	(void)written_at_ms;
	d->is_open = true;
}

static bool on_block_grow(void *ctx, struct span block)
{
	struct diary *d = ctx;
	FILE *f = fopen(text_cstr(&d->text), "a");
	assert_non_null(f);
	fputs("more\n", f);
	fclose(f);
	d->bytes += block.n;
	return true;
}

/* A log that is written faster than it is read ends where it ended when it was opened. */
TEST(growing_file)
{
	char root[] = "/tmp/culvert-test-XXXXXX";
	struct diary d = {0};
	struct source_visitor v = visitor_of(&d);
	assert_non_null(mkdtemp(root));
	write_file(root, "log", "one\n");
	text_fmt(&d.text, "%s/log", root);
	v.begin = on_begin_quiet;
	v.block = on_block_grow;
	assert_true(source_walk(text_cstr(&d.text), 0, &v));
	assert_int_equal(d.bytes, 4);
	assert_int_equal(remove(text_cstr(&d.text)), 0);
	assert_int_equal(rmdir(root), 0);
	text_done(&d.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(plain),
	        cmocka_unit_test(gzip),
	        cmocka_unit_test(gzip_cut_off),
	        cmocka_unit_test(gzip_bomb),
	        cmocka_unit_test(zip),
	        cmocka_unit_test(nested),
	        cmocka_unit_test(zip_hostile_names),
	        cmocka_unit_test(zip_encrypted),
	        cmocka_unit_test(zip_cut_off),
	        cmocka_unit_test(zip_many_members),
	        cmocka_unit_test(folder),
	        cmocka_unit_test(special_files),
	        cmocka_unit_test(growing_file),
	};
	return RUN(tests);
}
