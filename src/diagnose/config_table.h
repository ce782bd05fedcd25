/* The statements of an ASA configuration that matter to a VPN client's tunnels. */
#ifndef DIAGNOSE_CONFIG_TABLE_H
#define DIAGNOSE_CONFIG_TABLE_H

#include "diagnose/event.h"

#define CONFIG_MAX_WORDS 8 /* pools in one statement */

enum config_mode {
	CONFIG_TOP,
	CONFIG_POLICY,        /* group-policy X attributes */
	CONFIG_POLICY_WEBVPN, /* webvpn in it */
	CONFIG_WEBVPN,
	CONFIG_PROFILE, /* tunnel-group X general-attributes */
	CONFIG_USER,    /* username X attributes: what stands in a policy may stand here, too */
	CONFIG_OTHER,   /* known, nothing in it is of interest */
};

enum config_how {
	CONFIG_PLAIN,
	CONFIG_LIST,  /* one fact for each of words */
	CONFIG_POOL4, /* rest: "10.10.10.1-10.10.10.254 mask 255.255.255.0" */
	CONFIG_POOL6, /* rest: "2001:db8::1/64 254" */
	CONFIG_ONCE,  /* the fact repeats with each line of an object */
	CONFIG_SSL,   /* rest: "ikev1 ssl-client": number 1 when the client's protocol is among them */
};

/* Words of a pattern: "sys*opt" may be cut to "sys" or more; "a|b": either; "..." any more words; "$s":
 * scope,
 * "$t": text, "$w": any word, "$r": text: all that is left, "$+": words, "$n": number, "$m": number or none,
 * "$b": enable, or disable or none. All words of the statement must be in the pattern. */
struct config_row {
	const char *pattern;
	uint8_t mode;    /* in which it stands */
	uint8_t fact;    /* FACT_N: none */
	uint8_t enters;  /* the mode behind it, CONFIG_TOP: no change */
	uint8_t how;     /* enum config_how */
	uint32_t number; /* when the pattern has none */
};

struct config_match {
	const struct config_row *row;
	uint32_t number;
	struct span scope, text;
	struct span words[CONFIG_MAX_WORDS];
	size_t n_words;
};

/* The next row from *i on that fits; *i is then the one behind it. One statement may say two things. */
bool config_match(enum config_mode mode, struct span statement, size_t *i, struct config_match *ret);

/* Does nobody but an ASA or FTD write lines that begin so? */
bool config_is_distinctive(struct span statement);

#endif
