/* Records in one SQLite table.
 *
 * Journal: WAL with synchronous=NORMAL. A commit is then one write() without fsync, about 20 us, and a crash
 * of the gateway loses nothing, because the kernel has the bytes. A power cut may lose the last commits,
 * never the file's integrity: a lost record costs one client a new login, which is cheaper than an fsync in
 * every login. OFF would save no more than the fsync at checkpoints and risk the file.
 *
 * Locking: exclusive. Only this process uses the file; SQLite then needs no shared-memory file, and holds
 * both of its files open from the first write on, so that it works inside the sandbox. */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "store/store.h"

#define SCHEMA_VERSION 1

static const char setup_sql[] =
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA "
        "temp_store=MEMORY;"
        "PRAGMA trusted_schema=OFF; PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=256;";

static const char schema_sql[] =
        "BEGIN IMMEDIATE;"
        "CREATE TABLE session(idx INTEGER PRIMARY KEY, connection INTEGER NOT NULL, token_hash BLOB NOT NULL "
        "UNIQUE,"
        " username TEXT NOT NULL, tunnel_group TEXT NOT NULL, group_policy TEXT NOT NULL,"
        " pool4 TEXT NOT NULL, pool6 TEXT NOT NULL, ip4 TEXT NOT NULL, ip6 TEXT NOT NULL, peer TEXT NOT NULL,"
        " login_at INTEGER NOT NULL, lost_at INTEGER NOT NULL, session_timeout INTEGER NOT NULL,"
        " disconnected_limit INTEGER NOT NULL) STRICT;"
        "PRAGMA user_version=1;"
        "COMMIT;";

enum statement { PUT, REMOVE, EACH, BEGIN, COMMIT, N_STATEMENTS };
static const char *const statement_sql[N_STATEMENTS] = {
        [PUT] = "INSERT OR REPLACE INTO session VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)",
        [REMOVE] = "DELETE FROM session WHERE idx=?1",
        [EACH] = "SELECT * FROM session ORDER BY idx",
        [BEGIN] = "BEGIN",
        [COMMIT] = "COMMIT",
};

struct sqlite {
	struct store base;
	sqlite3 *db;
	sqlite3_stmt *statements[N_STATEMENTS];
};

static int error_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_MALFORMED;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		return -EACCES;
	default:
		return -EIO;
	}
}

static int statement_run(struct sqlite *q, enum statement which)
{
	int r = error_of(sqlite3_step(q->statements[which]));
	sqlite3_reset(q->statements[which]);
	sqlite3_clear_bindings(q->statements[which]);
	return r;
}

static void bind_text(sqlite3_stmt *s, int at, const char *text)
{
	sqlite3_bind_text(s, at, text, -1, SQLITE_TRANSIENT);
}

static void bind_prefix(sqlite3_stmt *s, int at, const struct ip_addr *a, uint8_t len)
{
	char buf[PREFIX_TEXT_MAX];
	struct ip_prefix p = {.addr = *a, .len = len};
	bind_text(s, at, addr_is_set(a) ? prefix_format(&p, buf) : "");
}

static int sqlite_put(struct store *st, const struct store_session *r)
{
	struct sqlite *q = CONTAINER_OF(st, struct sqlite, base);
	sqlite3_stmt *s = q->statements[PUT];
	sqlite3_bind_int64(s, 1, r->index);
	sqlite3_bind_int64(s, 2, r->connection);
	sqlite3_bind_blob(s, 3, r->token_hash, STORE_HASH_BYTES, SQLITE_TRANSIENT);
	bind_text(s, 4, r->username);
	bind_text(s, 5, r->tunnel_group);
	bind_text(s, 6, r->group_policy);
	bind_text(s, 7, r->pool4);
	bind_text(s, 8, r->pool6);
	bind_prefix(s, 9, &r->ip4, r->ip4_len);
	bind_prefix(s, 10, &r->ip6, r->ip6_len);
	bind_prefix(s, 11, &r->peer, r->peer.family == 4 ? 32 : 128);
	sqlite3_bind_int64(s, 12, (sqlite3_int64)r->login_at_s);
	sqlite3_bind_int64(s, 13, (sqlite3_int64)r->lost_at_s);
	sqlite3_bind_int64(s, 14, r->session_timeout_s);
	sqlite3_bind_int64(s, 15, r->disconnected_limit_s);
	return statement_run(q, PUT);
}

