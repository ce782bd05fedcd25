#include "gateway/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/conf_file.h"
#include "gateway/monitor_int.h"
#include "gateway/notify.h"
#include "io/log.h"
#include "io/sandbox.h"
#include "policy/config.h"

/* To the log, and to the terminal as long as somebody waits there. */
static void start_failed(const struct monitor *m, const char *why)
{
	if (m->opts->log_target != IPC_LOG_STDERR)
		fprintf(stderr, "culvertd: %s\n", why);
	if (m->opts->log_target != IPC_LOG_FILE || m->log_fd >= 0)
		log_line(LOG_ERR, "%s", why);
}

/* ---- reload ---- */

/* Everything that can fail, before anything changes. */
static int reload_prepare(
        struct monitor *m, struct text *messages, struct config **ret_config, struct identity *ret_identity)
{
	const char *path = m->opts->config_file;
	struct text why = {0};
	struct config *c = NULL;
	int r = conf_file_load(path, messages, &c);
	if (r == 0)
		r = conf_file_check(c, path, messages);
	if (r == 0 && (r = identity_load(c, m->opts->state_dir, (int64_t)time(NULL), ret_identity, &why)) < 0)
		text_fmt(messages, "%s:1:1: error: %s\n", path, text_cstr(&why));
	if (r == 0) {
		*ret_config = c;
		identity_warn(ret_identity, (int64_t)time(NULL), &why);
		if (why.n > 0)
			text_fmt(messages, "%s:1:1: warning: %s\n", path, text_cstr(&why));
	} else {
		config_put(c);
	}
	text_done(&why);
	return r;
}

static void reload_apply(
        struct monitor *m, struct text *messages, struct config *c, struct identity *identity)
{
	const char *path = m->opts->config_file;
	struct text fixed = {0}, why = {0};
	config_restart_needed(m->config, c, &fixed);
	if (fixed.n > 0)
		text_fmt(messages, "%s:1:1: warning: needs a restart to take effect: %s\n", path,
		        text_cstr(&fixed));
	const bool is_other_pin = strcmp(m->identity.pin, identity->pin) != 0;
	identity_done(&m->identity);
	m->identity = *identity;
	struct config *former = m->config;
	m->config = c;
	monitor_log_apply(&m->log, c);
	config_put(former);
	if (is_other_pin)
		monitor_pin_tell(m);
	if (gateway_if_apply(&m->ifs, c, &why) < 0)
		text_fmt(messages, "%s:1:1: warning: %s\n", path, text_cstr(&why));
	text_done(&fixed);
	text_done(&why);
}

/* A file that was rotated away gets its successor. */
static void log_renew(struct monitor *m)
{
	if (m->log_fd < 0)
		return;
	int r = log_reopen();
	int fd =
	        r < 0 ? -1 : open(m->opts->log_file, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
	if (fd < 0) {
		log_line(LOG_WARNING, "cannot open the log %s again", m->opts->log_file);
		return;
	}
	close(m->log_fd);
	m->log_fd = fd;
}

static void messages_log(const struct text *messages)
{
	struct span rest = span_of(messages->p, messages->n);
	while (rest.n > 0) {
		struct span line = span_cut(&rest, '\n');
		if (line.n > 0)
			log_line(LOG_NOTICE, "%.*s", (int)line.n, (const char *)line.p);
	}
}

int monitor_reload(struct monitor *m, struct text *messages)
{
	struct config *c;
	struct identity identity;
	notify_send(NOTIFY_RELOADING);
	int r = reload_prepare(m, messages, &c, &identity);
	if (r == 0) {
		reload_apply(m, messages, c, &identity);
		log_renew(m);
		monitor_children_reload(m);
	}
	messages_log(messages);
	log_line(r == 0 ? LOG_NOTICE : LOG_ERR, "%s %s", m->opts->config_file,
	        r == 0 ? "was read again" : "cannot be used: the former configuration stays");
	notify_send(NOTIFY_READY);
	return r;
}

/* ---- life ---- */

/* Leaves the terminal to the parent, which may end now. */
static void background_detach(struct monitor *m)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (write(m->ready_fd, "", 1) != 1)
		log_line(LOG_WARNING, "whoever started us is gone already");
	close(m->ready_fd);
	m->ready_fd = -1;
	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (m->opts->log_target != IPC_LOG_STDERR)
		dup2(null, STDERR_FILENO);
	close(null);
}

