#include "../unit.h"

#include "client/export.h"

static struct text exported(const char *json)
{
	struct text t = {0};
	json_t *o = json_loads(json, 0, NULL);
	assert_non_null(o);
	export_stats(o, &t);
	json_decref(o);
	assert_true(text_ok(&t));
	return t;
}

static void assert_line(const struct text *t, const char *line)
{
	if (strstr(text_cstr(t), line) == NULL)
		fail_msg("no \"%s\" in:\n%s", line, text_cstr(t));
}

TEST(sections_and_sums)
{
	struct text t = exported("{\"version\":\"0.1.0\",\"active\":\"dtls\",\"connected_s\":3671,\"drops_"
	                         "up\":4,\"drops_down\":5,"
	                         "\"tls\":{\"state\":\"up\",\"protocol\":\"TLSv1.3\",\"cipher\":\"A\",\"tx_"
	                         "bytes\":100,\"tx_packets\":2,"
	                         "\"tx_control_packets\":3,\"tx_control_bytes\":7,\"tx_wire_bytes\":999},"
	                         "\"dtls\":{\"state\":\"up\",\"protocol\":\"DTLSv1.2\",\"cipher\":\"B\",\"tx_"
	                         "bytes\":11,\"tx_packets\":1},"
	                         "\"secured_routes\":[\"10.0.0.0/8\"],\"non_secured_routes\":[]}");
	static const char *const lines[] = {
	        "\nVPN Stats\n",
	        "Bytes Sent:                      111\n",
	        "Control Packets Sent:            3\n",
	        "Control Bytes Sent:              7\n",
	        "Encrypted Bytes Sent:            999\n",
	        "Encrypted Packets Sent:          6\n",
	        "Inbound Discarded Packets:       5\n",
	        "Outbound Discarded Packets:      4\n",
	        "Time Connected:                  01:01:11\n",
	        "\nProtocol Info\n    Active Protocol\n        Protocol Cipher:             B\n",
	        "    Inactive Protocol\n        Protocol Cipher:             A\n",
	        "\nRoutes\n    Secured Routes\n        10.0.0.0/8\n    Non-secured Routes\n        none\n",
	        "\nFirewall Rules\n",
	        "\nOS Version\n    ",
	        "\nIP Configuration\n",
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_line(&t, lines[i]);
	text_done(&t);
}

TEST(an_empty_answer_is_no_harm)
{
	struct text t = exported("{}");
	assert_line(&t, "Bytes Sent:                      0\n");
	assert_line(&t, "        Protocol State:              Not connected\n");
	assert_null(strstr(text_cstr(&t), "Active Protocol\n        Protocol Cipher:             (null)"));
	text_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sections_and_sums),
	        cmocka_unit_test(an_empty_answer_is_no_harm),
	};
	return RUN(tests);
}
