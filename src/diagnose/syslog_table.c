#include "diagnose/syslog_table.h"

#include "base/util.h"
#include "diagnose/pattern.h"

#define WHO "Group <$g> User <$u> IP <$p> "
#define TG  "TunnelGroup <$t> GroupPolicy <$g> User <$u> IP <$p> "

/* Sorted by id. Texts: Cisco's syslog guide for ASA and FTD, and lines seen in the field; where they differ
 * there are two rows. What culvertd says under the ASA's numbers has the ASA's text. */
static const struct syslog_row rows[] = {
        {101011, HOW_REJECTED, EVENT_AUTH_REJECTED, .is_culvert = true,
                .pattern = "Login of user $u from $p refused: $r"},
        {113005, HOW_REJECTED, EVENT_AUTH_REJECTED,
                .pattern = "AAA user $* Rejected : reason = $r : server = $* : user = $u : user IP = $p"},
        {113005, HOW_REJECTED, EVENT_AUTH_REJECTED,
                .pattern = "AAA user $* Rejected : reason = $r : server = $* : user = $u"},
        {113006, HOW_REJECTED, EVENT_AUTH_REJECTED, .pattern = "User <$u> locked out on exceeding $r"},
        {113013, HOW_REJECTED, EVENT_AUTH_REJECTED,
                .pattern = "AAA unable to complete the request Error : reason = $r : user = $u"},
        {113014, HOW_REJECTED, EVENT_AUTH_REJECTED, .pattern = "AAA $* server $r : server = $* : user = $u"},
        {113015, HOW_REJECTED, EVENT_AUTH_REJECTED,
                .pattern = "AAA user $* Rejected : reason = $r : local database : user = $u : user IP = $p"},
        {113015, HOW_REJECTED, EVENT_AUTH_REJECTED,
                .pattern = "AAA user $* Rejected : reason = $r : local database : user = $u"},
        {113016, HOW_REJECTED, EVENT_AUTH_REJECTED,
                .pattern = "AAA credentials rejected : reason = $r : server = $* : user = $u : user IP = $p"},
        {113016, HOW_REJECTED, EVENT_AUTH_REJECTED,
                .pattern = "AAA credentials rejected : reason = $r : server = $* : user = $u"},
        {113017, HOW_REJECTED, EVENT_AUTH_REJECTED,
                .pattern =
                        "AAA credentials rejected : reason = $r : local database : user = $u : user IP = $p"},
        {113017, HOW_REJECTED, EVENT_AUTH_REJECTED,
                .pattern = "AAA credentials rejected : reason = $r : local database : user = $u"},
        {113019, HOW_END, EVENT_SESSION_END,
                .pattern = "Group = $t, Username = $u, IP = $p, Session disconnected. Session Type: $x, "
                           "Duration: $y, Bytes xmt: $n, Bytes rcv: $n, Reason: $r"},
        {113029, HOW_REJECTED, EVENT_AUTH_REJECTED, .pattern = WHO "$r"},
        {113030, HOW_REJECTED, EVENT_AUTH_REJECTED, .pattern = WHO "$r"},
        {113033, HOW_REJECTED, EVENT_AUTH_REJECTED, .pattern = WHO "$r"},
        {113035, HOW_REJECTED, EVENT_AUTH_REJECTED, .pattern = WHO "$r"},
        {113037, HOW_REJECTED, EVENT_AUTH_REJECTED, .pattern = "$r"},
        {113038, HOW_REJECTED, EVENT_AUTH_REJECTED, .pattern = WHO "$r"},
        {113040, HOW_REJECTED, EVENT_AUTH_REJECTED,
                .pattern = "Terminating the VPN connection attempt from <$t>. Reason: $r"},
        {602101, HOW_PLAIN, EVENT_FRAG_NEEDED, .is_to_client = true,
                .pattern = "PMTU-D packet <$s> bytes greater than effective mtu <$l>[,] dest_addr=<$a>[,] "
                           "src_addr=<$d>[,] prot=$r"},
        {711001, HOW_DEBUG, EVENT_MTU, .pattern = "$r"},
        {716002, HOW_END, EVENT_SESSION_END, .pattern = WHO "WebVPN session terminated: $r"},
        {716023, HOW_REJECTED, EVENT_AUTH_REJECTED,
                .pattern = "Group <$g> User <$u> [IP <$p> ]Session could not be established: $r"},
        {716039, HOW_REJECTED, EVENT_AUTH_REJECTED, .pattern = WHO "Authentication: $r"},
        {716039, HOW_REJECTED, EVENT_AUTH_REJECTED,
                .pattern = "Authentication: rejected, group = <$g> user = <$u>, $r"},
        {716057, HOW_REJECTED, EVENT_AUTH_REJECTED, .pattern = WHO "Session terminated, $r"},
        {716058, HOW_PLAIN, EVENT_SESSION_LOST, .pattern = WHO "AnyConnect session lost connection."},
        {716059, HOW_PLAIN, EVENT_SESSION_RESUMED,
                .pattern = WHO "AnyConnect session resumed connection from IP <$d>"},
        {716059, HOW_PLAIN, EVENT_SESSION_RESUMED,
                .pattern = WHO "AnyConnect session resumed. Connection from <$d>"},
        {716060, HOW_END, EVENT_SESSION_END, .reason = REASON_PREEMPTED, .pattern = WHO "$r"},
        {722003, HOW_REJECTED, EVENT_AUTH_REJECTED, .pattern = "IP <$p> $r"},
        {722007, HOW_SAID, .pattern = WHO "SVC Message: <$n/$*>: $r"},
        {722008, HOW_SAID, .pattern = WHO "SVC Message: <$n/$*>: $r"},
        {722009, HOW_SAID, .pattern = WHO "SVC Message: <$n/$*>: $r"},
        {722010, HOW_SAID, .pattern = WHO "SVC Message: <$n/$*>: $r"},
        {722011, HOW_SAID, .pattern = WHO "SVC Message: <$n/$*>: $r"},
        {722012, HOW_SAID, .pattern = WHO "SVC Message: <$n/$*>: $r"},
        {722013, HOW_SAID, .pattern = WHO "SVC Message: <$n/$*>: $r"},
        {722014, HOW_SAID, .pattern = WHO "SVC Message: <$n/$*>: $r"},
        {722020, HOW_PLAIN, EVENT_POOL_EXHAUSTED, .pattern = TG "$r"},
        {722020, HOW_PLAIN, EVENT_POOL_EXHAUSTED, .pattern = WHO "$r"},
        {722022, HOW_UP_AGAIN, EVENT_TUNNEL_UP, .pattern = WHO "[<$k> ]SVC connection established"},
        {722023, HOW_CLOSED, EVENT_TUNNEL_DOWN, .pattern = WHO "[<$k> ]SVC connection terminated"},
        {722032, HOW_UP, EVENT_TUNNEL_REPLACED,
                .pattern = WHO "New [<$k> ]SVC connection replacing old connection"},
        {722033, HOW_UP, EVENT_TUNNEL_UP,
                .pattern = WHO "First [<$k> ]SVC connection established for SVC session"},
        {722034, HOW_UP, EVENT_TUNNEL_UP, TUNNEL_DTLS,
                .pattern = WHO "New <UDP> SVC connection, no existing connection"},
        {722034, HOW_UP, EVENT_TUNNEL_REPLACED,
                .pattern = WHO "New [<$k> ]SVC connection, no existing connection"},
        {722035, HOW_PLAIN, EVENT_LARGE_PACKET,
                .pattern = WHO "Received large packet <$s> [(]threshold <$l>)"},
        {722036, HOW_PLAIN, EVENT_LARGE_PACKET, .is_to_client = true,
                .pattern = WHO "Transmitting large packet <$s> (threshold <$l>)"},
        {722037, HOW_CLOSING, EVENT_TUNNEL_DOWN, .pattern = WHO "SVC closing connection: $r"},
        {722038, HOW_END, EVENT_SESSION_END, .pattern = WHO "SVC terminating session: $r"},
        {722043, HOW_PLAIN, EVENT_CIPHER_MISMATCH, .tunnel = TUNNEL_DTLS, .pattern = WHO "DTLS disabled: $r"},
        {722046, HOW_END, EVENT_SESSION_END, .reason = REASON_ERROR, .pattern = WHO "Session terminated: $r"},
        {722049, HOW_REJECTED, EVENT_AUTH_REJECTED, .pattern = WHO "Session terminated: $r"},
        {722050, HOW_REJECTED, EVENT_AUTH_REJECTED, .pattern = WHO "Session terminated: $r"},
        {722051, HOW_PLAIN, EVENT_CONNECTED,
                .pattern = WHO "IPv4 Address <$a> IPv6 address <$d> assigned to session"},
        {722051, HOW_PLAIN, EVENT_CONNECTED, .pattern = WHO "[IPv4 ]Address <$a> assigned to session"},
        {722056, HOW_REJECTED, EVENT_AUTH_REJECTED,
                .pattern = "Unsupported AnyConnect client connection rejected from <$p>. Client info: $*. "
                           "Reason: $r"},
        {722101, HOW_SWITCH, EVENT_TUNNEL_STALL, .is_culvert = true,
                .pattern = WHO "Data to the client moved from $x to $y, cause: $r"},
        {722103, HOW_PLAIN, EVENT_TUNNEL_STALL, TUNNEL_DTLS, .is_culvert = true,
                .pattern = WHO "DTLS does not answer $r"},
        {725006, HOW_SSL_FAILED, EVENT_TUNNEL_FAILED,
                .pattern = "Device failed SSL handshake with client $*:$p/$n to $*/$n for $v session"},
        {725006, HOW_SSL_FAILED, EVENT_TUNNEL_FAILED,
                .pattern = "Device failed SSL handshake with [remote ]client $*:$p/$n"},
        {725008, HOW_SSL_HELLO, .pattern = "SSL client $*:$p/$n [to $*/$n ]proposes $r"},
        {725012, HOW_PLAIN, EVENT_CIPHER,
                .pattern = "Device chooses cipher [: ]<$r> for the SSL session with client $*:$p/$n"},
        {725014, HOW_SSL_ERROR, EVENT_CIPHER_MISMATCH, .pattern = "SSL lib error. Function: $* Reason: $r"},
        {734002, HOW_REJECTED, EVENT_AUTH_REJECTED,
                .pattern = "DAP: User <$u>, Addr <$p>: Connection terminated $r"},
        {734002, HOW_REJECTED, EVENT_AUTH_REJECTED,
                .pattern = "DAP: User <$u>, Addr <$p>, Connection $*: Connection terminated $r"},
        {737007, HOW_PLAIN, EVENT_POOL_EXHAUSTED,
                .pattern = "IPAA: [Session=$*, ]Local pool request failed for tunnel-group '$t'"},
        {737007, HOW_PLAIN, EVENT_POOL_EXHAUSTED,
                .pattern = "IPAA: [Session=$*, ]Local pool request failed for tunnel-group $t"},
        {737019, HOW_PLAIN, EVENT_POOL_EXHAUSTED,
                .pattern = "IPAA: [Session=$*, ]Unable to get address from $r"},
};

