/* START: the process locks itself in, opens the store and takes the sessions up that it holds. */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/auth_int.h"
#include "io/log.h"
#include "io/sandbox.h"

static const char store_name[] = "sessions.db";

/* From here on only the state directory exists. uid 0 in START: stay as we are. */
static int lock_in(const struct auth *auth, const struct ipc_start *auth_start)
{
	char user[64] = "nobody", root[64];
	const char *step = "";
	if (auth->state_fd >= 0 && fchdir(auth->state_fd) < 0)
		return -errno;
	if (auth_start->uid == 0)
		return 0;
	struct passwd pw, *found = NULL;
	char buf[4096];
	if (getpwuid_r(auth_start->uid, &pw, buf, sizeof(buf), &found) == 0 && found)
		(void)snprintf(user, sizeof(user), "%s", pw.pw_name);
	(void)snprintf(root, sizeof(root), "/proc/self/fd/%d", auth->state_fd);
	bool is_root = geteuid() == 0;
	struct sandbox_config config = {
	        .profile = SANDBOX_AUTH,
	        .user = user,
	        .root_dir = is_root && auth->state_fd >= 0 ? root : NULL,
	        .keeps_user = !is_root,
	};
	int r = sandbox_enter(&config, &step);
	if (r < 0)
		log_msg(2, "CULVERT", 101005, "Auth could not be locked in at %s: %s", step, err_text(r));
	return r;
}

static int store_open(const struct auth *auth, struct store **ret)
{
	struct store_report report = {0};
	int r = auth->state_fd < 0 ? -ENOENT : store_sqlite_open(store_name, ret, &report);
	if (r == 0 && report.was_set_aside)
		log_msg(3, "CULVERT", 101006,
		        "Session store was not usable (%s): renamed to %s.damaged, begun anew", report.text,
		        store_name);
	if (r == 0)
		return 0;
	log_msg(3, "CULVERT", 101007,
	        "Session store cannot be opened (%s): sessions will not survive a restart",
	        report.text[0] ? report.text : err_text(r));
	return store_memory_new(ret);
}

/* A log file came as a descriptor and is standard error by now. */
static int log_begin(const struct ipc_start *in)
{
	return log_open(&(struct log_config){
	        .target = in->log_target == IPC_LOG_SYSLOG ? LOG_TO_SYSLOG : LOG_TO_STDERR,
	        .program = "culvertd",
	        .max_level = in->log_level,
	        .is_json = in->is_log_json,
	});
}

int auth_start(struct auth *auth, const struct ipc_start *in)
{
	const struct authority_host host = {.ctx = auth,
	        .entropy = auth_entropy,
	        .policy = auth_config_policy,
	        .kick = auth_kick,
	        .event = auth_log_event};
	struct store *st = NULL;
	int r = log_begin(in);
	if (r == 0)
		r = lock_in(auth, in);
	if (r == 0)
		r = store_open(auth, &st);
	if (r == 0)
		r = authority_new(&host, st, &auth->authority);
	if (r < 0) {
		store_free(st);
		return r;
	}
	r = auth_config_take(auth);
	if (r == 0)
		r = authority_load(auth->authority, auth_now_s(auth));
	if (r < 0)
		return r;
	auth->state = IPC_RUNNING;
	for (size_t i = 0; i < AUTH_LINKS_MAX && r == 0; i++)
		r = auth->links[i] ? auth_link_watch(auth->links[i]) : 0;
	auth_timer_update(auth);
	if (r == 0)
		auth_ready_send(auth);
	return r;
}
