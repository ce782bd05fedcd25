#include "ctl/ask.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/rd.h"
#include "io/sock.h"

#define REQUEST_MAX 4096
#define PACKET_MAX  65536

/* The request as JSON; free(). NULL: some word is not UTF-8. */
static char *request_text(const char *const *argv, size_t argc, bool is_json)
{
	json_t *words = json_array();
	int r = words ? 0 : -1;
	for (size_t i = 0; r == 0 && i < argc; i++)
		r = json_array_append_new(words, json_string(argv[i]));
	json_t *j = json_pack("{s:o, s:b}", "argv", words, "json", is_json);
	char *text = r == 0 && j ? json_dumps(j, JSON_COMPACT) : NULL;
	json_decref(j);
	return text;
}

static int wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};
	int r;
	do
		r = poll(&p, 1, ASK_WAIT_MS);
	while (r < 0 && errno == EINTR);
	return r > 0 ? 0 : r == 0 ? ERR_TIMEOUT : -errno;
}

static int send_request(int fd, struct span request)
{
	int r = wait_for(fd, POLLOUT);
	if (r < 0)
		return r;
	return send(fd, request.p, request.n, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* ---- text ---- */

static bool is_plain(uint8_t c)
{
	return c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f && c != 0xc2);
}

/* The first half of a character waits for the other, which may be in the next packet; what is left out
 * between them does not count. */
static void put_after_c2(struct ask_answer *a, struct text *to, struct span *rest)
{
	uint8_t c = rest->p[0];
	if (c != 0xc2 && !is_plain(c)) {
		*rest = span_skip(*rest, 1);
		return;
	}
	a->has_c2 = false;
	if (!text_makes_c1('\xc2', c)) {
		text_put(to, span_of("\xc2", 1));
		return;
	}
	text_str(to, "?");
	*rest = span_skip(*rest, 1);
}

static void put_clean(struct ask_answer *a, struct text *to, struct span rest)
{
	while (rest.n > 0) {
		size_t n = 0;
		if (a->has_c2) {
			put_after_c2(a, to, &rest);
			continue;
		}
		while (n < rest.n && is_plain(rest.p[n]))
			n++;
		text_put(to, span_of(rest.p, n));
		a->has_c2 = n < rest.n && rest.p[n] == 0xc2;
		rest = span_skip(rest, n + 1);
	}
}

/* ---- packets ---- */

#define STREAM_BEGINS 2

/* One packet of the answer. 1: it was the last; STREAM_BEGINS. */
static int take_packet(struct span packet, struct ask_answer *ret)
{
	struct rd r = rd_open(packet);
	uint8_t kind = rd_u8(&r);
	if (kind == 'S')
		return rd_end(&r) ? STREAM_BEGINS : ERR_PEER_PROTOCOL;
	if (kind == 'D') {
		put_clean(ret, &ret->text, rd_rest(&r));
		return rd_ok(&r) ? 0 : ERR_PEER_PROTOCOL;
	}
	uint32_t status = rd_u32(&r);
	put_clean(ret, &ret->cut, rd_rest(&r));
	if (kind != 'E' || !rd_ok(&r) || status > 255)
		return ERR_PEER_PROTOCOL;
	ret->status = status;
	return 1;
}

/* 0 when something was read or a signal came; what take_packet() says; ERR_CLOSED, -errno. */
static int read_packet(int fd, uint8_t *buf, struct ask_answer *ret)
{
	ssize_t n = recv(fd, buf, PACKET_MAX, 0);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	return n == 0 ? ERR_CLOSED : take_packet(span_of(buf, (size_t)n), ret);
}

/* ---- streams ---- */

static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	is_interrupted = 1;
}

/* SIGINT arrives only while ppoll() waits, so that none is missed between a look at the flag and the wait. */
static int stream_packets(
        int fd, uint8_t *buf, const sigset_t *waiting, ask_data_f *f, void *ctx, struct ask_answer *ret)
{
	struct text *out = &ret->text;
	int r = 0;
	while (r == 0 && !is_interrupted) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (out->n > 0 && !f(ctx, span_of(out->p, out->n)))
			break;
		text_done(out);
		r = ppoll(&p, 1, NULL, waiting);
		if (r < 0)
			r = errno == EINTR ? 0 : -errno;
		else
			r = read_packet(fd, buf, ret);
	}
	if (r == 0)
		ret->status = 0;
	return r;
}

