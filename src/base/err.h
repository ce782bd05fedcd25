/* The error idiom of the whole project: functions return 0 (or a count), -errno for the system's errors, or
 * one of these classes. What a peer or an operator did wrong has a class of its own, so that the edge can
 * choose the answer (HTTP status, disconnect, exit code) by table and not by guessing. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err_class {
	ERR_MALFORMED = -1001,   /* bytes that break the format */
	ERR_TOO_LARGE = -1002,   /* over a named limit */
	ERR_UNSUPPORTED = -1003, /* well-formed, but not something we do */
	ERR_MORE = -1004,        /* incomplete: come back with more bytes */
	ERR_REFUSED = -1005,     /* credentials or token not accepted */
	ERR_LOCKED = -1006,      /* too many failures: wait */
	ERR_LIMIT = -1007,       /* a configured limit is reached (sessions, requests) */
	ERR_NO_ADDRESS = -1008,  /* address pool exhausted */
	ERR_CLOSED = -1009,      /* the peer ended the connection */
	ERR_IDENTITY = -1010,    /* the server's certificate or pin was not accepted */
	ERR_CRYPTO = -1011,      /* the cryptographic library reported a failure */
	ERR_TIMEOUT = -1012,
	ERR_CONFIG = -1013,        /* configuration not usable */
	ERR_PEER_PROTOCOL = -1014, /* the peer answered outside the protocol */
};

/* One line of English for a return value of any of our functions; never NULL. */
const char *err_text(int err);

#endif
