#include "client/control.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "io/sock.h"

#define CONTROL_ASK_MS 5000

static void client_closed(struct loop_fd *f)
{
	struct control_client *cl = f->ctx;
	close(cl->sock);
	cl->sock = -1;
}

static void client_drop(struct control_client *cl)
{
	if (!uv_is_closing((uv_handle_t *)&cl->fd.poll))
		loop_fd_close(&cl->fd, client_closed);
}

static void client_ready(struct loop_fd *f, int err, int events)
{
	struct control_client *cl = f->ctx;
	char word[CONTROL_WORD_MAX];
	ssize_t n = err ? -1 : recv(cl->sock, word, sizeof(word), MSG_DONTWAIT);
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR) && !err)
		return;
	if (n > 0) {
		struct text answer = {0};
		cl->control->fn(cl->control->ctx, span_of(word, (size_t)n), cl->is_owner, &answer);
		/* a client that does not take its answer loses it */
		if (text_ok(&answer) && answer.n > 0 && answer.n <= CONTROL_ANSWER_MAX)
			(void)!send(cl->sock, answer.p, answer.n, MSG_DONTWAIT | MSG_NOSIGNAL);
		text_done(&answer);
		return;
	}
	client_drop(cl);
}

static bool peer_is_owner(int sock)
{
	uid_t uid;
	gid_t gid;
	pid_t pid;
	return sock_peer_cred(sock, &uid, &gid, &pid) == 0 && (uid == 0 || uid == getuid());
}

static bool may_stay(const struct control *c, bool is_owner)
{
	size_t n_others = 0;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		n_others += c->clients[i].sock >= 0 && !c->clients[i].is_owner;
	return is_owner || n_others < CONTROL_OTHERS_MAX;
}

static void client_take(struct control *c, int sock)
{
	bool is_owner = peer_is_owner(sock);
	for (size_t i = 0; may_stay(c, is_owner) && i < CONTROL_CLIENTS_MAX; i++) {
		struct control_client *cl = &c->clients[i];
		if (cl->sock >= 0)
			continue;
		if (loop_fd_open(&cl->fd, c->loop, sock, client_ready, cl) != 0)
			break;
		cl->control = c;
		cl->sock = sock;
		cl->is_owner = is_owner;
		if (loop_fd_watch(&cl->fd, UV_READABLE) != 0)
			client_drop(cl);
		return;
	}
	close(sock);
}

static void listen_ready(struct loop_fd *f, int err, int events)
{
	struct control *c = f->ctx;
	(void)err;
	(void)events;
	int sock = accept4(c->sock, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (sock >= 0)
		client_take(c, sock);
}

static int folder_make(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	if (slash == NULL || slash == path || (size_t)(slash - path) >= sizeof(folder))
		return 0;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	return mkdir(folder, 0755) == 0 || errno == EEXIST ? 0 : -errno;
}

int control_open(struct control *c, uv_loop_t *loop, const char *path, control_fn *fn, void *ctx)
{
	*c = (struct control){.loop = loop, .path = path, .fn = fn, .ctx = ctx, .sock = -1};
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		c->clients[i].sock = -1;
	int err = folder_make(path);
	if (err == 0)
		err = sock_listen_unix(path, 0666, (uid_t)-1, (gid_t)-1, &c->sock);
	if (err) {
		c->sock = -1;
		return err;
	}
	err = loop_fd_open(&c->listen, loop, c->sock, listen_ready, c);
	if (err == 0)
		err = loop_fd_watch(&c->listen, UV_READABLE);
	return err;
}

static void listen_closed(struct loop_fd *f)
{
	struct control *c = f->ctx;
	close(c->sock);
	c->sock = -1;
}

void control_close(struct control *c)
{
	if (c->sock < 0)
		return;
	unlink(c->path);
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (c->clients[i].sock >= 0)
			client_drop(&c->clients[i]);
	if (!uv_is_closing((uv_handle_t *)&c->listen.poll))
		loop_fd_close(&c->listen, listen_closed);
}

int control_ask(const char *path, const char *word, struct text *out)
{
	int fd;
	int err = sock_connect_unix(path, &fd);
	if (err)
		return err;
	char *buf = malloc(CONTROL_ANSWER_MAX);
	if (buf == NULL)
		err = -ENOMEM;
	else if (send(fd, word, strlen(word), MSG_NOSIGNAL) < 0)
		err = -errno;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	if (err == 0 && poll(&p, 1, CONTROL_ASK_MS) <= 0)
		err = ERR_TIMEOUT;
	ssize_t n = err == 0 ? recv(fd, buf, CONTROL_ANSWER_MAX, 0) : 0;
	if (n < 0)
		err = -errno;
	else if (n > 0)
		text_put(out, span_of(buf, (size_t)n));
	free(buf);
	close(fd);
	return err;
}

json_t *control_ask_json(const char *path, const char *word, struct text *why)
{
	struct text answer = {0};
	json_t *o = NULL;
	int err = control_ask(path, word, &answer);
	if (err == -ENOENT || err == -ECONNREFUSED)
		text_fmt(why, "not connected (nothing answers at %s)", path);
	else if (err)
		text_fmt(why, "%s: %s", path, err_text(err));
	else if ((o = json_loads(text_cstr(&answer), 0, NULL)) == NULL)
		text_fmt(why, "%s gave no sensible answer", path);
	text_done(&answer);
	const char *refusal = json_string_value(json_object_get(o, "error"));
	if (refusal == NULL)
		return o;
	text_str(why, refusal);
	json_decref(o);
	return NULL;
}
