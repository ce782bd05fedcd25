#include "client/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "client/status.h"

#define DEFAULT_MTU_OVERHEAD 90 /* bytes: worst DTLS record and UDP header, as openconnect counts (5.1) */
#define HINT_MS              1000

static void session_tick(struct session *s);

const char *session_state_name(enum session_state st)
{
	static const char *const names[] = {"connecting", "connected", "reconnecting", "disconnecting"};
	return names[st];
}

/* ---- the end ---- */

static void close_signals(struct session *s)
{
	for (size_t i = 0; i < SESSION_SIGNALS; i++)
		if (!uv_is_closing((uv_handle_t *)&s->signals[i]))
			uv_close((uv_handle_t *)&s->signals[i], NULL);
}

/* Everything stops; the loop runs empty and session_run() returns. */
static void session_end(struct session *s, int exit_code)
{
	if (s->state == SESSION_ENDING)
		return;
	s->state = SESSION_ENDING;
	s->exit_code = exit_code;
	datapath_close(&s->path);
	tunnel_dtls_close(&s->dtls, true);
	tunnel_tls_close(&s->tls, true);
	control_close(&s->control);
	netwatch_close(&s->netwatch);
	close_signals(s);
	loop_timer_close(&s->timer, NULL);
}

static void say_goodbye(struct session *s)
{
	static const uint8_t user_end[] = "\xb0"
	                                  "Ended by the user.";
	if (s->tls.stage != TUNNEL_TLS_UP)
		return;
	if (tunnel_tls_put_control(&s->tls, CSTP_DISCONNECT, span_of(user_end, sizeof(user_end) - 1)) == 0)
		tunnel_tls_flush(&s->tls);
}

void session_end_by_user(struct session *s)
{
	if (s->state == SESSION_ENDING)
		return;
	events_say(s->ev, "Disconnect in progress, please wait...");
	say_goodbye(s);
	session_end(s, EXIT_ENDED);
}

/* ---- which tunnel carries data ---- */

/* The first time DTLS comes up, and its renewal after a reconnect, are no news for the user. */
static void say_switch(struct session *s, enum link_channel to, bool is_loss)
{
	if (to == LINK_TLS && is_loss) {
		events_say(s->ev, "UDP lost, continuing over TLS.");
		s->is_udp_lost = true;
	} else if (to == LINK_DTLS && s->is_udp_lost) {
		events_say(s->ev, "UDP back.");
		s->is_udp_lost = false;
	}
}

static void note_active(struct session *s, const char *cause, bool is_loss)
{
	enum link_channel now = link_active(&s->link), before = s->active;
	if (now == before)
		return;
	s->active = now;
	if (before != LINK_N_CHANNELS && now != LINK_N_CHANNELS) {
		ms_t now_ms = loop_now(), heard_ms = s->link.channels[before].last_rx_ms;
		s->stats.switches++;
		s->stats.last = (struct session_switch){before, now, cause, is_loss ? now_ms - heard_ms : 0};
		say_switch(s, now, is_loss);
	}
	datapath_update(&s->path);
}

/* ---- control packets ---- */

static void send_control(struct session *s, enum link_channel ch, uint8_t type, struct span payload)
{
	int err;
	if (ch == LINK_TLS && s->tls.stage == TUNNEL_TLS_UP) {
		err = tunnel_tls_put_control(&s->tls, type, payload);
		tunnel_tls_flush(&s->tls);
	} else if (ch == LINK_DTLS && s->dtls.stage == TUNNEL_DTLS_UP) {
		err = tunnel_dtls_put_control(&s->dtls, type, payload);
		tunnel_dtls_flush(&s->dtls);
	} else {
		return;
	}
	if (err == 0)
		link_on_tx(&s->link, ch, false, loop_now());
}

static void probe(struct session *s, enum link_channel ch)
{
	if (ch == LINK_DTLS && s->stats.dtls_probe_at_ms == 0)
		s->stats.dtls_probe_at_ms = loop_now();
	send_control(s, ch, CSTP_DPD_REQUEST, (struct span){0});
}

