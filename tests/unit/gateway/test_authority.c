/* The authority against a virtual clock, an entropy source that counts, and a host that notes what it was
 * told. */
#include "../unit.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "gateway/authority.h"

#define LOGIN_S 1700000000u

static struct host {
	uint8_t next_token;
	struct authority_policy policy;
	int policy_err;
	struct ipc_session_kick kicks[16];
	int kick_owners[16];
	size_t n_kicks;
	unsigned n_events[8];
	uint8_t ended_reason;
} host;

static int host_entropy(void *ctx, void *ret, size_t n)
{
	(void)ctx;
	memset(ret, ++host.next_token, n);
	return 0;
}

static int host_policy(
        void *ctx, const char *username, const char *tunnel_group, struct authority_policy *ret)
{
	(void)ctx, (void)username, (void)tunnel_group;
	*ret = host.policy;
	return host.policy_err;
}

static void host_kick(void *ctx, int owner, const struct ipc_session_kick *kick)
{
	(void)ctx;
	assert_true(host.n_kicks < N_ELEM(host.kicks));
	host.kick_owners[host.n_kicks] = owner;
	host.kicks[host.n_kicks++] = *kick;
}

static void host_event(void *ctx, const struct authority_event *e)
{
	(void)ctx;
	assert_int_not_equal(e->kind, AUTHORITY_STORE_FAILED);
	host.n_events[e->kind]++;
	if (e->kind == AUTHORITY_ENDED)
		host.ended_reason = e->reason;
}

static const struct authority_host callbacks = {
        .entropy = host_entropy, .policy = host_policy, .kick = host_kick, .event = host_event};

static struct authority *authority_over(struct store *st)
{
	struct authority *a;
	struct authority_pool pools[] = {
	        {.name = "P4",
	                .first = addr_from_v4(0x0a010000),
	                .last = addr_from_v4(0x0a010007),
	                .mask_len = 29},
	        {.name = "P6",
	                .first = {6, {0xfd, [15] = 0}},
	                .last = {6, {0xfd, [15] = 255}},
	                .mask_len = 64},
	        {.name = "Q4",
	                .first = addr_from_v4(0x0a020002),
	                .last = addr_from_v4(0x0a020002),
	                .mask_len = 24},
	};
	assert_int_equal(authority_new(&callbacks, st, &a), 0);
	assert_int_equal(authority_set_pools(a, pools, N_ELEM(pools)), 0);
	return a;
}

static struct authority *fresh(void)
{
	struct store *st;
	host = (struct host){.policy = {.group_policy = "GP",
	                             .simultaneous_logins = 3,
	                             .disconnected_limit_s = 1800,
	                             .pools4 = {"P4"},
	                             .n_pools4 = 1,
	                             .pools6 = {"P6"},
	                             .n_pools6 = 1}};
	assert_int_equal(store_memory_new(&st), 0);
	return authority_over(st);
}

struct client {
	struct ipc_session_open open;
	uint32_t index;
};

static struct client login(struct authority *a, const char *user, uint64_t now_s)
{
	struct authority_login in = {
	        .username = user, .tunnel_group = "TG", .peer = addr_from_v4(0xc0000201)};
	struct client c = {.open = {.wants_ip4 = true, .wants_ip6 = true, .peer = in.peer}};
	assert_int_equal(authority_login(a, &in, &host.policy, now_s, c.open.token, &c.index), 0);
	return c;
}

static struct ipc_session_info open_as(
        struct authority *a, const struct client *c, int owner, uint64_t now_s, int want)
{
	struct ipc_session_info info;
	authority_open(a, owner, &c->open, now_s, &info);
	assert_int_equal(info.status, want);
	return info;
}

static void lose(struct authority *a, const struct ipc_session_info *i, int owner, uint64_t now_s)
{
	authority_lost(
	        a, owner, &(struct ipc_session_lost){.index = i->index, .connection = i->connection}, now_s);
}

