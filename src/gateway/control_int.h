/* What the files of the console's server share: clients, and the command under way of each. */
#ifndef GATEWAY_CONTROL_INT_H
#define GATEWAY_CONTROL_INT_H

#include <jansson.h>

#include "gateway/command.h"
#include "gateway/control.h"
#include "gateway/render.h"
#include "gateway/session_list.h"

#define CONTROL_REQUEST_MAX  4096 /* bytes of one request */
#define CONTROL_WORD_MAX     256  /* bytes of one word */
#define CONTROL_MAX_CLIENTS  16
#define CONTROL_MAX_STREAMS  4            /* of them, that debug */
#define CONTROL_STREAM_BYTES (256u << 10) /* that wait for one of those */
#define CONTROL_IDLE_MS      30000        /* no request, or no progress in reading the answer */
#define CONTROL_ANSWER_MS    10000        /* auth or monitor must have answered */
#define CONTROL_PACKET_BYTES 16384        /* of data in one packet of an answer */
#define CONTROL_REF          0x80000000u  /* our questions at auth have this bit */

/* What threads have counted, added up. */
struct gathered {
	struct worker_counts counts;
	bool is_short; /* memory was: something is missing */
};
struct listing;
struct list_form;
/* Runs in each thread, and puts what that one has into g. */
typedef void gather_f(struct worker *w, struct gathered *g);

/* One command from request to answer. run() either leaves its result in out or json, or asks another process
 * with call_ask() and is continued in on_answer. */
struct call {
	struct worker *w;
	json_t *request; /* args borrow from it */
	const char *args[COMMAND_MAX_ARGS];
	size_t n_args;
	struct command_option options[COMMAND_MAX_OPTIONS];
	size_t n_options;
	const struct command *command; /* NULL: none under way */
	uint32_t uid;                  /* of who asks */
	bool is_json;
	struct text out;
	json_t *json;
	unsigned status; /* exit status: 0 or 1 */
	uint32_t ref;    /* of the question, 0: none */
	void (*on_answer)(struct call *c, const struct ipc_msg *m);
	size_t step;             /* of commands that ask several times */
	struct listing *listing; /* control_list.c; NULL: the command is none that lists sessions, or all are
	                            in out */
	bool is_begun;           /* a part of the answer may be with the client: it can only go on */
	struct text cut;         /* why it ends too early */
	struct gathered gathered;
	unsigned n_asked; /* threads that have not answered */
	void (*on_gathered)(struct call *c);
	uint8_t stream_level; /* debug lines up to this level follow, until it ends; 0: a command with an end
	                       */
	uint64_t n_lost;      /* lines of it since the last that fitted */
};

struct control_client {
	struct control *control;
	struct loop_fd poll;
	struct loop_timer timer;
	int fd;
	uint32_t uid;
	struct call call;
	size_t n_sent;   /* of call.out */
	bool is_sending; /* an answer is on its way */
	bool is_closing;
	uint8_t n_open; /* libuv handles */
};

struct control {
	struct worker *w;
	struct loop_fd poll;
	int fd;
	struct control_client *clients[CONTROL_MAX_CLIENTS];
	uint32_t next_ref;
	struct render_clearing cleared; /* clear asp drop */
};

extern const struct command_table control_commands;

/* control.c */
/* Sends m (its ref is set here) to auth, or to the monitor. On failure the call has its error. */
void call_ask(struct call *c, struct ipc_msg *m, void (*on_answer)(struct call *c, const struct ipc_msg *m));
/* One more, whose answer has the same ref and comes behind that of call_ask(). */
void call_ask_more(struct call *c, struct ipc_msg *m);
/* Of an answer: another one to the same question is to come. */
void call_expect(struct call *c, uint32_t ref, void (*on_answer)(struct call *c, const struct ipc_msg *m));
/* The client whose call has asked the question with this ref; NULL: it gave up waiting. */
struct control_client *control_client_waiting(const struct worker *w, uint32_t ref);

/* control_request.c */
/* The call ends with this text. */
void call_fail(struct call *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* control_gather.c */
/* Runs f in every thread, the main one included, and goes on with then() when all have answered: at once when
 * there is no other. f NULL: only waits until each has done what it was sent before. */
void call_gather(struct call *c, gather_f *f, void (*then)(struct call *c));
void gather_counts(struct worker *w, struct gathered *g);
void gather_clear_drops(struct worker *w, struct gathered *g);

/* control_client.c */
MUST_USE int control_client_open(struct control *ctl, int fd);
void control_client_close(struct control_client *k);
/* One of those that the call waited for has answered, and it has seen to that: waits for others, sends, asks
 * again, or answers. */
void control_client_go_on(struct control_client *k);

/* Something waits for a console that debugs: sent when its socket takes it. */
void control_stream_wake(struct control_client *k);
/* No more lines: what waits is sent, then the end of the answer. */
void control_stream_end(struct control_client *k);

/* control_stream.c: the call has become a stream, or is none any more. */
void control_stream_opened(struct control_client *k);
void control_stream_closed(struct control_client *k);
void debug_on(struct call *c); /* args: [level] */
void debug_off(struct call *c);
void show_debug(struct call *c);

/* control_request.c: one packet to a call that ran (or waits). */
void control_request(struct control_client *k, struct span packet);

/* control_list.c: the sessions of the choice, which borrows from the request, piece by piece into c->out.
 */
void control_list_begin(struct call *c, const struct list_form *form, const struct session_choice *choice);
/* What is in out has been sent: asks for more, or ends. */
void control_list_next(struct call *c);
bool control_list_is_waiting(const struct call *c); /* for a thread or auth */
void control_list_done(struct call *c);

/* control_show.c */
void show_version(struct call *c);
void show_summary(struct call *c);
void show_sessions(struct call *c); /* variant SHOW_DETAIL; options of session_list.h */
void show_config(struct call *c);   /* variant SHOW_DETAIL: with defaults */
void show_drops(struct call *c);
void show_switches(struct call *c);
void show_mtu(struct call *c);  /* args: [name] */
void show_pool(struct call *c); /* args: [pool] */
#define SHOW_BRIEF  0
#define SHOW_DETAIL 1

/* control_log.c */
void show_logging(struct call *c);
void act_clear_log(struct call *c);

/* control_act.c */
void act_clear_drops(struct call *c);
void act_logoff(struct call *c);       /* variant: enum ipc_logoff_kind or LOGOFF_ANYCONNECT; args: [value] */
#define LOGOFF_ANYCONNECT IPC_LOGOFF_N /* all sessions are of this kind */
void act_reload(struct call *c);

#endif
