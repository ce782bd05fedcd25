/* The table of all messages: what is in each, and who may send it to whom, when, and how often. */
#include <errno.h>

#include "base/err.h"
#include "ipc/msg_int.h"

#define AT(m)   offsetof(struct ipc_msg, m)
#define SIZE(m) sizeof(((struct ipc_msg *)0)->m)
#define U8(m, limit)                                                                                         \
	{                                                                                                    \
		.kind = F_U8, .offset = AT(m), .max = (limit)                                                \
	}

#define U16(m)                                                                                               \
	{                                                                                                    \
		.kind = F_U16, .offset = AT(m)                                                               \
	}

#define U32(m)                                                                                               \
	{                                                                                                    \
		.kind = F_U32, .offset = AT(m)                                                               \
	}

#define U64(m)                                                                                               \
	{                                                                                                    \
		.kind = F_U64, .offset = AT(m)                                                               \
	}

#define BOOL(m)                                                                                              \
	{                                                                                                    \
		.kind = F_BOOL, .offset = AT(m)                                                              \
	}

#define STR(m)                                                                                               \
	{                                                                                                    \
		.kind = F_STR, .offset = AT(m), .size = SIZE(m)                                              \
	}

#define BYTES(m)                                                                                             \
	{                                                                                                    \
		.kind = F_BYTES, .offset = AT(m), .size = SIZE(m)                                            \
	}

#define ADDR(m)                                                                                              \
	{                                                                                                    \
		.kind = F_ADDR, .offset = AT(m)                                                              \
	}

#define ADDRS(m, n, k)                                                                                       \
	{                                                                                                    \
		.kind = F_ADDRS, .offset = AT(m), .size = (k), .count_offset = AT(n)                         \
	}

static const struct ipc_field fd_fields[] = {U8(fd.kind, IPC_FD_N_KINDS - 1), U16(fd.index)};
static const struct ipc_field start_fields[] = {
        U16(start.n_threads),
        U32(start.uid),
        U32(start.gid),
        U8(start.log_target, IPC_LOG_N - 1),
        U8(start.log_level, 7),
        U8(start.offloads_refused, 127),
        BOOL(start.is_log_json),
        STR(start.user),
        STR(start.root_dir),
};
static const struct ipc_field shutdown_fields[] = {BOOL(shutdown.tells_clients)};
static const struct ipc_field reload_result_fields[] = {BOOL(reload_result.is_ok), STR(reload_result.text)};
static const struct ipc_field login_fields[] = {STR(login.tunnel_group), STR(login.username),
        STR(login.password), ADDR(login.peer), U16(login.peer_port), STR(login.user_agent)};
static const struct ipc_field login_result_fields[] = {
        U8(login_result.status, IPC_LOGIN_N - 1),
        U32(login_result.delay_ms),
        BYTES(login_result.token),
        U32(login_result.index),
        STR(login_result.username),
        STR(login_result.tunnel_group),
        STR(login_result.group_policy),
};
static const struct ipc_field session_open_fields[] = {
        BYTES(session_open.token),
        ADDR(session_open.peer),
        U16(session_open.peer_port),
        BOOL(session_open.wants_ip4),
        BOOL(session_open.wants_ip6),
        STR(session_open.user_agent),
        STR(session_open.hostname),
};
static const struct ipc_field session_info_fields[] = {
        U8(session_info.status, IPC_OPEN_N - 1),
        BOOL(session_info.is_resumed),
        U32(session_info.index),
        U32(session_info.connection),
        STR(session_info.username),
        STR(session_info.tunnel_group),
        STR(session_info.group_policy),
        ADDR(session_info.ip4),
        U8(session_info.ip4_len, 32),
        ADDR(session_info.ip6),
        U8(session_info.ip6_len, 128),
        U64(session_info.login_at_s),
        U32(session_info.session_remaining_s),
        U32(session_info.disconnected_limit_s),
};
static const struct ipc_field session_lost_fields[] = {U32(session_lost.index), U32(session_lost.connection)};
static const struct ipc_field session_end_fields[] = {
        U32(session_end.index), U32(session_end.connection), U8(session_end.reason, IPC_END_N - 1)};
static const struct ipc_field session_kick_fields[] = {
        U32(session_kick.index), U32(session_kick.connection), U8(session_kick.reason, IPC_KICK_N - 1)};
