#include "client/status.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/session.h"

/* ---- JSON of a session ---- */

static json_t *address_json(const struct ip_prefix *p)
{
	char text[ADDR_TEXT_MAX];
	return addr_is_set(&p->addr) ? json_string(addr_format(&p->addr, text)) : json_null();
}

static json_t *channel_json(const char *state, const char *protocol, const char *cipher, int64_t rtt_ms,
        unsigned mtu, const struct channel_counters *c)
{
	json_t *o = json_pack("{s:s, s:s?, s:s?}", "state", state, "protocol", protocol, "cipher", cipher);
	json_object_set_new(o, "rtt_ms", rtt_ms >= 0 ? json_integer(rtt_ms) : json_null());
	json_object_set_new(o, "mtu", mtu ? json_integer(mtu) : json_null());
	json_object_set_new(o, "tx_bytes", json_integer((json_int_t)c->tx_bytes));
	json_object_set_new(o, "rx_bytes", json_integer((json_int_t)c->rx_bytes));
	json_object_set_new(o, "tx_packets", json_integer((json_int_t)c->tx_packets));
	json_object_set_new(o, "rx_packets", json_integer((json_int_t)c->rx_packets));
	return o;
}

static json_t *tls_json(const struct session *s)
{
	static const char *const states[] = {"down", "connecting", "connecting", "connecting", "up"};
	struct tls_info info = {0};
	struct sock_tcp_facts facts;
	int64_t rtt_ms = -1;
	bool is_up = s->tls.stage == TUNNEL_TLS_UP;
	if (is_up)
		tls_info(s->tls.conn.tls, &info);
	if (is_up && sock_tcp_facts(s->tls.conn.fd, &facts) == 0)
		rtt_ms = (facts.rtt_us + 500) / 1000;
	return channel_json(
	        states[s->tls.stage], info.protocol, info.cipher, rtt_ms, s->params.cstp_mtu, &s->tls.count);
}

static json_t *dtls_json(const struct session *s)
{
	static const char *const states[] = {"off", "waiting", "connecting", "up"};
	struct dtls_info info = {0};
	bool is_up = s->dtls.stage == TUNNEL_DTLS_UP;
	unsigned mtu = s->params.dtls_mtu ? s->params.dtls_mtu : s->params.cstp_mtu;
	if (is_up)
		dtls_info(s->dtls.dtls, &info);
	return channel_json(states[s->dtls.stage], info.protocol, info.cipher,
	        is_up ? s->stats.dtls_rtt_ms : -1, mtu, &s->dtls.count);
}

static json_t *switch_json(const struct session_stats *st)
{
	if (st->switches == 0)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:I}", "from", link_channel_name(st->last.from), "to",
	        link_channel_name(st->last.to), "cause", st->last.cause, "gap_ms",
	        (json_int_t)st->last.gap_ms);
}

static json_t *status_json(const struct session *s)
{
	enum link_channel active = link_active(&s->link);
	json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "state", session_state_name(s->state), "gateway",
	        s->gate->host, "user", s->gate->user, "group", s->gate->group);
	json_object_set_new(o, "inner4", address_json(&s->params.ip4));
	json_object_set_new(o, "inner6", address_json(&s->params.ip6));
	json_object_set_new(
	        o, "adapter", s->adapter.is_open ? json_string(s->adapter.tun.name) : json_null());
	json_object_set_new(
	        o, "adapter_mtu", s->adapter.is_open ? json_integer(s->adapter.mtu) : json_null());
	json_object_set_new(o, "active",
	        active == LINK_N_CHANNELS ? json_null() : json_string(link_channel_name(active)));
	json_object_set_new(o, "tls", tls_json(s));
	json_object_set_new(o, "dtls", dtls_json(s));
	json_object_set_new(o, "path_limit", json_null()); /* until the path is measured */
	json_object_set_new(o, "switches", json_integer((json_int_t)s->stats.switches));
	json_object_set_new(o, "reconnects", json_integer((json_int_t)s->stats.reconnects));
	json_object_set_new(o, "adapter_bounces", json_integer((json_int_t)s->adapter.bounces));
	json_object_set_new(o, "mtu_policy",
	        json_string(s->opt->tunnel.mtu_policy == MTU_CLASSIC ? "classic" : "seamless"));
	json_object_set_new(o, "last_switch", switch_json(&s->stats));
	json_object_set_new(o, "drops_up", json_integer((json_int_t)s->path.drops_up));
	json_object_set_new(o, "drops_down", json_integer((json_int_t)s->path.drops_down));
	json_object_set_new(o, "connected_s",
	        s->stats.connected_at_ms
	                ? json_integer((json_int_t)((loop_now() - s->stats.connected_at_ms) / 1000))
	                : json_null());
	return o;
}

static void json_put(json_t *o, struct text *out)
{
	char *line = json_dumps(o, JSON_COMPACT);
	if (line != NULL)
		text_str(out, line);
	else
		out->is_bad = true;
	free(line);
	json_decref(o);
}

void status_answer(void *session, struct span word, bool is_owner, struct text *out)
{
	struct session *s = session;
	if (span_is(word, "status") || span_is(word, "stats")) {
		json_put(status_json(s), out);
	} else if (!span_is(word, "disconnect")) {
		text_str(out, "{\"error\":\"unknown request\"}");
	} else if (!is_owner) {
		text_str(out, "{\"error\":\"only root and the owner of the session may end it\"}");
	} else {
		text_str(out, "{\"ok\":true}");
		uv_kill(uv_os_getpid(), SIGTERM); /* after the answer is on its way */
	}
}

/* ---- text of that JSON ---- */

static const char *str_of(json_t *o, const char *key)
{
	const char *v = json_string_value(json_object_get(o, key));
	return v != NULL && v[0] != '\0' ? v : "-";
}

