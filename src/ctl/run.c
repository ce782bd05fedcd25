#include <stdio.h>

#include "ctl/ask.h"
#include "ctl/console.h"

static bool print(void *ctx, struct span data)
{
	(void)ctx;
	return fwrite(data.p, 1, data.n, stdout) == data.n && fflush(stdout) == 0;
}

int console_run(const char *socket_path, const char *const *argv, size_t argc, bool is_json)
{
	struct text out = {0};
	unsigned status = 1;
	int r = ask_stream(socket_path, argv, argc, is_json, print, NULL, &out, &status);
	if (r < 0) {
		struct text why = {0};
		ask_explain(socket_path, r, &why);
		fprintf(stderr, "culvertctl: %s\n", text_cstr(&why));
		text_done(&why);
		status = 1;
	} else {
		FILE *to = status != 0 && !is_json ? stderr : stdout;
		if (fwrite(text_cstr(&out), 1, out.n, to) != out.n || fflush(to) != 0)
			status = 1; /* nobody reads, or the disk is full */
	}
	text_done(&out);
	return status != 0;
}
