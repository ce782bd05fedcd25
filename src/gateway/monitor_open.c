/* What the monitor opens at the start and closes at the end: log, directories, certificate, interfaces. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/log_setup.h"
#include "gateway/monitor_int.h"
#include "io/log.h"

#define MONITOR_NOBODY 65534

int monitor_log_target(const struct options *opts, const struct config *c, struct text *why)
{
	static const enum log_target targets[IPC_LOG_N] = {
	        [IPC_LOG_STDERR] = LOG_TO_STDERR,
	        [IPC_LOG_SYSLOG] = LOG_TO_SYSLOG,
	        [IPC_LOG_FILE] = LOG_TO_FILE,
	};
	const struct log_config log = {
	        .target = targets[opts->log_target],
	        .file = opts->log_file,
	        .program = "culvertd",
	        .max_level = log_setup_own_level(c),
	        .is_json = c->logging.format == 1,
	};
	int r = log_open(&log);
	if (r < 0)
		text_fmt(
		        why, "cannot open the log %s: %s", opts->log_file ? opts->log_file : "", err_text(r));
	return r;
}

/* A directory of exactly this mode and owner; the one above must exist. */
static int dir_make(const char *path, mode_t mode, uid_t uid, gid_t gid, struct text *why)
{
	int r = 0, fd;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0) {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0)
			r = -errno;
		if (fd >= 0)
			close(fd);
	}
	if (r < 0)
		text_fmt(why, "cannot make the directory %s: %s", path, err_text(r));
	return r;
}

/* The one that the socket is in, when it is missing; one that is there stays as it is. */
static int control_dir_make(const char *socket_path, struct text *why)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(socket_path, '/');
	if (slash == NULL || slash == socket_path || (size_t)(slash - socket_path) >= sizeof(dir))
		return 0;
	memcpy(dir, socket_path, (size_t)(slash - socket_path));
	dir[slash - socket_path] = '\0';
	return access(dir, F_OK) == 0 ? 0 : dir_make(dir, 0755, 0, 0, why);
}

static void user_find(struct monitor *m)
{
	const struct passwd *p = getpwnam(MONITOR_USER);
	if (p == NULL)
		p = getpwnam("nobody");
	m->uid = p != NULL ? p->pw_uid : MONITOR_NOBODY;
	m->gid = p != NULL ? p->pw_gid : MONITOR_NOBODY;
}

/* STATE is root's and has the key; STATE/auth belongs to the unprivileged user; STATE/empty to nobody. */
static int state_make(struct monitor *m, struct text *why)
{
	const char *state = m->opts->state_dir;
	int r;
	if (snprintf(m->auth_dir, sizeof(m->auth_dir), "%s/auth", state) > (int)IPC_PATH_MAX ||
	        snprintf(m->empty_dir, sizeof(m->empty_dir), "%s/empty", state) > (int)IPC_PATH_MAX) {
		text_str(why, "the path of the state directory is too long");
		return -ENAMETOOLONG;
	}
	if ((r = dir_make(state, 0711, 0, 0, why)) < 0 ||
	        (r = dir_make(m->auth_dir, 0700, m->uid, m->gid, why)) < 0 ||
	        (r = dir_make(m->empty_dir, 0555, 0, 0, why)) < 0)
		return r;
	m->auth_dir_fd = open(m->auth_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->auth_dir_fd < 0) {
		r = -errno;
		text_fmt(why, "cannot open %s: %s", m->auth_dir, err_text(r));
	}
	return r;
}

static int log_file_open(struct monitor *m, struct text *why)
{
	if (m->opts->log_target != IPC_LOG_FILE)
		return 0;
	m->log_fd = open(
	        m->opts->log_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0640);
	if (m->log_fd >= 0)
		return 0;
	int r = -errno;
	text_fmt(why, "cannot open the log %s: %s", m->opts->log_file, err_text(r));
	return r;
}

void monitor_pin_tell(const struct monitor *m)
{
	/* on standard error in any case: scripts and first-time users look there */
	fprintf(stderr, "culvertd: server pin %s\n", m->identity.pin);
	if (m->opts->log_target != IPC_LOG_STDERR)
		log_line(LOG_NOTICE, "server pin %s%s", m->identity.pin,
		        m->identity.is_self_signed ? " (self-signed)" : "");
	struct text warning = {0};
	identity_warn(&m->identity, (int64_t)time(NULL), &warning);
	if (warning.n > 0)
		log_line(LOG_WARNING, "%s", text_cstr(&warning));
	text_done(&warning);
}

int monitor_open(struct monitor *m, struct text *why)
{
	int r;
	if (geteuid() != 0) {
		text_str(why, "culvertd must be started as root: it gives its rights up itself");
		return -EPERM;
	}
	user_find(m);
	if ((r = state_make(m, why)) < 0 || (r = log_file_open(m, why)) < 0 ||
	        (r = control_dir_make(m->opts->control, why)) < 0)
		return r;
	if ((r = identity_load(m->config, m->opts->state_dir, (int64_t)time(NULL), &m->identity, why)) < 0)
		return r;
	monitor_pin_tell(m);
	m->ifs.offloads_refused = m->opts->offloads_refused;
	/* the ports before the device: when another gateway runs, it is they that name the reason best */
	if ((r = gateway_if_open_sockets(&m->ifs, m->config, m->opts->control, why)) < 0)
		return r;
	if ((r = gateway_if_open_tun(&m->ifs, m->config, why)) < 0)
		return r;
	gateway_if_steer(&m->ifs);
	return gateway_if_apply(&m->ifs, m->config, why);
}

void monitor_close(struct monitor *m)
{
	gateway_if_close(&m->ifs);
	identity_done(&m->identity);
	if (m->auth_dir_fd >= 0)
		close(m->auth_dir_fd);
	if (m->log_fd >= 0)
		close(m->log_fd);
	config_put(m->config);
	m->config = NULL;
}
