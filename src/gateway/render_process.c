/* Commands about the whole process: summary, drops, pools, version. */
#include <stdio.h>
#include <time.h>

#include "gateway/render.h"

/* ---- show vpn-sessiondb ---- */

#define RULE "---------------------------------------------------------------------------\n"

static unsigned long long ull(uint64_t v)
{
	return v;
}

static void put_tunnel_counts(const struct render_summary *s, struct text *out)
{
	uint64_t n_active = 0, n_total = 0;
	text_fmt(out, "Tunnels Summary\n" RULE "%32sActive : Cumulative : Peak Concurrent\n%30s%.46s\n", "",
	        "", RULE);
	for (enum tunnel_kind k = 0; k < N_TUNNEL_KINDS; k++) {
		const struct tunnel_count *n = &s->tunnels[k];
		text_fmt(out, "%-29s: %6u : %10llu : %15u\n", session_tunnel_name(k), n->n_active,
		        ull(n->n_total), n->n_peak);
		n_active += n->n_active;
		n_total += n->n_total;
	}
	text_fmt(out, RULE "%-29s: %6llu : %10llu\n" RULE, "Totals", ull(n_active), ull(n_total));
}

void render_summary(const struct render_summary *s, struct text *out)
{
	uint64_t n_now = s->n_active + s->n_inactive;
	text_str(out, RULE "VPN Session Summary\n" RULE);
	text_fmt(out, "%32sActive : Cumulative : Peak Concur : Inactive\n%30s%.46s\n", "", "", RULE);
	text_fmt(out, "%-29s: %6llu : %10llu : %11llu : %8llu\n", "AnyConnect Client", ull(s->n_active),
	        ull(s->n_total), ull(s->n_peak), ull(s->n_inactive));
	text_fmt(out, "%-29s: %6llu : %10llu : %11llu : %8llu\n" RULE, "  SSL/TLS/DTLS", ull(s->n_active),
	        ull(s->n_total), ull(s->n_peak), ull(s->n_inactive));
	text_fmt(out, "%-29s: %6llu             Total Cumulative : %6llu\n", "Total Active and Inactive",
	        ull(n_now), ull(s->n_total));
	text_fmt(out, "%-29s: %6llu\n", "Device Total VPN Capacity", ull(s->n_capacity));
	text_fmt(out, "%-29s: %5llu%%\n" RULE RULE, "Device Load",
	        s->n_capacity ? ull(n_now * 100 / s->n_capacity) : 0);
	put_tunnel_counts(s, out);
}

static json_t *count_json(const struct tunnel_count *n)
{
	return json_pack("{s:I, s:I, s:I}", "active", (json_int_t)n->n_active, "cumulative",
	        (json_int_t)n->n_total, "peak", (json_int_t)n->n_peak);
}

json_t *render_summary_json(const struct render_summary *s)
{
	static const char *const keys[N_TUNNEL_KINDS] = {"parent", "tls", "dtls"};
	json_t *tunnels = json_object();
	for (enum tunnel_kind k = 0; k < N_TUNNEL_KINDS; k++)
		json_object_set_new(tunnels, keys[k], count_json(&s->tunnels[k]));
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "active", (json_int_t)s->n_active,
	        "inactive", (json_int_t)s->n_inactive, "cumulative", (json_int_t)s->n_total, "peak",
	        (json_int_t)s->n_peak, "tls_tunnels", (json_int_t)s->tunnels[TUNNEL_TLS].n_active,
	        "dtls_tunnels", (json_int_t)s->tunnels[TUNNEL_DTLS].n_active, "capacity",
	        (json_int_t)s->n_capacity, "tunnels", tunnels);
}

/* ---- show asp drop ---- */