static struct ipc_stats_info stats(struct authority *a)
{
	struct ipc_stats_info s = {0};
	authority_stats(a, &s);
	return s;
}

TEST(login_connect_lose_resume)
{
	struct authority *a = fresh();
	struct client c = login(a, "alice", LOGIN_S);
	assert_int_equal(stats(a).n_pending, 1);
	struct ipc_session_info first = open_as(a, &c, 0, LOGIN_S + 1, IPC_OPEN_OK);
	assert_false(first.is_resumed);
	assert_int_equal(first.index, c.index);
	assert_string_equal(first.username, "alice");
	assert_string_equal(first.group_policy, "GP");
	assert_int_equal(first.ip4_len, 29);
	assert_int_equal(first.ip6.family, 6);
	assert_int_equal(stats(a).n_active, 1);
	lose(a, &first, 0, LOGIN_S + 100);
	assert_int_equal(stats(a).n_waiting, 1);
	struct ipc_session_info again = open_as(a, &c, 0, LOGIN_S + 1899, IPC_OPEN_OK);
	assert_true(again.is_resumed);
	assert_int_equal(again.connection, 2);
	assert_true(addr_eq(&first.ip4, &again.ip4) && addr_eq(&first.ip6, &again.ip6));
	assert_int_equal(host.n_kicks, 0);
	assert_int_equal(host.n_events[AUTHORITY_LOST], 1);
	assert_int_equal(host.n_events[AUTHORITY_RESUMED], 1);
	authority_free(a);
}

TEST(unknown_token)
{
	struct authority *a = fresh();
	struct client c = login(a, "alice", LOGIN_S);
	c.open.token[31] ^= 1;
	open_as(a, &c, 0, LOGIN_S, IPC_OPEN_UNKNOWN);
	authority_free(a);
}

TEST(disconnected_timeout)
{
	struct authority *a = fresh();
	struct client c = login(a, "alice", LOGIN_S);
	struct ipc_session_info i = open_as(a, &c, 0, LOGIN_S, IPC_OPEN_OK);
	authority_step(a, LOGIN_S + 1000000); /* connected: no limit but the worker's idle timeout */
	lose(a, &i, 0, LOGIN_S + 1000000);
	assert_int_equal(authority_due_s(a), LOGIN_S + 1001800);
	authority_step(a, LOGIN_S + 1001799);
	assert_int_equal(stats(a).n_waiting, 1);
	open_as(a, &c, 0, LOGIN_S + 1001800, IPC_OPEN_UNKNOWN); /* even if nobody called step */
	assert_int_equal(host.n_kicks, 1); /* the worker that had it must forget it, and logs the end */
	assert_int_equal(host.kick_owners[0], 0);
	assert_int_equal(host.kicks[0].reason, IPC_KICK_EXPIRED);
	assert_int_equal(host.n_events[AUTHORITY_ENDED], 0);
	assert_int_equal(host.n_events[AUTHORITY_FREED], 2);
	authority_free(a);
}

TEST(end_of_a_session_whose_worker_is_gone)
{
	struct authority *a = fresh();
	struct client c = login(a, "alice", LOGIN_S);
	open_as(a, &c, 0, LOGIN_S, IPC_OPEN_OK);
	authority_owner_gone(a, 0, LOGIN_S + 10);
	authority_step(a, LOGIN_S + 10 + 1800);
	assert_int_equal(host.n_kicks, 0);
	assert_int_equal(host.n_events[AUTHORITY_ENDED], 1);
	assert_int_equal(host.ended_reason, IPC_KICK_EXPIRED);
	authority_free(a);
}

