/* One login: checks that cost nothing in the loop, the password in a thread, the rest in the loop again. */
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "gateway/auth_int.h"
#include "io/log.h"

static void answer(struct auth_link *l, uint32_t ref, uint8_t status, uint32_t delay_ms)
{
	struct ipc_msg m = {.type = IPC_LOGIN_RESULT, .ref = ref};
	m.login_result.status = status;
	m.login_result.delay_ms = delay_ms;
	if (status != IPC_LOGIN_OK)
		l->auth->n_logins_refused++;
	auth_link_send(l, &m);
}

static void job_free(struct job *j)
{
	config_put(j->config);
	explicit_bzero(j, sizeof(*j));
	free(j);
}

static bool has_local(const struct tunnel_group *g)
{
	for (size_t i = 0; i < g->auth_servers.n; i++)
		if (strcmp(g->auth_servers.v[i], "LOCAL") == 0)
			return true;
	return false;
}

/* The right password: may this user come in this way, and what does he get? */
static uint8_t login_admit(struct job *j, struct ipc_login_result *ret)
{
	struct auth *auth = j->auth;
	struct group_policy_values v;
	struct authority_policy policy;
	if (auth_config_resolve(j->config, j->group, j->user, &v) < 0)
		return IPC_LOGIN_ERROR;
	auth_log_login(j, v.policy_name, NULL);
	if (v.group_lock[0] && strcmp(v.group_lock, j->group->name) != 0) {
		auth_log_group_lock(j, v.group_lock);
		return IPC_LOGIN_DISABLED;
	}
	if (!(v.tunnel_protocols & TUNNEL_SSL_CLIENT)) {
		auth_log_protocol(j, v.policy_name);
		return IPC_LOGIN_DISABLED;
	}
	auth_config_digest(j->config, &v, &policy);
	struct authority_login in = {
	        .username = j->user->name, .tunnel_group = j->group->name, .peer = j->login.peer};
	int r = authority_login(auth->authority, &in, &policy, auth_now_s(auth), ret->token, &ret->index);
	if (r == ERR_LIMIT)
		auth_log_limit(j, v.policy_name, v.simultaneous_logins);
	if (r < 0)
		return r == ERR_LIMIT ? IPC_LOGIN_LIMIT : IPC_LOGIN_ERROR;
	if (ipc_set_str(ret->username, sizeof(ret->username), span_str(in.username)) < 0 ||
	        ipc_set_str(ret->tunnel_group, sizeof(ret->tunnel_group), span_str(in.tunnel_group)) < 0 ||
	        ipc_set_str(ret->group_policy, sizeof(ret->group_policy), span_str(v.policy_name)) < 0)
		return IPC_LOGIN_ERROR;
	auth_log_started(j, v.policy_name);
	return IPC_LOGIN_OK;
}

static void run_next(struct auth *auth);

static void job_check(uv_work_t *work)
{
	struct job *j = CONTAINER_OF(work, struct job, work);
	j->result = auth_verify(j->user, j->login.password, j->has_hashes);
	explicit_bzero(j->login.password, sizeof(j->login.password));
}

static void job_done(uv_work_t *work, int status)
{
	struct job *j = CONTAINER_OF(work, struct job, work);
	struct auth *auth = j->auth;
	struct auth_link *l = auth_link_find(auth, j->link_index, j->link_serial);
	int r = status < 0 ? status : j->result;
	struct ipc_msg m = {.type = IPC_LOGIN_RESULT, .ref = j->ref};
	m.login_result.status = IPC_LOGIN_ERROR;
	if (r == 0 || r == ERR_REFUSED)
		auth_lockout_note(auth->lockout, j->login.username, &j->login.peer, r == 0, loop_now());
	if (r == ERR_REFUSED) {
		if (auth_may_log(auth, &j->login.peer))
			auth_log_login(j, NULL, j->user ? "Invalid password" : "User was not found");
		m.login_result.status = IPC_LOGIN_REFUSED;
	} else if (r == 0 && l && auth->authority) {
		m.login_result.status = login_admit(j, &m.login_result);
	}
	if (m.login_result.status != IPC_LOGIN_OK) /* nothing half filled goes out */
		m.login_result = (struct ipc_login_result){.status = m.login_result.status};
	auth->n_logins_ok += m.login_result.status == IPC_LOGIN_OK;
	auth->n_logins_refused += m.login_result.status != IPC_LOGIN_OK;
	if (l)
		auth_link_send(l, &m);
	ipc_wipe(&m);
	auth_timer_update(auth);
	login_queue_done(&auth->logins, &j->ticket);
	job_free(j);
	run_next(auth);
}