static int read_stream(int fd, uint8_t *buf, ask_data_f *f, void *ctx, struct ask_answer *ret)
{
	struct sigaction before, now = {.sa_handler = on_interrupt};
	sigset_t interrupt, waiting;
	is_interrupted = 0;
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	if (sigprocmask(SIG_BLOCK, &interrupt, &waiting) < 0 || sigaction(SIGINT, &now, &before) < 0)
		return -errno;
	int r = stream_packets(fd, buf, &waiting, f, ctx, ret);
	if (sigaction(SIGINT, &before, NULL) < 0 || sigprocmask(SIG_SETMASK, &waiting, NULL) < 0)
		return -errno;
	return r;
}

/* Gives away what is too much to keep. */
static int hand_on(struct ask_answer *a, ask_data_f *f, void *ctx)
{
	if (f == NULL || a->text.n <= ASK_HOLD_BYTES)
		return 0;
	bool goes_on = f(ctx, span_of(a->text.p, a->text.n));
	text_done(&a->text);
	return goes_on ? 0 : -EPIPE;
}

static int read_answer(int fd, ask_data_f *f, void *ctx, struct ask_answer *ret)
{
	uint8_t *buf = malloc(PACKET_MAX);
	int r = buf ? 0 : -ENOMEM;
	while (r == 0 && (r = wait_for(fd, POLLIN)) == 0) {
		r = read_packet(fd, buf, ret);
		if (r == 0)
			r = hand_on(ret, f, ctx);
	}
	if (r == STREAM_BEGINS)
		r = f ? read_stream(fd, buf, f, ctx, ret) : ERR_UNSUPPORTED;
	free(buf);
	return r < 0 ? r : text_ok(&ret->text) ? 0 : -ENOMEM;
}

int ask_stream(const char *socket_path, const char *const *argv, size_t argc, bool is_json, ask_data_f *f,
        void *ctx, struct ask_answer *ret)
{
	int fd;
	*ret = (struct ask_answer){.status = 1};
	if (argc > ASK_MAX_WORDS)
		return ERR_TOO_LARGE;
	char *request = request_text(argv, argc, is_json);
	if (!request)
		return ERR_MALFORMED;
	int r = strlen(request) > REQUEST_MAX ? ERR_TOO_LARGE : sock_connect_unix(socket_path, &fd);
	if (r == 0) {
		r = send_request(fd, span_str(request));
		if (r == 0)
			r = read_answer(fd, f, ctx, ret);
		close(fd);
	}
	free(request);
	return r;
}

int ask(const char *socket_path, const char *const *argv, size_t argc, bool is_json, struct text *out,
        unsigned *ret_status)
{
	struct ask_answer a;
	int r = ask_stream(socket_path, argv, argc, is_json, NULL, NULL, &a);
	if (r == 0) {
		*ret_status = a.status;
		text_put(out, span_of(a.text.p, a.text.n));
	}
	ask_answer_done(&a);
	return r;
}

void ask_answer_done(struct ask_answer *a)
{
	text_done(&a->text);
	text_done(&a->cut);
}

void ask_explain(const char *socket_path, int err, struct text *out)
{
	switch (err) {
	case -ENOENT:
	case -ECONNREFUSED:
		text_fmt(out, "the gateway does not run (nobody listens at %s)", socket_path);
		break;
	case -EACCES:
	case -EPERM:
		text_fmt(out, "you are not allowed to use %s: become root or a member of its group",
		        socket_path);
		break;
	case -EAGAIN:
	case ERR_TIMEOUT:
		text_str(out, "the gateway does not answer");
		break;
	case ERR_CLOSED:
	case -EPIPE:
	case -ECONNRESET:
		text_str(out, "the gateway ended the connection (too many consoles, or it is stopping)");
		break;
	case ERR_TOO_LARGE:
		text_str(out, "the command is too long");
		break;
	case ERR_MALFORMED:
		text_str(out, "the command is not UTF-8 text");
		break;
	default:
		text_fmt(out, "%s: %s", socket_path, err_text(err));
	}
}