static void on_disconnect(struct session *s, const struct cstp_packet *p)
{
	struct disconnect d = disconnect_parse(p->payload);
	struct text why = {0};
	events_clean(&why, d.text, 256);
	if (p->type == CSTP_TERMINATE)
		events_fail(s->ev, "The gateway is shutting down and ended the session.");
	else if (why.n > 0)
		events_fail(s->ev, "The gateway ended the session: %s", text_cstr(&why));
	else if (d.has_code)
		events_fail(s->ev, "The gateway ended the session (reason 0x%02x).", d.code);
	else
		events_fail(s->ev, "The gateway ended the session.");
	text_done(&why);
	session_end(s, EXIT_BY_GATEWAY);
}

/* Data by TLS while DTLS is up: the gateway seems not to reach us by UDP. A probe tells (behaviour.md 3.3).
 */
static void on_hint(struct session *s, ms_t now_ms)
{
	if (s->dtls.stage != TUNNEL_DTLS_UP || now_ms < ms_add(s->hint_at_ms, HINT_MS))
		return;
	s->hint_at_ms = now_ms;
	probe(s, LINK_DTLS);
}

static void on_packet(void *ctx, enum link_channel ch, const struct cstp_packet *p)
{
	struct session *s = ctx;
	ms_t now_ms = uv_now(&s->loop);
	/* a hint is not an order: what comes by TLS does not move our own data off DTLS */
	link_on_rx(&s->link, ch, ch == LINK_DTLS && p->type == CSTP_DATA, now_ms);
	switch (p->type) {
	case CSTP_DATA:
		datapath_deliver(&s->path, p->payload);
		if (ch == LINK_TLS)
			on_hint(s, now_ms);
		break;
	case CSTP_DPD_REQUEST:
		send_control(s, ch, CSTP_DPD_RESPONSE, p->payload);
		break;
	case CSTP_DPD_RESPONSE:
		if (ch == LINK_DTLS && s->stats.dtls_probe_at_ms != 0) {
			s->stats.dtls_rtt_ms = (int64_t)(loop_now() - s->stats.dtls_probe_at_ms);
			s->stats.dtls_probe_at_ms = 0;
		}
		break;
	case CSTP_DISCONNECT:
	case CSTP_TERMINATE:
		on_disconnect(s, p);
		break;
	case CSTP_KEEPALIVE:
		break;
	default:
		events_note(s->ev, EVENT_WARNING, 0,
		        "A packet of the unknown type 0x%02x on the %s tunnel was ignored.", p->type,
		        link_channel_name(ch));
	}
}

/* ---- CONNECT ---- */

static void format_request(void *ctx, uint16_t base_mtu, struct text *out)
{
	struct session *s = ctx;
	struct text host = {0};
	char name[PARAMS_NAME_BYTES] = "localhost";
	if (gethostname(name, sizeof(name) - 1) != 0)
		(void)snprintf(name, sizeof(name), "localhost");
	if (s->gate->port == 443)
		text_fmt(&host, strchr(s->gate->host, ':') ? "[%s]" : "%s", s->gate->host);
	else
		text_fmt(&host, strchr(s->gate->host, ':') ? "[%s]:%u" : "%s:%u", s->gate->host,
		        s->gate->port);
	uint16_t ip_bytes = s->gate->peer.addr.family == 6 ? 40 : 20;
	if (base_mtu < 1280)
		base_mtu = base_mtu == 0 ? 1406 : 1280;
	struct tunnel_request_out q = {
	        .host = text_cstr(&host),
	        .user_agent = GATE_USER_AGENT,
	        .cookie = s->gate->cookie,
	        .hostname = name,
	        .base_mtu = base_mtu,
	        .mtu = (uint16_t)(base_mtu - DEFAULT_MTU_OVERHEAD - ip_bytes),
	        .wants_ip6 = true,
	        .master_secret = s->opt->tunnel.has_no_dtls ? NULL : s->master_secret,
	        .suites = ~0u,
	        .is_own = true,
	};
	if (s->has_params) {
		q.old4 = s->params.ip4.addr;
		q.old6 = s->params.ip6.addr;
	}
	tunnel_request_format(&q, out);
	text_done(&host);
}

