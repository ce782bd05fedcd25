/* What one line of somebody's log or configuration says, in the terms that all sources share. Readers make
 * events and facts; the findings know nothing of formats. */
#ifndef DIAGNOSE_EVENT_H
#define DIAGNOSE_EVENT_H

#include "base/addr.h"
#include "base/span.h"

/* Where a line comes from; also what a file is recognised as (names in kind.c). */
enum source_kind {
	SOURCE_NONE,
	SOURCE_ASA_CONFIG,     /* running-config, show run all sysopt */
	SOURCE_ASA_SYSLOG,     /* ASA, FTD and culvertd */
	SOURCE_ASA_DEBUG,      /* debug webvpn anyconnect */
	SOURCE_ASA_SESSIONS,   /* show vpn-sessiondb detail anyconnect */
	SOURCE_ASA_DROPS,      /* show asp drop */
	SOURCE_DART,           /* the client's event log as text */
	SOURCE_WINDOWS_EVENTS, /* exported event log: text, CSV or XML */
	SOURCE_CLIENT_SYSLOG,  /* vpnagentd, acvpnagent, acvpnui on Linux, macOS, Android */
	SOURCE_OPENCONNECT,    /* openconnect -v */
	SOURCE_OCSERV,
	SOURCE_CULVERT_EVENTS, /* culvert --events: JSON lines; culvertd's JSON log */
	SOURCE_CULVERT_CLIENT, /* culvert's standard error and status files of its DART bundle */
	SOURCE_N,
};

enum tunnel_kind { TUNNEL_UNKNOWN, TUNNEL_TLS, TUNNEL_DTLS };

#define TIME_NONE INT64_MIN

enum event_kind {
	/* session of a user, seen by the gateway or by the client */
	EVENT_CONNECTED,   /* login complete, address assigned: inner where the line has it; peer: IPv6 beside
	                      IPv4 */
	EVENT_TUNNEL_UP,   /* tunnel; text: cipher where known */
	EVENT_TUNNEL_DOWN, /* tunnel; reason */
	EVENT_TUNNEL_FAILED,   /* tunnel was tried and never came up (DTLS handshake, timeout, UDP refused) */
	EVENT_TUNNEL_REPLACED, /* the gateway sees a new TLS connection of an existing session: a reconnect */
	EVENT_LARGE_PACKET,    /* size > limit; is_to_client; 722035, 722036 */
	EVENT_FRAG_NEEDED,     /* size > limit; inner: destination, peer: sender; 602101 and its likes */
	EVENT_DPD_DEAD,        /* tunnel: its peer was declared dead */
	EVENT_SESSION_LOST,    /* waits for the client to resume; reason */
	EVENT_SESSION_RESUMED,
	EVENT_SESSION_END,     /* reason; size: how long it lasted, s, 0 where not said */
	EVENT_AUTH_REJECTED,   /* text: the reason given */
	EVENT_POOL_EXHAUSTED,  /* no inner address left */
	EVENT_CIPHER_MISMATCH, /* tunnel: no cipher or version in common */
	EVENT_MTU, /* announced or computed: size: TLS MTU, limit: DTLS MTU, adapter, 0 where not said */
	/* client only */
	EVENT_RECONFIGURE,    /* code, e.g. 16 "New MTU configuration" */
	EVENT_RECONNECT,      /* code, 0 when none is given */
	EVENT_ADAPTER_BOUNCE, /* the adapter is disabled and enabled, or its MTU applied anew; adapter: new
	                         MTU */
	EVENT_SUSPEND,        /* the machine goes to sleep */
	EVENT_WAKE,
	EVENT_NETWORK_CHANGE, /* interface or address of the client's machine */
	EVENT_TUNNEL_STALL, /* openconnect, ocserv: fell back to the other tunnel after silence; tunnel: dead
	                       one */
	EVENT_SNAPSHOT, /* `show vpn-sessiondb`: has_tls, has_dtls, size: duration in s, cause: cipher of TLS
	                 */
	EVENT_CIPHER,   /* the gateway chose a cipher in a TLS handshake: cause: its name; only public_ip is
	                   known of the client */
	EVENT_CONNECT_FAILED, /* client: it never came to a session; cause: why */
	EVENT_N,
};

enum end_reason {
	REASON_UNKNOWN, /* text has the words */
	REASON_USER,    /* asked for by the user */
	REASON_ADMIN,
	REASON_IDLE,
	REASON_MAX_TIME,
	REASON_DPD,       /* lost carrier, peer dead */
	REASON_PREEMPTED, /* port or connection preempted, the user logged in again elsewhere */
	REASON_SUSPEND,
	REASON_ERROR,     /* of the protocol or the service */
	REASON_FORGOTTEN, /* the gateway does not know the session when its client comes back; with
	                     EVENT_AUTH_REJECTED as well, where that is all it says */
	REASON_N,
};

