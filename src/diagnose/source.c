#include "diagnose/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "diagnose/event.h"
#include "diagnose/escape.h"
#include "diagnose/source_int.h"

#define NOTE_BYTES   400
#define PIPE_WAIT_MS 1000 /* for somebody who begins to write into a pipe */

/* ---- what all layers use ---- */

void walk_note(struct walk *w, const char *name, bool is_lost, const char *fmt, ...)
{
	char words[NOTE_BYTES];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	w->v->note(w->v->ctx, name, is_lost, words);
}

int walk_count(struct walk *w, size_t bytes)
{
	w->unpacked_bytes += bytes;
	if (w->unpacked_bytes > SOURCE_EXPANDED_BYTES)
		w->limit = "expands to more than 8 GiB";
	else if (w->unpacked_bytes > SOURCE_RATIO_FREE_BYTES &&
	         w->unpacked_bytes / SOURCE_RATIO_MAX > w->packed_bytes)
		w->limit = "expands to more than 250 times its size";
	return w->limit != NULL ? ERR_TOO_LARGE : 0;
}

/* has_some: at least something came before it. */
static void note_error(struct walk *w, const char *name, int err, bool has_some)
{
	switch (err) {
	case ERR_MORE:
		walk_note(w, name, false, "is cut off: what is there was read");
		break;
	case ERR_MALFORMED:
		walk_note(w, name, !has_some, "is damaged: %s",
		        has_some ? "what could be unpacked of it was read"
		                 : "nothing of it could be unpacked");
		break;
	case ERR_TOO_LARGE:
		walk_note(w, name, false, "%s: the rest was not read", w->limit ? w->limit : "is too large");
		break;
	default:
		walk_note(w, name, true, "cannot be read: %s", err_text(err));
	}
}

/* ---- leaves ---- */

static void walk_leaf(struct walk *w, struct stream *s, const char *name, int64_t written_at_ms)
{
	struct span block;
	bool is_wanted = true, has_some = false;
	int err = 0;
	w->v->begin(w->v->ctx, name, written_at_ms);
	do {
		err = stream_read(s, &block);
		has_some |= block.n > 0;
		if (block.n > 0)
			is_wanted = w->v->block(w->v->ctx, block);
	} while (err == 0 && block.n > 0 && is_wanted);
	if (err != 0)
		note_error(w, name, err, has_some);
	w->is_read =
	        w->is_read || err == 0 || err == ERR_MORE || err == ERR_MALFORMED || err == ERR_TOO_LARGE;
	w->v->end(w->v->ctx);
}

/* RFC 1952 2.3.1: magic, deflate */
static bool is_gzip(struct span s)
{
	return s.n >= 3 && memcmp(s.p, "\x1f\x8b\x08", 3) == 0;
}

/* The first local header, or the end record of an empty archive (APPNOTE 4.3.7, 4.3.16); "PK00" marks one
 * that was meant to be split. */
static bool is_zip(struct span s)
{
	return s.n >= 4 && (memcmp(s.p, "PK\3\4", 4) == 0 || memcmp(s.p, "PK\5\6", 4) == 0 ||
	                           memcmp(s.p, "PK00", 4) == 0);
}

static bool may_unpack(struct walk *w, const char *name, bool is_one_zip)
{
	if (w->depth < SOURCE_DEPTH_MAX && (!is_one_zip || w->zip_depth < SOURCE_ZIP_DEPTH_MAX))
		return true;
	walk_note(w, name, true, "is an archive in an archive too deep to be unpacked");
	return false;
}

