/* What the unit tests of the worker process share: the worker as a child, driven from all its sides by one
 * script: the monitor and auth over their sockets, the inside over a socket pair in place of a TUN queue,
 * clients over TLS and DTLS on the loopback. No root. */
#ifndef WORKER_UNIT_H
#define WORKER_UNIT_H

#include "../unit.h"

#include <sys/un.h>

#include "gateway/process.h"
#include "wire/cstp.h"
#include "wire/ip.h"

#define WAIT_MS       20000 /* for what must come */
#define PROVEN_BYTES  1200  /* a request of this size is one of full size */
#define SILENCE_MS    100   /* for what must not */
#define INNER_CLIENT  0x0a010002u
#define INNER_SERVER  0x0a0100feu
#define INNER_GATEWAY 0x0a010001u
#define PACKET_MAX    16376
#define PSK_LINE      "X-DTLS-CipherSuite: PSK-NEGOTIATE\r\n"
#define OWN_LINES     PSK_LINE "X-Culvert: 1, steer, pieces\r\n"
#define CONNECT_LINES "CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: x\r\nUser-Agent: Open AnyConnect test\r\n"

struct gateway {
	pid_t pid;
	struct chan monitor;
	unsigned n_threads; /* 0: one */
	/* of the thread that the script drives now */
	struct chan auth;
	int tun;
	uint16_t tcp_port, udp_port;
	int log; /* what the worker writes to its log, and sanitizers to standard error */
	bool gives_ip6;
	uint8_t log_level; /* 0: warnings */
	uint8_t offloads_refused;
	const char *more_config;
	struct sockaddr_un control; /* the console's socket */
	socklen_t control_bytes;
};
extern struct gateway g;

extern uint8_t token[IPC_TOKEN_BYTES]; /* of the sessions that are opened now */

/* Runs the tests with what they need; the exit status. */
#define RUN_WORKER(tests) (worker_unit_setup(), worker_unit_done(RUN(tests)))
void worker_unit_setup(void);
int worker_unit_done(int status);

bool readable(int fd, int ms);

/* ---- the other processes ---- */

void fd_send(uint8_t kind, int fd);
int memfd_of(struct span s);
/* What gateway_start() gives: g.more_config behind a configuration with so many aliases and routes that forms
 * and CONNECT answers are large; certificate and key. */
int config_memfd(void);
int cert_memfd(void);
/* The next message, which must be of this type. */
void expect(struct chan *c, uint8_t type, struct ipc_msg *ret);
void auth_say(const struct ipc_msg *m);
/* Until it is ready. */
void gateway_start(void);
/* Fixtures of a test: the worker has two threads, each with listeners of its own, to be told apart. */
int two_threads(void **state);
int one_thread(void **state);
/* From here on the script drives this thread. */
void gateway_turn_to(unsigned thread);
int console_open(void);
/* How often its log has this text. */
unsigned log_count(const char *what);
/* The child must end well: a sanitizer's report would make another status. */
void gateway_stop(bool tells_clients);

/* ---- a client ---- */

struct client {
	int fd;
	struct tls *tls;
	struct tls_out out;
	uint8_t rx[32768];
	uint8_t plain[TLS_RECORD_MAX];
	struct text in; /* HTTP received */
	uint8_t id[32]; /* for DTLS */
	struct dtls *dtls;
	struct dtls_out dout;
	uint32_t udp_from; /* 0: 127.0.0.1 */
	struct udp udp;
	struct udp_rx *urx;
	uint8_t uslot[UDP_SLOT_BYTES];
};

void client_flush(struct client *c);
/* More ciphertext; false at the end of the connection. */
bool client_receive(struct client *c, int ms);
/* Clients that open from now on speak no newer TLS. */
void clients_tls_max(enum tls_version max);
struct client *client_open_mss(int mss);
struct client *client_open(void);
void client_free(struct client *c);
void client_say(struct client *c, const void *p, size_t n);
/* One record; a negative class at the end of the connection. */
int client_record(struct client *c);
/* One whole answer; its status. */
unsigned client_answer(struct client *c);
void client_post(struct client *c, const char *body);
void client_ask_tunnel(struct client *c, const char *more);
/* The question's number. */
uint32_t auth_is_asked(void);
/* It agrees to what it was asked before. */
void auth_answers(uint32_t ref, uint32_t index, uint32_t connection);
/* Auth is asked, and agrees: session 7 is always alice's. */
void auth_opens(uint32_t index, uint32_t connection);
struct client *client_tunnel(uint32_t connection, const char *more);
void cstp_say(struct client *c, uint8_t type, const void *p, size_t n);
/* The next record; requests of the gateway are answered on the way, as a client does it. */
int cstp_record(struct client *c, uint8_t type);
void cstp_expect(struct client *c, uint8_t type, const void *p, size_t n);
void expect_end(struct client *c);

/* ---- DTLS ---- */

void dtls_flush(struct client *c);
bool dtls_receive(struct client *c, int ms);
void dtls_socket(struct client *c);
/* The ClientHello is in the output afterwards. */
void dtls_begin(struct client *c, const uint8_t *id);
/* The same, with the client's own id and a master secret that it has given by X-DTLS-Master-Secret. */
void dtls_begin_resume(struct client *c, const uint8_t *master, const char *suite);
void dtls_say(struct client *c, uint8_t type, const void *p, size_t n);
/* A request of the gateway is answered as a client does it; false: it was something else. */
bool dtls_answer(struct client *c, size_t n);
/* Until the gateway has seen that packets of full size arrive: before, its data comes by TLS. */
void dtls_prove(struct client *c);
void dtls_shake_hands(struct client *c);
void dtls_up(struct client *c);
void dtls_expect(struct client *c, uint8_t type, const void *p, size_t n);

/* ---- packets ---- */

size_t packet(uint8_t *p, uint32_t src, uint32_t dst, size_t n, uint8_t fill);
void tun_expect(const uint8_t *p, size_t n);
void tls_carries_data(struct client *c);
void dtls_carries_data(struct client *c);
/* A client that has come back: during the hold-down the gateway's data comes by TLS. */
void both_carry_data(struct client *c);
/* Nothing comes out of the device, while the client goes on answering the gateway's questions. */
void tun_stays_silent(struct client *c);
void expect_lost(uint32_t connection);
/* The worker has had a turn for everything that was sent before. */
void turn(void);

#endif
