#include <stdio.h>

#include "ctl/ask.h"
#include "ctl/console.h"

struct printing {
	bool is_begun, is_failed; /* failed: nobody reads, or the disk is full */
};

static bool print(void *ctx, struct span data)
{
	struct printing *p = ctx;
	p->is_begun = true;
	p->is_failed |= fwrite(data.p, 1, data.n, stdout) != data.n || fflush(stdout) != 0;
	return !p->is_failed;
}

/* 0 or 1. */
static int print_answer(const struct ask_answer *a, bool is_json, bool is_begun)
{
	FILE *to = a->status != 0 && !is_json && !is_begun ? stderr : stdout;
	bool is_good = fwrite(text_cstr(&a->text), 1, a->text.n, to) == a->text.n && fflush(to) == 0;
	if (a->cut.n > 0)
		fprintf(stderr, "culvertctl: the answer is not complete: %s\n", text_cstr(&a->cut));
	return !is_good || a->status != 0;
}

int console_run(const char *socket_path, const char *const *argv, size_t argc, bool is_json)
{
	struct ask_answer a;
	struct printing p = {0};
	int status = 1;
	int r = ask_stream(socket_path, argv, argc, is_json, print, &p, &a);
	if (r == 0) {
		status = print_answer(&a, is_json, p.is_begun || a.cut.n > 0);
	} else if (!p.is_failed) {
		struct text why = {0};
		ask_explain(socket_path, r, &why);
		fprintf(stderr, "culvertctl: %s%s\n", p.is_begun ? "the answer is not complete: " : "",
		        text_cstr(&why));
		text_done(&why);
	}
	ask_answer_done(&a);
	return status;
}
