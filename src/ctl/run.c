#include <stdio.h>

#include "ctl/ask.h"
#include "ctl/console.h"
#include "ctl/local.h"
#include "ctl/pipe.h"

struct printing {
	struct pipe pipe;
	bool is_begun, is_failed; /* failed: nobody reads, or the disk is full */
};

static bool write_out(struct text *t)
{
	bool is_good = fwrite(text_cstr(t), 1, t->n, stdout) == t->n && fflush(stdout) == 0;
	text_done(t);
	return is_good;
}

static bool print(void *ctx, struct span data)
{
	struct printing *p = ctx;
	struct text shown = {0};
	p->is_begun = true;
	pipe_take(&p->pipe, data, &shown);
	p->is_failed |= !write_out(&shown);
	return !p->is_failed;
}

/* 0 or 1. */
static int print_answer(struct printing *p, const struct ask_answer *a, bool is_json)
{
	bool is_begun = p->is_begun || a->cut.n > 0, is_good;
	if (a->status != 0 && !is_json && !is_begun) {
		is_good = fwrite(text_cstr(&a->text), 1, a->text.n, stderr) == a->text.n;
	} else {
		struct text shown = {0};
		pipe_take(&p->pipe, span_of(a->text.p, a->text.n), &shown);
		pipe_end(&p->pipe, &shown);
		is_good = write_out(&shown);
	}
	if (a->cut.n > 0)
		fprintf(stderr, "culvertctl: the answer is not complete: %s\n", text_cstr(&a->cut));
	return !is_good || a->status != 0;
}

static int ask_and_print(
        const char *socket_path, const char *const *argv, size_t argc, bool is_json, struct printing *p)
{
	struct ask_answer a;
	int status = 1;
	int r = ask_stream(socket_path, argv, argc, is_json, print, p, &a);
	if (r == 0) {
		status = print_answer(p, &a, is_json);
	} else if (!p->is_failed) {
		struct text why = {0};
		ask_explain(socket_path, r, &why);
		fprintf(stderr, "culvertctl: %s%s\n", p->is_begun ? "the answer is not complete: " : "",
		        text_cstr(&why));
		text_done(&why);
	}
	ask_answer_done(&a);
	return status;
}

static int run_piped(const char *socket_path, const char *const *argv, size_t argc, bool is_json)
{
	struct printing p = {0};
	struct text why = {0};
	int status = 1;
	int r = pipe_parse(argv, &argc, &p.pipe, &why);
	if (r == 0 && p.pipe.kind != PIPE_NONE && is_json) {
		r = ERR_MALFORMED;
		text_str(&why, "\"|\" chooses lines of text, not of JSON");
	}
	if (r == 0)
		status = ask_and_print(socket_path, argv, argc, is_json, &p);
	else
		fprintf(stderr, "culvertctl: %s\n", text_cstr(&why));
	text_done(&why);
	pipe_done(&p.pipe);
	return status;
}

int console_run(const char *socket_path, const char *const *argv, size_t argc, bool is_json)
{
	static const char *const help[] = {"?"};
	const char *text = NULL;
	switch (argc > 0 ? local_find(argv[0], &text) : LOCAL_NONE) {
	case LOCAL_TOLD:
		puts(text);
		return 0;
	case LOCAL_REFUSED:
		fprintf(stderr, "culvertctl: %s\n", text);
		return 1;
	case LOCAL_HELP:
		return run_piped(socket_path, help, 1, is_json);
	default:
		return run_piped(socket_path, argv, argc, is_json);
	}
}
