/* One TLS connection of a client: handshake, HTTP requests of the login, and after CONNECT the TLS tunnel. */
#ifndef GATEWAY_CONN_H
#define GATEWAY_CONN_H

#include "gateway/worker.h"
#include "wire/auth_xml.h"
#include "wire/cstp_long.h"
#include "wire/http.h"
#include "wire/params.h"

/* Login documents have a few KiB, with certificates in them some more; thousands of strangers may send one.
 */
#define CONN_BODY_MAX_BYTES (64u << 10)
#define CONN_IN_MAX_BYTES   (HTTP_HEAD_MAX_BYTES + CONN_BODY_MAX_BYTES) /* before the tunnel */
#define CONN_OUT_MAX_BYTES  (256u << 10) /* waiting for a client that does not read */
#define CONN_SEND_BYTES     (60u << 10)  /* what makes one send() worth while in the middle of a turn */
#define CONN_UNSENT_BYTES   (128u << 10) /* the same in the kernel */
#define CONN_MAX_REQUESTS   32
#define CONN_HANDSHAKE_MS   30000
#define CONN_LOGIN_MS       240000
#define CONN_MAX_ATTEMPTS   3 /* wrong passwords on one connection */

enum conn_state {
	CONN_HANDSHAKE, /* TLS */
	CONN_HTTP,      /* waits for a request */
	CONN_WAIT_AUTH, /* a request is with the auth process: nothing is read meanwhile */
	CONN_TUNNEL,
	CONN_CLOSING, /* flushes, then closes */
};

/* Freed when the tunnel begins, so that an idle session stays small. */
struct conn_http {
	struct text in;     /* received, not consumed */
	size_t wants_bytes; /* of in, until the request in front is complete; 0: its head is not */
	struct http_head head;
	uint8_t n_requests;
	uint8_t n_attempts;
	bool wants_close;                    /* after the answer in flight */
	char tunnel_group[IPC_NAME_MAX + 1]; /* chosen so far; "": default */
	char action[AUTH_FIELD_BYTES];       /* where the form is posted: keeps a group URL */
	char username[IPC_USER_MAX + 1];
	struct tunnel_request connect; /* CONNECT that waits for auth */
};

struct conn {
	struct worker *w;
	struct conn *prev, *next; /* w->conns */
	struct conn *next_dirty;
	struct htab_node by_ref;
	struct loop_fd poll;
	struct loop_timer timer; /* handshake and login time limit */
	struct tls *tls;
	struct tls_out out;
	struct conn_http *http;   /* NULL in the tunnel */
	struct cstp_long rx_long; /* a packet that goes on in the next record */
	struct session *session;
	struct ip_addr peer, local;
	uint16_t peer_port, local_port;
	int fd;
	uint32_t ref; /* of the question at auth, 0: none */
	enum conn_state state;
	uint64_t token_hash;    /* of the cookie of its CONNECT */
	struct conn_move *move; /* NULL: it stays in this thread */
	bool is_dirty;
	uint8_t n_closing; /* libuv handles that still close */
};

/* TCP listener is readable. */
void conn_accept(struct worker *w);
/* Sends what waits on every connection that wrote in this turn. */
void conn_flush_dirty(struct worker *w);
/* Marks for conn_flush_dirty(). */
void conn_touch(struct conn *c);
/* Plaintext as TLS records of at most one record each, appended to the output. */
MUST_USE int conn_write(struct conn *c, struct span plain);
/* One CSTP packet as one record. -ENOBUFS when the client does not read. */
MUST_USE int conn_write_cstp(struct conn *c, uint8_t type, struct span payload);
/* The same, with CSTP_HEADER_BYTES in front of the payload that may be written. */
MUST_USE int conn_write_cstp_in_place(struct conn *c, uint8_t type, uint8_t *payload, size_t n);
/* The same as several records, all or none: n up to CSTP_LONG_PAYLOAD_MAX. -ENOBUFS: there is no room for all
 * of it. */
MUST_USE int conn_write_cstp_long(struct conn *c, uint8_t type, uint8_t *payload, size_t n);
/* The first part of such a packet came (-ENOMEM); it is no longer under way. */
MUST_USE int conn_long_begin(struct conn *c, struct span rest);
void conn_long_done(struct conn *c);
/* close_notify, flush, close. Session is told by the caller. */
void conn_close(struct conn *c);
/* At once, without a word. */
void conn_abort(struct conn *c);
/* CONNECT was answered: from here on records are CSTP packets of s. Forgets everything of the login. */
void conn_enter_tunnel(struct conn *c, struct session *s);
/* The answer of auth that this connection waits for (CONN_WAIT_AUTH). */
void conn_on_auth(struct conn *c, const struct ipc_msg *m);
/* At the end of this turn to another thread, where auth is asked the question. -ENOMEM. */
MUST_USE int conn_move(struct conn *c, struct worker *to, const struct ipc_msg *question);
/* MTU facts of the TCP connection: path MTU in bytes, 0 unknown. */
uint16_t conn_path_mtu(const struct conn *c);

#endif
