/* Every command of the console. */
#include "gateway/control_int.h"

static const struct command session_rows[] = {
        {"filter", "Only some sessions"},
        {"filter name", "Sessions of one user"},
        {"filter name <user>", "User name", .option = SESSION_FILTER_NAME},
        {"filter inactive", "Sessions without an SSL-Tunnel", .option = SESSION_FILTER_INACTIVE},
        {"filter a-ipaddress", "By the address assigned to the client"},
        {"filter a-ipaddress <address>", "IPv4 or IPv6", .option = SESSION_FILTER_ASSIGNED},
        {"filter p-ipaddress", "By the client's public address"},
        {"filter p-ipaddress <address>", "IPv4 or IPv6", .option = SESSION_FILTER_PUBLIC},
        {"filter tunnel-group", "Sessions of one tunnel group"},
        {"filter tunnel-group <group>", "Name of a tunnel group", .option = SESSION_FILTER_TUNNEL_GROUP},
        {"filter group-policy", "Sessions of one group policy"},
        {"filter group-policy <policy>", "Name of a group policy", .option = SESSION_FILTER_GROUP_POLICY},
        {"filter index", "One session"},
        {"filter index <number>", "Index of the session", .option = SESSION_FILTER_INDEX},
        {"sort", "In another order than by index"},
        {"sort name", "By user name", .option = SESSION_SORT_NAME},
        {"sort inactivity", "Longest without an SSL-Tunnel first", .option = SESSION_SORT_INACTIVITY},
        {"sort bytes", "Most bytes first", .option = SESSION_SORT_BYTES},
        {"sort bytes-tx", "Most bytes sent to the client first", .option = SESSION_SORT_BYTES_TX},
        {"sort bytes-rx", "Most bytes from the client first", .option = SESSION_SORT_BYTES_RX},
        {"sort duration", "Oldest first", .option = SESSION_SORT_DURATION},
        {"sort a-ipaddress", "By assigned IPv4 address", .option = SESSION_SORT_ASSIGNED},
        {"sort p-ipaddress", "By public address", .option = SESSION_SORT_PUBLIC},
};
static const struct command_table session_options = {session_rows, N_ELEM(session_rows)};

static const struct command confirm_rows[] = {{"noconfirm", "Do not ask", .option = 1}};
static const struct command_table confirm_options = {confirm_rows, N_ELEM(confirm_rows)};

#define LOGOFF(kind) act_logoff, kind, true, &confirm_options

static const struct command rows[] = {
        {"show", "Show running system information"},
        {"show version", "Version, host name and uptime", show_version},
        {"show vpn-sessiondb", "Sessions: summary", show_summary},
        {"show vpn-sessiondb anyconnect", "Sessions, one block each", show_sessions, SHOW_BRIEF, false,
                &session_options},
        {"show vpn-sessiondb detail", "With every tunnel"},
        {"show vpn-sessiondb detail anyconnect", "Sessions with every tunnel", show_sessions, SHOW_DETAIL,
                false, &session_options},
        {"show running-config", "The configuration in use, without secrets", show_config, SHOW_BRIEF},
        {"show running-config all", "With the defaults", show_config, SHOW_DETAIL},
        {"show ip", "Addresses"},
        {"show ip local", "Addresses that this gateway gives out"},
        {"show ip local pool", "Address pools: size and use", show_pool},
        {"show ip local pool <pool>", "Name of a pool", show_pool},
        {"show asp", "Data path"},
        {"show asp drop", "Packets dropped, by reason", show_drops},
        {"show mtu", "Packet sizes of every session", show_mtu},
        {"show mtu name", "Sessions of one user"},
        {"show mtu name <user>", "User name", show_mtu},
        {"show debug", "Who debugs, and at which level", show_debug},
        {"clear", "Reset counters"},
        {"clear asp", "Data path"},
        {"clear asp drop", "Counters of dropped packets", act_clear_drops, 0, true},
        {"vpn-sessiondb", "Act on sessions"},
        {"vpn-sessiondb logoff", "End sessions"},
        {"vpn-sessiondb logoff name", "All sessions of one user"},
        {"vpn-sessiondb logoff name <user>", "User name", LOGOFF(IPC_LOGOFF_NAME)},
        {"vpn-sessiondb logoff index", "One session"},
        {"vpn-sessiondb logoff index <number>", "Index of the session", LOGOFF(IPC_LOGOFF_INDEX)},
        {"vpn-sessiondb logoff tunnel-group", "All sessions of one tunnel group"},
        {"vpn-sessiondb logoff tunnel-group <group>", "Name of a tunnel group",
                LOGOFF(IPC_LOGOFF_TUNNEL_GROUP)},
        {"vpn-sessiondb logoff ipaddress", "By assigned or public address"},
        {"vpn-sessiondb logoff ipaddress <address>", "IPv4 or IPv6", LOGOFF(IPC_LOGOFF_ADDRESS)},
        {"vpn-sessiondb logoff anyconnect", "Every AnyConnect session", LOGOFF(LOGOFF_ANYCONNECT)},
        {"vpn-sessiondb logoff all", "Every session", LOGOFF(IPC_LOGOFF_ALL)},
        {"debug", "Watch what happens, line by line, until Ctrl-C"},
        {"debug webvpn", "SSL VPN"},
        {"debug webvpn anyconnect", "The CONNECT dialogue and MTU derivation of each login", debug_on, 0,
                true},
        {"debug webvpn anyconnect <level>", "1 to 255: the higher, the more lines", debug_on, 0, true},
        {"no", "Turn something off"},
        {"no debug", "Debugging"},
        {"no debug all", "On every console", debug_off, 0, true},
        {"undebug", "Turn debugging off"},
        {"undebug all", "On every console", debug_off, 0, true},
        {"reload", "Read the configuration file again", act_reload, 0, true},
};
_Static_assert(N_ELEM(rows) <= COMMAND_MAX_ROWS, "command_find() has one bit for each row");

const struct command_table control_commands = {rows, N_ELEM(rows)};