static int sqlite_remove(struct store *st, uint32_t index)
{
	struct sqlite *q = CONTAINER_OF(st, struct sqlite, base);
	sqlite3_bind_int64(q->statements[REMOVE], 1, index);
	return statement_run(q, REMOVE);
}

static int sqlite_group(struct store *st, bool is_begin)
{
	return statement_run(CONTAINER_OF(st, struct sqlite, base), is_begin ? BEGIN : COMMIT);
}

/* Columns are checked like bytes from outside: the file is only as good as the disk. */
static bool column_text(sqlite3_stmt *s, int at, char *ret, size_t cap)
{
	const void *p = sqlite3_column_text(s, at);
	size_t n = (size_t)sqlite3_column_bytes(s, at);
	if (p == NULL || n >= cap || memchr(p, 0, n) != NULL)
		return false;
	memcpy(ret, p, n);
	ret[n] = '\0';
	return true;
}

static bool column_u32(sqlite3_stmt *s, int at, uint32_t *ret)
{
	sqlite3_int64 v = sqlite3_column_int64(s, at);
	*ret = (uint32_t)v;
	return v >= 0 && v <= UINT32_MAX;
}

static bool column_time(sqlite3_stmt *s, int at, uint64_t *ret)
{
	sqlite3_int64 v = sqlite3_column_int64(s, at);
	*ret = (uint64_t)v;
	return v >= 0;
}

static bool column_prefix(sqlite3_stmt *s, int at, uint8_t family, struct ip_addr *ret, uint8_t *ret_len)
{
	char text[PREFIX_TEXT_MAX];
	struct ip_prefix p = {0};
	if (!column_text(s, at, text, sizeof(text)))
		return false;
	if (text[0] != '\0' && prefix_parse(span_str(text), &p) < 0)
		return false;
	if (family != 0 && p.addr.family != 0 && p.addr.family != family)
		return false;
	*ret = p.addr;
	*ret_len = p.len;
	return true;
}

static bool record_read(sqlite3_stmt *s, struct store_session *r)
{
	uint8_t peer_len;
	const void *hash = sqlite3_column_blob(s, 2);
	if (hash == NULL || sqlite3_column_bytes(s, 2) != STORE_HASH_BYTES)
		return false;
	memcpy(r->token_hash, hash, STORE_HASH_BYTES);
	return column_u32(s, 0, &r->index) && r->index != 0 && column_u32(s, 1, &r->connection) &&
	       column_text(s, 3, r->username, sizeof(r->username)) &&
	       column_text(s, 4, r->tunnel_group, sizeof(r->tunnel_group)) &&
	       column_text(s, 5, r->group_policy, sizeof(r->group_policy)) &&
	       column_text(s, 6, r->pool4, sizeof(r->pool4)) &&
	       column_text(s, 7, r->pool6, sizeof(r->pool6)) &&
	       column_prefix(s, 8, 4, &r->ip4, &r->ip4_len) && column_prefix(s, 9, 6, &r->ip6, &r->ip6_len) &&
	       column_prefix(s, 10, 0, &r->peer, &peer_len) && column_time(s, 11, &r->login_at_s) &&
	       column_time(s, 12, &r->lost_at_s) && column_u32(s, 13, &r->session_timeout_s) &&
	       column_u32(s, 14, &r->disconnected_limit_s);
}

/* A row that makes no sense is passed over: one client has to log in again. */
static int sqlite_each(struct store *st, store_visit_fn *fn, void *ctx)
{
	struct sqlite *q = CONTAINER_OF(st, struct sqlite, base);
	sqlite3_stmt *s = q->statements[EACH];
	int rc, r = 0;
	while (r >= 0 && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct store_session record = {0};
		if (record_read(s, &record))
			r = fn(ctx, &record);
	}
	if (r >= 0)
		r = error_of(rc);
	sqlite3_reset(s);
	return r;
}

static void sqlite_free(struct store *st)
{
	struct sqlite *q = CONTAINER_OF(st, struct sqlite, base);
	for (size_t i = 0; i < N_STATEMENTS; i++)
		sqlite3_finalize(q->statements[i]);
	sqlite3_close(q->db);
	free(q);
}

static const struct store_ops sqlite_ops = {.put = sqlite_put,
        .remove = sqlite_remove,
        .each = sqlite_each,
        .group = sqlite_group,
        .free = sqlite_free};

