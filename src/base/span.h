/* A borrowed view of bytes. It owns nothing and lives as long as what it points into. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct span {
	const uint8_t *p;
	size_t n; /* bytes */
};

static inline struct span span_of(const void *p, size_t n)
{
	return (struct span){.p = p, .n = n};
}

/* The bytes of a C string without its terminator; NULL is the empty span. */
static inline struct span span_str(const char *s)
{
	return (struct span){.p = (const uint8_t *)s, .n = s ? strlen(s) : 0};
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool span_is(struct span a, const char *s)
{
	return span_eq(a, span_str(s));
}

/* ASCII case-insensitive, for header names and keywords. */
static inline bool span_is_nocase(struct span a, const char *s)
{
	return a.n == strlen(s) && strncasecmp((const char *)a.p, s, a.n) == 0;
}

/* The first byte decides most calls: loops over tables of beginnings need no strlen() for each row. */
static inline bool span_starts(struct span a, const char *prefix)
{
	if (a.n == 0 || a.p[0] != (uint8_t)prefix[0])
		return prefix[0] == '\0';
	size_t n = strlen(prefix);
	return a.n >= n && memcmp(a.p, prefix, n) == 0;
}

/* The first n bytes dropped; empty when there are fewer. */
static inline struct span span_skip(struct span a, size_t n)
{
	if (n > a.n)
		n = a.n;
	if (n == 0)
		return a; /* NULL + 0 is undefined in C */
	return (struct span){.p = a.p + n, .n = a.n - n};
}

/* Without blanks and tabs on either side. */
static inline struct span span_trim(struct span a)
{
	while (a.n > 0 && (a.p[0] == ' ' || a.p[0] == '\t'))
		a = span_skip(a, 1);
	while (a.n > 0 && (a.p[a.n - 1] == ' ' || a.p[a.n - 1] == '\t'))
		a.n--;
	return a;
}

/* Cuts *rest at the first sep: returns what stands before it and moves *rest behind it (empty at the end). */
static inline struct span span_cut(struct span *rest, char sep)
{
	const uint8_t *at = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
	struct span head = *rest;
	if (at == NULL) {
		*rest = span_skip(*rest, rest->n);
		return head;
	}
	head.n = (size_t)(at - rest->p);
	*rest = span_skip(*rest, head.n + 1);
	return head;
}

#endif