static long long int_of(json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

static void print_channel(const char *name, json_t *c)
{
	printf("%-12s %s, %s %s, MTU %lld", name, str_of(c, "state"), str_of(c, "protocol"),
	        str_of(c, "cipher"), int_of(c, "mtu"));
	if (json_is_integer(json_object_get(c, "rtt_ms")))
		printf(", RTT %lld ms", int_of(c, "rtt_ms"));
	printf("\n");
}

static void print_status(json_t *o)
{
	printf("%-12s %s\n", "State", str_of(o, "state"));
	printf("%-12s %s\n", "Gateway", str_of(o, "gateway"));
	printf("%-12s %s\n", "User", str_of(o, "user"));
	printf("%-12s %s\n", "Group", str_of(o, "group"));
	printf("%-12s %s %s\n", "Addresses", str_of(o, "inner4"), str_of(o, "inner6"));
	printf("%-12s %s, MTU %lld\n", "Adapter", str_of(o, "adapter"), int_of(o, "adapter_mtu"));
	printf("%-12s %s\n", "Data over", str_of(o, "active"));
	print_channel("TLS", json_object_get(o, "tls"));
	print_channel("DTLS", json_object_get(o, "dtls"));
	json_t *last = json_object_get(o, "last_switch");
	printf("%-12s %lld", "Switches", int_of(o, "switches"));
	if (json_is_object(last))
		printf(", last from %s to %s: %s, %lld ms", str_of(last, "from"), str_of(last, "to"),
		        str_of(last, "cause"), int_of(last, "gap_ms"));
	printf("\n%-12s %lld\n", "Reconnects", int_of(o, "reconnects"));
}

static void print_counters(FILE *f, const char *name, json_t *c)
{
	fprintf(f, "%-6s %16lld %16lld %14lld %14lld\n", name, int_of(c, "tx_bytes"), int_of(c, "rx_bytes"),
	        int_of(c, "tx_packets"), int_of(c, "rx_packets"));
}

static void print_stats(FILE *f, json_t *o)
{
	fprintf(f, "%-6s %16s %16s %14s %14s\n", "", "bytes sent", "bytes received", "packets sent",
	        "received");
	print_counters(f, "TLS", json_object_get(o, "tls"));
	print_counters(f, "DTLS", json_object_get(o, "dtls"));
	fprintf(f,
	        "Connected for %lld s, %lld reconnects, %lld switches, dropped %lld from and %lld to the "
	        "adapter.\n",
	        int_of(o, "connected_s"), int_of(o, "reconnects"), int_of(o, "switches"),
	        int_of(o, "drops_up"), int_of(o, "drops_down"));
}

void status_print_stats(struct session *s)
{
	json_t *o = status_json(s);
	if (!s->ev->is_silent)
		print_stats(stderr, o);
	json_decref(o);
}

/* ---- the asking side ---- */

struct ask_options {
	const char *control;
	bool is_json, wants_help;
};

static bool ask_options_parse(int argc, char **argv, struct ask_options *ret)
{
	*ret = (struct ask_options){.control = OPTIONS_DEFAULT_CONTROL};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			ret->is_json = true;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			ret->wants_help = true;
		} else if (strcmp(argv[i], "--control") == 0 && i + 1 < argc) {
			ret->control = argv[++i];
		} else if (span_starts(span_str(argv[i]), "--control=")) {
			ret->control = argv[i] + strlen("--control=");
		} else {
			fprintf(stderr, "culvert: %s does not know \"%s\". Try: culvert %s --help\n", argv[0],
			        argv[i], argv[0]);
			return false;
		}
	}
	return true;
}

/* The answer's object, the caller's; NULL: told the user. */
static json_t *ask(const char *control, const char *word)
{
	struct text answer = {0};
	json_t *o = NULL;
	int err = control_ask(control, word, &answer);
	if (err == -ENOENT || err == -ECONNREFUSED)
		fprintf(stderr, "culvert: not connected (nothing answers at %s).\n", control);
	else if (err)
		fprintf(stderr, "culvert: %s: %s\n", control, err_text(err));
	else if ((o = json_loads(text_cstr(&answer), 0, NULL)) == NULL)
		fprintf(stderr, "culvert: %s gave no sensible answer.\n", control);
	text_done(&answer);
	const char *refusal = json_string_value(json_object_get(o, "error"));
	if (refusal == NULL)
		return o;
	fprintf(stderr, "culvert: %s.\n", refusal);
	json_decref(o);
	return NULL;
}

static int ask_command(int argc, char **argv, const char *help, void (*print)(json_t *o))
{
	struct ask_options opt;
	if (!ask_options_parse(argc, argv, &opt))
		return EXIT_USAGE;
	if (opt.wants_help) {
		printf("Usage: culvert %s [--json] [--control SOCKET]\n\n%s\n", argv[0], help);
		return 0;
	}
	json_t *o = ask(opt.control, argv[0]);
	if (o == NULL)
		return EXIT_UNREACHABLE;
	if (opt.is_json) {
		json_dumpf(o, stdout, JSON_INDENT(2));
		printf("\n");
	} else {
		print(o);
	}
	json_decref(o);
	return 0;
}

static void print_stats_out(json_t *o)
{
	print_stats(stdout, o);
}

static void print_nothing(json_t *o)
{
	(void)o;
}

int status_command(int argc, char **argv)
{
	return ask_command(argc, argv, "Shows the state of the running session.", print_status);
}

int stats_command(int argc, char **argv)
{
	return ask_command(
	        argc, argv, "Shows what the running session has sent and received.", print_stats_out);
}

int disconnect_command(int argc, char **argv)
{
	return ask_command(argc, argv, "Ends the running session.", print_nothing);
}
