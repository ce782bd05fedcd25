/* The messages that say something of a VPN session: one row per form of text. */
#ifndef DIAGNOSE_SYSLOG_TABLE_H
#define DIAGNOSE_SYSLOG_TABLE_H

#include "diagnose/event.h"

/* Forms of text. A blank matches any number of blanks; '<' and '>' match themselves or nothing, because newer
 * releases put variables in angle brackets and older ones do not; "[x]" may be missing; all else must be
 * there as it is. "$x" is a field:
 *
 *   $g group-policy  $t tunnel-group  $u user          text, may be empty, ends where the next piece matches
 *   $p public        $a inner         $d peer          an address; :: and 0.0.0.0 leave it unset
 *   $s size          $l limit                          a number
 *   $k               TCP or UDP: which tunnel
 *   $v               a protocol such as TLSv1.2, DTLSv1: which tunnel
 *   $n               a number that does not matter;  $*: text that does not
 *   $x $y            words for the row's own rule
 *   $r               the cause: the rest of the message, without the dot at its end */
enum syslog_how {
	HOW_PLAIN,
	HOW_UP,       /* 722032 to 722034: 722022 says the same again */
	HOW_UP_AGAIN, /* 722022 */
	HOW_CLOSING,  /* 722037: the reason belongs to the 722023 that follows */
	HOW_CLOSED,   /* 722023 */
	HOW_END, /* several messages tell the end of one session; 113019: $x: session type, $y: duration */
	HOW_REJECTED,   /* 716039 tells again what 113005 told */
	HOW_SAID,       /* 722007 to 722014: what the client said */
	HOW_SSL_ERROR,  /* 725014: only some are of interest */
	HOW_SSL_FAILED, /* 725006: whose 725014 that is */
	HOW_SSL_HELLO,  /* 725008: likewise, before its list of ciphers */
	HOW_DEBUG,      /* 711001: a line of debug output */
	HOW_SWITCH,     /* culvertd: data moved from $x to $y */
};

struct syslog_row {
	uint32_t id;
	uint8_t how;    /* enum syslog_how */
	uint8_t kind;   /* enum event_kind */
	uint8_t tunnel; /* enum tunnel_kind, where the text does not say */
	uint8_t reason; /* enum end_reason, likewise */
	bool is_culvert, is_to_client;
	const char *pattern;
};

/* Rows of the id, in the order in which to try them; NULL: of no interest. */
const struct syslog_row *syslog_rows(uint32_t id, size_t *ret_n);

/* What the fields said, beside the event's own. */
struct syslog_words {
	struct span x, y;
};

/* Fills fields of e and w as the text has them; on false both are as they were. */
bool syslog_match(const char *pattern, struct span text, struct event *e, struct syslog_words *w);

/* What a client's closing words mean. False: nothing of interest. */
bool syslog_said(struct span words, uint8_t *ret_kind, uint8_t *ret_reason);

#endif
