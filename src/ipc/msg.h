/* Messages between the gateway's processes: what they are, their form, and who may send which, when, how
 * often.
 *
 * One message is one packet of a SOCK_SEQPACKET socket pair: type (1 byte), ref (4), then the fields in the
 * order of the structs below, integers big-endian, strings with a 2-byte length. A parse is exact: a missing
 * or left-over byte, a number out of its range, a string over its limit or with a NUL inside makes the whole
 * message malformed. A message of kind FD carries one descriptor beside it (SCM_RIGHTS), no other message
 * carries any.
 *
 * ref: chosen by who asks, repeated in the answer; 0 where nobody waits for an answer. */
#ifndef IPC_MSG_H
#define IPC_MSG_H

#include "base/addr.h"
#include "base/wr.h"

#define IPC_MSG_MAX_BYTES     16384u
#define IPC_TOKEN_BYTES       32u
#define IPC_NAME_MAX          64u  /* tunnel group, group policy, pool */
#define IPC_USER_MAX          256u /* what a client typed as its name */
#define IPC_PASSWORD_MAX      512u
#define IPC_AGENT_MAX         256u
#define IPC_HOST_MAX          128u
#define IPC_PATH_MAX          512u
#define IPC_TEXT_MAX          4096u
#define IPC_POOL_ADDRS_MAX    256u
#define IPC_SESSION_ITEMS_MAX 64u   /* answers to one question about sessions */
#define IPC_LOG_TEXT_MAX      1024u /* as on the ASA; longer messages are cut */

enum ipc_type {
	IPC_NONE,
	/* monitor -> worker, auth */
	IPC_FD,       /* with one descriptor */
	IPC_START,    /* all descriptors were sent: drop privileges, begin, answer READY */
	IPC_RELOAD,   /* new CONFIG and CERT descriptors were sent before it; answered with READY */
	IPC_SHUTDOWN, /* end */
	/* worker, auth -> monitor */
	IPC_READY,
	IPC_RELOAD_REQUEST, /* an operator asked for it on the control socket */
	IPC_RELOAD_RESULT,  /* monitor's answer, same ref */
	/* worker -> auth, and the answers */
	IPC_LOGIN,
	IPC_LOGIN_RESULT,
	IPC_SESSION_OPEN, /* CONNECT came with this token: first time or resume */
	IPC_SESSION_INFO,
	IPC_SESSION_LOST, /* every tunnel is gone, not by anybody's wish: keep it for a resume */
	IPC_SESSION_END,  /* over for good */
	IPC_LOGOFF,
	IPC_LOGOFF_RESULT,
	IPC_POOL_QUERY,
	IPC_POOL_INFO,
	IPC_STATS_QUERY,
	IPC_STATS_INFO,
	IPC_SESSION_QUERY, /* the session with the lowest index above .after: walks all of them, or all that
	                      wait */
	IPC_SESSION_ITEM,
	/* auth -> the worker thread whose socket opened the session */
	IPC_SESSION_KICK,
	/* worker, auth -> monitor: a message of the log for the buffer and the log hosts */
	IPC_LOG,
	/* worker -> monitor, and the answers: what `show logging` shows, piece by piece */
	IPC_LOG_QUERY,
	IPC_LOG_CLEAR, /* empties the buffer; answered with LOG_INFO */
	IPC_LOG_INFO,
	IPC_LOG_HOST_QUERY,
	IPC_LOG_HOST_INFO,
	IPC_LOG_ITEM_QUERY, /* the oldest message of the buffer after .after: walks all of it */
	IPC_LOG_ITEM,
	IPC_N_TYPES
};

enum ipc_fd_kind {
	IPC_FD_CONFIG,  /* memfd: the running-config as text */
	IPC_FD_CERT,    /* memfd: certificate chain and private key, PEM; worker only */
	IPC_FD_TUN,     /* TUN queue [index] */
	IPC_FD_TCP,     /* TCP listener [index] */
	IPC_FD_UDP,     /* UDP socket [index] */
	IPC_FD_CONTROL, /* listener of the control socket */
	IPC_FD_AUTH,    /* worker's end of the socket to auth: thread [index], or [n_threads] for the control
	                   thread */
	IPC_FD_WORKER,  /* auth's end of the same; comes again while running when the worker was restarted */
	IPC_FD_STATE_DIR, /* directory for what must survive a restart; auth only */
	IPC_FD_STEER,     /* table of a steering program (io/steer.h): [enum steer_key] */
	IPC_FD_LOG,       /* log file, when log_target is IPC_LOG_FILE */
	IPC_FD_N_KINDS
};

