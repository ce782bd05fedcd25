/* The sockets to the threads of the worker: their questions, and what they must be told. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/auth_int.h"
#include "io/log.h"

struct auth_link *auth_link_find(const struct auth *auth, unsigned index, uint64_t serial)
{
	struct auth_link *l = index < AUTH_LINKS_MAX ? auth->links[index] : NULL;
	return l && l->serial == serial ? l : NULL;
}

static void link_closed(struct loop_fd *f)
{
	struct auth_link *l = f->ctx;
	chan_done(&l->chan);
	free(l);
}

void auth_link_close(struct auth_link *l)
{
	struct auth *auth = l->auth;
	auth->links[l->index] = NULL;
	if (auth->authority)
		authority_owner_gone(auth->authority, (int)l->index, auth_now_s(auth));
	loop_fd_close(&l->poll, link_closed);
}

int auth_link_watch(struct auth_link *l)
{
	return loop_fd_watch(&l->poll, UV_READABLE | (chan_wants_write(&l->chan) ? UV_WRITABLE : 0));
}

void auth_link_send(struct auth_link *l, struct ipc_msg *m)
{
	int r = chan_send(&l->chan, m, -1);
	if (r == 0)
		r = auth_link_watch(l);
	if (r == 0 || l->is_deaf)
		return;
	/* said once: whoever asks and does not listen must not fill the log; the poll reports its end */
	l->is_deaf = true;
	log_msg(4, "CULVERT", 101003, "Auth could not send %s to worker thread %u: %s",
	        ipc_type_name(m->type), l->index, err_text(r));
	chan_break(&l->chan);
}

void auth_kick(void *ctx, int owner, const struct ipc_session_kick *kick)
{
	struct auth *auth = ctx;
	struct auth_link *l = owner >= 0 && owner < (int)AUTH_LINKS_MAX ? auth->links[owner] : NULL;
	struct ipc_msg m = {.type = IPC_SESSION_KICK, .session_kick = *kick};
	if (l)
		auth_link_send(l, &m);
}

/* ---- questions ---- */

static void query_answer(struct auth_link *l, const struct ipc_msg *in)
{
	struct auth *auth = l->auth;
	struct authority *a = auth->authority;
	struct ipc_msg m = {.ref = in->ref};
	switch (in->type) {
	case IPC_SESSION_OPEN:
		m.type = IPC_SESSION_INFO;
		authority_open(a, (int)l->index, &in->session_open, auth_now_s(auth), &m.session_info);
		break;
	case IPC_LOGOFF:
		m.type = IPC_LOGOFF_RESULT;
		m.logoff_result.n_sessions = authority_logoff(a, &in->logoff);
		break;
	case IPC_POOL_QUERY:
		m.type = IPC_POOL_INFO;
		authority_pool_info(a, in->pool_query.name, &m.pool_info);
		break;
	case IPC_STATS_QUERY:
		m.type = IPC_STATS_INFO;
		authority_stats(a, &m.stats_info);
		m.stats_info.n_logins_ok = auth->n_logins_ok;
		m.stats_info.n_logins_refused = auth->n_logins_refused;
		break;
	default:
		return;
	}
	auth_link_send(l, &m);
}

static void sessions_answer(struct auth_link *l, const struct ipc_msg *in)
{
	struct ipc_session_query q = in->session_query;
	struct ipc_msg m = {.type = IPC_SESSION_ITEM, .ref = in->ref, .session_item.is_found = true};
	for (unsigned i = 0; m.session_item.is_found && i < q.n_max; i++) {
		authority_item(l->auth->authority, &q, &m.session_item);
		q.after = m.session_item.index;
		auth_link_send(l, &m);
	}
}

static void link_serve(struct auth_link *l, const struct ipc_msg *m)
{
	struct auth *auth = l->auth;
	switch (m->type) {
	case IPC_LOGIN:
		login_begin(l, m);
		break;
	case IPC_SESSION_LOST:
		authority_lost(auth->authority, (int)l->index, &m->session_lost, auth_now_s(auth));
		break;
	case IPC_SESSION_END:
		authority_end(auth->authority, (int)l->index, &m->session_end);
		break;
	case IPC_SESSION_QUERY:
		sessions_answer(l, m);
		break;
	default:
		query_answer(l, m);
		break;
	}
}

/* Too many in one second. An end is never dropped: the session would stay for ever. */
static void link_overrun(struct auth_link *l, const struct ipc_msg *in)
{
	struct ipc_msg m = {.ref = in->ref};
	switch (in->type) {
	case IPC_LOGIN:
		m.type = IPC_LOGIN_RESULT;
		m.login_result.status = IPC_LOGIN_ERROR;
		break;
	case IPC_SESSION_OPEN:
		m.type = IPC_SESSION_INFO;
		m.session_info.status = IPC_OPEN_ERROR;
		break;
	default:
		link_serve(l, in);
		return;
	}
	auth_link_send(l, &m);
}

/* ---- the socket ---- */

static int link_read(struct auth_link *l)
{
	struct ipc_msg m;
	int r = 0;
	for (unsigned i = 0; i < LOOP_BATCH && r == 0; i++) {
		int fd = -1;
		r = chan_recv(&l->chan, l->auth->state, loop_now(), &m, &fd);
		if (r == 0)
			link_serve(l, &m);
		else if (r == ERR_LIMIT) {
			link_overrun(l, &m);
			r = 0;
		}
		if (r == 0)
			ipc_wipe(&m);
	}
	return r == -EAGAIN ? 0 : r;
}

static void on_link(struct loop_fd *f, int err, int events)
{
	struct auth_link *l = f->ctx;
	struct auth *auth = l->auth;
	int r = err;
	if (r == 0 && (events & UV_WRITABLE))
		r = chan_flush(&l->chan);
	if (r == 0 && (events & UV_READABLE))
		r = link_read(l);
	if (r == 0)
		r = auth_link_watch(l);
	if (r < 0) {
		if (r != ERR_CLOSED)
			log_msg(2, "CULVERT", 101004,
			        "Worker thread %u broke the rules between processes (%s), cut off", l->index,
			        err_text(r));
		auth_link_close(l);
	}
	auth_timer_update(auth);
}

int auth_link_open(struct auth *auth, unsigned index, int fd)
{
	if (index >= AUTH_LINKS_MAX) {
		close(fd);
		return -ERANGE;
	}
	if (auth->links[index]) /* the monitor was quicker than the news of the old one's end */
		auth_link_close(auth->links[index]);
	struct auth_link *l = calloc(1, sizeof(*l));
	if (l == NULL) {
		close(fd);
		return -ENOMEM;
	}
	l->auth = auth;
	l->index = index;
	l->serial = ++auth->n_links_ever;
	chan_init(&l->chan, fd, IPC_AUTH, IPC_WORKER);
	int r = loop_fd_open(&l->poll, &auth->loop, fd, on_link, l);
	if (r < 0) {
		chan_done(&l->chan);
		free(l);
		return r;
	}
	auth->links[index] = l;
	return auth->state == IPC_RUNNING ? auth_link_watch(l) : 0;
}
