/* XML for the one dialogue that needs it: a bounded reader on top of expat and an escaping writer.
 * The reader takes a whole document, refuses any DTD (so no entities but the five and numeric ones), bounds
 * depth, elements, attributes and text, and reads bytes as UTF-8 whatever the declaration says. Elements that
 * the caller does not name are skipped with all that is in them. What expat allocates is wiped when freed,
 * because these documents carry passwords. */
#ifndef WIRE_XML_H
#define WIRE_XML_H

#include "base/err.h"
#include "base/span.h"
#include "base/text.h"
#include "base/util.h"

#define XML_DOC_MAX_BYTES (256u << 10) /* as HTTP_BODY_MAX_BYTES */
#define XML_MAX_DEPTH     16
#define XML_MAX_ELEMENTS  512
#define XML_MAX_ATTRS     16   /* of one element */
#define XML_MAX_TEXT      4096 /* directly inside one element, bytes */

enum {
	XML_NODE_DOC = 0,   /* parent of the root */
	XML_NODE_SKIP = 1,  /* not named by any rule */
	XML_NODE_FIRST = 2, /* first number that a caller may use */
};

/* "Inside parent, an element called name is node." The first rule that fits wins; name "*" is any. */
struct xml_rule {
	uint8_t parent;
	uint8_t node;
	uint16_t max_text_bytes; /* limit of the text handed to close; 0: text is ignored. <= XML_MAX_TEXT */
	const char *name;
};

/* One known element. Views live until the callback returns. */
struct xml_element {
	uint8_t node;
	const char *name;
	const char *const *attrs; /* name, value, ..., NULL; at open only */
	struct span text;         /* at close: characters directly inside, entities expanded */
	struct span inner;        /* at close: the bytes between the tags, verbatim */
};

struct xml_walk {
	const struct xml_rule *rules;
	size_t n_rules;
	/* 0 or an err_class, which ends the walk. */
	int (*open)(void *arg, const struct xml_element *e);
	int (*close)(void *arg, const struct xml_element *e);
	void *arg;
};

/* 0; ERR_MALFORMED (not well-formed, DTD, root without a rule); ERR_TOO_LARGE (a limit); -ENOMEM; what a
 * callback returned. White space before the XML declaration is tolerated. */
MUST_USE int xml_read(struct span doc, const struct xml_walk *w);

/* Value of an attribute of an element at open; NULL when absent. */
const char *xml_attr(const struct xml_element *e, const char *name);

/* Character data and attribute values (for double quotes). Bytes that XML cannot carry (control characters,
 * broken UTF-8) become "?", so that the document is always well-formed. */
void xml_put_text(struct text *out, const char *s);
void xml_put_attr(struct text *out, const char *name, const char *value); /* with a leading blank */
void xml_put_element(struct text *out, const char *name, const char *s);  /* with a newline behind */
/* ASCII letters, digits, "_", "-", "."; begins with a letter or "_". */
bool xml_is_name(const char *s);

#endif