TEST(session_timeout_counts_from_login)
{
	struct authority *a = fresh();
	host.policy.session_timeout_s = 3600;
	struct client c = login(a, "alice", LOGIN_S);
	struct ipc_session_info i = open_as(a, &c, 0, LOGIN_S + 10, IPC_OPEN_OK);
	assert_int_equal(i.session_remaining_s, 3590);
	lose(a, &i, 0, LOGIN_S + 3000);
	i = open_as(a, &c, 2, LOGIN_S + 3001, IPC_OPEN_OK);
	assert_int_equal(i.session_remaining_s, 599);
	host.n_kicks = 0; /* owner 0 was told of that */
	authority_step(a, LOGIN_S + 3599);
	assert_int_equal(host.n_kicks, 0);
	authority_step(a, LOGIN_S + 3600);
	assert_int_equal(host.n_kicks, 1);
	assert_int_equal(host.kicks[0].reason, IPC_KICK_SESSION_TIMEOUT);
	assert_int_equal(host.kick_owners[0], 2);
	open_as(a, &c, 0, LOGIN_S + 3600, IPC_OPEN_UNKNOWN);
	authority_free(a);
}

TEST(simultaneous_logins_replace_the_oldest)
{
	struct authority *a = fresh();
	host.policy.simultaneous_logins = 2;
	struct client c[3];
	for (int i = 0; i < 3; i++) {
		c[i] = login(a, "alice", LOGIN_S + (uint64_t)i);
		assert_int_equal(host.n_kicks, 0); /* a login alone ends nobody */
		open_as(a, &c[i], i, LOGIN_S + (uint64_t)i, IPC_OPEN_OK);
	}
	struct client other = login(a, "bob", LOGIN_S);
	open_as(a, &other, 0, LOGIN_S, IPC_OPEN_OK);
	assert_int_equal(host.n_kicks, 1);
	assert_int_equal(host.kicks[0].index, c[0].index);
	assert_int_equal(host.kicks[0].reason, IPC_KICK_REPLACED);
	assert_int_equal(host.kick_owners[0], 0);
	open_as(a, &c[0], 0, LOGIN_S + 5, IPC_OPEN_UNKNOWN);
	open_as(a, &c[1], 1, LOGIN_S + 5, IPC_OPEN_OK); /* one's own resume is not counted */
	assert_int_equal(host.n_kicks, 1);
	host.policy.simultaneous_logins = 0;
	struct authority_login in = {.username = "alice", .tunnel_group = "TG"};
	uint8_t token[IPC_TOKEN_BYTES];
	uint32_t index;
	assert_int_equal(authority_login(a, &in, &host.policy, LOGIN_S, token, &index), ERR_LIMIT);
	authority_free(a);
}

/* A session that waits is still in the memory of its thread: that one must forget it as well. */
TEST(take_over_while_waiting)
{
	struct authority *a = fresh();
	struct client c = login(a, "alice", LOGIN_S);
	struct ipc_session_info old = open_as(a, &c, 0, LOGIN_S, IPC_OPEN_OK);
	lose(a, &old, 0, LOGIN_S + 1);
	open_as(a, &c, 1, LOGIN_S + 2, IPC_OPEN_OK);
	assert_int_equal(host.n_kicks, 1);
	assert_int_equal(host.kicks[0].reason, IPC_KICK_TAKEN_OVER);
	assert_int_equal(host.kicks[0].connection, old.connection);
	assert_int_equal(host.kick_owners[0], 0);
	authority_free(a);
}