static void explain_refusal(struct session *s, const struct http_head *head)
{
	struct text why = {0};
	struct span reason = http_header(head, "X-Reason");
	events_clean(&why, reason.n ? reason : head->reason, 256);
	events_note(s->ev, EVENT_ERROR, 0, "The gateway answered CONNECT with %u: %s", head->status,
	        text_cstr(&why));
	if (head->status == 401)
		events_fail(
		        s->ev, "The gateway does not accept the session any more. Connect again to log in.");
	else
		events_fail(s->ev, "The gateway cannot give a tunnel now: %s (HTTP %u).", text_cstr(&why),
		        head->status);
	text_done(&why);
}

static bool is_same_session(const struct tunnel_params *a, const struct tunnel_params *b)
{
	return addr_eq(&a->ip4.addr, &b->ip4.addr) && a->ip4.len == b->ip4.len &&
	       addr_eq(&a->ip6.addr, &b->ip6.addr);
}

static void plan_retry(struct session *s)
{
	uint32_t random = 0;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = 0; /* jitter only */
	s->retry_at_ms = backoff_next_ms(&s->backoff, loop_now(), random);
}

static int on_refusal(struct session *s, const struct http_head *head)
{
	bool is_final = head->status == 401 || !s->has_params;
	if (is_final) {
		explain_refusal(s, head);
		session_end(s, EXIT_BY_GATEWAY);
	} else {
		events_note(s->ev, EVENT_WARNING, 0, "The gateway answered CONNECT with %u, trying again.",
		        head->status);
		plan_retry(s);
		session_tick(s);
	}
	return ERR_REFUSED;
}

static int first_params(struct session *s, const struct http_head *head)
{
	int err = adapter_up(&s->adapter, &s->params, head);
	if (err == 0)
		err = datapath_open(&s->path, &s->loop, s->adapter.tun.fds[0], ADAPTER_MTU_MAX);
	if (err)
		session_end(s, EXIT_NETWORK);
	s->netwatch.adapter_index = s->adapter.net.index;
	return err;
}

static int on_answer(void *ctx, const struct http_head *head)
{
	struct session *s = ctx;
	struct tunnel_params fresh = {0};
	if (head->status != 200)
		return on_refusal(s, head);
	int err = tunnel_params_parse(head, &fresh);
	if (err) {
		events_fail(s->ev, "The gateway's tunnel parameters cannot be used: %s.", err_text(err));
		session_end(s, EXIT_BY_GATEWAY);
		return err;
	}
	bool is_first = !s->has_params;
	if (!is_first && !is_same_session(&s->params, &fresh)) {
		events_fail(s->ev, "The gateway gave other addresses than before, so the session is lost. "
		                   "Connect again.");
		tunnel_params_done(&fresh);
		session_end(s, EXIT_BY_GATEWAY);
		return ERR_PEER_PROTOCOL;
	}
	tunnel_params_done(&s->params);
	s->params = fresh;
	s->has_params = true;
	if (is_first)
		return first_params(s, head);
	adapter_reconnected(&s->adapter, &s->params);
	return 0;
}

/* ---- tunnels come and go ---- */

static struct link_timers timers_of(const struct channel_timers *c)
{
	return (struct link_timers){
	        .dpd_ms = (ms_t)c->dpd_s * 1000,
	        .keepalive_ms = (ms_t)c->keepalive_s * 1000,
	        .rekey_ms = c->rekey_method == REKEY_NONE ? 0 : (ms_t)c->rekey_s * 1000,
	};
}

static int get_psk(void *ctx, uint8_t psk[static DTLS_PSK_BYTES])
{
	struct session *s = ctx;
	return s->tls.stage == TUNNEL_TLS_UP ? tls_export_psk(s->tls.conn.tls, psk) : ERR_CLOSED;
}

