/* One session of the load generator. */
#ifndef BENCH_MEMBER_H
#define BENCH_MEMBER_H

#include "load/load.h"
#include "wire/cstp.h"

enum member_stage {
	MEMBER_IDLE,
	MEMBER_DIAL,
	MEMBER_HANDSHAKE,
	MEMBER_LOGIN,
	MEMBER_CONNECT,
	MEMBER_UP,
	MEMBER_ENDED,
};

/* Only until the tunnel is up: it is large. */
struct member_talk {
	struct login login;
	struct https_reply reply;
	struct tunnel_params params;
	char user[LOAD_USER_BYTES];
	uint8_t master_secret[DTLS_SECRET_BYTES];
};

struct member_dtls {
	struct dtls *dtls; /* NULL: none */
	struct udp udp;
	struct udp_path path;
	struct watch *watch;
	uint64_t begun_ns;
	bool is_up;
};

struct member {
	struct load *load;
	uint32_t number;
	enum member_stage stage;
	bool is_settled;
	ms_t until_ms; /* to be settled by then */
	struct conn conn;
	struct watch *watch;
	struct member_talk *talk;
	struct member_dtls dtls;
	uint64_t begun_ns, stage_ns; /* when it, and its present stage, began */
};

void member_begin(struct member *m);
/* What is due by now: timeout, retransmission. */
void member_on_time(struct member *m, ms_t now_ms);
/* Says DISCONNECT when it is up, and closes. */
void member_end(struct member *m);
void member_free(struct member *m);

/* The session cannot be set up, or broke. */
void member_fail(struct member *m, const char *what, int err);
/* Closes the connection and dials again; the login goes on. */
void member_redial(struct member *m);
/* The stage is done; its time is a sample of step. */
void member_go(struct member *m, enum member_stage stage, enum load_step step);
/* Everything it wants is up. */
void member_settle(struct member *m);
/* Bytes that wait are sent as far as the socket takes them. */
void member_push(struct member *m);

/* member_login.c: requests and answers up to the tunnel. */
MUST_USE int member_login_init(struct member *m);
void member_login_send(struct member *m);
void member_login_take(struct member *m, struct span plaintext);
void member_login_done(struct member *m);

/* member_dtls.c */
void member_dtls_begin(
        struct member *m, const struct tunnel_params *p, const uint8_t master[static DTLS_SECRET_BYTES]);
void member_dtls_on_time(struct member *m, ms_t now_ms);
void member_dtls_close(struct member *m);

/* One packet of either tunnel; answers a probe by reply. */
typedef int member_reply_fn(struct member *m, uint8_t type, struct span payload);
void member_on_packet(struct member *m, const struct cstp_packet *p, member_reply_fn *reply);

#endif