TEST(take_over_while_open)
{
	struct authority *a = fresh();
	struct client c = login(a, "alice", LOGIN_S);
	struct ipc_session_info old = open_as(a, &c, 0, LOGIN_S, IPC_OPEN_OK);
	struct ipc_session_info now = open_as(a, &c, 1, LOGIN_S + 9, IPC_OPEN_OK);
	assert_int_equal(now.index, old.index);
	assert_true(addr_eq(&now.ip4, &old.ip4));
	assert_int_equal(host.n_kicks, 1);
	assert_int_equal(host.kicks[0].reason, IPC_KICK_TAKEN_OVER);
	assert_int_equal(host.kicks[0].connection, old.connection);
	assert_int_equal(host.kick_owners[0], 0);
	now = open_as(
	        a, &c, 1, LOGIN_S + 10, IPC_OPEN_OK); /* same thread: it sees to the old connection itself */
	assert_int_equal(host.n_kicks, 1);
	lose(a, &old, 0, LOGIN_S + 11); /* late words about the old connection */
	lose(a, &old, 1, LOGIN_S + 11);
	authority_end(a, 1, &(struct ipc_session_end){.index = old.index, .connection = old.connection});
	assert_int_equal(stats(a).n_active, 1);
	authority_end(a, 1, &(struct ipc_session_end){.index = now.index, .connection = now.connection});
	assert_int_equal(stats(a).n_active, 0);
	assert_int_equal(host.n_kicks, 1);
	open_as(a, &c, 1, LOGIN_S + 12, IPC_OPEN_UNKNOWN);
	authority_free(a);
}

TEST(worker_crash_loses_but_keeps)
{
	struct authority *a = fresh();
	struct client c[3];
	for (int i = 0; i < 3; i++) {
		c[i] = login(a, i == 0 ? "alice" : i == 1 ? "bob" : "carol", LOGIN_S);
		open_as(a, &c[i], i == 2, LOGIN_S, IPC_OPEN_OK);
	}
	authority_owner_gone(a, 0, LOGIN_S + 50);
	assert_int_equal(stats(a).n_waiting, 2);
	assert_int_equal(stats(a).n_active, 1);
	assert_true(open_as(a, &c[0], 0, LOGIN_S + 60, IPC_OPEN_OK).is_resumed);
	assert_int_equal(host.n_kicks, 0);
	authority_free(a);
}

/* A store whose contents outlive the authority that owns it. */
static struct store *survivor;

static int mirror_put(struct store *st, const struct store_session *s)
{
	(void)st;
	return store_put(survivor, s);
}
static int mirror_remove(struct store *st, uint32_t index)
{
	(void)st;
	return store_remove(survivor, index);
}
static int mirror_each(struct store *st, store_visit_fn *fn, void *ctx)
{
	(void)st;
	return store_each(survivor, fn, ctx);
}
static int mirror_group(struct store *st, bool is_begin)
{
	(void)st;
	return is_begin ? store_begin(survivor) : store_commit(survivor);
}
static void mirror_free(struct store *st)
{
	(void)st;
}

static const struct store_ops mirror_ops = {
        mirror_put, mirror_remove, mirror_each, mirror_group, mirror_free};
static struct store mirror = {&mirror_ops};

TEST(restart_resumes_with_identical_addresses)
{
	authority_free(fresh()); /* sets the host up */
	assert_int_equal(store_memory_new(&survivor), 0);
	struct authority *a = authority_over(&mirror);
	struct client c = login(a, "alice", LOGIN_S), waiting = login(a, "bob", LOGIN_S),
	              pending = login(a, "eve", LOGIN_S);
	struct ipc_session_info before = open_as(a, &c, 0, LOGIN_S, IPC_OPEN_OK);
	struct ipc_session_info lost = open_as(a, &waiting, 0, LOGIN_S, IPC_OPEN_OK);
	lose(a, &lost, 0, LOGIN_S + 10);
	authority_free(a);

	a = authority_over(&mirror);
	assert_int_equal(authority_load(a, LOGIN_S + 1000), 0);
	assert_int_equal(stats(a).n_waiting, 2);
	open_as(a, &pending, 0, LOGIN_S + 1000, IPC_OPEN_UNKNOWN);
	struct client d = login(a, "dave", LOGIN_S + 1000); /* cannot get what the others hold */
	struct ipc_session_info other = open_as(a, &d, 0, LOGIN_S + 1000, IPC_OPEN_OK);
	assert_true(other.index > lost.index);
	assert_false(addr_eq(&other.ip4, &before.ip4));
	struct ipc_session_info after = open_as(a, &c, 0, LOGIN_S + 1001, IPC_OPEN_OK);
	assert_true(after.is_resumed && after.connection == 2);
	assert_true(addr_eq(&after.ip4, &before.ip4) && addr_eq(&after.ip6, &before.ip6));
	open_as(a, &waiting, 0, LOGIN_S + 10 + 1800,
	        IPC_OPEN_UNKNOWN); /* its time went on during the restart */
	authority_free(a);
	store_free(survivor);
}

