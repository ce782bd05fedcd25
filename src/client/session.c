#include "client/session_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "client/status.h"

const char *session_state_name(enum session_state st)
{
	static const char *const names[] = {"connecting", "connected", "reconnecting", "disconnecting"};
	return names[st];
}

/* ---- the end ---- */

void session_end(struct session *s, int exit_code)
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
	session_rules_close(s);
	session_seamless_close(s);
	session_close_signals(s);
	loop_timer_close(&s->timer, NULL);
}

void session_end_by_user(struct session *s)
{
	if (s->state == SESSION_ENDING)
		return;
	events_say(s->ev, "Disconnect in progress, please wait...");
	session_send_close(s, DISCONNECT_USER, "Ended by the user.");
	session_end(s, EXIT_ENDED);
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
	        .suite = session_wants_dtls(s) ? s->params.suite : DTLS_NONE,
	        .id_bytes = s->params.dtls_id_bytes,
	        .peer = s->gate->peer.addr,
	        .port = s->params.dtls_port ? s->params.dtls_port : s->gate->port,
	        .pmtu = session_is_seamless(s) ? UDP_PMTU_PROBE : UDP_PMTU_DONT,
	        .pace = session_dtls_pace(s),
	};
	/* our gateway serves the former association until the new one is up; others may have forgotten it */
	bool keeps_used =
	        session_is_seamless(s) && s->link.config.peer == PEER_OWN && s->dtls.stage == TUNNEL_DTLS_UP;
	memcpy(terms.id, s->params.dtls_id, sizeof(terms.id));
	memcpy(terms.master, s->master_secret, sizeof(terms.master));
	if (!keeps_used) {
		s->seamless.is_dtls_replaced = link_is_up(&s->link, LINK_DTLS);
		link_down(&s->link, LINK_DTLS, loop_now());
	}
	if (terms.suite != DTLS_NONE)
		events_note(s->ev, EVENT_INFO, 0, "Establishing the Primary DTLS connection");
	tunnel_dtls_begin(&s->dtls, &terms, keeps_used, loop_now());
	explicit_bzero(&terms, sizeof(terms));
}

static void guard_outer_address(struct session *s)
{
	struct ip_addr outer;
	uint16_t port;
	if (sock_local(s->tls.conn.fd, &outer, &port) == 0)
		netwatch_guard(&s->netwatch, &outer);
}

static void show_banner(struct session *s)
{
	struct text clean = {0};
	events_clean(&clean, span_str(s->params.banner), PARAMS_BANNER_BYTES);
	if (clean.n > 0)
		events_say(s->ev, "%s", text_cstr(&clean));
	text_done(&clean);
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
	events_note(s->ev, EVENT_INFO, 0, "The Primary SSL connection has been established");
	if (!is_first)
		s->stats.reconnects++;
	if (is_first && !s->gate->has_shown_banner)
		show_banner(s);
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
	session_note_active(s, "tls established", false);
}

static void on_dtls_up(struct session *s)
{
	struct link_timers t = timers_of(&s->params.dtls);
	struct dtls_info info;
	tunnel_dtls_info(&s->dtls, &info);
	t.rekey_ms = 0; /* DTLS gets new keys with the TLS tunnel's (wire-protocol.md 4.7) */
	link_up(&s->link, LINK_DTLS, &t, loop_now());
	events_note(
	        s->ev, EVENT_INFO, 0, "A DTLS connection has been established using cipher %s", info.cipher);
	events_note(s->ev, EVENT_INFO, 0, "The Primary DTLS connection has been established");
	session_classic_on_dtls_up(s);
	session_note_active(s, "dtls established", false);
	s->stats.dtls_probe_at_ms = 0;
	if (!session_is_seamless(s)) /* else link asks by itself */
		session_probe(s, LINK_DTLS);
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
	if (s->opt->tunnel.reconnect_timeout_s != CONNECT_AS_ANNOUNCED)
		return (ms_t)s->opt->tunnel.reconnect_timeout_s * 1000;
	unsigned announced_s = s->params.disconnected_timeout_s;
	return (ms_t)(announced_s ? announced_s : SESSION_RESUME_DEFAULT_S) * 1000;
}

void session_begin_reconnect(struct session *s)
{
	ms_t now_ms = loop_now();
	session_classic_on_tls_lost(s);
	link_down(&s->link, LINK_TLS, now_ms);
	backoff_begin(&s->backoff, now_ms, resume_limit_ms(s));
	s->retry_at_ms = now_ms;
	session_note_active(s, "tls lost", true);
}

void session_note_disruption(struct session *s, const char *why)
{
	events_note(s->ev, EVENT_WARNING, 6,
	        "Low level reconnect reason code 6: \"Reconnecting due to the disruption of the VPN "
	        "connection to the secure "
	        "gateway.\" (%s)",
	        why);
}

void session_announce_reconnect(struct session *s)
{
	if (s->state != SESSION_CONNECTED || link_active(&s->link) != LINK_N_CHANNELS)
		return;
	s->state = SESSION_RECONNECTING;
	events_note(s->ev, EVENT_INFO, 0, "The entire VPN connection is being re-established.");
	events_say(s->ev, "Reconnecting to %s...", s->gate->host);
}

