/* Each finding from the events that show it, and not from those that look like it. The readers' side of it is
 * the golden corpus (tests/corpus/diagnose). */
#include "story.h"

static void tell_login(struct story *t, int at_s, bool has_dtls)
{
	tell(t, at_s, (struct event){.kind = EVENT_CONNECTED});
	tell_tunnel(t, at_s, EVENT_TUNNEL_UP, TUNNEL_TLS);
	if (has_dtls)
		tell_tunnel(t, at_s + 1, EVENT_TUNNEL_UP, TUNNEL_DTLS);
}

static void tell_goodbye(struct story *t, int at_s)
{
	tell_tunnel(t, at_s, EVENT_TUNNEL_DOWN, TUNNEL_DTLS);
	tell_tunnel(t, at_s, EVENT_TUNNEL_DOWN, TUNNEL_TLS);
	tell_end(t, at_s, REASON_USER);
}

static void tell_goodbye_without_dtls(struct story *t, int at_s)
{
	tell_tunnel(t, at_s, EVENT_TUNNEL_DOWN, TUNNEL_TLS);
	tell_end(t, at_s, REASON_USER);
}

/* The note's minute as a gateway sees it. */
static void tell_minute(struct story *t)
{
	tell_login(t, 0, false);
	for (int i = 2; i < 50; i += 7)
		tell_large(t, i, 1418, 1347);
	tell_tunnel(t, 60, EVENT_TUNNEL_REPLACED, TUNNEL_TLS);
	tell(t, 60, (struct event){.kind = EVENT_CONNECTED}); /* the address again */
	tell_goodbye_without_dtls(t, 900);
}

static void check(struct story *t, const char *want)
{
	assert_string_equal(story_findings(t), want);
	story_end(t);
}

TEST(healthy_sessions_have_no_findings)
{
	struct story t = story_new("alice");
	tell_login(&t, 0, true);
	tell_tunnel(&t, 1800, EVENT_TUNNEL_DOWN, TUNNEL_DTLS); /* a renewal */
	tell_tunnel(&t, 1801, EVENT_TUNNEL_UP, TUNNEL_DTLS);
	tell_large(&t, 1900, 1420, 1418); /* answered by ICMP, and well */
	tell_goodbye(&t, 4000);
	check(&t, "");
}

TEST(client_that_moves_once_is_healthy)
{
	struct story t = story_new("alice");
	tell_login(&t, 0, true);
	tell(&t, 600, (struct event){.kind = EVENT_DPD_DEAD, .tunnel = TUNNEL_TLS, .reason = REASON_DPD});
	tell(&t, 600, (struct event){.kind = EVENT_SESSION_LOST});
	t.peer = "203.0.113.9";
	tell(&t, 640, (struct event){.kind = EVENT_SESSION_RESUMED});
	t.peer = NULL;
	t.public_ip = "203.0.113.9";
	tell_tunnel(&t, 640, EVENT_TUNNEL_REPLACED, TUNNEL_TLS);
	tell_tunnel(&t, 641, EVENT_TUNNEL_UP, TUNNEL_DTLS);
	tell_goodbye(&t, 4000);
	check(&t, "");
}

TEST(minute_seen_by_the_gateway)
{
	struct story t = story_new("alice");
	tell_minute(&t);
	assert_string_equal(story_findings(&t), "dtls-blocked-mtu-reconnect");
	const struct finding *f = story_finding(&t, "dtls-blocked-mtu-reconnect");
	assert_int_equal(f->severity, SEVERITY_ERROR);
	assert_int_equal(f->n_all_users, 1);
	assert_int_equal(f->first_at_ms, T0);
	assert_int_equal(f->last_at_ms, T0 + 60000);
	assert_non_null(strstr(text_cstr(&f->cause), "60 seconds after the connect"));
	assert_non_null(strstr(text_cstr(&f->cause), "1347"));
	assert_string_equal(text_cstr(&f->remedies[0].config),
	        "group-policy ac_users_group attributes\n webvpn\n  anyconnect mtu 1300\n");
	assert_non_null(strstr(text_cstr(&f->remedies[1].config), "df-bit-ignore enable"));
	assert_string_equal(text_cstr(&f->remedies[2].config), "sysopt connection tcpmss 1460\n");
	assert_non_null(strstr(text_cstr(&f->remedies[2].effect), "1427"));
	story_end(&t);
}

