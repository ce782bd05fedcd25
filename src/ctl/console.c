#include "ctl/console.h"

#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl/ask.h"
#include "ctl/complete.h"
#include "ctl/local.h"
#include "ctl/pipe.h"

#define PROMPT        "culvert# "
#define HISTORY_LINES 200

static char *prompt(EditLine *el)
{
	(void)el;
	return PROMPT;
}

static const char *socket_of(EditLine *el)
{
	void *path = NULL;
	el_get(el, EL_CLIENTDATA, &path);
	return path;
}

static struct span line_of(EditLine *el)
{
	const LineInfo *info = el_line(el);
	return span_of(info->buffer, (size_t)(info->cursor - info->buffer));
}

static unsigned char on_help(EditLine *el, int ch)
{
	struct text list = {0};
	(void)ch;
	struct span line = line_of(el);
	if (line.n > 0 && memchr(line.p, '|', line.n) != NULL)
		text_str(&list, pipe_help());
	else
		complete_help(socket_of(el), line, &list);
	if (span_trim(line).n == 0 && list.n > 0)
		text_str(&list, "  exit             Leave\n");
	printf("?\n%s", text_cstr(&list));
	fflush(stdout);
	text_done(&list);
	return CC_REDISPLAY;
}

static unsigned char on_tab(EditLine *el, int ch)
{
	struct text more = {0};
	(void)ch;
	complete_line(socket_of(el), line_of(el), &more);
	bool is_inserted = more.n > 0 && el_insertstr(el, text_cstr(&more)) == 0;
	text_done(&more);
	return is_inserted ? CC_REFRESH : CC_REFRESH_BEEP;
}

/* 0 or 1 as console_run(); -1: the operator wants to leave. */
static int one_line(const char *socket_path, const char *line, bool is_json)
{
	Tokenizer *tok = tok_init(NULL);
	const char **argv, *text;
	int argc = 0, status = 0;
	if (!tok)
		return 1;
	if (tok_str(tok, line, &argc, &argv) != 0) {
		fprintf(stderr, "culvertctl: a quote is not closed\n");
		status = 1;
	} else if (argc == 1 && local_find(argv[0], &text) == LOCAL_LEAVE) {
		status = -1;
	} else if (argc > 0) {
		status = console_run(socket_path, argv, (size_t)argc, is_json);
	}
	tok_end(tok);
	return status;
}

static int loop_script(const char *socket_path, bool is_json)
{
	char *line = NULL;
	size_t cap = 0;
	int status = 0, r = 0;
	while (r >= 0 && getline(&line, &cap, stdin) > 0) {
		r = one_line(socket_path, line, is_json);
		status |= r > 0;
	}
	free(line);
	return status;
}

static int loop_terminal(EditLine *el, History *history_lines, const char *socket_path, bool is_json)
{
	const char *line;
	HistEvent event;
	int n, r = 0;
	while (r >= 0 && (line = el_gets(el, &n)) != NULL && n > 0) {
		if (line[0] != '\n')
			history(history_lines, &event, H_ENTER, line);
		r = one_line(socket_path, line, is_json);
	}
	return 0;
}

int console_loop(const char *socket_path, bool is_json)
{
	HistEvent event;
	if (!isatty(STDIN_FILENO))
		return loop_script(socket_path, is_json);
	EditLine *el = el_init("culvertctl", stdin, stdout, stderr);
	History *h = history_init();
	int status = 1;
	if (el && h) {
		history(h, &event, H_SETSIZE, HISTORY_LINES);
		el_set(el, EL_PROMPT, prompt);
		el_set(el, EL_SIGNAL, 1);
		el_set(el, EL_EDITOR, "emacs");
		el_set(el, EL_HIST, history, h);
		el_set(el, EL_CLIENTDATA, (void *)socket_path);
		el_set(el, EL_ADDFN, "culvert-complete", "Completes the word", on_tab);
		el_set(el, EL_ADDFN, "culvert-help", "Lists what may follow", on_help);
		el_set(el, EL_BIND, "\t", "culvert-complete", NULL);
		el_set(el, EL_BIND, "?", "culvert-help", NULL);
		status = loop_terminal(el, h, socket_path, is_json);
	}
	if (h)
		history_end(h);
	if (el)
		el_end(el);
	return status;
}
