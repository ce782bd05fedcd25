#include "diagnose/intake.h"

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"
#include "diagnose/dispatch.h"
#include "diagnose/lines.h"
#include "diagnose/source.h"

#define NOTES_MAX_BYTES 600 /* of one file, all its notes together */

struct intake {
	struct dispatch *dispatch;
	struct lines lines; /* of the file being read */
	struct file_hint hint;
	int64_t now_ms;
	struct report_file *files;
	size_t n, cap;
	bool is_open; /* files[n - 1] is being read */
	bool is_full;
	uint64_t done_bytes;
	intake_progress_fn *progress;
	void *progress_ctx;
};

struct intake *intake_new(const struct reader *const *list, const struct sink *sink, int64_t now_ms)
{
	struct intake *in = calloc(1, sizeof(*in));
	if (in == NULL)
		return NULL;
	in->now_ms = now_ms;
	in->dispatch = dispatch_new(list, sink);
	if (in->dispatch != NULL)
		return in;
	free(in);
	return NULL;
}

void intake_free(struct intake *in)
{
	if (in == NULL)
		return;
	for (size_t i = 0; i < in->n; i++) {
		free((char *)in->files[i].name);
		free((char *)in->files[i].note);
		free((char *)in->files[i].error);
	}
	free(in->files);
	dispatch_free(in->dispatch);
	free(in);
}

void intake_set_progress(struct intake *in, intake_progress_fn *f, void *ctx)
{
	in->progress = f;
	in->progress_ctx = ctx;
}

const struct report_file *intake_files(const struct intake *in, size_t *ret_n)
{
	*ret_n = in->n;
	return in->files;
}

/* ---- the list ---- */

/* NULL: no room. */
static struct report_file *file_new(struct intake *in, const char *name)
{
	if (in->n == INTAKE_FILES_MAX) {
		in->is_full = true;
		return NULL;
	}
	if (in->n == in->cap) {
		size_t cap = in->cap ? in->cap * 2 : 16;
		struct report_file *files = realloc(in->files, cap * sizeof(*files));
		if (files == NULL)
			return NULL;
		in->files = files;
		in->cap = cap;
	}
	char *copy = strdup(name);
	if (copy == NULL)
		return NULL;
	in->files[in->n] = (struct report_file){.name = copy};
	return &in->files[in->n++];
}

/* Several notes of a file are one text: "...; ...". */
static void text_join(const char **text, const char *more)
{
	char *joined = NULL;
	if (*text != NULL && strlen(*text) + strlen(more) > NOTES_MAX_BYTES)
		return;
	if (asprintf(&joined, "%s%s%s", *text ? *text : "", *text ? "; " : "", more) < 0)
		return;
	free((char *)*text);
	*text = joined;
}

static void note_put(struct report_file *f, bool is_lost, const char *words)
{
	text_join(is_lost ? &f->error : &f->note, words);
}

/* ---- one file ---- */

static void on_line(void *ctx, struct span line, uint32_t number)
{
	struct intake *in = ctx;
	dispatch_line(in->dispatch, line, number);
}

static void on_begin(void *ctx, const char *name, int64_t written_at_ms)
{
	struct intake *in = ctx;
	struct report_file *f = file_new(in, name);
	in->is_open = f != NULL && lines_init(&in->lines, on_line, in) == 0;
	if (!in->is_open && f != NULL)
		note_put(f, true, "not read: out of memory");
	if (!in->is_open)
		return;
	in->hint = (struct file_hint){.name = f->name, .written_at_ms = written_at_ms};
	dispatch_begin(in->dispatch, &in->hint, (uint32_t)(in->n - 1));
}

static bool on_block(void *ctx, struct span block)
{
	struct intake *in = ctx;
	return in->is_open && lines_feed(&in->lines, block);
}

static void count_note(struct report_file *f, uint64_t n, const char *one, const char *many)
{
	char words[100];
	if (n == 0)
		return;
	(void)snprintf(words, sizeof(words), "%llu %s", (unsigned long long)n, n == 1 ? one : many);
	note_put(f, false, words);
}

static void on_end(void *ctx)
{
	struct intake *in = ctx;
	struct dispatch_result r;
	if (!in->is_open)
		return;
	struct report_file *f = &in->files[in->n - 1];
	lines_end(&in->lines);
	dispatch_end(in->dispatch, &r);
	f->kinds = r.kinds;
	f->n_lines = in->lines.n;
	for (unsigned k = SOURCE_NONE + 1; k < SOURCE_N; k++)
		f->n_taken += r.n_taken[k];
	if (in->lines.form == LINES_BINARY)
		note_put(f, false, "is no text");
	count_note(f, in->lines.n_cut, "line was too long and was cut", "lines were too long and were cut");
	count_note(f, in->lines.n_junk, "line has NUL bytes", "lines have NUL bytes");
	lines_done(&in->lines);
	in->is_open = false;
}

static void on_note(void *ctx, const char *name, bool is_lost, const char *words)
{
	struct intake *in = ctx;
	struct report_file *f = in->is_open ? &in->files[in->n - 1] : NULL;
	if (f == NULL)
		f = file_new(in, name);
	if (f != NULL)
		note_put(f, is_lost, words);
}

static void on_progress(void *ctx, uint64_t bytes)
{
	struct intake *in = ctx;
	in->done_bytes += bytes;
	if (in->progress != NULL)
		in->progress(in->progress_ctx, in->n > 0 ? in->files[in->n - 1].name : "", in->done_bytes);
}

static struct source_visitor visitor_of(struct intake *in)
{
	return (struct source_visitor){
	        .begin = on_begin,
	        .block = on_block,
	        .end = on_end,
	        .note = on_note,
	        .progress = on_progress,
	        .ctx = in,
	};
}

void intake_read(struct intake *in, const char *path)
{
	struct source_visitor v = visitor_of(in);
	(void)source_walk(path, in->now_ms, &v);
	if (in->is_full && in->n > 0)
		note_put(&in->files[in->n - 1], false,
		        "is the last one that was read: there are too many files");
	in->is_full = false;
}

void intake_read_bytes(struct intake *in, const char *name, struct span bytes)
{
	struct source_visitor v = visitor_of(in);
	(void)source_walk_bytes(name, bytes, in->now_ms, &v);
}
