/* The command table: one row per command. Parser, messages, running-config, completion and manual come from
 * it. */
#ifndef POLICY_TABLE_H
#define POLICY_TABLE_H

#include "policy/model.h"

/* Where a command lives; a row may live in several modes. */
enum mode {
	MODE_GLOBAL = 1 << 0,
	MODE_WEBVPN = 1 << 1,
	MODE_POLICY = 1 << 2,        /* group-policy NAME attributes */
	MODE_POLICY_WEBVPN = 1 << 3, /* webvpn inside it */
	MODE_GROUP = 1 << 4,         /* tunnel-group NAME general-attributes */
	MODE_GROUP_WEBVPN = 1 << 5,  /* tunnel-group NAME webvpn-attributes */
	MODE_USER = 1 << 6,          /* username NAME attributes */
	MODE_TRUSTPOINT = 1 << 7,
	MODE_AAA = 1 << 8,       /* aaa-server NAME protocol P */
	MODE_AAA_HOST = 1 << 9,  /* aaa-server NAME (IF) host H */
	MODE_LDAP_MAP = 1 << 10, /* ldap attribute-map NAME */
};
#define N_MODES 11

enum command_flag {
	CMD_LATER = 1,     /* accepted and kept, but without effect in this release */
	CMD_IGNORED = 2,   /* outside the product's scope: listed once, sub-mode lines swallowed */
	CMD_RELOAD = 4,    /* a change takes effect at reload, without a restart */
	CMD_EXTENSION = 8, /* ours, not the ASA's */
	CMD_MULTI = 16,    /* every different line counts; otherwise a later one replaces an earlier one */
	CMD_CREATES = 32,  /* makes an object that other lines refer to */
	CMD_FAMILY = 64,   /* rows with the same first word and name print, and are removed, together */
	CMD_LINES = 128,   /* each line adds one to a text, also when it is the same as another */
};

/* How the words of a line become a value of the model at `offset` in the object of the mode. */
enum bind_kind {
	BIND_NONE,   /* kept as text only, or apply() */
	BIND_NUMBER, /* uint32_t: N times scale; `none` is 0 */
	BIND_CHOICE, /* uint32_t: position of the word among its alternatives */
	BIND_FLAG,   /* uint32_t: 1 */
	BIND_TEXT,   /* const char *: the last word when it is an argument, otherwise "" */
	BIND_WORD,   /* const char *: the last word */
	BIND_LIST,   /* struct str_list: every argument */
};

struct builder;
struct stmt;

struct command {
	uint32_t modes; /* enum mode */
	/* Lower case: keyword. Upper case: argument, a type of syntax.c. {a|b}, [optional], "..." repeats
	 * what stands before it. */
	const char *syntax;
	const char *def; /* the line that says the default; NULL: none */
	const char *help;
	uint32_t min, max; /* range of argument N */
	const char *unit;  /* of N */
	uint32_t flags;    /* enum command_flag */
	uint8_t n_keys;    /* leading words that say which one of several is set; 0: there is only one */
	enum mode enters;  /* 0: none */
	enum bind_kind bind;
	uint32_t offset, scale; /* scale 0 means 1 */
	uint32_t attr;          /* enum policy_attr + 1; 0: not an attribute */
	/* Beside or instead of bind. obj is the object of the mode. Reports itself; returns ERR_CONFIG. */
	int (*apply)(struct builder *b, const struct stmt *s, void *obj);
};

/* In the order of a running-config. */
const struct command *command_table(size_t *ret_n);

#endif
