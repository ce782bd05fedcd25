/* What the operator's commands show, as text in the ASA's layout and as JSON. No sockets, no clocks: facts
 * come in, text goes out. Source of the layouts: cisco-facts.md 4.2 and 6.1; keys: contract.md 4. */
#ifndef GATEWAY_RENDER_H
#define GATEWAY_RENDER_H

#include <jansson.h>

#include "gateway/session.h"

/* A session and what had to be asked from the kernel about its TCP connection. */
struct render_session {
	const struct session *s;
	uint32_t tls_rtt_us;     /* 0: not known */
	uint16_t path_mtu_bytes; /* of the TCP connection; 0: not known */
};

struct render_now {
	ms_t now_ms;    /* the clock of struct session */
	uint64_t now_s; /* Unix time; shown in UTC */
};

/* render_session.c */
/* "2d 4h:21m:44s", "0h:00m:00s" */
void render_duration(uint64_t seconds, struct text *out);
/* One of a list; before the first one of all the head, without any the words that there is none. */
void render_session_brief(const struct render_session *r, const struct render_now *now, struct text *out);
void render_session_detail(const struct render_session *r, const struct render_now *now, struct text *out);
void render_sessions_head(bool is_detail, struct text *out);
void render_no_sessions(struct text *out);

/* "Label        : value                  Label2       : value2"; the second column is optional. */
void render_line(
        struct text *out, const char *label, const char *value, const char *label2, const char *value2);

/* How JSON is written to consoles. */
#define RENDER_JSON_FLAGS (JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(6))

/* render_session_json.c: new references, NULL when memory is short. */
json_t *render_session_json(const struct render_session *r, const struct render_now *now);
/* Any bytes as a JSON string: what is not UTF-8 is shown escaped. */
json_t *render_json_text(const char *s);
/* Round trip of a tunnel by our own questions, ms; null: not known. */
json_t *render_rtt_json(const struct link *l, enum link_channel ch);

/* render_switches.c: `show switches` */
void render_switches(const struct switches *s, struct text *out);
json_t *render_switches_json(const struct switches *s);

/* render_mtu.c: one of a list */
void render_mtu(const struct render_session *r, const struct render_now *now, struct text *out);
json_t *render_mtu_json(const struct render_session *r, const struct render_now *now);

/* render_process.c: what concerns the whole process. */
struct render_summary {
	uint64_t n_active, n_inactive, n_total, n_peak; /* sessions */
	struct tunnel_count tunnels[N_TUNNEL_KINDS];    /* the parents are the sessions */
	uint64_t n_capacity;
};
void render_summary(const struct render_summary *s, struct text *out);
json_t *render_summary_json(const struct render_summary *s);

struct render_clearing {
	uint64_t at_s; /* 0: never */
	char by[32];
};
void render_drops(
        const uint64_t drops[static N_DROP_REASONS], const struct render_clearing *c, struct text *out);
json_t *render_drops_json(const uint64_t drops[static N_DROP_REASONS]);

void render_pool_head(struct text *out);
void render_pool(const struct ipc_pool_info *p, bool has_addresses, struct text *out);
json_t *render_pool_json(const char *name, const struct ipc_pool_info *p);

/* render_log.c: in the order of these functions. */
void render_log_head(const struct config *c, const struct ipc_log_info *i, struct text *out);
void render_log_host(const struct ipc_log_host_info *h, struct text *out);
void render_log_foot(const struct config *c, const struct ipc_log_info *i, struct text *out);
void render_log_item(const struct ipc_log_item *i, bool has_timestamp, struct text *out);
/* An object with the empty arrays trap.hosts and messages. */
json_t *render_log_json(const struct config *c, const struct ipc_log_info *i);
json_t *render_log_host_json(const struct ipc_log_host_info *h);
json_t *render_log_item_json(const struct ipc_log_item *i);

struct render_version {
	const char *version, *hostname;
	const char *crypto; /* aead_engine_name() */
	uint64_t uptime_s;
	uint32_t n_sessions;
	uint16_t n_threads;     /* of the worker */
	uint64_t n_handed_over; /* packets that came to another thread than the session's */
};
void render_version(const struct render_version *v, struct text *out);
json_t *render_version_json(const struct render_version *v);

#endif