void monitor_ready(struct monitor *m)
{
	m->is_ready = true;
	log_line(LOG_NOTICE, "ready: TCP port %u, UDP port %u, device %s, worker threads %u",
	        m->config->webvpn.tls_port, m->config->webvpn.dtls_port, m->ifs.tun.name, m->ifs.n_threads);
	notify_send(NOTIFY_READY);
	if (m->opts->is_foreground)
		fprintf(stderr, "culvertd: ready\n");
	if (m->ready_fd >= 0)
		background_detach(m);
}

void monitor_stop(struct monitor *m, bool tells_clients, int exit_status)
{
	if (m->is_stopping)
		return;
	m->is_stopping = true;
	m->exit_status = exit_status;
	notify_send(NOTIFY_STOPPING);
	monitor_children_stop(m, tells_clients);
	if (!monitor_children_alive(m))
		monitor_children_gone(m);
}

void monitor_children_gone(struct monitor *m)
{
	uv_stop(&m->loop);
}

/* ---- signals ---- */

static const int signal_numbers[MONITOR_N_SIGNALS] = {
        [MONITOR_CHLD] = SIGCHLD,
        [MONITOR_HUP] = SIGHUP,
        [MONITOR_TERM] = SIGTERM,
        [MONITOR_INT] = SIGINT,
};

static void on_signal(uv_signal_t *s, int number)
{
	struct monitor *m = s->data;
	struct text messages = {0};
	switch (number) {
	case SIGCHLD:
		monitor_children_reap(m);
		break;
	case SIGHUP:
		if (!m->is_stopping && monitor_reload(m, &messages) < 0)
			log_line(LOG_DEBUG, "reload failed"); /* it has said why */
		break;
	case SIGTERM:
	case SIGINT:
		log_line(LOG_NOTICE, "ending: %s", strsignal(number));
		monitor_stop(m, number == SIGINT, 0);
		break;
	default:
		break;
	}
	text_done(&messages);
}

static int signals_open(struct monitor *m)
{
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < MONITOR_N_SIGNALS; i++) {
		int r = uv_signal_init(&m->loop, &m->signals[i]);
		if (r == 0) {
			m->signals[i].data = m;
			r = uv_signal_start(&m->signals[i], on_signal, signal_numbers[i]);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static void handle_close(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

/* Closes every handle, so that the loop can be closed. */
static void loop_end(struct monitor *m)
{
	uv_walk(&m->loop, handle_close, NULL);
	uv_run(&m->loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&m->loop) != 0)
		log_line(LOG_WARNING, "the event loop has handles left");
}

int monitor_run(const struct options *opts, struct config *config, int ready_fd)
{
	struct monitor m = {.opts = opts,
	        .config = config,
	        .auth_dir_fd = -1,
	        .log_fd = -1,
	        .ready_fd = ready_fd,
	        .exit_status = 1};
	struct text why = {0};
	sandbox_hide_memory();
	gateway_if_init(&m.ifs);
	int r = uv_loop_init(&m.loop);
	if (r < 0) {
		start_failed(&m, err_text(r));
		goto out;
	}
	if ((r = monitor_log_target(opts, config, &why)) == 0 && (r = monitor_log_open(&m.log, &m.loop)) == 0)
		monitor_log_apply(&m.log, config);
	if (r < 0 || (r = monitor_open(&m, &why)) < 0) {
		start_failed(&m, text_cstr(&why));
		goto out_loop;
	}
	if ((r = signals_open(&m)) < 0 || (r = monitor_children_init(&m)) < 0 ||
	        (r = monitor_children_start(&m)) < 0) {
		start_failed(&m, err_text(r));
		if (r < 0 && monitor_children_alive(&m))
			monitor_stop(&m, false, 1);
		else
			goto out_loop;
	}
	uv_run(&m.loop, UV_RUN_DEFAULT);
out_loop:
	monitor_log_close(&m.log);
	loop_end(&m);
out:
	monitor_close(&m);
	if (m.is_stopping)
		log_line(LOG_NOTICE, "ended");
	log_close();
	text_done(&why);
	return m.exit_status;
}