static int number_read(sqlite3 *db, const char *sql, int *ret)
{
	sqlite3_stmt *s;
	int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
	if (rc != SQLITE_OK)
		return error_of(rc);
	rc = sqlite3_step(s);
	*ret = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	return error_of(rc);
}

static int integrity_check(sqlite3 *db)
{
	sqlite3_stmt *s;
	int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &s, NULL);
	if (rc != SQLITE_OK)
		return error_of(rc);
	rc = sqlite3_step(s);
	const void *text = rc == SQLITE_ROW ? sqlite3_column_text(s, 0) : NULL;
	int r = rc == SQLITE_ROW && !(text && span_is(span_str(text), "ok")) ? ERR_MALFORMED : error_of(rc);
	sqlite3_finalize(s);
	return r;
}

static int schema_prepare(sqlite3 *db)
{
	int version, n_tables;
	int r = number_read(db, "PRAGMA user_version", &version);
	if (r == 0)
		r = number_read(db, "SELECT count(*) FROM sqlite_schema", &n_tables);
	if (r < 0)
		return r;
	if (version == 0 && n_tables == 0)
		return error_of(sqlite3_exec(db, schema_sql, NULL, NULL, NULL));
	return version == SCHEMA_VERSION ? integrity_check(db) : ERR_UNSUPPORTED;
}

static int sqlite_open_once(const char *path, struct sqlite *q)
{
	int rc = sqlite3_open_v2(
	        path, &q->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, NULL);
	if (rc != SQLITE_OK)
		return error_of(rc);
	(void)sqlite3_db_config(q->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_busy_timeout(q->db, 2000); /* a predecessor that is just ending */
	int keeps_wal = 1;
	(void)sqlite3_file_control(q->db, NULL, SQLITE_FCNTL_PERSIST_WAL, &keeps_wal);
	int r = error_of(sqlite3_exec(q->db, setup_sql, NULL, NULL, NULL));
	if (r == 0)
		r = schema_prepare(q->db);
	/* the write that makes it open and lock everything now, and not inside the sandbox */
	if (r == 0)
		r = error_of(sqlite3_exec(
		        q->db, "BEGIN IMMEDIATE; DELETE FROM session WHERE idx<1; COMMIT", NULL, NULL, NULL));
	for (size_t i = 0; i < N_STATEMENTS && r == 0; i++)
		r = error_of(sqlite3_prepare_v3(
		        q->db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT, &q->statements[i], NULL));
	return r;
}

static int set_aside(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-journal", "-shm"};
	int r = 0;
	for (size_t i = 0; i < N_ELEM(suffixes); i++) {
		char from[4096], to[4096];
		int n = snprintf(from, sizeof(from), "%s%s", path, suffixes[i]);
		int m = snprintf(to, sizeof(to), "%s.damaged%s", path, suffixes[i]);
		if (n < 0 || m < 0 || (size_t)n >= sizeof(from) || (size_t)m >= sizeof(to))
			return -ENAMETOOLONG;
		if (rename(from, to) < 0 && errno != ENOENT)
			r = -errno;
	}
	return r;
}

static int sqlite_try(const char *path, struct sqlite **ret, struct store_report *report)
{
	struct sqlite *q = calloc(1, sizeof(*q));
	if (q == NULL)
		return -ENOMEM;
	q->base.ops = &sqlite_ops;
	int r = sqlite_open_once(path, q);
	if (r == 0) {
		*ret = q;
		return 0;
	}
	(void)snprintf(report->text, sizeof(report->text), "%s",
	        r == ERR_UNSUPPORTED ? "written by another version"
	        : q->db              ? sqlite3_errmsg(q->db)
	                             : err_text(r));
	if (r == ERR_MALFORMED && sqlite3_errcode(q->db) == SQLITE_OK)
		(void)snprintf(report->text, sizeof(report->text), "integrity check failed");
	sqlite_free(&q->base);
	return r;
}

int store_sqlite_open(const char *path, struct store **ret, struct store_report *ret_report)
{
	struct store_report report = {0};
	struct sqlite *q = NULL;
	int r = sqlite_try(path, &q, &report);
	if (r == ERR_MALFORMED || r == ERR_UNSUPPORTED) {
		struct store_report again;
		r = set_aside(path);
		if (r == 0)
			r = sqlite_try(path, &q, &again);
		report.was_set_aside = r == 0;
	}
	*ret_report = report;
	if (r == 0)
		*ret = &q->base;
	return r;
}
