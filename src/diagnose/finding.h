/* What is wrong, why, what proves it, and what cures it. Rows of findings.c say which there are; the texts of
 * a finding are complete sentences in which everything from outside is already escaped. */
#ifndef DIAGNOSE_FINDING_H
#define DIAGNOSE_FINDING_H

#include "base/text.h"
#include "diagnose/store.h"

#define FINDING_MAX_EVIDENCE 16
#define FINDING_MAX_REMEDIES 8
#define FINDING_MAX_USERS    1000 /* named; all are counted */

enum severity {
	SEVERITY_INFO,    /* nothing to repair, or nothing has happened yet */
	SEVERITY_WARNING, /* users notice it */
	SEVERITY_ERROR,   /* users cannot work */
	SEVERITY_N,
};

/* How sure: by what is in the files, and from how many kinds of source it comes. */
enum confidence { CONFIDENCE_POSSIBLE, CONFIDENCE_PROBABLE, CONFIDENCE_CERTAIN, CONFIDENCE_N };

struct evidence {
	uint32_t file, line;
	uint32_t text;  /* store_text() */
	uint32_t count; /* repeats within a minute, 1: none */
	int64_t at_ms;
	bool has_zone;
};

struct remedy {
	struct text title, config; /* config: lines, each with '\n', in the order in which to paste them */
	struct text effect, side_effects;
};

struct finding {
	const char *id, *title;
	enum severity severity;
	enum confidence confidence;
	struct text cause;   /* one paragraph */
	struct text verdict; /* one short line */
	struct evidence evidence[FINDING_MAX_EVIDENCE];
	size_t n_evidence, n_more_evidence;
	struct remedy remedies[FINDING_MAX_REMEDIES];
	size_t n_remedies;
	word_t *users; /* distinct, in order of appearance; at most FINDING_MAX_USERS */
	size_t n_users, n_all_users;
	word_t group;                    /* group-policy of the remedies, 0: not known */
	int64_t first_at_ms, last_at_ms; /* TIME_NONE */
	uint32_t sources;                /* bits 1 << enum source_kind */
	uint32_t example;                /* case to be shown, CASE_NONE of cases.h: none */
	size_t rank;                     /* row of the table */
};

struct findings;

/* Of a finished store. -ENOMEM. */
MUST_USE int findings_find(const struct store *s, struct findings **ret);
void findings_free(struct findings *f);
/* Worst first. */
size_t findings_n(const struct findings *f);
/* The sessions that they were found in; of cases.h. */
struct cases;
const struct cases *findings_cases(const struct findings *f);
const struct finding *findings_at(const struct findings *f, size_t i);

const char *severity_name(enum severity s);
const char *confidence_name(enum confidence c);

#endif
