/* Super-packets that go by TLS as they are, between own peers. None of their packets is a SYN, and all have
 * the same addresses: what is asked of each packet elsewhere is asked once. */
#include "gateway/conn.h"
#include "gateway/session_int.h"
#include "io/sock.h"

void session_super_receive(struct session *s, struct span payload)
{
	struct traffic *t = &s->traffic[LINK_TLS];
	struct super u;
	bool is_good = super_parse(payload, s->mtu.tls, &u) == 0;
	link_on_rx(&s->link, LINK_TLS, is_good, is_good ? u.form.largest_bytes : 0, worker_now(s->w));
	if (!is_good) {
		session_count_rx_drop(s, LINK_TLS, DROP_BAD_LENGTH);
		return;
	}
	if (!session_is_from_client(s, LINK_TLS, u.packet))
		return;
	worker_to_tun_super(s->w, &u);
	s->super.n_rx++;
	t->rx_packets += u.form.n_packets;
	t->rx_bytes += u.form.total_bytes;
}

/* Is the connection fast enough? Asked now and then. */
static bool is_fast(struct session *s)
{
	struct super_pace *pace = &s->super.pace;
	struct sock_tcp_facts facts = {0};
	if (super_pace_is_due(pace, worker_now(s->w))) {
		int r = sock_tcp_facts(s->conn->fd, &facts);
		(void)r; /* not known */
		super_pace_note(pace, facts.delivered_bytes_per_s, worker_now(s->w));
	}
	return pace->is_fast;
}

bool session_super_send(struct session *s, const struct split *split)
{
	struct traffic *t = &s->traffic[LINK_TLS];
	struct super_form form;
	size_t n;
	uint8_t *payload = s->super.is_agreed ? super_put(split, s->mtu.tls, &n, &form) : NULL;
	if (payload == NULL || !is_fast(s) || conn_write_cstp_long(s->conn, CSTP_SUPER, payload, n) < 0)
		return false;
	s->super.n_tx++;
	t->tx_packets += form.n_packets;
	t->tx_bytes += form.total_bytes;
	link_on_tx(&s->link, LINK_TLS, true, form.largest_bytes, worker_now(s->w));
	session_touch(s);
	return true;
}
