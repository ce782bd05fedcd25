/* What a child is given: descriptors, configuration, certificate, START. */
#include <unistd.h>

#include "gateway/conf_file.h"
#include "gateway/log_setup.h"
#include "gateway/monitor_int.h"

static int hand_fd(struct monitor_child *c, enum ipc_fd_kind kind, uint16_t index, int fd)
{
	const struct ipc_msg m = {.type = IPC_FD, .fd = {.kind = (uint8_t)kind, .index = index}};
	return chan_send(&c->chan, &m, fd);
}

/* Configuration, and the worker's certificate. */
static int hand_config(struct monitor_child *c)
{
	const struct monitor *m = c->m;
	const bool is_auth = c->role == CHILD_AUTH;
	int fd;
	int r = conf_file_memfd(m->config, is_auth, &fd);
	if (r < 0)
		return r;
	r = hand_fd(c, IPC_FD_CONFIG, 0, fd);
	close(fd);
	if (r < 0 || is_auth)
		return r;
	const struct text *pem = &m->identity.pem;
	if ((r = conf_file_memfd_bytes("culvert-cert", span_of(pem->p, pem->n), &fd)) < 0)
		return r;
	r = hand_fd(c, IPC_FD_CERT, 0, fd);
	close(fd);
	return r;
}

static int hand_log(struct monitor_child *c)
{
	return c->m->log_fd >= 0 ? hand_fd(c, IPC_FD_LOG, 0, c->m->log_fd) : 0;
}

int monitor_hand_start(struct monitor_child *c)
{
	const struct monitor *m = c->m;
	struct ipc_msg msg = {
	        .type = IPC_START,
	        .start = {.n_threads = (uint16_t)m->ifs.n_threads,
	                .uid = m->uid,
	                .gid = m->gid,
	                .log_target = (uint8_t)m->opts->log_target,
	                .log_level = log_setup_own_level(m->config),
	                .offloads_refused = (uint8_t)m->opts->offloads_refused,
	                .is_log_json = m->config->logging.format == 1},
	};
	const char *root = c->role == CHILD_AUTH ? m->auth_dir : m->empty_dir;
	int r = ipc_set_str(msg.start.user, sizeof(msg.start.user), span_str(MONITOR_USER));
	if (r == 0)
		r = ipc_set_str(msg.start.root_dir, sizeof(msg.start.root_dir), span_str(root));
	return r < 0 ? r : chan_send(&c->chan, &msg, -1);
}

int monitor_hand_settings(struct monitor_child *c)
{
	int r = hand_config(c);
	return r < 0 ? r : hand_log(c);
}

int monitor_hand_auth(struct monitor_child *c)
{
	int r = monitor_hand_settings(c);
	if (r == 0)
		r = hand_fd(c, IPC_FD_STATE_DIR, 0, c->m->auth_dir_fd);
	return r;
}

int monitor_hand_worker(struct monitor_child *c)
{
	const struct gateway_if *g = &c->m->ifs;
	int r = monitor_hand_settings(c);
	for (uint16_t i = 0; r == 0 && i < g->n_threads; i++) {
		r = hand_fd(c, IPC_FD_TUN, i, g->tun.fds[i]);
		if (r == 0)
			r = hand_fd(c, IPC_FD_TCP, i, g->tcp_fds[i]);
		if (r == 0)
			r = hand_fd(c, IPC_FD_UDP, i, g->udps[i].fd);
	}
	for (uint16_t i = 0; r == 0 && i < STEER_N_KEYS; i++)
		r = g->steer_fds[i] < 0 ? 0 : hand_fd(c, IPC_FD_STEER, i, g->steer_fds[i]);
	if (r == 0)
		r = hand_fd(c, IPC_FD_CONTROL, 0, g->control_fd);
	return r;
}

int monitor_hand_pairs(struct monitor_child *auth, struct monitor_child *worker)
{
	int r = 0, fds[2];
	for (uint16_t i = 0; r == 0 && i < worker->m->ifs.n_threads; i++) {
		if ((r = chan_pair(fds)) < 0)
			return r;
		r = hand_fd(worker, IPC_FD_AUTH, i, fds[0]);
		if (r == 0)
			r = hand_fd(auth, IPC_FD_WORKER, i, fds[1]);
		close(fds[0]);
		close(fds[1]);
	}
	return r;
}