TEST(minute_seen_by_the_client)
{
	struct story t = story_new(NULL);
	t.source = SOURCE_DART;
	tell_login(&t, 0, false);
	tell_tunnel(&t, 12, EVENT_TUNNEL_FAILED, TUNNEL_DTLS);
	tell(&t, 61, (struct event){.kind = EVENT_RECONFIGURE, .code = 16});
	tell(&t, 61, (struct event){.kind = EVENT_ADAPTER_BOUNCE});
	tell(&t, 63, (struct event){.kind = EVENT_SESSION_RESUMED});
	tell_goodbye(&t, 900);
	assert_string_equal(story_findings(&t), "dtls-blocked-mtu-reconnect");
	assert_non_null(
	        strstr(text_cstr(&story_finding(&t, "dtls-blocked-mtu-reconnect")->cause), "reason code 16"));
	story_end(&t);
}

/* Its reason code says so; how long it waited does not matter. */
TEST(client_that_waits_for_another_time)
{
	static const int delays_s[] = {6, 300};
	for (size_t i = 0; i < N_ELEM(delays_s); i++) {
		struct story t = story_new(NULL);
		char want[60];
		t.source = SOURCE_CULVERT_EVENTS;
		tell_login(&t, 0, false);
		tell(&t, delays_s[i], (struct event){.kind = EVENT_RECONFIGURE, .code = 16});
		tell_goodbye(&t, 900);
		assert_string_equal(story_findings(&t), "dtls-blocked-mtu-reconnect");
		const struct finding *f = story_finding(&t, "dtls-blocked-mtu-reconnect");
		(void)snprintf(want, sizeof(want), ". %d seconds after the connect", delays_s[i]);
		assert_non_null(strstr(text_cstr(&f->cause), want));
		(void)snprintf(want, sizeof(want), "reconnects after %d s.", delays_s[i]);
		assert_non_null(strstr(text_cstr(&f->verdict), want));
		story_end(&t);
	}
}