static void begin_dtls(struct session *s)
{
	struct tunnel_dtls_terms terms = {
	        .suite = s->opt->tunnel.has_no_dtls ? DTLS_NONE : s->params.suite,
	        .id_bytes = s->params.dtls_id_bytes,
	        .peer = s->gate->peer.addr,
	        .port = s->params.dtls_port ? s->params.dtls_port : s->gate->port,
	};
	memcpy(terms.id, s->params.dtls_id, sizeof(terms.id));
	memcpy(terms.master, s->master_secret, sizeof(terms.master));
	link_down(&s->link, LINK_DTLS);
	if (terms.suite != DTLS_NONE)
		events_note(s->ev, EVENT_INFO, 0, "Establishing the Primary DTLS connection");
	tunnel_dtls_begin(&s->dtls, &terms, loop_now());
	explicit_bzero(&terms, sizeof(terms));
}

static void guard_outer_address(struct session *s)
{
	struct ip_addr outer;
	uint16_t port;
	if (sock_local(s->tls.conn.fd, &outer, &port) == 0)
		netwatch_guard(&s->netwatch, &outer);
}

static void on_tls_up(struct session *s)
{
	struct link_timers t = timers_of(&s->params.cstp);
	struct tls_info info;
	bool is_first = s->state == SESSION_CONNECTING;
	tls_info(s->tls.conn.tls, &info);
	link_up(&s->link, LINK_TLS, &t, loop_now());
	guard_outer_address(s);
	events_note(
	        s->ev, EVENT_INFO, 0, "A SSL connection has been established using cipher %s", info.cipher);
	if (!is_first)
		s->stats.reconnects++;
	if (is_first || s->state == SESSION_RECONNECTING)
		events_say(s->ev, "Connected to %s.", s->gate->host);
	s->state = SESSION_CONNECTED;
	s->retry_at_ms = MS_NEVER;
	if (is_first) {
		s->stats.connected_at_ms = loop_now();
		events_note(s->ev, EVENT_INFO, 0, "A complete VPN connection has been established.");
		s->on_connected(s->ctx);
	}
	begin_dtls(s);
	note_active(s, "tls established", false);
}

static void on_dtls_up(struct session *s)
{
	struct link_timers t = timers_of(&s->params.dtls);
	struct dtls_info info;
	dtls_info(s->dtls.dtls, &info);
	t.rekey_ms = 0; /* DTLS gets new keys with the TLS tunnel's (wire-protocol.md 4.7) */
	link_up(&s->link, LINK_DTLS, &t, loop_now());
	events_note(
	        s->ev, EVENT_INFO, 0, "A DTLS connection has been established using cipher %s", info.cipher);
	note_active(s, "dtls established", false);
	s->stats.dtls_probe_at_ms = 0;
	probe(s, LINK_DTLS);
}

static void on_up(void *ctx, enum link_channel ch)
{
	struct session *s = ctx;
	if (ch == LINK_TLS)
		on_tls_up(s);
	else
		on_dtls_up(s);
	session_tick(s);
}

static ms_t resume_limit_ms(const struct session *s)
{
	if (s->opt->tunnel.has_reconnect_timeout)
		return (ms_t)s->opt->tunnel.reconnect_timeout_s * 1000;
	unsigned announced_s = s->params.disconnected_timeout_s;
	return (ms_t)(announced_s ? announced_s : SESSION_RESUME_DEFAULT_S) * 1000;
}

/* The TLS tunnel is gone: get it back with the cookie, at once for the first time. DTLS goes on meanwhile. */
static void begin_reconnect(struct session *s)
{
	ms_t now_ms = loop_now();
	link_down(&s->link, LINK_TLS);
	backoff_begin(&s->backoff, now_ms, resume_limit_ms(s));
	s->retry_at_ms = now_ms;
	note_active(s, "tls lost", true);
}

static void note_disruption(struct session *s, const char *why)
{
	events_note(s->ev, EVENT_WARNING, 6,
	        "Low level reconnect reason code 6: \"Reconnecting due to the disruption of the VPN "
	        "connection to the secure "
	        "gateway.\" (%s)",
	        why);
}

