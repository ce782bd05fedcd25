#include "ctl/ask.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
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

/* One packet of the answer. 1: it was the last. */
static int take_packet(struct span packet, struct text *out, unsigned *ret_status)
{
	struct rd r = rd_open(packet);
	uint8_t kind = rd_u8(&r);
	if (kind == 'D') {
		text_put(out, rd_rest(&r));
		return rd_ok(&r) ? 0 : ERR_PEER_PROTOCOL;
	}
	uint32_t status = rd_u32(&r);
	if (kind != 'E' || !rd_end(&r) || status > 255)
		return ERR_PEER_PROTOCOL;
	*ret_status = status;
	return 1;
}

static int read_answer(int fd, struct text *out, unsigned *ret_status)
{
	uint8_t *buf = malloc(PACKET_MAX);
	int r = buf ? 0 : -ENOMEM;
	while (r == 0 && (r = wait_for(fd, POLLIN)) == 0) {
		ssize_t n = recv(fd, buf, PACKET_MAX, 0);
		if (n < 0)
			r = errno == EINTR || errno == EAGAIN ? 0 : -errno;
		else
			r = n == 0 ? ERR_CLOSED : take_packet(span_of(buf, (size_t)n), out, ret_status);
	}
	free(buf);
	return r < 0 ? r : text_ok(out) ? 0 : -ENOMEM;
}

int ask(const char *socket_path, const char *const *argv, size_t argc, bool is_json, struct text *out,
        unsigned *ret_status)
{
	int fd;
	if (argc > ASK_MAX_WORDS)
		return ERR_TOO_LARGE;
	char *request = request_text(argv, argc, is_json);
	if (!request)
		return ERR_MALFORMED;
	int r = strlen(request) > REQUEST_MAX ? ERR_TOO_LARGE : sock_connect_unix(socket_path, &fd);
	if (r == 0) {
		r = send_request(fd, span_str(request));
		if (r == 0)
			r = read_answer(fd, out, ret_status);
		close(fd);
	}
	free(request);
	return r;
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