TEST(pending_logins_expire_and_are_bounded)
{
	struct authority *a = fresh();
	struct client c = login(a, "alice", LOGIN_S);
	assert_int_equal(authority_due_s(a), LOGIN_S + AUTHORITY_PENDING_S);
	open_as(a, &c, 0, LOGIN_S + AUTHORITY_PENDING_S, IPC_OPEN_UNKNOWN);
	c = login(a, "alice", LOGIN_S); /* of one user, as many as he may have sessions */
	for (int i = 0; i < 3; i++)
		login(a, "alice", LOGIN_S);
	assert_int_equal(stats(a).n_pending, 3);
	open_as(a, &c, 0, LOGIN_S, IPC_OPEN_UNKNOWN);
	for (unsigned i = 0; i < AUTHORITY_PENDING_MAX + 5; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "u%u", i);
		login(a, name, LOGIN_S);
	}
	assert_int_equal(stats(a).n_pending, AUTHORITY_PENDING_MAX);
	assert_int_equal(host.n_events[AUTHORITY_ENDED], 0);
	authority_free(a);
}

TEST(pools_in_order_and_exhaustion)
{
	struct authority *a = fresh();
	host.policy.n_pools6 = 0;
	host.policy.pools4[1] = "Q4";
	host.policy.n_pools4 = 2;
	struct client last = {0};
	for (unsigned i = 0; i < 6; i++) { /* 5 in P4, 1 in Q4 */
		char name[16];
		(void)snprintf(name, sizeof(name), "u%u", i);
		last = login(a, name, LOGIN_S);
		struct ipc_session_info info = open_as(a, &last, 0, LOGIN_S, IPC_OPEN_OK);
		assert_int_equal(addr_to_v4(&info.ip4) >> 16, i < 5 ? 0x0a01 : 0x0a02);
		assert_int_equal(info.ip6.family, 0);
	}
	struct ipc_pool_info pool;
	authority_pool_info(a, "P4", &pool);
	assert_true(pool.is_found && pool.n_free == 0 && pool.n_in_use == 5 && pool.n_addrs == 5 &&
	            pool.n_held == 0);
	authority_pool_info(a, "none", &pool);
	assert_false(pool.is_found);
	struct client c = login(a, "zoe", LOGIN_S);
	open_as(a, &c, 0, LOGIN_S, IPC_OPEN_NO_ADDRESS);
	assert_int_equal(
	        authority_logoff(a, &(struct ipc_logoff){.kind = IPC_LOGOFF_NAME, .value = "u2"}), 1);
	open_as(a, &c, 0, LOGIN_S, IPC_OPEN_OK); /* the token is still good */
	host.policy.n_pools4 = 0;
	c = login(a, "yan", LOGIN_S);
	open_as(a, &c, 0, LOGIN_S, IPC_OPEN_NO_ADDRESS);
	authority_free(a);
}

TEST(same_user_same_address)
{
	struct authority *a = fresh();
	struct ip_addr first = {0};
	for (int i = 0; i < 3; i++) {
		struct client c = login(a, "alice", LOGIN_S);
		struct ipc_session_info info = open_as(a, &c, 0, LOGIN_S, IPC_OPEN_OK);
		if (i == 0)
			first = info.ip4;
		assert_true(addr_eq(&info.ip4, &first));
		authority_end(
		        a, 0, &(struct ipc_session_end){.index = info.index, .connection = info.connection});
	}
	authority_free(a);
}