static void announce_reconnect(struct session *s)
{
	if (s->state != SESSION_CONNECTED || link_active(&s->link) != LINK_N_CHANNELS)
		return;
	s->state = SESSION_RECONNECTING;
	events_say(s->ev, "Reconnecting to %s...", s->gate->host);
}

static void on_tls_lost(struct session *s, int err, const char *why)
{
	ms_t now_ms = loop_now();
	if (!s->has_params && !s->is_connect_repeated && err != ERR_IDENTITY) {
		s->is_connect_repeated =
		        true; /* the connection that the login left may have been closed meanwhile */
		s->retry_at_ms = now_ms;
	} else if (!s->has_params) {
		events_fail(s->ev, "Cannot get a tunnel from %s: %s.", s->gate->host, why);
		session_end(s, err == ERR_IDENTITY ? EXIT_IDENTITY : EXIT_UNREACHABLE);
	} else if (err == ERR_IDENTITY) {
		events_fail(s->ev, "The gateway %s cannot be trusted any more: %s", s->gate->host, why);
		session_end(s, EXIT_IDENTITY);
	} else if (link_is_up(&s->link, LINK_TLS)) {
		note_disruption(s, why);
		begin_reconnect(s);
	} else if (backoff_is_over(&s->backoff, now_ms)) {
		events_fail(s->ev, "The gateway %s could not be reached again: %s.", s->gate->host, why);
		session_end(s, EXIT_UNREACHABLE);
	} else {
		events_note(
		        s->ev, EVENT_INFO, 0, "Reconnect attempt %u failed: %s", s->backoff.tries + 1, why);
		plan_retry(s);
	}
	if (s->state != SESSION_ENDING)
		announce_reconnect(s);
}

static void on_room(void *ctx)
{
	struct session *s = ctx;
	datapath_update(&s->path);
}

static void on_lost(void *ctx, enum link_channel ch, int err, const char *why)
{
	struct session *s = ctx;
	if (s->state == SESSION_ENDING)
		return;
	if (ch == LINK_TLS) {
		on_tls_lost(s, err, why);
	} else {
		link_down(&s->link, LINK_DTLS);
		events_note(s->ev, EVENT_WARNING, 0, "The Primary DTLS connection is down: %s", why);
		note_active(s, "dtls lost", true);
		announce_reconnect(s);
	}
	session_tick(s);
}

/* ---- time ---- */

static void renew_tls(struct session *s, const char *why)
{
	events_note(s->ev, EVENT_INFO, 0, "The Primary SSL connection is being re-established (%s)", why);
	tunnel_tls_close(&s->tls, true);
	begin_reconnect(s);
	announce_reconnect(s);
}

static void on_rekey(struct session *s, enum link_channel ch)
{
	if (ch != LINK_TLS)
		return;
	if (s->params.cstp.rekey_method == REKEY_SSL && tls_key_update(s->tls.conn.tls) == 0) {
		/* keys are new, so the tunnel's age is */
		struct link_state *c = &s->link.channels[LINK_TLS];
		c->up_at_ms = loop_now();
		c->is_rekey_done = false;
		tunnel_tls_flush(&s->tls);
		return;
	}
	renew_tls(s, "rekey");
}

static void on_dead(struct session *s, enum link_channel ch)
{
	if (ch == LINK_DTLS) {
		events_note(s->ev, EVENT_WARNING, 0, "The Primary DTLS connection is down: no answer to DPD");
		tunnel_dtls_restart(&s->dtls, loop_now());
		note_active(s, "dtls dpd", true);
		announce_reconnect(s);
		return;
	}
	note_disruption(s, "no answer to DPD");
	tunnel_tls_close(&s->tls, false);
	begin_reconnect(s);
	announce_reconnect(s);
}