/* What can be said without the password. IPC_LOGIN_OK: it is to be checked for this group. */
static uint8_t login_status(struct auth *auth, const struct ipc_login *in, const struct tunnel_group **ret,
        uint32_t *ret_delay_ms)
{
	const char *name = in->tunnel_group[0] ? in->tunnel_group : POLICY_DEFAULT_WEBVPN_GROUP;
	const struct tunnel_group *group = config_find_tunnel_group(auth->config, span_str(name));
	*ret_delay_ms = 0;
	/* certificates are not checked by this gateway: a group that demands one must not be entered with
	 * less, neither instead of a password nor beside it */
	if (group && group->authentication & AUTH_CERTIFICATE) {
		if (auth_may_log(auth, &in->peer))
			auth_log_certificate(auth, in, group->name);
		return IPC_LOGIN_DISABLED;
	}
	if (group == NULL || group->type != TUNNEL_GROUP_REMOTE_ACCESS || !(group->authentication & AUTH_AAA))
		return IPC_LOGIN_DISABLED;
	*ret_delay_ms = auth_lockout_delay_ms(auth->lockout, in->username, &in->peer, loop_now());
	if (*ret_delay_ms > 0) {
		if (auth_may_log(auth, &in->peer))
			auth_log_locked(auth, in);
		return IPC_LOGIN_LOCKED;
	}
	*ret = group;
	if (has_local(group))
		return IPC_LOGIN_OK;
	if (auth_may_log(auth, &in->peer)) /* other servers than LOCAL are not asked yet */
		auth_log_no_server(auth, in, group->auth_servers.n > 0 ? group->auth_servers.v[0] : "none");
	return IPC_LOGIN_ERROR;
}

/* While it waited, others of its name or address may have failed, and the configuration may have changed. */
static uint8_t job_start(struct job *j, uint32_t *ret_delay_ms)
{
	struct auth *auth = j->auth;
	uint8_t status = login_status(auth, &j->login, &j->group, ret_delay_ms);
	if (status != IPC_LOGIN_OK)
		return status;
	j->config = config_get(auth->config);
	j->user = config_find_user(auth->config, span_str(j->login.username));
	j->has_hashes = auth->has_hashes;
	int r = uv_queue_work(&auth->loop, &j->work, job_check, job_done);
	return r < 0 ? IPC_LOGIN_ERROR : IPC_LOGIN_OK;
}

static void run_next(struct auth *auth)
{
	struct login_ticket *t;
	while (!auth->is_ending && (t = login_queue_take(&auth->logins)) != NULL) {
		struct job *j = CONTAINER_OF(t, struct job, ticket);
		struct auth_link *l = auth_link_find(auth, j->link_index, j->link_serial);
		uint32_t delay_ms = 0;
		uint8_t status = l ? job_start(j, &delay_ms) : IPC_LOGIN_ERROR;
		if (status == IPC_LOGIN_OK)
			continue;
		if (l)
			answer(l, j->ref, status, delay_ms);
		login_queue_done(&auth->logins, t);
		job_free(j);
	}
}

static struct job *job_new(struct auth_link *l, const struct ipc_msg *m)
{
	struct job *j = calloc(1, sizeof(*j));
	if (j == NULL)
		return NULL;
	j->auth = l->auth;
	j->link_index = l->index;
	j->link_serial = l->serial;
	j->ref = m->ref;
	j->login = m->login;
	return j;
}

/* Only to an earlier time: a timer that fires too early looks again. */
static void timer_update(struct auth *auth)
{
	ms_t due_ms = login_queue_due_ms(&auth->logins);
	if (due_ms < auth->login_timer.due_at_ms)
		loop_timer_set(&auth->login_timer, due_ms);
}

void login_begin(struct auth_link *l, const struct ipc_msg *m)
{
	struct auth *auth = l->auth;
	const struct tunnel_group *group;
	uint32_t delay_ms;
	uint8_t status = login_status(auth, &m->login, &group, &delay_ms);
	if (status != IPC_LOGIN_OK) {
		answer(l, m->ref, status, delay_ms);
		return;
	}
	struct job *j = job_new(l, m);
	int r = j ? login_queue_put(&auth->logins, &j->ticket, &m->login.peer, loop_now()) : -ENOMEM;
	if (r < 0) {
		if (r == ERR_LIMIT && auth_may_log(auth, &m->login.peer))
			auth_log_crowded(auth, &m->login, "too many logins are waiting");
		answer(l, m->ref, IPC_LOGIN_ERROR, 0);
		if (j)
			job_free(j);
		return;
	}
	timer_update(auth);
	run_next(auth);
}

void login_on_timer(struct loop_timer *timer, ms_t now_ms)
{
	struct auth *auth = timer->ctx;
	struct login_ticket *t;
	while ((t = login_queue_expire(&auth->logins, now_ms)) != NULL) {
		struct job *j = CONTAINER_OF(t, struct job, ticket);
		struct auth_link *l = auth_link_find(auth, j->link_index, j->link_serial);
		if (l && auth_may_log(auth, &j->login.peer))
			auth_log_crowded(auth, &j->login, "it has waited too long");
		if (l)
			answer(l, j->ref, IPC_LOGIN_ERROR, 0);
		job_free(j);
	}
	timer_update(auth);
}

void login_drop_all(struct auth *auth)
{
	struct login_ticket *t;
	while ((t = login_queue_expire(&auth->logins, MS_NEVER)) != NULL)
		job_free(CONTAINER_OF(t, struct job, ticket));
}
