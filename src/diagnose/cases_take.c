/* What an event changes in its session. */
#include "diagnose/cases.h"

enum case_side record_side(const struct record *r)
{
	switch (r->source) {
	case SOURCE_DART:
	case SOURCE_WINDOWS_EVENTS:
	case SOURCE_CLIENT_SYSLOG:
	case SOURCE_OPENCONNECT:
	case SOURCE_CULVERT_CLIENT:
		return SIDE_CLIENT;
	case SOURCE_CULVERT_EVENTS: /* the gateway's form of it names users */
		return r->user ? SIDE_GATEWAY : SIDE_CLIENT;
	default:
		return SIDE_GATEWAY;
	}
}

bool record_is_dtls_up(const struct record *r)
{
	return r->tunnel == TUNNEL_DTLS && (r->kind == EVENT_TUNNEL_UP || r->kind == EVENT_TUNNEL_REPLACED);
}

bool record_is_reconnect(const struct record *r)
{
	return r->kind == EVENT_TUNNEL_REPLACED || r->kind == EVENT_SESSION_RESUMED ||
	       r->kind == EVENT_RECONNECT || r->kind == EVENT_RECONFIGURE;
}

bool record_is_new_mtu(const struct record *r)
{
	return r->kind == EVENT_RECONFIGURE && r->code == CODE_NEW_MTU;
}

static void add_addr(struct one_case *k, const struct record *r)
{
	bool is_from_peer = k->side == SIDE_GATEWAY && r->kind == EVENT_SESSION_RESUMED && r->peer != 0;
	word_t a = is_from_peer ? r->peer : r->public_ip;
	if (a == 0 || k->addrs[0] == a)
		return;
	k->n.moves += k->addrs[0] != 0;
	memmove(k->addrs + 1, k->addrs, sizeof(k->addrs) - sizeof(k->addrs[0]));
	k->addrs[0] = a;
}

static void take_names(const struct store *s, struct one_case *k, const struct record *r)
{
	word_t *inner = store_addr(s, r->inner).family == 6 ? &k->inner6 : &k->inner;
	if (r->user)
		k->user = r->user;
	if (r->group)
		k->group = r->group;
	if (r->profile)
		k->profile = r->profile;
	if (r->inner && *inner == 0)
		*inner = r->inner;
	if (r->kind == EVENT_CONNECTED && k->inner6 == 0 && store_addr(s, r->peer).family == 6)
		k->inner6 = r->peer;
	if (k->device == 0)
		k->device = r->device;
}

static void count_large(struct one_case *k, const struct record *r)
{
	if (!r->is_to_client) {
		k->n.large_from_client += r->count;
		return;
	}
	k->n.large_to_client += r->count;
	if (r->size > k->n.large_size) {
		k->n.large_size = r->size;
		k->n.large_limit = r->limit;
	}
}

static void count_frag(struct one_case *k, const struct record *r)
{
	k->n.frag_needed += r->count;
	if (r->size > k->n.frag_size) {
		k->n.frag_size = r->size;
		k->n.frag_limit = r->limit;
	}
}

static void take_mtu(struct one_case *k, const struct record *r)
{
	if (r->kind == EVENT_MTU && r->size)
		k->n.tls_mtu = r->size;
	if (r->kind == EVENT_MTU && r->limit)
		k->n.dtls_mtu = r->limit;
	if (r->adapter)
		k->n.adapter_mtu = r->adapter;
}

static void take_tunnel(struct one_case *k, const struct record *r)
{
	bool is_up = r->kind == EVENT_TUNNEL_UP || r->kind == EVENT_TUNNEL_REPLACED;
	if (r->tunnel == TUNNEL_DTLS) {
		k->n.dtls_ups += is_up;
		if (is_up && k->dtls_up_at_ms == TIME_NONE)
			k->dtls_up_at_ms = r->at_ms;
		k->is_dtls_up = is_up;
		return;
	}
	k->n.tls_ups += is_up;
	k->n.replaced += r->kind == EVENT_TUNNEL_REPLACED;
	k->is_tls_up = is_up;
}

static void take_begin(struct one_case *k, const struct record *r)
{
	if (!k->has_begin)
		k->begin_at_ms = r->at_ms;
	k->has_begin = true;
}

static void take_end(struct one_case *k, const struct record *r)
{
	if (!k->is_ended || k->reason == REASON_UNKNOWN)
		k->reason = r->reason;
	if (!k->is_ended)
		k->end_at_ms = r->at_ms;
	k->is_ended = true;
	k->is_tls_up = k->is_dtls_up = false;
}

static void take_event(struct one_case *k, const struct record *r)
{
	switch (r->kind) {
	case EVENT_CONNECTED:
		take_begin(k, r);
		break;
	case EVENT_TUNNEL_UP:
		if (r->tunnel == TUNNEL_TLS && k->n.tls_ups == 0 && k->n.replaced == 0 && k->n.lost == 0)
			take_begin(k, r);
		take_tunnel(k, r);
		break;
	case EVENT_TUNNEL_DOWN: /* what goes down was up, also where the log begins later */
		k->n.dtls_ups += r->tunnel == TUNNEL_DTLS && k->n.dtls_ups == 0;
		take_tunnel(k, r);
		break;
	case EVENT_TUNNEL_REPLACED:
		take_tunnel(k, r);
		break;
	case EVENT_TUNNEL_FAILED:
		k->n.dtls_failures += r->tunnel == TUNNEL_DTLS;
		break;
	case EVENT_RECONNECT:
	case EVENT_RECONFIGURE:
		k->n.replaced++;
		break;
	case EVENT_SESSION_LOST:
		k->n.lost++;
		k->is_tls_up = false;
		break;
	case EVENT_SESSION_RESUMED:
		k->n.resumed++;
		break;
	case EVENT_SESSION_END:
		take_end(k, r);
		break;
	case EVENT_LARGE_PACKET:
		count_large(k, r);
		break;
	case EVENT_FRAG_NEEDED:
		count_frag(k, r);
		break;
	default:
		break;
	}
}

void case_take(const struct store *s, struct one_case *k, const struct record *r)
{
	take_names(s, k, r);
	add_addr(k, r);
	take_mtu(k, r);
	take_event(k, r);
}
