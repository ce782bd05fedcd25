#include "client/export.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#define OS_LINE_BYTES 256

const char *export_value(json_t *o, const char *key)
{
	const char *v = json_string_value(json_object_get(o, key));
	return v != NULL && v[0] != '\0' ? v : "-";
}

static unsigned long long both(json_t *stats, const char *key)
{
	return (unsigned long long)json_integer_value(json_object_get(json_object_get(stats, "tls"), key)) +
	       (unsigned long long)json_integer_value(json_object_get(json_object_get(stats, "dtls"), key));
}

static void line(struct text *out, const char *label, unsigned long long n)
{
	char left[64];
	(void)snprintf(left, sizeof(left), "%s:", label);
	text_fmt(out, "    %-32s %llu\n", left, n);
}

static void put_time(struct text *out, json_t *stats)
{
	unsigned long long s = (unsigned long long)json_integer_value(json_object_get(stats, "connected_s"));
	text_fmt(out, "    %-32s %02llu:%02llu:%02llu\n", "Time Connected:", s / 3600, s / 60 % 60, s % 60);
}

/* What is compressed or passes beside the tunnel is none: we do neither. Each packet is one record, so that
 * the encrypted packets are all of them. */
static void put_counters(struct text *out, json_t *stats)
{
	const struct {
		const char *label;
		unsigned long long n;
	} rows[] = {
	        {"Bytes Received", both(stats, "rx_bytes")},
	        {"Bytes Sent", both(stats, "tx_bytes")},
	        {"Compressed Bytes Received", 0},
	        {"Compressed Bytes Sent", 0},
	        {"Compressed Packets Received", 0},
	        {"Compressed Packets Sent", 0},
	        {"Control Bytes Received", both(stats, "rx_control_bytes")},
	        {"Control Bytes Sent", both(stats, "tx_control_bytes")},
	        {"Control Packets Received", both(stats, "rx_control_packets")},
	        {"Control Packets Sent", both(stats, "tx_control_packets")},
	        {"Encrypted Bytes Received", both(stats, "rx_wire_bytes")},
	        {"Encrypted Bytes Sent", both(stats, "tx_wire_bytes")},
	        {"Encrypted Packets Received", both(stats, "rx_packets") + both(stats, "rx_control_packets")},
	        {"Encrypted Packets Sent", both(stats, "tx_packets") + both(stats, "tx_control_packets")},
	        {"Inbound Bypassed Packets", 0},
	        {"Inbound Discarded Packets",
	                (unsigned long long)json_integer_value(json_object_get(stats, "drops_down"))},
	        {"Outbound Bypassed Packets", 0},
	        {"Outbound Discarded Packets",
	                (unsigned long long)json_integer_value(json_object_get(stats, "drops_up"))},
	        {"Packets Received", both(stats, "rx_packets")},
	        {"Packets Sent", both(stats, "tx_packets")},
	};
	text_str(out, "VPN Stats\n");
	for (size_t i = 0; i < N_ELEM(rows); i++)
		line(out, rows[i].label, rows[i].n);
	put_time(out, stats);
}

static void put_protocol(struct text *out, json_t *stats, const char *channel, bool is_active)
{
	json_t *c = json_object_get(stats, channel);
	bool is_up = strcmp(export_value(c, "state"), "up") == 0;
	text_fmt(out, "    %s Protocol\n", is_active ? "Active" : "Inactive");
	text_fmt(out, "        %-28s %s\n", "Protocol Cipher:", export_value(c, "cipher"));
	text_fmt(out, "        %-28s None\n", "Protocol Compression:");
	text_fmt(out, "        %-28s %s\n", "Protocol State:", is_up ? "Connected" : "Not connected");
	text_fmt(out, "        %-28s %s\n", "Protocol:",
	        is_up                         ? export_value(c, "protocol")
	        : strcmp(channel, "tls") == 0 ? "TLS"
	                                      : "DTLS");
}

static void put_protocols(struct text *out, json_t *stats)
{
	bool is_dtls = strcmp(export_value(stats, "active"), "dtls") == 0;
	text_str(out, "\nProtocol Info\n");
	put_protocol(out, stats, is_dtls ? "dtls" : "tls", strcmp(export_value(stats, "active"), "-") != 0);
	put_protocol(out, stats, is_dtls ? "tls" : "dtls", false);
}

static void put_routes(struct text *out, const char *title, json_t *routes, const char *none)
{
	size_t i;
	json_t *r;
	text_fmt(out, "    %s Routes\n", title);
	json_array_foreach(routes, i, r) text_fmt(out, "        %s\n", json_string_value(r));
	if (json_array_size(routes) == 0)
		text_fmt(out, "        %s\n", none);
}

static void put_address(struct text *out, json_t *stats)
{
	text_str(out, "\nIP Configuration\n");
	text_fmt(out, "    %-32s %s\n", "Adapter:", export_value(stats, "adapter"));
	text_fmt(out, "    %-32s %lld\n",
	        "Adapter MTU:", (long long)json_integer_value(json_object_get(stats, "adapter_mtu")));
	text_fmt(out, "    %-32s %s\n", "Client Address (IPv4):", export_value(stats, "inner4"));
	text_fmt(out, "    %-32s %s\n", "Client Address (IPv6):", export_value(stats, "inner6"));
	text_fmt(out, "    %-32s %s\n", "Server Address:", export_value(stats, "gateway"));
}

/* PRETTY_NAME of os-release(5), which quotes it. */
static void put_distribution(struct text *out)
{
	char buf[OS_LINE_BYTES];
	FILE *f = fopen("/etc/os-release", "re");
	while (f != NULL && fgets(buf, sizeof(buf), f) != NULL) {
		if (strncmp(buf, "PRETTY_NAME=", 12) != 0)
			continue;
		buf[strcspn(buf, "\n")] = '\0';
		for (const char *p = buf + 12; *p != '\0'; p++)
			if (*p != '"')
				text_put(out, span_of(p, 1));
		text_str(out, ", ");
	}
	if (f != NULL)
		fclose(f);
}

void export_os(struct text *out)
{
	struct utsname u;
	put_distribution(out);
	if (uname(&u) == 0)
		text_fmt(out, "%s %s %s\n", u.sysname, u.release, u.machine);
	else
		text_str(out, "-\n");
}

void export_stats(json_t *stats, struct text *out)
{
	text_fmt(out, "Culvert Version %s\n\n", export_value(stats, "version"));
	put_counters(out, stats);
	put_protocols(out, stats);
	text_str(out, "\nRoutes\n");
	put_routes(out, "Secured", json_object_get(stats, "secured_routes"), "0.0.0.0/0 and ::/0");
	put_routes(out, "Non-secured", json_object_get(stats, "non_secured_routes"), "none");
	text_str(out,
	        "\nFirewall Rules\n    none: this client takes none from the gateway\n\nOS Version\n    ");
	export_os(out);
	put_address(out, stats);
}