static void do_action(struct session *s, const struct link_action *a)
{
	switch (a->act) {
	case LINK_SEND_DPD:
		if (a->channel == LINK_DTLS)
			s->stats.dtls_probe_at_ms = 0;
		probe(s, a->channel);
		return;
	case LINK_SEND_KEEPALIVE:
		send_control(s, a->channel, CSTP_KEEPALIVE, (struct span){0});
		return;
	case LINK_DEAD:
		on_dead(s, a->channel);
		return;
	case LINK_REKEY:
		on_rekey(s, a->channel);
		return;
	case LINK_IDLE_TIMEOUT:
		return; /* the gateway's business: never set here */
	}
}

static void dial_if_due(struct session *s, ms_t now_ms)
{
	if (now_ms < s->retry_at_ms)
		return;
	s->retry_at_ms = MS_NEVER;
	if (s->has_params)
		adapter_attempt(&s->adapter, &s->params);
	tunnel_tls_dial(&s->tls, now_ms);
}

static ms_t session_due_ms(const struct session *s, ms_t now_ms)
{
	ms_t due_ms = ms_min(link_due_ms(&s->link), s->retry_at_ms);
	due_ms = ms_min(due_ms, tunnel_tls_due_ms(&s->tls));
	return ms_min(due_ms, tunnel_dtls_due_ms(&s->dtls, now_ms));
}

/* Sets the timer anew after anything that may have moved a deadline. */
static void session_tick(struct session *s)
{
	if (s->state != SESSION_ENDING)
		loop_timer_set(&s->timer, session_due_ms(s, loop_now()));
}

static void on_time(struct loop_timer *t, ms_t now_ms)
{
	struct session *s = t->ctx;
	struct link_action actions[LINK_MAX_ACTIONS];
	size_t n = link_step(&s->link, now_ms, actions);
	for (size_t i = 0; i < n && s->state != SESSION_ENDING; i++)
		do_action(s, &actions[i]);
	if (s->state != SESSION_ENDING)
		tunnel_dtls_on_time(&s->dtls, now_ms);
	if (s->state != SESSION_ENDING)
		tunnel_tls_on_time(&s->tls, now_ms);
	if (s->state != SESSION_ENDING)
		dial_if_due(s, now_ms);
	datapath_update(&s->path);
	session_tick(s);
}

/* ---- the machine's network ---- */

/* Neither tunnel can live on without the address they come from: begin anew from the one there is now. */
static void on_outer_lost(struct session *s)
{
	const struct ip_addr none = {0};
	events_note(s->ev, EVENT_INFO, 0, "A network interface has gone down.");
	netwatch_guard(&s->netwatch, &none);
	tunnel_dtls_close(&s->dtls, false);
	link_down(&s->link, LINK_DTLS);
	tunnel_tls_close(&s->tls, false);
	begin_reconnect(s);
	announce_reconnect(s);
}

static void on_news(void *ctx, enum netwatch_news news)
{
	struct session *s = ctx;
	if (s->state == SESSION_ENDING || !s->has_params)
		return;
	if (news == NETWATCH_LOST && s->tls.stage == TUNNEL_TLS_UP) {
		on_outer_lost(s);
	} else if (news == NETWATCH_NEW && s->retry_at_ms != MS_NEVER) {
		events_note(s->ev, EVENT_INFO, 0, "A new network interface has been detected.");
		s->backoff.tries = 0;
		s->retry_at_ms = ms_min(s->retry_at_ms, loop_now() + BACKOFF_MIN_MS);
	}
	session_tick(s);
}

/* ---- signals ---- */

static const int signal_numbers[SESSION_SIGNALS] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

static void on_signal(uv_signal_t *handle, int number)
{
	struct session *s = handle->data;
	if (number == SIGHUP) {
		events_say(s->ev, "Detached; the session stays valid at the gateway for a while.");
		session_end(s, EXIT_ENDED);
	} else if (number == SIGUSR1) {
		status_print_stats(s);
	} else if (number == SIGUSR2) {
		if (s->tls.stage == TUNNEL_TLS_UP)
			renew_tls(s, "asked by SIGUSR2");
		else if (s->retry_at_ms != MS_NEVER)
			s->retry_at_ms = loop_now();
		session_tick(s);
	} else {
		session_end_by_user(s);
	}
}