const struct syslog_row *syslog_rows(uint32_t id, size_t *ret_n)
{
	size_t low = 0, high = N_ELEM(rows);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (rows[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	size_t n = 0;
	while (low + n < N_ELEM(rows) && rows[low + n].id == id)
		n++;
	*ret_n = n;
	return n > 0 ? &rows[low] : NULL;
}

/* ---- what the client told the gateway ---- */

bool syslog_said(struct span words, uint8_t *ret_kind, uint8_t *ret_reason)
{
	static const struct {
		const char *words; /* anywhere, in any case */
		uint8_t kind, reason;
	} said[] = {
	        {"suspend mode", EVENT_SUSPEND, REASON_SUSPEND},
	        {"shutting down", EVENT_SESSION_END, REASON_USER},
	        {"requested to disconnect", EVENT_SESSION_END, REASON_USER},
	        {"user requested", EVENT_SESSION_END, REASON_USER},
	        {"user aborted", EVENT_SESSION_END, REASON_USER},
	        {"reconnecting", EVENT_RECONNECT, REASON_UNKNOWN},
	};
	for (size_t i = 0; i < N_ELEM(said); i++)
		if (span_has_nocase(words, said[i].words)) {
			*ret_kind = said[i].kind;
			*ret_reason = said[i].reason;
			return true;
		}
	return false;
}
