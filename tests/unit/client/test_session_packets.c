/* What a session makes of the packets of a gateway that it does not know. */
#include "../unit.h"

#include <stdlib.h>

#include "client/session_internal.h"

static struct session *session_new(struct events *ev, const struct connect_options *o)
{
	struct session *s = calloc(1, sizeof(*s));
	assert_non_null(s);
	assert_int_equal(events_open(ev, NULL, 0), 0);
	s->ev = ev;
	s->opt = o;
	assert_int_equal(uv_loop_init(&s->loop), 0);
	link_init(&s->link, 0);
	return s;
}

static void session_free(struct session *s)
{
	events_close(s->ev);
	assert_int_equal(uv_loop_close(&s->loop), 0);
	free(s);
}

static void take(struct session *s, enum link_channel ch, uint8_t type)
{
	struct cstp_packet p = {.type = type};
	session_on_packet(s, ch, &p);
}

TEST(unknown_types_do_not_fill_the_event_log)
{
	const struct connect_options o = {.tunnel.mtu_policy = MTU_CLASSIC};
	struct events ev;
	struct session *s = session_new(&ev, &o);
	for (int i = 0; i < 1000; i++)
		take(s, i % 2 ? LINK_DTLS : LINK_TLS, 0x42);
	assert_int_equal(ev.n_seen, 1);
	assert_non_null(strstr(events_kept(&ev, 0), "unknown type 0x42 on the tls tunnel"));
	for (int i = 0; i < 1000; i++)
		take(s, LINK_DTLS, i % 2 ? 0x43 : 0xff);
	assert_int_equal(ev.n_seen, 3);
	assert_int_equal(s->stats.unknown_packets, 2000);
	take(s, LINK_DTLS, CSTP_KEEPALIVE);
	assert_int_equal(s->stats.unknown_packets, 2000);
	session_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(unknown_types_do_not_fill_the_event_log),
	};
	return RUN(tests);
}