static int open_signals(struct session *s)
{
	for (size_t i = 0; i < SESSION_SIGNALS; i++) {
		int err = uv_signal_init(&s->loop, &s->signals[i]);
		if (err == 0)
			err = uv_signal_start(&s->signals[i], on_signal, signal_numbers[i]);
		if (err)
			return err;
		s->signals[i].data = s;
	}
	return 0;
}

/* ---- the whole ---- */

static int session_open(struct session *s)
{
	struct channel_owner owner = {
	        .ctx = s, .on_up = on_up, .on_packet = on_packet, .on_room = on_room, .on_lost = on_lost};
	int err = open_signals(s);
	if (err == 0)
		err = loop_timer_open(&s->timer, &s->loop, on_time, s);
	if (err == 0)
		err = tunnel_tls_init(&s->tls, &s->loop, s->gate);
	if (err == 0)
		err = tunnel_dtls_init(&s->dtls, &s->loop);
	if (err == 0 && getrandom(s->master_secret, sizeof(s->master_secret), 0) != sizeof(s->master_secret))
		err = -EIO;
	s->tls.owner = s->dtls.owner = owner;
	s->tls.format_request = format_request;
	s->tls.on_answer = on_answer;
	s->dtls.get_psk = get_psk;
	s->path = (struct datapath){.tun_fd = -1, .tls = &s->tls, .dtls = &s->dtls, .link = &s->link};
	link_init(&s->link, 0, loop_now());
	return err;
}

static void session_start(struct session *s, struct conn *conn)
{
	int err = control_open(&s->control, &s->loop, s->opt->run.control, status_answer, s);
	if (err == -EADDRINUSE)
		events_note(s->ev, EVENT_WARNING, 0,
		        "Another culvert answers at %s; choose another --control.", s->opt->run.control);
	else if (err)
		events_note(s->ev, EVENT_WARNING, 0, "No control socket %s: %s", s->opt->run.control,
		        err_text(err));
	s->netwatch = (struct netwatch){.own_protocol = NETCONF_PROTOCOL, .on_news = on_news, .ctx = s};
	err = netwatch_open(&s->netwatch, &s->loop);
	if (err) /* DPD finds out as well, later */
		events_note(s->ev, EVENT_WARNING, 0, "Changes of the network cannot be watched: %s",
		        err_text(err));
	if (conn_is_open(conn))
		tunnel_tls_adopt(&s->tls, conn, loop_now());
	else
		tunnel_tls_dial(&s->tls, loop_now());
	session_tick(s);
}

int session_run(const struct connect_options *o, struct gate *g, struct conn *conn, struct events *ev,
        void (*on_connected)(void *ctx), void *ctx)
{
	struct session *s = calloc(1, sizeof(*s));
	int exit_code = EXIT_NETWORK;
	if (s == NULL)
		return EXIT_NETWORK;
	*s = (struct session){
	        .opt = o,
	        .ev = ev,
	        .gate = g,
	        .active = LINK_N_CHANNELS,
	        .retry_at_ms = MS_NEVER,
	        .stats.dtls_rtt_ms = -1,
	        .on_connected = on_connected,
	        .ctx = ctx,
	        .control.sock = -1,
	};
	int err = uv_loop_init(&s->loop);
	if (err == 0)
		err = session_open(s);
	if (err) {
		events_fail(ev, "The session cannot be set up: %s.", err_text(err));
		free(s); /* the process ends: what the loop holds goes with it */
		return EXIT_NETWORK;
	}
	events_say(ev, "Establishing VPN session...");
	if (adapter_prepare(&s->adapter, o, &g->peer.addr, ev) == 0) {
		session_start(s, conn);
		uv_run(&s->loop, UV_RUN_DEFAULT);
		exit_code = s->exit_code;
	}
	adapter_down(&s->adapter, s->has_params ? &s->params : NULL);
	tunnel_dtls_done(&s->dtls);
	tunnel_tls_done(&s->tls);
	tunnel_params_done(&s->params);
	uv_loop_close(&s->loop);
	explicit_bzero(s, sizeof(*s));
	free(s);
	return exit_code;
}
