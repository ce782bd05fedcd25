#include "gateway/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/conf_file.h"
#include "gateway/tls_policy.h"
#include "io/netlink.h"

#define IDENTITY_ADDRS_MAX 64
#define IDENTITY_WARN_S    (30 * INT64_C(86400))

static int file_write(const char *path, const struct text *t)
{
	char tmp[PATH_MAX];
	if (snprintf(tmp, sizeof(tmp), "%s.new", path) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	if (unlink(tmp) < 0 && errno != ENOENT)
		return -errno;
	int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	int r = 0;
	if (write(fd, t->p, t->n) != (ssize_t)t->n || fsync(fd) < 0)
		r = errno != 0 ? -errno : -EIO;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(tmp, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(tmp);
	return r;
}

/* Addresses that clients may have typed to get here. Without them the certificate is only less handy. */
static size_t local_addrs(struct ip_addr *ret, size_t max)
{
	struct netlink *nl;
	struct netlink_address list[IDENTITY_ADDRS_MAX];
	size_t n_list, n = 0;
	if (netlink_open(&nl) < 0)
		return 0;
	if (netlink_address_list(nl, 0, list, N_ELEM(list), &n_list) == 0)
		for (size_t i = 0; i < n_list && n < max; i++) {
			const struct ip_addr *a = &list[i].local.addr;
			const bool is_link_local =
			        a->family == 6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
			if (!is_link_local)
				ret[n++] = *a;
		}
	netlink_close(nl);
	return n;
}

static int self_signed_make(const struct config *c, int64_t now_s, struct text *cert, struct text *key)
{
	struct ip_addr ip[IDENTITY_ADDRS_MAX];
	char host[65] = "";
	if (c->hostname[0] == '\0' && gethostname(host, sizeof(host) - 1) < 0)
		host[0] = '\0';
	const char *name = c->hostname[0] != '\0' ? c->hostname : host[0] != '\0' ? host : "culvert";
	const struct tls_selfsigned want = {
	        .common_name = name,
	        .dns_name = &name,
	        .n_dns_name = 1,
	        .ip = ip,
	        .n_ip = local_addrs(ip, N_ELEM(ip)),
	        .now_s = now_s,
	        .valid_days = IDENTITY_VALID_DAYS,
	};
	return tls_selfsigned_make(&want, cert, key);
}

static int self_signed_get(const struct config *c, const char *cert_path, const char *key_path, int64_t now_s,
        struct text *cert, struct text *key, struct text *why)
{
	int r = conf_file_slurp(cert_path, IDENTITY_PEM_MAX_BYTES, cert);
	if (r == 0)
		r = conf_file_slurp(key_path, IDENTITY_PEM_MAX_BYTES, key);
	if (r != -ENOENT) {
		if (r < 0)
			text_fmt(why, "%s, %s: %s", cert_path, key_path, err_text(r));
		return r;
	}
	tls_pem_wipe(cert);
	tls_pem_wipe(key);
	if ((r = self_signed_make(c, now_s, cert, key)) < 0) {
		text_fmt(why, "cannot make a self-signed certificate: %s", err_text(r));
		return r;
	}
	/* the key first: a certificate without its key would be found at the next start */
	if ((r = file_write(key_path, key)) < 0 || (r = file_write(cert_path, cert)) < 0)
		text_fmt(why, "cannot write %s: %s", cert_path, err_text(r));
	return r;
}

static int trustpoint_get(const struct config *c, struct text *cert, struct text *key, struct text *why)
{
	const struct trustpoint *tp =
	        config_find_trustpoint(c, span_of(c->ssl.trustpoint, strlen(c->ssl.trustpoint)));
	if (tp == NULL || tp->certificate_file == NULL) {
		text_fmt(why,
		        "ssl trust-point %s: \"crypto ca trustpoint %s\" has no \"certificate-file PATH\"",
		        c->ssl.trustpoint, c->ssl.trustpoint);
		return ERR_CONFIG;
	}
	const char *path = tp->certificate_file;
	int r = conf_file_slurp(path, IDENTITY_PEM_MAX_BYTES, cert);
	if (r == 0 && tp->key_file != NULL) {
		path = tp->key_file;
		r = conf_file_slurp(path, IDENTITY_PEM_MAX_BYTES, key);
	}
	if (r < 0)
		text_fmt(why, "ssl trust-point %s: %s: %s", c->ssl.trustpoint, path, err_text(r));
	return r;
}

/* Here rather than in the worker, so that a reload with a wrong key, or suites that want another kind of key,
 * changes nothing. */
static int identity_check(const struct config *c, struct span pem, struct text *why)
{
	const struct tls_server_opts opts = tls_policy_opts(&c->ssl, pem);
	struct tls_server_ctx *ctx;
	struct text detail = {0};
	int r = tls_server_ctx_new(&opts, &detail, &ctx);
	if (r == 0)
		tls_server_ctx_put(ctx);
	else
		text_fmt(why, "certificate and key cannot be used: %s",
		        detail.n > 0 ? text_cstr(&detail) : err_text(r));
	text_done(&detail);
	return r;
}

static int identity_join(const struct config *c, const struct text *cert, const struct text *key,
        struct identity *id, struct text *why)
{
	struct text pem = {0};
	int r = tls_cert_pin(span_of(cert->p, cert->n), id->pin);
	if (r == 0)
		r = tls_cert_validity(span_of(cert->p, cert->n), &id->valid_from_s, &id->valid_until_s);
	if (r < 0) {
		text_str(why, "no certificate in the certificate file: it must begin with one in PEM");
		return r;
	}
	text_put(&pem, span_of(cert->p, cert->n));
	if (cert->n > 0 && cert->p[cert->n - 1] != '\n')
		text_str(&pem, "\n");
	text_put(&pem, span_of(key->p, key->n));
	r = text_ok(&pem) ? identity_check(c, span_of(pem.p, pem.n), why) : -ENOMEM;
	if (r < 0)
		tls_pem_wipe(&pem);
	else
		id->pem = pem;
	return r;
}

int identity_load(
        const struct config *c, const char *state_dir, int64_t now_s, struct identity *ret, struct text *why)
{
	struct identity id = {.is_self_signed = c->ssl.trustpoint[0] == '\0'};
	struct text cert = {0}, key = {0};
	char cert_path[PATH_MAX], key_path[PATH_MAX];
	int r = -ENAMETOOLONG;
	if (snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", state_dir) >= (int)sizeof(cert_path) ||
	        snprintf(key_path, sizeof(key_path), "%s/key.pem", state_dir) >= (int)sizeof(key_path))
		goto out;
	if (id.is_self_signed)
		r = self_signed_get(c, cert_path, key_path, now_s, &cert, &key, why);
	else
		r = trustpoint_get(c, &cert, &key, why);
	if (r == 0)
		r = identity_join(c, &cert, &key, &id, why);
	if (r == 0)
		*ret = id;
out:
	tls_pem_wipe(&cert);
	tls_pem_wipe(&key);
	return r;
}

int identity_test(const struct config *c, struct identity *ret, struct text *why)
{
	*ret = (struct identity){0};
	return c->ssl.trustpoint[0] == '\0' ? 0 : identity_load(c, "", 0, ret, why);
}

void identity_warn(const struct identity *id, int64_t now_s, struct text *ret)
{
	char day[16] = "?";
	bool is_early = now_s < id->valid_from_s;
	time_t t = (time_t)(is_early ? id->valid_from_s : id->valid_until_s);
	struct tm tm;
	if (id->pem.n == 0 || (!is_early && now_s < id->valid_until_s - IDENTITY_WARN_S))
		return;
	if (gmtime_r(&t, &tm) != NULL)
		strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	if (is_early)
		text_fmt(ret, "the certificate is not valid before %s: is the clock of this machine right?",
		        day);
	else
		text_fmt(ret, "the certificate %s on %s: clients refuse it %s, unless they are given its pin",
		        now_s < id->valid_until_s ? "expires" : "expired", day,
		        now_s < id->valid_until_s ? "from then on" : "now");
}

void identity_done(struct identity *id)
{
	tls_pem_wipe(&id->pem);
}