enum ipc_log_target { IPC_LOG_STDERR, IPC_LOG_SYSLOG, IPC_LOG_FILE, IPC_LOG_N };

enum ipc_login_status {
	IPC_LOGIN_OK,
	IPC_LOGIN_REFUSED,  /* wrong name or password, on purpose not told apart */
	IPC_LOGIN_LOCKED,   /* too many failures: nothing was checked, try again after delay_ms */
	IPC_LOGIN_LIMIT,    /* no login left for this user (vpn-simultaneous-logins 0) */
	IPC_LOGIN_DISABLED, /* tunnel group or policy does not allow this kind of login */
	IPC_LOGIN_ERROR,    /* could not be decided: a temporary fault of ours */
	IPC_LOGIN_N
};

enum ipc_open_status {
	IPC_OPEN_OK,
	IPC_OPEN_UNKNOWN,    /* token never existed or is gone for good: full login needed */
	IPC_OPEN_NO_ADDRESS, /* pool of a wanted family exhausted, or no pool at all */
	IPC_OPEN_ERROR,
	IPC_OPEN_N
};

enum ipc_end_reason {
	IPC_END_USER,  /* the client said goodbye, or logged out */
	IPC_END_IDLE,  /* vpn-idle-timeout */
	IPC_END_ADMIN, /* an operator */
	IPC_END_ERROR, /* could not be set up */
	IPC_END_N
};

enum ipc_kick_reason {
	IPC_KICK_REPLACED,        /* simultaneous-login limit: a newer login of the same user won */
	IPC_KICK_SESSION_TIMEOUT, /* vpn-session-timeout, from login */
	IPC_KICK_EXPIRED,         /* waited too long to be resumed */
	IPC_KICK_ADMIN,
	IPC_KICK_TAKEN_OVER, /* the token was opened on another thread: forget this connection silently,
	                        answer nothing */
	IPC_KICK_N
};

enum ipc_logoff_kind {
	IPC_LOGOFF_NAME,
	IPC_LOGOFF_INDEX,
	IPC_LOGOFF_ALL,
	IPC_LOGOFF_TUNNEL_GROUP,
	IPC_LOGOFF_ADDRESS, /* an inner address, or where the client comes from */
	IPC_LOGOFF_N
};

/* Enums travel and are kept as uint8_t; strings are NUL-terminated. */
struct ipc_fd {
	uint8_t kind; /* enum ipc_fd_kind */
	uint16_t index;
};

struct ipc_start {
	uint16_t n_threads;
	uint32_t uid, gid;        /* to become; 0 = stay as we are (only sensible for tests) */
	uint8_t log_target;       /* enum ipc_log_target */
	uint8_t log_level;        /* 0..7: lines above are not written */
	uint8_t offloads_refused; /* OFFLOAD_*: of the kernel, not to be used */
	bool is_log_json;         /* `logging format json` */
	/* for sandbox_enter(); "" = none */
	char user[IPC_NAME_MAX + 1];
	char root_dir[IPC_PATH_MAX + 1]; /* worker: empty directory; auth: the state directory's path */
};

struct ipc_shutdown {
	bool tells_clients; /* sessions end for good and clients are told; else they may resume */
};

struct ipc_reload_result {
	bool is_ok;
	char text[IPC_TEXT_MAX + 1]; /* messages of the configuration parser */
};

struct ipc_login {
	char tunnel_group[IPC_NAME_MAX + 1]; /* "" = the gateway's default */
	char username[IPC_USER_MAX + 1];
	char password[IPC_PASSWORD_MAX + 1]; /* secret: ipc_wipe() after use */
	struct ip_addr peer;
	uint16_t peer_port;
	char user_agent[IPC_AGENT_MAX + 1];
};

