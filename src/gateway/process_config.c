/* Configuration and certificate: read from the monitor's memory files by the main thread, shared with the
 * others by letter. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/config_text.h"
#include "gateway/process_int.h"
#include "gateway/tls_policy.h"
#include "io/log.h"

#define MEMFD_MAX_BYTES (8u << 20)

/* The whole of a memfd. Owned bytes in *ret; wiped and freed by the caller. */
static int read_memfd(int fd, struct text *ret)
{
	struct stat st;
	char buf[4096];
	off_t at = 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > MEMFD_MAX_BYTES)
		return ERR_TOO_LARGE;
	while (at < st.st_size) {
		ssize_t n = pread(fd, buf, sizeof(buf), at);
		if (n <= 0)
			return n < 0 ? -errno : ERR_MALFORMED;
		text_put(ret, span_of(buf, (size_t)n));
		at += n;
	}
	explicit_bzero(buf, sizeof(buf));
	return text_ok(ret) ? 0 : -ENOMEM;
}

int process_take_config(struct process *p, int fd)
{
	struct worker *w = p->threads[0];
	struct config *c;
	int r = config_text_read(fd, &c);
	if (r < 0)
		return r;
	config_put(w->config);
	w->config = c;
	if (w->ipc_state == IPC_RUNNING)
		log_relay_apply(&p->log_relay, c);
	return 0;
}

int process_take_cert(struct worker *w, int fd)
{
	struct text pem = {0}, why = {0};
	struct tls_server_ctx *ctx;
	int r = read_memfd(fd, &pem);
	if (r == 0) {
		struct span all = span_of(pem.p, pem.n);
		struct tls_server_opts o = {.cert_pem = all, .key_pem = all};
		if (w->config)
			o = tls_policy_opts(&w->config->ssl, all);
		r = tls_server_ctx_new(&o, &why, &ctx);
		if (r == 0)
			r = tls_cert_sha1_hex(all, w->cert_sha1);
	}
	tls_pem_wipe(&pem);
	if (r < 0) {
		log_line(LOG_ERR, "certificate: %s", why.n ? text_cstr(&why) : err_text(r));
	} else {
		tls_server_ctx_put(w->tls_ctx);
		w->tls_ctx = ctx;
	}
	text_done(&why);
	return r;
}

/* ---- to the other threads ---- */

struct settings_letter {
	struct mail mail;
	struct config *config;
	struct tls_server_ctx *tls_ctx;
	char cert_sha1[TLS_SHA1_TEXT_MAX];
};

static void settings_use(struct worker *w, struct mail *m)
{
	struct settings_letter *l = CONTAINER_OF(m, struct settings_letter, mail);
	config_put(w->config);
	tls_server_ctx_put(w->tls_ctx);
	w->config = l->config;
	w->tls_ctx = l->tls_ctx;
	memcpy(w->cert_sha1, l->cert_sha1, sizeof(w->cert_sha1));
	free(l);
}

struct mail *process_settings_letter(const struct worker *from)
{
	struct settings_letter *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
	l->mail.open = settings_use;
	l->config = config_get(from->config);
	l->tls_ctx = tls_server_ctx_get(from->tls_ctx);
	memcpy(l->cert_sha1, from->cert_sha1, sizeof(l->cert_sha1));
	return &l->mail;
}

int process_share_settings(struct process *p)
{
	for (unsigned i = 1; i < p->n_threads; i++) {
		struct mail *m = process_settings_letter(p->threads[0]);
		if (m == NULL)
			return -ENOMEM;
		process_mail(p->threads[i], m);
	}
	return 0;
}