void walk_stream(struct walk *w, struct stream *s, const char *name, int64_t written_at_ms)
{
	struct span first;
	int err = stream_read(s, &first);
	if (err != 0 && first.n == 0) {
		note_error(w, name, err, false);
		return;
	}
	s->pending = first;
	bool is_packed = is_gzip(first), is_one_zip = is_zip(first);
	if (!is_packed && !is_one_zip) {
		walk_leaf(w, s, name, written_at_ms);
		return;
	}
	if (!may_unpack(w, name, is_one_zip))
		return;
	w->depth++;
	w->zip_depth += is_one_zip;
	(is_one_zip ? walk_zip : walk_gzip)(w, s, name, written_at_ms);
	w->zip_depth -= is_one_zip;
	w->depth--;
}

/* ---- a file of the system ---- */

struct file_stream {
	struct stream base;
	struct walk *w;
	int fd;
	uint64_t left; /* bytes to read at most: a log may grow for ever */
	uint8_t *buf;  /* SOURCE_BLOCK_BYTES */
};

static int file_read(struct stream *s, struct span *ret)
{
	struct file_stream *f = CONTAINER_OF(s, struct file_stream, base);
	size_t n = 0;
	int err = 0;
	size_t max = f->left < SOURCE_BLOCK_BYTES ? (size_t)f->left : SOURCE_BLOCK_BYTES;
	while (n < max) {
		ssize_t got = read(f->fd, f->buf + n, max - n);
		if (got < 0 && errno == EINTR)
			continue;
		err = got < 0 ? -errno : 0;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	f->left -= n;
	f->w->packed_bytes += n;
	if (f->w->v->progress != NULL)
		f->w->v->progress(f->w->v->ctx, n);
	*ret = span_of(f->buf, n);
	return err;
}

static void walk_fd(struct walk *w, int fd, uint64_t max_bytes, const char *name, int64_t written_at_ms)
{
	struct file_stream f = {.base = {.read = file_read}, .w = w, .fd = fd, .left = max_bytes};
	f.buf = malloc(SOURCE_BLOCK_BYTES);
	if (f.buf == NULL) {
		note_error(w, name, -ENOMEM, false);
		return;
	}
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	walk_stream(w, &f.base, name, written_at_ms);
	free(f.buf);
}

static int64_t written_at(const struct stat *st)
{
	return st->st_mtim.tv_sec < 0 ? TIME_NONE
	                              : (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
}

/* The name as it is shown; the caller's to free by text_done(). */
static struct text shown_name(const char *path)
{
	struct text t = {0};
	escape_put(&t, span_str(path), SOURCE_NAME_BYTES);
	return t;
}

/* ---- a folder ---- */

static int is_not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static char *path_join(const char *folder, const char *name)
{
	size_t n = strlen(folder);
	char *path = NULL;
	if (asprintf(&path, "%s%s%s", folder, n > 0 && folder[n - 1] == '/' ? "" : "/", name) < 0)
		return NULL;
	return path;
}

/* Calls f for each regular file in the folder, sorted; n_others: folders, sockets and the like. -errno, or
 * how many there are. */
static int folder_each(
        const char *folder, void (*f)(void *arg, const char *path, int i), void *arg, int *ret_n_others)
{
	struct dirent **list = NULL;
	int n = scandir(folder, &list, is_not_hidden, alphasort), n_files = 0, n_others = 0;
	int err = n < 0 ? -errno : 0;
	for (int i = 0; i < n; i++) {
		char *path = path_join(folder, list[i]->d_name);
		struct stat st;
		if (path != NULL && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			f(arg, path, n_files++);
		else
			n_others++;
		free(path);
		free(list[i]);
	}
	free(list);
	*ret_n_others = n_others;
	return err != 0 ? err : n_files;
}

static void walk_path(struct walk *w, const char *path, bool may_be_folder);

static void walk_file_of_folder(void *arg, const char *path, int i)
{
	struct walk *w = arg;
	if (i >= SOURCE_MEMBERS_MAX)
		return;
	struct walk one = {.v = w->v}; /* limits are of each file */
	walk_path(&one, path, false);
	w->is_read = w->is_read || one.is_read;
}

static void walk_folder(struct walk *w, const char *path, const char *name)
{
	int n_others = 0;
	int n = folder_each(path, walk_file_of_folder, w, &n_others);
	if (n < 0)
		note_error(w, name, n, false);
	else if (n == 0)
		walk_note(w, name, true, "is a folder without files");
	else if (n > SOURCE_MEMBERS_MAX)
		walk_note(w, name, false, "has %d files: the first %d were read", n, SOURCE_MEMBERS_MAX);
	if (n > 0 && n_others > 0)
		walk_note(w, name, false, "%d folders or special files in it were not read", n_others);
}

/* ---- from outside ---- */

/* Looks without taking a byte out, which only tee() does. */
static bool has_writer(int fd)
{
	int p[2];
	if (pipe2(p, O_CLOEXEC) < 0)
		return true;
	ssize_t n = tee(fd, p[1], 1, SPLICE_F_NONBLOCK);
	bool is_one = n > 0 || (n < 0 && errno == EAGAIN);
	close(p[0]);
	close(p[1]);
	return is_one;
}

/* A pipe without a writer, and a few files of /proc, would keep whoever opens or reads them waiting for ever,
 * so they are opened without waiting. A pipe that has a writer, as <(zcat log.gz) of a shell, may be waited
 * for. */
static void walk_open(struct walk *w, int fd, const struct stat *st, const char *name)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	bool is_pipe = S_ISFIFO(st->st_mode);
	if (!S_ISREG(st->st_mode) && !is_pipe && !isatty(fd))
		walk_note(w, name, true, "is no file: it was not read");
	else if (is_pipe && poll(&p, 1, PIPE_WAIT_MS) == 0 && !has_writer(fd))
		walk_note(w, name, true, "is a pipe into which nobody writes");
	else if (!S_ISREG(st->st_mode) && fcntl(fd, F_SETFL, 0) < 0)
		note_error(w, name, -errno, false);
	else
		walk_fd(w, fd, S_ISREG(st->st_mode) && st->st_size > 0 ? (uint64_t)st->st_size : UINT64_MAX,
		        name, written_at(st));
}

static void walk_path(struct walk *w, const char *path, bool may_be_folder)
{
	struct text name = shown_name(path);
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		walk_note(w, text_cstr(&name), true, "cannot be opened: %s", err_text(-errno));
	else if (S_ISDIR(st.st_mode) && may_be_folder)
		walk_folder(w, path, text_cstr(&name));
	else
		walk_open(w, fd, &st, text_cstr(&name));
	if (fd >= 0)
		close(fd);
	text_done(&name);
}

bool source_walk(const char *path, int64_t now_ms, const struct source_visitor *v)
{
	struct walk w = {.v = v};
	if (strcmp(path, "-") == 0)
		walk_fd(&w, STDIN_FILENO, UINT64_MAX, "standard input", now_ms);
	else
		walk_path(&w, path, true);
	return w.is_read;
}

static int bytes_read(struct stream *s, struct span *ret)
{
	(void)s;
	*ret = (struct span){0};
	return 0;
}

bool source_walk_bytes(const char *name, struct span bytes, int64_t now_ms, const struct source_visitor *v)
{
	struct walk w = {.v = v, .packed_bytes = bytes.n};
	struct stream s = {.read = bytes_read, .pending = bytes};
	walk_stream(&w, &s, name, now_ms);
	return w.is_read;
}

static void add_size(void *arg, const char *path, int i)
{
	struct stat st;
	if (i < SOURCE_MEMBERS_MAX && stat(path, &st) == 0)
		*(uint64_t *)arg += (uint64_t)st.st_size;
}

uint64_t source_size(const char *path)
{
	struct stat st;
	uint64_t n = 0;
	int n_others;
	if (stat(path, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		(void)folder_each(path, add_size, &n, &n_others);
	else if (S_ISREG(st.st_mode))
		n = (uint64_t)st.st_size;
	return n;
}
