#include "gateway/session_tunnel.h"

#include "gateway/process.h"
#include "gateway/session.h"

static enum link_channel channel_of(enum tunnel_kind kind)
{
	return kind == TUNNEL_DTLS ? LINK_DTLS : LINK_TLS;
}

static struct traffic carried(const struct session *s, enum tunnel_kind kind)
{
	return kind == TUNNEL_PARENT ? (struct traffic){0} : s->traffic[channel_of(kind)];
}

void session_tunnel_begin(struct session *s, uint32_t connection, ms_t now_ms)
{
	session_tunnel_up(s, TUNNEL_PARENT, now_ms);
	s->tunnels.last_number = tunnel_number_first(connection);
}

void session_tunnel_up(struct session *s, enum tunnel_kind kind, ms_t now_ms)
{
	struct process_counts *counts = &s->w->process->counts;
	struct tunnel_count *n = &counts->tunnels[kind];
	session_tunnel_down(s, kind);
	s->tunnels.v[kind] = (struct session_tunnel){
	        .is_up = true,
	        .number = ++s->tunnels.last_number,
	        .up_at_ms = now_ms,
	        .before = carried(s, kind),
	};
	pthread_mutex_lock(&counts->lock);
	n->n_total++;
	if (++n->n_active > n->n_peak)
		n->n_peak = n->n_active;
	pthread_mutex_unlock(&counts->lock);
}

void session_tunnel_down(struct session *s, enum tunnel_kind kind)
{
	if (!s->tunnels.v[kind].is_up)
		return;
	s->tunnels.v[kind].is_up = false;
	struct process_counts *counts = &s->w->process->counts;
	pthread_mutex_lock(&counts->lock);
	counts->tunnels[kind].n_active--;
	pthread_mutex_unlock(&counts->lock);
}

void session_tunnel_end(struct session *s)
{
	for (enum tunnel_kind k = 0; k < N_TUNNEL_KINDS; k++)
		session_tunnel_down(s, k);
}

const char *session_tunnel_name(enum tunnel_kind kind)
{
	static const char *const names[N_TUNNEL_KINDS] = {"AnyConnect-Parent", "SSL-Tunnel", "DTLS-Tunnel"};
	return names[kind];
}

static struct traffic sum(const struct traffic *a, const struct traffic *b)
{
	return (struct traffic){
	        .tx_bytes = a->tx_bytes + b->tx_bytes,
	        .rx_bytes = a->rx_bytes + b->rx_bytes,
	        .tx_packets = a->tx_packets + b->tx_packets,
	        .rx_packets = a->rx_packets + b->rx_packets,
	        .tx_drops = a->tx_drops + b->tx_drops,
	        .rx_drops = a->rx_drops + b->rx_drops,
	        .tx_control_bytes = a->tx_control_bytes + b->tx_control_bytes,
	        .rx_control_bytes = a->rx_control_bytes + b->rx_control_bytes,
	        .tx_control_packets = a->tx_control_packets + b->tx_control_packets,
	        .rx_control_packets = a->rx_control_packets + b->rx_control_packets,
	};
}

struct traffic session_tunnel_traffic(const struct session *s, enum tunnel_kind kind)
{
	struct traffic t = carried(s, kind);
	const struct traffic *b = &s->tunnels.v[kind].before;
	return (struct traffic){
	        .tx_bytes = t.tx_bytes - b->tx_bytes,
	        .rx_bytes = t.rx_bytes - b->rx_bytes,
	        .tx_packets = t.tx_packets - b->tx_packets,
	        .rx_packets = t.rx_packets - b->rx_packets,
	        .tx_drops = t.tx_drops - b->tx_drops,
	        .rx_drops = t.rx_drops - b->rx_drops,
	        .tx_control_bytes = t.tx_control_bytes - b->tx_control_bytes,
	        .rx_control_bytes = t.rx_control_bytes - b->rx_control_bytes,
	        .tx_control_packets = t.tx_control_packets - b->tx_control_packets,
	        .rx_control_packets = t.rx_control_packets - b->rx_control_packets,
	};
}

struct traffic session_traffic(const struct session *s)
{
	return sum(&s->traffic[LINK_TLS], &s->traffic[LINK_DTLS]);
}

ms_t session_tunnel_idle_since_ms(const struct session *s, enum tunnel_kind kind)
{
	if (kind == TUNNEL_PARENT)
		return link_active(&s->link) == LINK_N_CHANNELS && s->lost_at_ms > s->link.last_data_ms
		               ? s->lost_at_ms
		               : s->link.last_data_ms;
	const struct link_state *c = &s->link.channels[channel_of(kind)];
	return c->last_rx_ms > c->last_tx_ms ? c->last_rx_ms : c->last_tx_ms;
}