static void on_tls_lost(struct session *s, int err, const char *why)
{
	ms_t now_ms = loop_now();
	if (!s->has_params && !s->is_connect_repeated && err != ERR_IDENTITY) {
		/* the connection that the login left may have been closed meanwhile */
		s->is_connect_repeated = true;
		s->retry_at_ms = now_ms;
	} else if (!s->has_params) {
		events_fail(s->ev, "Cannot get a tunnel from %s: %s.", s->gate->host, why);
		session_end(s, err == ERR_IDENTITY ? EXIT_IDENTITY : EXIT_UNREACHABLE);
	} else if (err == ERR_IDENTITY) {
		events_fail(s->ev, "The gateway %s cannot be trusted any more: %s", s->gate->host, why);
		session_end(s, EXIT_IDENTITY);
	} else if (link_is_up(&s->link, LINK_TLS)) {
		session_note_disruption(s, why);
		session_begin_reconnect(s);
	} else if (backoff_is_over(&s->backoff, now_ms)) {
		events_fail(s->ev, "The gateway %s could not be reached again: %s.", s->gate->host, why);
		session_end(s, EXIT_UNREACHABLE);
	} else {
		events_note(
		        s->ev, EVENT_INFO, 0, "Reconnect attempt %u failed: %s", s->backoff.tries + 1, why);
		session_plan_retry(s);
	}
	if (s->state != SESSION_ENDING)
		session_announce_reconnect(s);
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
	} else if (s->dtls.stage == TUNNEL_DTLS_UP) {
		events_note(s->ev, EVENT_INFO, 0, "A DTLS connection beside the one in use failed: %s", why);
	} else {
		bool was_up = link_is_up(&s->link, LINK_DTLS);
		link_down(&s->link, LINK_DTLS, loop_now());
		events_note(s->ev, EVENT_WARNING, 0, "The Primary DTLS connection is down: %s", why);
		session_note_active(s, "dtls lost", true);
		session_classic_on_dtls_lost(s, was_up);
		session_announce_reconnect(s);
	}
	session_tick(s);
}

void session_renew_tls(struct session *s, const char *why)
{
	events_note(s->ev, EVENT_INFO, 0, "The Primary SSL connection is being re-established (%s)", why);
	tunnel_tls_close(&s->tls, true);
	session_begin_reconnect(s);
	session_announce_reconnect(s);
}

/* ---- the whole ---- */

static int session_open(struct session *s)
{
	struct channel_owner owner = {.ctx = s,
	        .on_up = on_up,
	        .on_packet = session_on_packet,
	        .on_part = session_on_part,
	        .on_batch = session_on_batch,
	        .on_room = on_room,
	        .on_lost = on_lost};
	int err = session_open_signals(s);
	if (err == 0)
		err = loop_timer_open(&s->timer, &s->loop, session_on_time, s);
	if (err == 0)
		err = tunnel_tls_init(&s->tls, &s->loop, s->gate);
	if (err == 0)
		err = tunnel_dtls_init(&s->dtls, &s->loop);
	if (err == 0)
		err = session_seamless_open(s);
	if (err == 0 && getrandom(s->master_secret, sizeof(s->master_secret), 0) != sizeof(s->master_secret))
		err = -EIO;
	s->tls.owner = s->dtls.owner = owner;
	s->dtls.offloads_refused = s->opt->network.offloads_refused;
	s->tls.format_request = session_format_request;
	s->tls.on_answer = session_on_answer;
	s->dtls.get_psk = get_psk;
	s->dtls.on_too_big = session_is_seamless(s) ? session_on_too_big : NULL;
	s->path = (struct datapath){.tun_fd = -1,
	        .tls = &s->tls,
	        .dtls = &s->dtls,
	        .link = &s->link,
	        .on_batch = session_on_batch,
	        .on_gone = session_on_adapter_gone,
	        .ctx = s};
	link_init(&s->link, loop_now());
	classic_init(&s->classic, (ms_t)s->opt->tunnel.dtls_give_up_s * 1000);
	return err;
}

static void session_start(struct session *s, struct conn *conn)
{
	int err = control_open(&s->control, &s->loop, s->opt->run.control, status_answer, s);
	if (err == -EADDRINUSE)
		events_fail(s->ev,
		        "Another culvert answers at %s: status and disconnect do not find this one, unless "
		        "it has a "
		        "--control of its own.",
		        s->opt->run.control);
	else if (err)
		events_fail(s->ev,
		        "No control socket %s: %s; status and disconnect do not find this session.",
		        s->opt->run.control, err_text(err));
	s->netwatch =
	        (struct netwatch){.own_protocol = NETCONF_PROTOCOL, .on_news = session_on_news, .ctx = s};
	session_rules_open(s);
	err = netwatch_open(&s->netwatch, &s->loop);
	if (err) /* DPD finds out as well, later */
		events_note(s->ev, EVENT_WARNING, 0, "Changes of the network cannot be watched: %s",
		        err_text(err));
	events_note(s->ev, EVENT_INFO, 0, "Establishing the Primary SSL connection");
	if (conn_is_open(conn))
		tunnel_tls_adopt(&s->tls, conn, loop_now());
	else
		tunnel_tls_dial(&s->tls, loop_now());
	session_tick(s);
}

static void session_done(struct session *s)
{
	adapter_down(&s->adapter, s->has_params ? &s->params : NULL);
	tunnel_dtls_done(&s->dtls);
	tunnel_tls_done(&s->tls);
	redial_done(&s->seamless.redial);
	tunnel_params_done(&s->params);
	uv_loop_close(&s->loop);
	explicit_bzero(s, sizeof(*s));
	free(s);
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
	events_say(ev, "Establishing VPN - Initiating connection...");
	if (adapter_prepare(&s->adapter, o, &g->peer.addr, ev) == 0) {
		session_start(s, conn);
		uv_run(&s->loop, UV_RUN_DEFAULT);
		exit_code = s->exit_code;
	}
	session_done(s);
	return exit_code;
}