/* One line's meaning. Spans are borrowed until the sink returns; text is the whole line, without newline. */
struct event {
	uint8_t kind;   /* enum event_kind */
	uint8_t source; /* enum source_kind */
	uint8_t tunnel; /* enum tunnel_kind */
	uint8_t reason; /* enum end_reason */
	bool is_to_client, has_tls, has_dtls;
	bool has_zone; /* the line named its time zone: at_ms is UTC; else at_ms is its wall clock taken as
	                  UTC */
	uint16_t code; /* reason code of reconfigure and reconnect; syslog id / 1000 never goes here */
	uint32_t size, limit, adapter; /* bytes (EVENT_SNAPSHOT, EVENT_SESSION_END: s) */
	uint32_t line;                 /* 1-based, in its file */
	uint32_t file; /* index in the run's list of files; set by the dispatcher, not by readers */
	int64_t at_ms; /* since 1970, or TIME_NONE */
	struct ip_addr public_ip, inner, peer; /* unset where the line has none */
	struct span device, user, group,
	        profile;   /* group: group-policy; profile: tunnel-group, connection profile */
	struct span cause; /* the words of the reason, a part of text */
	struct span text;
};

enum fact_kind {
	FACT_DEVICE,       /* hostname in text; all facts of the same file that follow are of this device */
	FACT_TCPMSS,       /* number; scope none. 0: set to 0 or "no" */
	FACT_BASE_MTU,     /* `mtu outside N`: number, scope: interface */
	FACT_GROUP_POLICY, /* exists; scope */
	FACT_GROUP_MTU,    /* `anyconnect mtu` (also `svc mtu`): number, scope: group-policy */
	FACT_DF_IGNORE,    /* `anyconnect ssl df-bit-ignore`: number 0/1, scope: group-policy */
	FACT_DTLS_ENABLE,  /* `anyconnect ssl dtls`: number 0/1, scope: group-policy, or interface for `enable
	                      X tls-only` */
	FACT_DTLS_PORT,    /* number */
	FACT_TLS_PORT,
	FACT_IDLE_TIMEOUT,    /* vpn-idle-timeout, minutes, 0: none; scope */
	FACT_SESSION_TIMEOUT, /* minutes */
	FACT_LOGINS,          /* vpn-simultaneous-logins */
	FACT_SSL_CLIENT,      /* vpn-tunnel-protocol: number 1 when it has ssl-client or svc, else 0 */
	FACT_DPD_CLIENT,      /* s, 0: none */
	FACT_DPD_GATEWAY,
	FACT_POLICY_OF_PROFILE, /* default-group-policy: scope: tunnel-group, text: group-policy */
	FACT_POLICY_OF_USER,    /* vpn-group-policy: scope: user, text: group-policy */
	FACT_POOL4_OF_POLICY,   /* scope: policy or tunnel-group, text: pool name; number 0: none */
	FACT_POOL6_OF_POLICY,   /* its sessions have IPv6 inside */
	FACT_POOL_SIZE,         /* scope: pool, number: addresses */
	FACT_TLS_VERSION,       /* text: lowest version of `ssl server-version` */
	FACT_TLS_CIPHERS,       /* text: as configured, `ssl cipher tlsv1.2 ...`, `ssl encryption ...` */
	FACT_DTLS_CIPHERS,
	FACT_L2L,                 /* a crypto map or L2L tunnel-group exists: what tcpmss touches besides */
	FACT_WEBVPN,              /* enabled on scope: interface */
	FACT_DROP_COUNT,          /* show asp drop: text: reason name, number */
	FACT_TIMEOUT_DTLS_TO_TLS, /* ocserv: switch-to-tcp-timeout, s */
	FACT_OCSERV_MTU,
	FACT_OCSERV_DPD,
	FACT_OCSERV_MTU_DISCOVERY, /* try-mtu-discovery: number 0/1 */
	FACT_DATES_GUESSED, /* text: a date of which day and month could be either; number: 1 month first was
	                       taken, 2 day first */
	FACT_N,
};

/* What a configuration or a table says, without a time. */
struct fact {
	uint8_t kind, source;
	bool is_user; /* a setting of `username X attributes`: scope is a user, not a group-policy */
	uint32_t number;
	uint32_t line, file; /* as in struct event */
	struct span scope, text;
	struct span raw; /* the whole line */
};

#endif