TEST(own_address_of_a_user)
{
	struct authority *a = fresh();
	host.policy.framed_ip4 = addr_from_v4(0x0a010005);
	host.policy.framed_ip4_len = 32;
	struct client c = login(a, "alice", LOGIN_S);
	struct ipc_session_info info = open_as(a, &c, 0, LOGIN_S, IPC_OPEN_OK);
	assert_int_equal(addr_to_v4(&info.ip4), 0x0a010005);
	assert_int_equal(info.ip4_len, 32);
	struct ipc_pool_info pool;
	authority_pool_info(a, "P4", &pool);
	assert_int_equal(pool.n_free, 4); /* nobody else gets it */
	struct client thief = login(a, "mallory", LOGIN_S);
	open_as(a, &thief, 0, LOGIN_S, IPC_OPEN_NO_ADDRESS);
	struct client again = login(a, "alice", LOGIN_S);
	open_as(a, &again, 0, LOGIN_S, IPC_OPEN_OK);
	assert_int_equal(host.n_kicks, 1);
	assert_int_equal(host.kicks[0].reason, IPC_KICK_REPLACED);
	authority_free(a);
}

TEST(logoff_by_group_and_address)
{
	struct authority *a = fresh();
	struct client c[3];
	struct ipc_session_item item;
	for (int i = 0; i < 3; i++) {
		c[i] = login(a, i < 2 ? "alice" : "bob", LOGIN_S);
		open_as(a, &c[i], 1, LOGIN_S, IPC_OPEN_OK);
	}
	authority_item(a, &(struct ipc_session_query){.after = c[0].index}, &item);
	assert_int_equal(item.index, c[1].index);
	struct ipc_logoff l = {.kind = IPC_LOGOFF_ADDRESS, .value = "192.0.2.250"};
	assert_int_equal(authority_logoff(a, &l), 0);
	strcpy(l.value, "no address");
	assert_int_equal(authority_logoff(a, &l), 0);
	addr_format(&item.ip4, l.value);
	assert_int_equal(authority_logoff(a, &l), 1);
	assert_int_equal(host.kicks[0].index, c[1].index);
	l = (struct ipc_logoff){.kind = IPC_LOGOFF_TUNNEL_GROUP, .value = "nobody's"};
	assert_int_equal(authority_logoff(a, &l), 0);
	strcpy(l.value, item.tunnel_group);
	assert_int_equal(authority_logoff(a, &l), 2);
	authority_free(a);
}

TEST(walk_of_those_that_wait)
{
	struct authority *a = fresh();
	struct client c[3];
	struct ipc_session_item item;
	for (int i = 0; i < 3; i++) {
		c[i] = login(a, "alice", LOGIN_S);
		open_as(a, &c[i], 1, LOGIN_S, IPC_OPEN_OK);
	}
	struct ipc_session_query q = {.wants_waiting = true};
	authority_item(a, &q, &item);
	assert_false(item.is_found);
	authority_lost(a, 1, &(struct ipc_session_lost){c[1].index, 1}, LOGIN_S + 9);
	authority_item(a, &q, &item);
	assert_true(item.is_found);
	assert_int_equal(item.index, c[1].index);
	assert_int_equal(item.lost_at_s, LOGIN_S + 9);
	q.after = item.index;
	authority_item(a, &q, &item);
	assert_false(item.is_found);
	authority_free(a);
}