/* Both ends, the client's clock eight hours and 3 s ahead. */
TEST(both_ends_of_one_session_are_joined)
{
	struct story t = story_new("alice");
	tell_minute(&t);
	t.file = 1;
	t.user = t.group = t.public_ip = t.inner = NULL;
	t.source = SOURCE_DART;
	int ahead = 8 * 3600 + 3;
	tell_login(&t, ahead, false);
	tell_tunnel(&t, ahead + 12, EVENT_TUNNEL_FAILED, TUNNEL_DTLS);
	tell(&t, ahead + 60, (struct event){.kind = EVENT_RECONFIGURE, .code = 16});
	assert_string_equal(story_findings(&t), "dtls-blocked-mtu-reconnect");
	const struct finding *f = story_finding(&t, "dtls-blocked-mtu-reconnect");
	const struct cases *c = findings_cases(t.found);
	assert_int_equal(f->confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(f->n_all_users, 1);
	assert_int_equal(f->first_at_ms, T0);
	assert_int_not_equal(c->v[f->example].partner, CASE_NONE);
	bool is_client = c->v[f->example].side == SIDE_CLIENT;
	assert_int_equal(c->v[f->example].shift_ms, (is_client ? -1 : 1) * ahead * INT64_C(1000));
	story_end(&t);
}

TEST(reconnect_after_sleep_is_not_the_minute)
{
	struct story t = story_new("alice");
	tell_login(&t, 0, false);
	tell_large(&t, 5, 1418, 1347);
	tell(&t, 20, (struct event){.kind = EVENT_SUSPEND});
	tell_tunnel(&t, 60, EVENT_TUNNEL_REPLACED, TUNNEL_TLS);
	tell_tunnel(&t, 61, EVENT_TUNNEL_UP, TUNNEL_DTLS);
	tell_goodbye(&t, 900);
	check(&t, "suspend");
}

TEST(large_packets_at_the_end_of_a_log)
{
	struct story t = story_new("alice");
	tell_login(&t, 0, false);
	tell_large(&t, 5, 1418, 1347);
	tell_large(&t, 25, 1418, 1347);
	check(&t, "dtls-blocked-mtu-reconnect");
}

TEST(blocked_for_some)
{
	struct story t = story_new("alice");
	tell_login(&t, 0, true);
	t.user = "bob";
	t.public_ip = "203.0.113.77";
	t.inner = "10.10.10.6";
	tell_login(&t, 10, false);
	tell_goodbye_without_dtls(&t, 3000);
	assert_string_equal(story_findings(&t), "dtls-blocked");
	const struct finding *f = story_finding(&t, "dtls-blocked");
	assert_int_equal(f->n_all_users, 1);
	assert_non_null(strstr(text_cstr(&f->cause), "1 of 2 sessions"));
	story_end(&t);
}

TEST(tls_only_by_configuration_is_no_finding)
{
	struct story t = story_new("alice");
	tell_fact(&t, FACT_GROUP_POLICY, "ac_users_group", 0, NULL);
	tell_fact(&t, FACT_DTLS_ENABLE, "ac_users_group", 0, NULL);
	tell_login(&t, 0, false);
	tell_goodbye_without_dtls(&t, 3000);
	check(&t, "");
}

/* Rotated logs begin within sessions: an end of DTLS proves that it was up, and a rekey hours after a large
 * packet is no reconnect after a minute. */
TEST(log_begins_within_sessions)
{
	struct story t = story_new("alice");
	tell_goodbye(&t, 100);
	check(&t, "");

	t = story_new("alice");
	tell_large(&t, 5, 1419, 1418);
	tell_tunnel(&t, 40, EVENT_TUNNEL_REPLACED, TUNNEL_TLS);
	tell_tunnel(&t, 41, EVENT_TUNNEL_REPLACED, TUNNEL_DTLS);
	tell_goodbye(&t, 3000);
	check(&t, "");

	t = story_new("alice");
	tell_large(&t, 5, 1419, 1418);
	tell_tunnel(&t, 7000, EVENT_TUNNEL_REPLACED, TUNNEL_TLS);
	tell_tunnel(&t, 9000, EVENT_TUNNEL_REPLACED, TUNNEL_TLS);
	check(&t, "");

	/* but the minute itself is seen from its middle, too */
	t = story_new("alice");
	tell_large(&t, 5, 1418, 1347);
	tell_tunnel(&t, 40, EVENT_TUNNEL_REPLACED, TUNNEL_TLS);
	tell_goodbye_without_dtls(&t, 900);
	check(&t, "dtls-blocked-mtu-reconnect");
}

TEST(flapping_and_lost)
{
	struct story t = story_new("alice");
	tell_login(&t, 0, true);
	for (int i = 1; i <= 3; i++) {
		tell_tunnel(&t, i * 300, EVENT_TUNNEL_DOWN, TUNNEL_DTLS);
		tell_tunnel(&t, i * 300 + 20, EVENT_TUNNEL_UP, TUNNEL_DTLS);
	}
	tell_goodbye(&t, 3000);
	check(&t, "dtls-flapping");

	t = story_new("alice");
	tell_login(&t, 0, true);
	tell(&t, 300, (struct event){.kind = EVENT_DPD_DEAD, .tunnel = TUNNEL_DTLS, .reason = REASON_DPD});
	tell_goodbye(&t, 3000);
	check(&t, "dtls-lost");

	t = story_new("alice"); /* the log ends with the session */
	tell_login(&t, 0, true);
	tell_tunnel(&t, 300, EVENT_TUNNEL_DOWN, TUNNEL_DTLS);
	check(&t, "");
}

TEST(rekeys_do_not_flap)
{
	struct story t = story_new("alice");
	tell_login(&t, 0, true);
	for (int i = 1; i < 10; i++)
		tell_tunnel(&t, i * 240, EVENT_TUNNEL_REPLACED, TUNNEL_DTLS);
	tell_goodbye(&t, 3000);
	check(&t, "");
}

static void tell_frag(struct story *t, int at_s, const char *from)
{
	t->peer = from;
	tell(t, at_s,
	        (struct event){.kind = EVENT_FRAG_NEEDED, .size = 1418, .limit = 1347, .is_to_client = true});
	t->peer = NULL;
}

TEST(black_hole)
{
	static const int seconds[] = {2, 3, 5, 9, 17, 33};
	struct story t = story_new("alice");
	tell_login(&t, 0, true);
	for (size_t i = 0; i < N_ELEM(seconds); i++)
		tell_frag(&t, seconds[i], "10.48.66.23");
	tell_goodbye(&t, 900);
	assert_string_equal(story_findings(&t), "icmp-filtered-black-hole");
	assert_non_null(strstr(text_cstr(&story_finding(&t, "icmp-filtered-black-hole")->cause),
	        "10.48.66.23 sent packets of 1418"));
	story_end(&t);

	t = story_new("alice"); /* each server learns it at once */
	tell_login(&t, 0, true);
	tell_frag(&t, 2, "10.48.66.23");
	tell_frag(&t, 2, "10.48.66.23");
	tell_frag(&t, 2, "10.48.66.23");
	tell_frag(&t, 2, "10.48.66.23");
	tell_frag(&t, 30, "10.48.66.24");
	tell_goodbye(&t, 900);
	check(&t, "");
}

TEST(ends_with_a_cause)
{
	static const struct {
		enum end_reason reason;
		const char *want;
	} ends[] = {{REASON_IDLE, "idle-or-session-timeout"}, {REASON_MAX_TIME, "idle-or-session-timeout"},
	        {REASON_DPD, "dpd-timeout"}, {REASON_PREEMPTED, "port-preempted"},
	        {REASON_SUSPEND, "suspend"}, {REASON_USER, ""}, {REASON_ADMIN, ""}};
	for (size_t i = 0; i < N_ELEM(ends); i++) {
		struct story t = story_new("alice");
		tell_login(&t, 0, true);
		tell_end(&t, 3000, ends[i].reason);
		check(&t, ends[i].want);
	}
}

static void tell_why(struct story *t, int64_t at_s, const char *cause)
{
	tell(t, at_s, (struct event){.kind = EVENT_AUTH_REJECTED, .cause = span_str(cause)});
}

/* A few tries from each of many addresses. */
TEST(guessed_passwords)
{
	for (int n = 40; n <= 60; n += 20) {
		struct story t = story_new("alice");
		tell_login(&t, 0, true);
		for (int i = 0; i < n * 2; i++) {
			char ip[20];
			(void)snprintf(ip, sizeof(ip), "192.0.2.%d", i % n + 1);
			t.public_ip = ip;
			t.user = "admin";
			tell(&t, 30 + i * 20, (struct event){.kind = EVENT_AUTH_REJECTED});
		}
		check(&t, n < 50 ? "" : "auth-rejected");
	}
}

TEST(refused_logins)
{
	struct story t = story_new("alice");
	tell(&t, 0, (struct event){.kind = EVENT_AUTH_REJECTED}); /* a slip of the fingers */
	tell_login(&t, 20, true);
	tell_goodbye(&t, 900);
	check(&t, "");

	t = story_new("alice"); /* who has a session that day, and none after this */
	tell_login(&t, 0, true);
	tell_goodbye(&t, 900);
	for (int i = 0; i < 3; i++)
		tell(&t, 20000 + i * 30, (struct event){.kind = EVENT_AUTH_REJECTED});
	check(&t, "auth-rejected");

	t = story_new("alice"); /* a slip each week */
	for (int i = 0; i < 6; i++) {
		tell(&t, i * 600000, (struct event){.kind = EVENT_AUTH_REJECTED});
		tell_login(&t, i * 600000 + 20, true);
		tell_goodbye(&t, i * 600000 + 900);
	}
	check(&t, "");

	t = story_new("admin"); /* strangers, every hour or so */
	for (int i = 0; i < 12; i++) {
		static const char *const from[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3"};
		t.public_ip = from[i % N_ELEM(from)];
		tell(&t, i * 4000, (struct event){.kind = EVENT_AUTH_REJECTED});
	}
	check(&t, "");

	t = story_new("alice"); /* nobody else is there: it is about her */
	tell(&t, 0, (struct event){.kind = EVENT_AUTH_REJECTED});
	check(&t, "auth-rejected");

	t = story_new("*****"); /* a name that the gateway keeps to itself */
	tell(&t, 0, (struct event){.kind = EVENT_AUTH_REJECTED});
	check(&t, "");

	t = story_new("alice"); /* that is no guess */
	tell_why(&t, 0, "Account has been locked out");
	check(&t, "auth-rejected");

	t = story_new("alice");
	for (int i = 0; i < 4; i++)
		tell(&t, i * 10, (struct event){.kind = EVENT_AUTH_REJECTED});
	tell_login(&t, 60, true);
	assert_string_equal(story_findings(&t), "auth-rejected");
	assert_int_equal(story_finding(&t, "auth-rejected")->severity, SEVERITY_WARNING);
	story_end(&t);
}

TEST(pool_and_cipher)
{
	struct story t = story_new("alice");
	tell(&t, 0, (struct event){.kind = EVENT_POOL_EXHAUSTED});
	check(&t, "pool-exhausted");

	t = story_new("alice");
	tell(&t, 0, (struct event){.kind = EVENT_CIPHER_MISMATCH, .tunnel = TUNNEL_DTLS});
	check(&t, "cipher-mismatch");

	t = story_new("alice"); /* somebody scans the Internet */
	tell_login(&t, 0, true);
	t.user = NULL;
	t.public_ip = "192.0.2.1";
	tell(&t, 60, (struct event){.kind = EVENT_CIPHER_MISMATCH, .tunnel = TUNNEL_TLS});
	check(&t, "");

	t = story_new(NULL); /* the same, and nothing else at all */
	t.public_ip = "192.0.2.1";
	tell(&t, 0, (struct event){.kind = EVENT_CIPHER_MISMATCH, .tunnel = TUNNEL_TLS});
	check(&t, "cipher-mismatch");
}

TEST(silent_udp)
{
	struct story t = story_new(NULL);
	t.source = SOURCE_OPENCONNECT;
	tell_login(&t, 0, true);
	tell_tunnel(&t, 700, EVENT_TUNNEL_STALL, TUNNEL_DTLS);
	check(&t, "ocserv-udp-silent");
}

/* ---- configurations ---- */

static void tell_config(struct story *t, uint32_t tcpmss, uint32_t mtu, const char *ciphers)
{
	tell_fact(t, FACT_DEVICE, NULL, 0, "asa1");
	tell_fact(t, FACT_WEBVPN, "outside", 0, NULL);
	if (tcpmss)
		tell_fact(t, FACT_TCPMSS, NULL, tcpmss, NULL);
	if (ciphers)
		tell_fact(t, FACT_TLS_CIPHERS, NULL, 0, ciphers);
	tell_fact(t, FACT_GROUP_POLICY, "ac_users_group", 0, NULL);
	if (mtu)
		tell_fact(t, FACT_GROUP_MTU, "ac_users_group", mtu, NULL);
}

TEST(configurations)
{
	struct story t = story_new("alice");
	tell_config(&t, 0, 0, NULL); /* all defaults: a risk, no more */
	assert_string_equal(story_findings(&t), "dtls-blocked-mtu-reconnect");
	assert_int_equal(story_finding(&t, "dtls-blocked-mtu-reconnect")->severity, SEVERITY_INFO);
	story_end(&t);

	t = story_new("alice");
	tell_config(&t, 0, 1300, NULL);
	check(&t, "");

	t = story_new("alice"); /* 1427 - 1418: cured, at a price */
	tell_config(&t, 1460, 0, "custom \"RC4-SHA\"");
	check(&t, "tcpmss-mismatch");

	t = story_new("alice"); /* 1383 */
	tell_config(&t, 1460, 0, "custom \"AES256-SHA256:AES128-SHA256\"");
	assert_string_equal(story_findings(&t), "remedy-ineffective dtls-blocked-mtu-reconnect");
	assert_non_null(strstr(text_cstr(&story_finding(&t, "remedy-ineffective")->cause), "1383"));
	story_end(&t);

	t = story_new("alice"); /* above 1303 */
	tell_config(&t, 0, 1340, "custom \"AES256-SHA256\"");
	assert_string_equal(story_findings(&t), "remedy-ineffective dtls-blocked-mtu-reconnect");
	story_end(&t);

	t = story_new("alice");
	tell_config(&t, 0, 1200, NULL);
	tell_fact(&t, FACT_POOL6_OF_POLICY, "ac_users_group", 1, "VPN6");
	assert_string_equal(story_findings(&t), "mtu-below-1280");
	assert_int_equal(story_finding(&t, "mtu-below-1280")->severity, SEVERITY_ERROR);
	story_end(&t);

	t = story_new("alice"); /* 1300 - 33 */
	tell_config(&t, 1300, 0, NULL);
	tell_fact(&t, FACT_POOL6_OF_POLICY, "ac_users_group", 1, "VPN6");
	assert_non_null(strstr(story_findings(&t), "tls-mtu-too-small-for-ipv6"));
	story_end(&t);
}

/* With a configuration beside them healthy logs stay healthy. */
TEST(healthy_log_and_configuration)
{
	struct story t = story_new("alice");
	tell_config(&t, 1380, 1406, "custom \"AES256-SHA256\"");
	tell_login(&t, 0, true);
	tell_goodbye(&t, 900);
	check(&t, "");
}

TEST(remedy_in_another_policy)
{
	struct story t = story_new("alice");
	tell_config(&t, 0, 0, NULL);
	tell_fact(&t, FACT_GROUP_POLICY, "others", 0, NULL);
	tell_fact(&t, FACT_DF_IGNORE, "others", 1, NULL);
	tell_minute(&t);
	assert_string_equal(story_findings(&t), "dtls-blocked-mtu-reconnect remedy-ineffective");
	assert_non_null(strstr(text_cstr(&story_finding(&t, "remedy-ineffective")->cause),
	        "group-policy others, but alice"));
	story_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(healthy_sessions_have_no_findings),
	        cmocka_unit_test(client_that_moves_once_is_healthy),
	        cmocka_unit_test(minute_seen_by_the_gateway),
	        cmocka_unit_test(minute_seen_by_the_client),
	        cmocka_unit_test(client_that_waits_for_another_time),
	        cmocka_unit_test(both_ends_of_one_session_are_joined),
	        cmocka_unit_test(reconnect_after_sleep_is_not_the_minute),
	        cmocka_unit_test(large_packets_at_the_end_of_a_log),
	        cmocka_unit_test(blocked_for_some),
	        cmocka_unit_test(log_begins_within_sessions),
	        cmocka_unit_test(tls_only_by_configuration_is_no_finding),
	        cmocka_unit_test(flapping_and_lost),
	        cmocka_unit_test(rekeys_do_not_flap),
	        cmocka_unit_test(black_hole),
	        cmocka_unit_test(ends_with_a_cause),
	        cmocka_unit_test(refused_logins),
	        cmocka_unit_test(guessed_passwords),
	        cmocka_unit_test(pool_and_cipher),
	        cmocka_unit_test(silent_udp),
	        cmocka_unit_test(configurations),
	        cmocka_unit_test(healthy_log_and_configuration),
	        cmocka_unit_test(remedy_in_another_policy),
	};
	return RUN(tests);
}