static const struct ipc_field logoff_fields[] = {U8(logoff.kind, IPC_LOGOFF_N - 1), STR(logoff.value)};
static const struct ipc_field logoff_result_fields[] = {U32(logoff_result.n_sessions)};
static const struct ipc_field pool_query_fields[] = {STR(pool_query.name)};
static const struct ipc_field pool_info_fields[] = {
        BOOL(pool_info.is_found),
        ADDR(pool_info.first),
        ADDR(pool_info.last),
        U8(pool_info.mask_len, 128),
        U64(pool_info.n_free),
        U32(pool_info.n_held),
        U32(pool_info.n_in_use),
        ADDRS(pool_info.addrs, pool_info.n_addrs, IPC_POOL_ADDRS_MAX),
};
static const struct ipc_field stats_info_fields[] = {
        U32(stats_info.n_active),
        U32(stats_info.n_waiting),
        U32(stats_info.n_pending),
        U32(stats_info.n_peak),
        U64(stats_info.n_sessions),
        U64(stats_info.n_logins_ok),
        U64(stats_info.n_logins_refused),
};
static const struct ipc_field session_query_fields[] = {U32(session_query.after),
        BOOL(session_query.wants_waiting), U8(session_query.n_max, IPC_SESSION_ITEMS_MAX)};
static const struct ipc_field session_item_fields[] = {
        BOOL(session_item.is_found),
        U32(session_item.index),
        STR(session_item.username),
        STR(session_item.tunnel_group),
        STR(session_item.group_policy),
        ADDR(session_item.ip4),
        ADDR(session_item.ip6),
        ADDR(session_item.peer),
        U64(session_item.login_at_s),
        U64(session_item.lost_at_s),
};
static const struct ipc_field log_fields[] = {
        U8(log.severity, 7),
        BOOL(log.is_asa),
        U32(log.id),
        U64(log.at_us),
        U32(log.n_lost),
        STR(log.text),
};
static const struct ipc_field log_info_fields[] = {
        U64(log_info.n_buffered), U64(log_info.n_trapped), U64(log_info.n_lost), U64(log_info.newest)};
static const struct ipc_field log_host_query_fields[] = {U16(log_host_query.index)};
static const struct ipc_field log_host_info_fields[] = {
        BOOL(log_host_info.is_found),
        BOOL(log_host_info.is_tcp),
        BOOL(log_host_info.is_up),
        STR(log_host_info.interface),
        ADDR(log_host_info.addr),
        U16(log_host_info.port),
        U64(log_host_info.n_sent),
        U64(log_host_info.n_errors),
        U64(log_host_info.n_dropped),
        U32(log_host_info.n_waiting),
};
static const struct ipc_field log_item_query_fields[] = {U64(log_item_query.after)};
static const struct ipc_field log_item_fields[] = {
        BOOL(log_item.is_found),
        U64(log_item.number),
        U64(log_item.at_s),
        U8(log_item.severity, 7),
        BOOL(log_item.is_asa),
        U32(log_item.id),
        STR(log_item.text),
};

#define FIELDS(f) (f), N_ELEM(f)
#define CHILDREN  (IPC_AUTH | IPC_WORKER)
#define ANY_TIME  (IPC_SETUP | IPC_RUNNING | IPC_STOPPING)
#define AFTER     (IPC_RUNNING | IPC_STOPPING)

/* The rates are far above what an honest process does in a second, and far below what would hurt the
 * receiver. Answers are as frequent as what they answer. */
