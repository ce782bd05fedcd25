#include "diagnose/cli.h"

#define MORE       "<--- More --->"
#define PROMPT_MAX 80 /* bytes before '#': a name, "/pri/act", "(config-group-policy)" */

struct span cli_clean(struct span line)
{
	if (line.n < sizeof(MORE) - 1 || line.p[0] != '<' || !span_starts(line, MORE))
		return line;
	line = span_skip(line, sizeof(MORE) - 1);
	/* the pager goes back to the first column, writes blanks over itself, and goes back again */
	for (size_t i = line.n; i > 0; i--)
		if (line.p[i - 1] == '\r' || line.p[i - 1] == '\b')
			return span_skip(line, i);
	size_t wiped = 0;
	while (wiped < sizeof(MORE) - 1 && wiped < line.n && line.p[wiped] == ' ')
		wiped++;
	return span_skip(line, wiped);
}

static bool is_name_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_' || c == '.';
}

bool cli_prompt(struct span line, struct span *ret_device, struct span *ret_command)
{
	size_t name = 0, i, n = line.n < PROMPT_MAX ? line.n : PROMPT_MAX;
	if (n == 0 || (memchr(line.p, '#', n) == NULL && memchr(line.p, '>', n) == NULL))
		return false; /* most lines, five readers ask */
	while (name < line.n && name < PROMPT_MAX && is_name_char(line.p[name]))
		name++;
	for (i = name; i < line.n && i < PROMPT_MAX; i++)
		if (!is_name_char(line.p[i]) && line.p[i] != '/' && line.p[i] != '(' && line.p[i] != ')')
			break;
	if (i >= line.n || (line.p[i] != '#' && line.p[i] != '>') || (i == 0 && line.p[i] == '#'))
		return false;
	struct span command = span_trim(span_skip(line, i + 1));
	if (command.n == 0)
		return false;
	*ret_device = span_of(line.p, name);
	*ret_command = command;
	return true;
}

struct span cli_next(struct span *rest)
{
	size_t n = 0;
	*rest = span_trim(*rest);
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	struct span word = span_of(rest->p, n);
	*rest = span_skip(*rest, n);
	return word;
}

bool cli_word(struct span *command, const char *keyword, size_t min)
{
	struct span rest = *command, word = cli_next(&rest);
	size_t n = strlen(keyword);
	if (word.n < min || word.n > n || memcmp(word.p, keyword, word.n) != 0)
		return false;
	*command = rest;
	return true;
}
