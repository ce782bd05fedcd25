/* Everything that the readers said, in bounded memory: texts are kept once, repeats are counted, and what is
 * over a limit is counted and reported. Findings and reports read from here; nobody writes but the sink. */
#ifndef DIAGNOSE_STORE_H
#define DIAGNOSE_STORE_H

#include "diagnose/reader.h"

/* Together with what findings need at most about 210 MB, whatever is read (the promise for the whole run is
 * 256 MB). */
#define STORE_MAX_EVENTS       1100000
#define STORE_MAX_FACTS        20000
#define STORE_MAX_WORDS        250000 /* distinct users, addresses, devices, policies, reasons */
#define STORE_MAX_WORD_BYTES   200    /* of one; longer ones are cut */
#define STORE_WORDS_BYTES      (16u << 20)
#define STORE_TEXTS_BYTES      (40u << 20)  /* lines kept as evidence */
#define STORE_MAX_TEXT_BYTES   360          /* of one line; longer ones are cut */
#define STORE_RESERVED         40000        /* of the events, kept free for the user in question */
#define STORE_MERGE_MS         60000        /* repeats within this are one event with a count */
#define STORE_SINCE_CONTEXT_MS (15 * 60000) /* kept before --since, so that a session has its beginning */

#define STORE_MAX_AT_MS 32503680000000 /* year 3000: sums of times do not overflow */

/* Whom the administrator asks about; all fields may be unset. */
struct store_focus {
	const char *user;      /* case ignored; NULL: anybody. Borrowed while the store lives */
	struct ip_addr ip;     /* public or inner */
	int64_t since_ms;      /* TIME_NONE: from the beginning */
	int64_t since_back_ms; /* > 0: since so long before the newest event; store_finish() sets since_ms */
};

typedef uint32_t word_t; /* an interned text or address; 0: none */

/* struct event as it is kept. */
struct record {
	int64_t at_ms, last_at_ms; /* first and last of count; TIME_NONE */
	uint32_t count;
	uint32_t size, limit, adapter;
	uint32_t line, file;
	word_t device, user, group, profile, cause;
	word_t public_ip, inner, peer;
	uint32_t text; /* for store_text(); 0: not kept */
	uint16_t code;
	uint8_t kind, source, tunnel, reason;
	bool is_to_client : 1, has_tls : 1, has_dtls : 1, has_zone : 1;
	bool is_untimed : 1; /* at_ms is that of the line before it */
};

struct fact_record {
	uint8_t kind, source;
	bool is_user; /* as in struct fact */
	uint32_t number, line, file;
	word_t device, scope, value;
	uint32_t text;
};

struct store_counts {
	uint64_t n_offered;    /* events that readers made */
	uint64_t n_repeats;    /* of these, counted in another */
	uint64_t n_over_limit; /* of these, lost for want of room */
	uint64_t n_before;     /* of these, before --since */
	uint64_t n_facts_over_limit;
	uint64_t n_texts_over_limit; /* kept without their line */
	uint64_t n_clocks_back;      /* clocks that were set back an hour: what follows is counted on */
	int64_t clock_back_at_ms;    /* the first one, by the old clock; TIME_NONE */
	int64_t first_lost_at_ms;    /* TIME_NONE */
};

struct store;

/* NULL: no memory. */
struct store *store_new(const struct store_focus *focus);
void store_free(struct store *s);
/* Lives as long as the store. Never fails: what does not fit is counted. */
struct sink store_sink(struct store *s);
/* When the last file was read: puts events in order of time. Call it once, before everything below. */
void store_finish(struct store *s);

const struct store_focus *store_focus(const struct store *s);
struct store_counts store_counts(const struct store *s);
size_t store_n(const struct store *s);
/* i-th in order of time; events without a time follow the line before them. */
const struct record *store_at(const struct store *s, size_t i);
size_t store_n_facts(const struct store *s);
const struct fact_record *store_fact(const struct store *s, size_t i);
/* Bytes of an interned text, as they were read; empty for 0 and for addresses. Bytes come from outside:
 * escape them for output. */
struct span store_word(const struct store *s, word_t w);
/* 0 when nothing read has this text. Case counts. */
word_t store_find_word(const struct store *s, struct span text);
struct ip_addr store_addr(const struct store *s, word_t w); /* unset when it is none */
/* The line of a record, cut to STORE_MAX_TEXT_BYTES; empty when it was not kept. */
struct span store_text(const struct store *s, uint32_t text);
size_t store_n_words(const struct store *s); /* words are 1..n */

#endif