static const struct ipc_row rows[IPC_N_TYPES] = {
        [IPC_FD] = {"FD", FIELDS(fd_fields), IPC_MONITOR, CHILDREN, ANY_TIME, 8192},
        [IPC_START] = {"START", FIELDS(start_fields), IPC_MONITOR, CHILDREN, IPC_SETUP, 1},
        [IPC_RELOAD] = {"RELOAD", NULL, 0, IPC_MONITOR, CHILDREN, AFTER, 20},
        [IPC_SHUTDOWN] = {"SHUTDOWN", FIELDS(shutdown_fields), IPC_MONITOR, CHILDREN, ANY_TIME, 20},
        [IPC_READY] = {"READY", NULL, 0, CHILDREN, IPC_MONITOR, ANY_TIME, 20},
        [IPC_RELOAD_REQUEST] = {"RELOAD_REQUEST", NULL, 0, IPC_WORKER, IPC_MONITOR, AFTER, 5},
        [IPC_RELOAD_RESULT] = {"RELOAD_RESULT", FIELDS(reload_result_fields), IPC_MONITOR, IPC_WORKER, AFTER,
                20},
        [IPC_LOGIN] = {"LOGIN", FIELDS(login_fields), IPC_WORKER, IPC_AUTH, AFTER, 10000},
        [IPC_LOGIN_RESULT] = {"LOGIN_RESULT", FIELDS(login_result_fields), IPC_AUTH, IPC_WORKER, AFTER,
                UINT32_MAX},
        [IPC_SESSION_OPEN] = {"SESSION_OPEN", FIELDS(session_open_fields), IPC_WORKER, IPC_AUTH, AFTER,
                20000},
        [IPC_SESSION_INFO] = {"SESSION_INFO", FIELDS(session_info_fields), IPC_AUTH, IPC_WORKER, AFTER,
                UINT32_MAX},
        [IPC_SESSION_LOST] = {"SESSION_LOST", FIELDS(session_lost_fields), IPC_WORKER, IPC_AUTH, AFTER,
                50000},
        [IPC_SESSION_END] = {"SESSION_END", FIELDS(session_end_fields), IPC_WORKER, IPC_AUTH, AFTER, 50000},
        [IPC_LOGOFF] = {"LOGOFF", FIELDS(logoff_fields), IPC_WORKER, IPC_AUTH, AFTER, 100},
        [IPC_LOGOFF_RESULT] = {"LOGOFF_RESULT", FIELDS(logoff_result_fields), IPC_AUTH, IPC_WORKER, AFTER,
                UINT32_MAX},
        [IPC_POOL_QUERY] = {"POOL_QUERY", FIELDS(pool_query_fields), IPC_WORKER, IPC_AUTH, AFTER, 100},
        [IPC_POOL_INFO] = {"POOL_INFO", FIELDS(pool_info_fields), IPC_AUTH, IPC_WORKER, AFTER, UINT32_MAX},
        [IPC_STATS_QUERY] = {"STATS_QUERY", NULL, 0, IPC_WORKER, IPC_AUTH, AFTER, 100},
        [IPC_STATS_INFO] = {"STATS_INFO", FIELDS(stats_info_fields), IPC_AUTH, IPC_WORKER, AFTER, UINT32_MAX},
        [IPC_SESSION_QUERY] = {"SESSION_QUERY", FIELDS(session_query_fields), IPC_WORKER, IPC_AUTH, AFTER,
                100000},
        [IPC_SESSION_ITEM] = {"SESSION_ITEM", FIELDS(session_item_fields), IPC_AUTH, IPC_WORKER, AFTER,
                UINT32_MAX},
        [IPC_SESSION_KICK] = {"SESSION_KICK", FIELDS(session_kick_fields), IPC_AUTH, IPC_WORKER, AFTER,
                UINT32_MAX},
        [IPC_LOG] = {"LOG", FIELDS(log_fields), CHILDREN, IPC_MONITOR, AFTER, 20000},
        [IPC_LOG_QUERY] = {"LOG_QUERY", NULL, 0, IPC_WORKER, IPC_MONITOR, AFTER, 100},
        [IPC_LOG_CLEAR] = {"LOG_CLEAR", NULL, 0, IPC_WORKER, IPC_MONITOR, AFTER, 100},
        [IPC_LOG_INFO] = {"LOG_INFO", FIELDS(log_info_fields), IPC_MONITOR, IPC_WORKER, AFTER, UINT32_MAX},
        [IPC_LOG_HOST_QUERY] = {"LOG_HOST_QUERY", FIELDS(log_host_query_fields), IPC_WORKER, IPC_MONITOR,
                AFTER, 2000},
        [IPC_LOG_HOST_INFO] = {"LOG_HOST_INFO", FIELDS(log_host_info_fields), IPC_MONITOR, IPC_WORKER, AFTER,
                UINT32_MAX},
        [IPC_LOG_ITEM_QUERY] = {"LOG_ITEM_QUERY", FIELDS(log_item_query_fields), IPC_WORKER, IPC_MONITOR,
                AFTER, 100000},
        [IPC_LOG_ITEM] = {"LOG_ITEM", FIELDS(log_item_fields), IPC_MONITOR, IPC_WORKER, AFTER, UINT32_MAX},
};

const struct ipc_row *ipc_row_find(uint8_t type)
{
	return type < IPC_N_TYPES && rows[type].name != NULL ? &rows[type] : NULL;
}

const char *ipc_type_name(uint8_t type)
{
	const struct ipc_row *row = ipc_row_find(type);
	return row ? row->name : "?";
}

bool ipc_is_for(uint8_t type, uint8_t role)
{
	const struct ipc_row *row = ipc_row_find(type);
	return row != NULL && (row->to & role) != 0;
}

int ipc_check(struct ipc_gate *g, uint8_t state, uint8_t type, bool has_fd, ms_t now_ms)
{
	const struct ipc_row *row = ipc_row_find(type);
	if (row == NULL || !(row->from & g->peer) || !(row->to & g->self) || !(row->states & state))
		return -EPERM;
	if (has_fd != (type == IPC_FD))
		return -EPERM;
	if (now_ms - g->window_at_ms >= 1000) {
		memset(g->n_in_window, 0, sizeof(g->n_in_window));
		g->window_at_ms = now_ms;
	}
	if (g->n_in_window[type] >= row->per_second)
		return ERR_LIMIT;
	g->n_in_window[type]++;
	return 0;
}