struct ipc_login_result {
	uint8_t status;    /* enum ipc_login_status */
	uint32_t delay_ms; /* LOCKED: wait this long */
	/* below: only with OK */
	uint8_t token[IPC_TOKEN_BYTES]; /* secret */
	uint32_t index;                 /* 1.. */
	char username[IPC_USER_MAX + 1];
	char tunnel_group[IPC_NAME_MAX + 1];
	char group_policy[IPC_NAME_MAX + 1];
};

struct ipc_session_open {
	uint8_t token[IPC_TOKEN_BYTES];
	struct ip_addr peer;
	uint16_t peer_port;
	bool wants_ip4, wants_ip6;
	char user_agent[IPC_AGENT_MAX + 1];
	char hostname[IPC_HOST_MAX + 1];
};

struct ipc_session_info {
	uint8_t status; /* enum ipc_open_status */
	/* below: only with OK */
	bool is_resumed;     /* was connected before: same addresses as then */
	uint32_t index;      /* 1.. */
	uint32_t connection; /* counts the openings of this session, 1..; given back in LOST and END */
	char username[IPC_USER_MAX + 1];
	char tunnel_group[IPC_NAME_MAX + 1];
	char group_policy[IPC_NAME_MAX + 1];
	struct ip_addr ip4;
	uint8_t ip4_len; /* netmask as length */
	struct ip_addr ip6;
	uint8_t ip6_len;
	uint64_t login_at_s;           /* Unix time */
	uint32_t session_remaining_s;  /* until vpn-session-timeout; 0 = none */
	uint32_t disconnected_limit_s; /* how long it is kept after a loss */
};

/* connection: as told in SESSION_INFO; auth ignores a message about an earlier one, because it crossed a
 * take-over. */
struct ipc_session_lost {
	uint32_t index, connection;
};

struct ipc_session_end {
	uint32_t index, connection;
	uint8_t reason; /* enum ipc_end_reason */
};

struct ipc_session_kick {
	uint32_t index, connection;
	uint8_t reason; /* enum ipc_kick_reason */
};

struct ipc_logoff {
	uint8_t kind;                 /* enum ipc_logoff_kind */
	char value[IPC_USER_MAX + 1]; /* name, index in decimal, address as text, or "" */
};

struct ipc_logoff_result {
	uint32_t n_sessions;
};

struct ipc_pool_query {
	char name[IPC_NAME_MAX + 1];
};

struct ipc_pool_info {
	bool is_found;
	struct ip_addr first, last;
	uint8_t mask_len;
	uint64_t n_free;   /* could be leased now */
	uint32_t n_held;   /* leased to sessions that wait to resume */
	uint32_t n_in_use; /* leased to connected sessions */
	uint16_t n_addrs;
	struct ip_addr addrs[IPC_POOL_ADDRS_MAX]; /* leased ones, in no order, at most so many */
};

struct ipc_stats_info {
	uint32_t n_active, n_waiting,
	        n_pending;   /* connected; waiting to resume; logged in, never connected */
	uint32_t n_peak;     /* most sessions at the same time since start */
	uint64_t n_sessions; /* since start */
	uint64_t n_logins_ok, n_logins_refused;
};

struct ipc_session_query {
	uint32_t after;     /* 0 = from the first */
	bool wants_waiting; /* only those that no worker has connected */
	uint8_t n_max; /* 1..IPC_SESSION_ITEMS_MAX: so many SESSION_ITEM, each the next; fewer when one is
	                  not found */
};

struct ipc_session_item {
	bool is_found; /* false: no session with a higher index */
	uint32_t index;
	char username[IPC_USER_MAX + 1];
	char tunnel_group[IPC_NAME_MAX + 1];
	char group_policy[IPC_NAME_MAX + 1];
	struct ip_addr ip4, ip6, peer;
	uint64_t login_at_s;
	uint64_t lost_at_s; /* Unix time; 0 = connected */
};

struct ipc_log {
	uint8_t severity; /* 0..7, as the settings of messages made it */
	bool is_asa;      /* else one of ours */
	uint32_t id;      /* 0: none */
	uint64_t at_us;   /* CLOCK_MONOTONIC: messages of several processes are put in order by it */
	uint32_t n_lost;  /* messages since the last one that were not sent: the channel was full */
	char text[IPC_LOG_TEXT_MAX + 1];
};