static const struct {
	const char *text;
	bool is_flow;
} drop_info[N_DROP_REASONS] = {
        [DROP_NO_SESSION] = {"SVC Module does not have a session", false},
        [DROP_FLOW_CONTROL] = {"SVC Module is in flow control", false},
        [DROP_BAD_FRAMING] = {"SVC Module received badly framed data", false},
        [DROP_BAD_LENGTH] = {"SVC Module received bad data length", false},
        [DROP_UNKNOWN_TYPE] = {"SVC Module received unknown data frame", false},
        [DROP_SPOOFED] = {"SVC inner policy mismatch failure", true},
        [DROP_NO_FRAGMENT] = {"SVC Module unable to fragment packet", false},
        [DROP_NO_CHANNEL] = {"SVC Module does not have a channel for reinjection", false},
        [DROP_HANDOVER] = {"SVC Module is behind in another thread", false},
        [DROP_DELETING] = {"SVC Module received data while connection was being deleted", false},
        [DROP_REPLACED] = {"SVC replacement connection established", true},
        [DROP_TLS_HANDSHAKE] = {"SSL handshake failed", true},
        [DROP_TLS_CLOSED] = {"SSL received close alert", true},
        [DROP_TLS_DECRYPT] = {"SSL record decryption failed", true},
        [DROP_DTLS_HELLO] = {"DTLS hello processed and closed", true},
};

#define DROP_COLUMNS    80
#define DROP_LABEL_LONG 66 /* such labels push the count out, which is then 40 wide */

static void drop_lines(const uint64_t drops[static N_DROP_REASONS], bool is_flow, struct text *out)
{
	for (size_t i = 0; i < N_DROP_REASONS; i++) {
		char label[128];
		if (drops[i] == 0 || drop_info[i].is_flow != is_flow)
			continue;
		int n = snprintf(label, sizeof(label), "  %s (%s)", drop_info[i].text,
		        worker_drop_name((enum drop_reason)i));
		int width = n >= DROP_LABEL_LONG ? 40 : DROP_COLUMNS - n;
		text_fmt(out, "%s%*llu\n", label, width, ull(drops[i]));
	}
}

static void last_clearing(const struct render_clearing *c, struct text *out)
{
	time_t t = (time_t)c->at_s;
	struct tm tm;
	char text[48] = "Never";
	if (c->at_s && gmtime_r(&t, &tm))
		strftime(text, sizeof(text), "%H:%M:%S UTC %b %d %Y", &tm);
	text_fmt(out, "\nLast clearing: %s%s%s\n", text, c->at_s ? " by " : "", c->at_s ? c->by : "");
}

void render_drops(
        const uint64_t drops[static N_DROP_REASONS], const struct render_clearing *c, struct text *out)
{
	text_str(out, "Frame drop:\n");
	drop_lines(drops, false, out);
	last_clearing(c, out);
	text_str(out, "\nFlow drop:\n");
	drop_lines(drops, true, out);
	last_clearing(c, out);
}

json_t *render_drops_json(const uint64_t drops[static N_DROP_REASONS])
{
	json_t *j = json_object();
	for (size_t i = 0; j && i < N_DROP_REASONS; i++) {
		if (json_object_set_new(j, worker_drop_name((enum drop_reason)i),
		            json_integer((json_int_t)drops[i])) < 0) {
			json_decref(j);
			return NULL;
		}
	}
	return j;
}

/* ---- show version ---- */

static void uptime(uint64_t s, struct text *out)
{
	static const struct {
		const char *name;
		uint64_t s;
	} units[] = {{"day", 86400}, {"hour", 3600}, {"min", 60}, {"sec", 1}};
	size_t i = 0;
	while (i + 2 < N_ELEM(units) && s < units[i].s)
		i++;
	for (size_t k = i; k < i + 2; k++) {
		uint64_t n = s / units[k].s;
		s %= units[k].s;
		text_fmt(out, " %llu %s%s", ull(n), units[k].name, n == 1 ? "" : "s");
	}
}

void render_version(const struct render_version *v, struct text *out)
{
	text_fmt(out, "Culvert SSL VPN Gateway Version %s\n\n%s up", v->version, v->hostname);
	uptime(v->uptime_s, out);
	text_fmt(out,
	        "\nSessions: %u\nWorker threads: %u\nPackets handed over between them: %llu\n"
	        "AES-GCM by %s\n",
	        v->n_sessions, v->n_threads, ull(v->n_handed_over), v->crypto);
}

json_t *render_version_json(const struct render_version *v)
{
	return json_pack("{s:s, s:o, s:s, s:I, s:I, s:i, s:I}", "version", v->version, "hostname",
	        render_json_text(v->hostname), "crypto", v->crypto, "uptime_s", (json_int_t)v->uptime_s,
	        "sessions", (json_int_t)v->n_sessions, "worker_threads", (int)v->n_threads, "handed_over",
	        (json_int_t)v->n_handed_over);
}