TEST(logoff_and_walk)
{
	struct authority *a = fresh();
	struct client c[3];
	for (int i = 0; i < 3; i++) {
		c[i] = login(a, i < 2 ? "alice" : "bob", LOGIN_S);
		open_as(a, &c[i], 1, LOGIN_S, IPC_OPEN_OK);
	}
	login(a, "pending", LOGIN_S);
	struct ipc_session_item item;
	uint32_t n = 0;
	struct ipc_session_query q = {0};
	for (authority_item(a, &q, &item); item.is_found; authority_item(a, &q, &item), n++)
		q.after = item.index;
	assert_int_equal(n, 3);
	q.after = UINT32_MAX;
	authority_item(a, &q, &item);
	assert_false(item.is_found);
	struct ipc_logoff by_index = {.kind = IPC_LOGOFF_INDEX};
	(void)snprintf(by_index.value, sizeof(by_index.value), "%u", c[2].index);
	assert_int_equal(authority_logoff(a, &by_index), 1);
	assert_int_equal(host.kicks[0].index, c[2].index);
	assert_int_equal(host.kicks[0].reason, IPC_KICK_ADMIN);
	assert_int_equal(authority_logoff(a, &by_index), 0);
	(void)snprintf(by_index.value, sizeof(by_index.value), "1x");
	assert_int_equal(authority_logoff(a, &by_index), 0);
	assert_int_equal(
	        authority_logoff(a, &(struct ipc_logoff){.kind = IPC_LOGOFF_NAME, .value = "alice"}), 2);
	assert_int_equal(
	        authority_logoff(a, &(struct ipc_logoff){.kind = IPC_LOGOFF_ALL}), 1); /* the pending one */
	assert_int_equal(host.n_kicks, 3);
	authority_free(a);
}

TEST(reload_of_pools_keeps_addresses)
{
	struct authority *a = fresh();
	struct client c = login(a, "alice", LOGIN_S);
	struct ipc_session_info info = open_as(a, &c, 0, LOGIN_S, IPC_OPEN_OK);
	struct authority_pool exact = {.name = "NEW", .first = info.ip4, .last = info.ip4, .mask_len = 29};
	assert_int_equal(authority_set_pools(a, &exact, 1), 0);
	struct ipc_pool_info pool;
	authority_pool_info(a, "NEW", &pool);
	assert_int_equal(pool.n_free, 0);
	struct ipc_session_info again = open_as(a, &c, 0, LOGIN_S + 1, IPC_OPEN_OK);
	assert_true(addr_eq(&again.ip4, &info.ip4));
	struct authority_pool bad = {
	        .name = "BAD", .first = info.ip4, .last = addr_from_v4(1), .mask_len = 29};
	assert_int_equal(authority_set_pools(a, &bad, 1), -EINVAL);
	authority_pool_info(a, "NEW", &pool);
	assert_true(pool.is_found);
	host.policy_err = -ENOENT; /* the tunnel group is gone: new sessions fail, old ones resume */
	struct client d = login(a, "bob", LOGIN_S);
	open_as(a, &d, 0, LOGIN_S, IPC_OPEN_ERROR);
	open_as(a, &c, 0, LOGIN_S + 1, IPC_OPEN_OK);
	authority_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(login_connect_lose_resume),
	        cmocka_unit_test(unknown_token),
	        cmocka_unit_test(disconnected_timeout),
	        cmocka_unit_test(end_of_a_session_whose_worker_is_gone),
	        cmocka_unit_test(session_timeout_counts_from_login),
	        cmocka_unit_test(simultaneous_logins_replace_the_oldest),
	        cmocka_unit_test(take_over_while_open),
	        cmocka_unit_test(take_over_while_waiting),
	        cmocka_unit_test(worker_crash_loses_but_keeps),
	        cmocka_unit_test(restart_resumes_with_identical_addresses),
	        cmocka_unit_test(pending_logins_expire_and_are_bounded),
	        cmocka_unit_test(pools_in_order_and_exhaustion),
	        cmocka_unit_test(same_user_same_address),
	        cmocka_unit_test(own_address_of_a_user),
	        cmocka_unit_test(logoff_by_group_and_address),
	        cmocka_unit_test(walk_of_those_that_wait),
	        cmocka_unit_test(logoff_and_walk),
	        cmocka_unit_test(reload_of_pools_keeps_addresses),
	};
	return RUN(tests);
}