struct ipc_log_info {
	uint64_t n_buffered, n_trapped; /* since start */
	uint64_t n_lost;                /* on the way from worker and auth */
	uint64_t newest;                /* number of the newest message in the buffer; 0: none yet */
};

struct ipc_log_host_query {
	uint16_t index; /* 0.. */
};

struct ipc_log_host_info {
	bool is_found; /* false: there are no more hosts */
	bool is_tcp;
	bool is_up; /* TCP */
	char interface[IPC_NAME_MAX + 1];
	struct ip_addr addr;
	uint16_t port;
	uint64_t n_sent, n_errors, n_dropped;
	uint32_t n_waiting;
};

struct ipc_log_item_query {
	uint64_t after; /* 0 = from the oldest */
};

struct ipc_log_item {
	bool is_found;   /* false: that was the newest */
	uint64_t number; /* 1.. */
	uint64_t at_s;   /* Unix time */
	uint8_t severity;
	bool is_asa;
	uint32_t id;
	char text[IPC_LOG_TEXT_MAX + 1];
};

struct ipc_msg {
	uint8_t type; /* enum ipc_type */
	uint32_t ref;
	union {
		struct ipc_fd fd;
		struct ipc_start start;
		struct ipc_shutdown shutdown;
		struct ipc_reload_result reload_result;
		struct ipc_login login;
		struct ipc_login_result login_result;
		struct ipc_session_open session_open;
		struct ipc_session_info session_info;
		struct ipc_session_lost session_lost;
		struct ipc_session_end session_end;
		struct ipc_session_kick session_kick;
		struct ipc_logoff logoff;
		struct ipc_logoff_result logoff_result;
		struct ipc_pool_query pool_query;
		struct ipc_pool_info pool_info;
		struct ipc_stats_info stats_info;
		struct ipc_session_query session_query;
		struct ipc_session_item session_item;
		struct ipc_log log;
		struct ipc_log_info log_info;
		struct ipc_log_host_query log_host_query;
		struct ipc_log_host_info log_host_info;
		struct ipc_log_item_query log_item_query;
		struct ipc_log_item log_item;
	};
};

/* Writes one message. 0; ERR_MALFORMED for a value that ipc_parse() would not accept; -ENOBUFS when it does
 * not fit. */
MUST_USE int ipc_format(const struct ipc_msg *m, struct wr *w);
/* Reads one message; *ret is written only when all of it was right. 0 or ERR_MALFORMED. */
MUST_USE int ipc_parse(struct span in, struct ipc_msg *ret);
/* Copies s into a string field of cap bytes (with NUL). ERR_TOO_LARGE, or ERR_MALFORMED for a NUL inside. */
MUST_USE int ipc_set_str(char *dst, size_t cap, struct span s);
/* Forgets everything in it, for messages with passwords or tokens. */
void ipc_wipe(struct ipc_msg *m);
/* "LOGIN", ...; "?" for a number that is none. */
const char *ipc_type_name(uint8_t type);

/* Copies as much of s as fits, up to a NUL. */
void ipc_cut_str(char *dst, size_t cap, const char *s);

enum ipc_role { IPC_MONITOR = 1, IPC_AUTH = 2, IPC_WORKER = 4 };
/* Of the receiving process: before START, after it, after SHUTDOWN. */
enum ipc_state { IPC_SETUP = 1, IPC_RUNNING = 2, IPC_STOPPING = 4 };

/* One end of a socket as the permission table sees it; zero it, then set self and peer. */
struct ipc_gate {
	uint8_t self, peer; /* enum ipc_role */
	uint64_t window_at_ms;
	uint32_t n_in_window[IPC_N_TYPES];
};

/* Is the process with this role one that messages of this type are for? */
bool ipc_is_for(uint8_t type, uint8_t role);
/* May this message, just received, be here? 0; -EPERM: wrong sender, receiver, state, or a descriptor where
 * none belongs (or none where one does), which between our own processes means one of them is not itself any
 * more: close or die; ERR_LIMIT: more of them within a second than the table allows: answer with an error or
 * drop. */
MUST_USE int ipc_check(struct ipc_gate *g, uint8_t state, uint8_t type, bool has_fd, ms_t now_ms);

#endif
