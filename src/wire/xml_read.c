#include "wire/xml.h"

#include <errno.h>
#include <expat.h>
#include <stdlib.h>

struct level {
	uint8_t node;
	uint16_t max_text_bytes;
	size_t inner_at; /* offset behind the start tag */
};

struct reader {
	const struct xml_walk *walk;
	XML_Parser parser;
	struct span doc;
	struct level levels[XML_MAX_DEPTH + 1]; /* [0] is the document */
	size_t depth;
	size_t n_elements;
	char text[XML_MAX_TEXT];
	size_t n_text;
	int err;
};

/* expat's memory holds passwords: each block knows its size and is wiped before it goes back. */
union block {
	size_t n;
	max_align_t align;
};

static void *wiping_malloc(size_t n)
{
	if (n > SIZE_MAX - sizeof(union block))
		return NULL;
	union block *b = malloc(sizeof(*b) + n);
	if (b == NULL)
		return NULL;
	b->n = n;
	return b + 1;
}

static void wiping_free(void *p)
{
	if (p == NULL)
		return;
	union block *b = (union block *)p - 1;
	explicit_bzero(p, b->n);
	free(b);
}

static void *wiping_realloc(void *p, size_t n)
{
	void *fresh = wiping_malloc(n);
	if (fresh == NULL || p == NULL)
		return fresh;
	size_t old = ((union block *)p - 1)->n;
	memcpy(fresh, p, old < n ? old : n);
	wiping_free(p);
	return fresh;
}

static void reader_fail(struct reader *r, int err)
{
	if (r->err == 0)
		r->err = err;
	XML_StopParser(r->parser, XML_FALSE);
}

static const struct xml_rule *rule_find(const struct xml_walk *w, uint8_t parent, const char *name)
{
	for (size_t i = 0; i < w->n_rules; i++) {
		const struct xml_rule *rule = &w->rules[i];
		if (rule->parent == parent && (strcmp(rule->name, "*") == 0 || strcmp(rule->name, name) == 0))
			return rule;
	}
	return NULL;
}

static size_t attrs_count(const XML_Char **attrs)
{
	size_t n = 0;
	while (attrs[2 * n] != NULL)
		n++;
	return n;
}

static void XMLCALL on_start(void *arg, const XML_Char *name, const XML_Char **attrs)
{
	struct reader *r = arg;
	if (r->err != 0)
		return;
	if (r->depth == XML_MAX_DEPTH || ++r->n_elements > XML_MAX_ELEMENTS ||
	        attrs_count(attrs) > XML_MAX_ATTRS) {
		reader_fail(r, ERR_TOO_LARGE);
		return;
	}
	uint8_t parent = r->levels[r->depth].node;
	const struct xml_rule *rule = rule_find(r->walk, parent, name);
	if (rule == NULL && parent == XML_NODE_DOC) {
		reader_fail(r, ERR_MALFORMED);
		return;
	}
	struct level *level = &r->levels[++r->depth];
	*level = (struct level){.node = XML_NODE_SKIP};
	if (rule == NULL)
		return;
	level->node = rule->node;
	level->max_text_bytes = rule->max_text_bytes;
	level->inner_at =
	        (size_t)XML_GetCurrentByteIndex(r->parser) + (size_t)XML_GetCurrentByteCount(r->parser);
	r->n_text = 0;
	struct xml_element e = {.node = rule->node, .name = name, .attrs = (const char *const *)attrs};
	int err = r->walk->open(r->walk->arg, &e);
	if (err != 0)
		reader_fail(r, err);
}

/* For "<a/>" the end event stands at the start tag: nothing is inside. */
static struct span inner_of(const struct reader *r, const struct level *level)
{
	size_t end = (size_t)XML_GetCurrentByteIndex(r->parser);
	if (level->inner_at > r->doc.n || end <= level->inner_at || end > r->doc.n)
		return (struct span){0};
	return span_of(r->doc.p + level->inner_at, end - level->inner_at);
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
	struct reader *r = arg;
	if (r->err != 0 || r->depth == 0)
		return;
	const struct level *level = &r->levels[r->depth--];
	if (level->node == XML_NODE_SKIP)
		return;
	struct xml_element e = {.node = level->node, .name = name, .inner = inner_of(r, level)};
	if (level->max_text_bytes > 0)
		e.text = span_of(r->text, r->n_text);
	int err = r->walk->close(r->walk->arg, &e);
	if (err != 0)
		reader_fail(r, err);
	r->n_text = 0;
}

static void XMLCALL on_text(void *arg, const XML_Char *s, int n)
{
	struct reader *r = arg;
	const struct level *level = &r->levels[r->depth];
	if (r->err != 0 || level->max_text_bytes == 0)
		return;
	size_t max = level->max_text_bytes < sizeof(r->text) ? level->max_text_bytes : sizeof(r->text);
	if ((size_t)n > max - r->n_text) {
		reader_fail(r, ERR_TOO_LARGE);
		return;
	}
	memcpy(r->text + r->n_text, s, (size_t)n);
	r->n_text += (size_t)n;
}

static void XMLCALL on_doctype(
        void *arg, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid, int has_subset)
{
	(void)name, (void)sysid, (void)pubid, (void)has_subset;
	reader_fail(arg, ERR_MALFORMED);
}

static struct span skip_white(struct span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\r' || s.p[0] == '\n'))
		s = span_skip(s, 1);
	return s;
}

int xml_read(struct span doc, const struct xml_walk *w)
{
	static const XML_Memory_Handling_Suite wiping = {wiping_malloc, wiping_realloc, wiping_free};
	if (doc.n > XML_DOC_MAX_BYTES)
		return ERR_TOO_LARGE;
	struct reader r = {.walk = w, .doc = skip_white(doc)};
	if (r.doc.n == 0)
		return ERR_MALFORMED;
	r.parser = XML_ParserCreate_MM("UTF-8", &wiping, NULL);
	if (r.parser == NULL)
		return -ENOMEM;
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	if (XML_Parse(r.parser, (const char *)r.doc.p, (int)r.doc.n, XML_TRUE) != XML_STATUS_OK && r.err == 0)
		r.err = XML_GetErrorCode(r.parser) == XML_ERROR_NO_MEMORY ? -ENOMEM : ERR_MALFORMED;
	XML_ParserFree(r.parser);
	explicit_bzero(r.text, sizeof(r.text));
	return r.err;
}

const char *xml_attr(const struct xml_element *e, const char *name)
{
	for (size_t i = 0; e->attrs != NULL && e->attrs[i] != NULL; i += 2) {
		if (strcmp(e->attrs[i], name) == 0)
			return e->attrs[i + 1];
	}
	return NULL;
}
