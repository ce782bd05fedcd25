#include "client/gate.h"

#include <stdio.h>

#include "client/file.h"

#define PEM_MAX_BYTES (1u << 20)

static int pem_read(const char *path, struct text *out, struct text *why)
{
	int err = path != NULL ? file_read(path, PEM_MAX_BYTES, out) : 0;
	if (err)
		text_fmt(why, "%s: %s", path, err_text(err));
	return err;
}

static struct span text_span(const struct text *t)
{
	return span_of(t->p, t->n);
}

static int gate_identity(struct gate *g, const struct connect_options *o, struct text *why)
{
	struct text ca = {0}, cert = {0}, key = {.is_secret = true};
	int err = pem_read(o->identity.ca_file, &ca, why);
	if (err == 0)
		err = pem_read(o->credential.certificate, &cert, why);
	if (err == 0)
		err = pem_read(o->credential.key, &key, why);
	if (err)
		goto exit;
	struct tls_client_opts opts = {
	        .pin = o->identity.pins,
	        .n_pin = o->identity.n_pins,
	        .ca_pem = text_span(&ca),
	        .wants_system_ca = true,
	        .cert_pem = text_span(&cert),
	        .key_pem = text_span(&key),
	};
	err = tls_client_ctx_new(&opts, why, &g->tls);
exit:
	text_done(&ca);
	text_done(&cert);
	text_done(&key);
	return err;
}

int gate_init(struct gate *g, const struct connect_options *o, struct text *why)
{
	*g = (struct gate){
	        .port = o->target.port,
	        .mss_bytes = o->tunnel.mtu_policy == MTU_SEAMLESS ? GATE_MSS_BYTES : 0,
	};
	(void)snprintf(g->host, sizeof(g->host), "%s", o->target.host);
	(void)snprintf(g->user, sizeof(g->user), "%s", o->target.user);
	return gate_identity(g, o, why);
}

void gate_done(struct gate *g)
{
	tls_client_ctx_put(g->tls);
	explicit_bzero(g, sizeof(*g));
}
