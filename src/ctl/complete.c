#include "ctl/complete.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/ask.h"

#define LINE_MAX_BYTES 4096

/* Words of a line; the last one, "" after a blank, has "?" appended. */
struct question {
	char text[LINE_MAX_BYTES];
	const char *argv[ASK_MAX_WORDS];
	size_t argc;
	size_t n_prefix; /* bytes of the last word without "?" */
};

static bool question_make(struct question *q, struct span line)
{
	struct span rest = line;
	size_t n = 0;
	q->argc = q->n_prefix = 0;
	if (line.n + 2 * ASK_MAX_WORDS > sizeof(q->text))
		return false;
	do {
		struct span word = span_cut(&rest, ' ');
		bool is_last = rest.n == 0 && (line.n == 0 || line.p[line.n - 1] != ' ');
		if (word.n == 0 && !is_last)
			continue;
		if (q->argc == ASK_MAX_WORDS - 1)
			return false;
		q->argv[q->argc++] = q->text + n;
		n += (size_t)snprintf(q->text + n, sizeof(q->text) - n, "%.*s%s", (int)word.n,
		             (const char *)word.p, is_last ? "?" : "") +
		     1;
		q->n_prefix = is_last ? word.n : 0;
	} while (rest.n > 0);
	if (q->argc == 0 || q->argv[q->argc - 1][strlen(q->argv[q->argc - 1]) - 1] != '?')
		q->argv[q->argc++] = "?";
	return true;
}

static bool question_ask(
        const char *path, struct span line, bool is_json, struct question *q, struct text *out)
{
	unsigned status = 1;
	return question_make(q, line) && ask(path, q->argv, q->argc, is_json, out, &status) == 0 &&
	       (status == 0 || !is_json);
}

/* Words that can be typed as they stand; "<user>" and "<cr>" cannot. */
static const char *plain_word(const json_t *item)
{
	const char *word = json_string_value(json_object_get(item, "word"));
	return word && word[0] != '<' ? word : NULL;
}

static void insert_common(const json_t *words, size_t n_prefix, struct text *ret)
{
	const char *first = NULL;
	size_t n_common = 0, n_words = 0, i;
	const json_t *item;
	json_array_foreach((json_t *)words, i, item)
	{
		const char *word = plain_word(item);
		if (!word)
			continue;
		if (n_words++ == 0) {
			first = word;
			n_common = strlen(word);
		}
		for (size_t k = 0; k < n_common; k++) {
			if (word[k] != first[k])
				n_common = k;
		}
	}
	if (n_common < n_prefix || n_words == 0)
		return;
	text_put(ret, span_of(first + n_prefix, n_common - n_prefix));
	if (n_words == 1)
		text_str(ret, " ");
}

void complete_line(const char *socket_path, struct span line, struct text *ret_insert)
{
	struct question q;
	struct text answer = {0};
	if (question_ask(socket_path, line, true, &q, &answer)) {
		json_t *words = json_loadb(text_cstr(&answer), answer.n, 0, NULL);
		insert_common(words, q.n_prefix, ret_insert);
		json_decref(words);
	}
	text_done(&answer);
}

void complete_help(const char *socket_path, struct span line, struct text *ret_list)
{
	struct question q;
	if (!question_ask(socket_path, line, false, &q, ret_list))
		text_done(ret_list);
}
