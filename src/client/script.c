#include "client/script.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/child.h"

extern char **environ;

static const char *const reason_names[] = {
        "pre-init",
        "connect",
        "attempt-reconnect",
        "reconnect",
        "disconnect",
};

static void env_put(struct script_env *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Room for one more, and the end. */
static bool env_reserve(struct script_env *e)
{
	if (e->is_bad || e->n + 1 < e->cap)
		return !e->is_bad;
	size_t cap = e->cap ? 2 * e->cap : 128;
	char **v = reallocarray(e->v, cap, sizeof(*v));
	e->is_bad = v == NULL;
	if (e->is_bad)
		return false;
	e->v = v;
	e->cap = cap;
	e->v[e->n] = NULL;
	return true;
}

static void env_put(struct script_env *e, const char *fmt, ...)
{
	if (!env_reserve(e))
		return;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&e->v[e->n], fmt, ap) < 0)
		e->is_bad = true;
	else
		e->v[++e->n] = NULL;
	va_end(ap);
}

const char *script_env_get(const struct script_env *e, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < e->n; i++)
		if (strncmp(e->v[i], name, n) == 0 && e->v[i][n] == '=')
			return e->v[i] + n + 1;
	return NULL;
}

void script_env_done(struct script_env *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->v[i]);
	free(e->v);
	*e = (struct script_env){0};
}

static void put_list(struct script_env *e, const char *name, const struct ip_addr *a, size_t n)
{
	struct text t = {0};
	char buf[ADDR_TEXT_MAX];
	for (size_t i = 0; i < n; i++)
		text_fmt(&t, "%s%s", i ? " " : "", addr_format(&a[i], buf));
	if (n > 0)
		env_put(e, "%s=%s", name, text_cstr(&t));
	text_done(&t);
}

static void put_addresses(struct script_env *e, const struct tunnel_params *p)
{
	char a[ADDR_TEXT_MAX], b[PREFIX_TEXT_MAX];
	if (addr_is_set(&p->ip4.addr)) {
		struct ip_addr mask = addr_mask_v4(p->ip4.len), net = prefix_network(&p->ip4);
		env_put(e, "INTERNAL_IP4_ADDRESS=%s", addr_format(&p->ip4.addr, a));
		env_put(e, "INTERNAL_IP4_NETMASK=%s", addr_format(&mask, a));
		env_put(e, "INTERNAL_IP4_NETMASKLEN=%u", p->ip4.len);
		env_put(e, "INTERNAL_IP4_NETADDR=%s", addr_format(&net, a));
	}
	if (addr_is_set(&p->ip6.addr)) {
		env_put(e, "INTERNAL_IP6_ADDRESS=%s", addr_format(&p->ip6.addr, a));
		env_put(e, "INTERNAL_IP6_NETMASK=%s", prefix_format(&p->ip6, b));
	}
}

/* CISCO_SPLIT_INC=n and CISCO_SPLIT_INC_<i>_ADDR, _MASK, _MASKLEN; IPv6 with its own prefix and no _MASK. */
static void put_split(struct script_env *e, const char *what, const struct ip_prefix *routes, size_t n)
{
	for (unsigned family = 4; family <= 6; family += 2) {
		const char *v6 = family == 6 ? "IPV6_" : "";
		char a[ADDR_TEXT_MAX];
		unsigned k = 0;
		for (size_t i = 0; i < n; i++) {
			if (routes[i].addr.family != family)
				continue;
			struct ip_addr net = prefix_network(&routes[i]);
			env_put(e, "CISCO_%sSPLIT_%s_%u_ADDR=%s", v6, what, k, addr_format(&net, a));
			env_put(e, "CISCO_%sSPLIT_%s_%u_MASKLEN=%u", v6, what, k, routes[i].len);
			if (family == 4) {
				struct ip_addr mask = addr_mask_v4(routes[i].len);
				env_put(e, "CISCO_SPLIT_%s_%u_MASK=%s", what, k, addr_format(&mask, a));
			}
			k++;
		}
		if (k > 0)
			env_put(e, "CISCO_%sSPLIT_%s=%u", v6, what, k);
	}
}

static void put_names(struct script_env *e, const struct tunnel_params *p)
{
	if (p->default_domain[0] != '\0')
		env_put(e, "CISCO_DEF_DOMAIN=%s", p->default_domain);
	if (p->banner[0] != '\0')
		env_put(e, "CISCO_BANNER=%s", p->banner);
	struct text t = {0};
	for (size_t i = 0; i < p->n_split_dns; i++)
		text_fmt(&t, "%s%s", i ? "," : "", p->split_dns[i]);
	if (p->n_split_dns > 0)
		env_put(e, "CISCO_SPLIT_DNS=%s", text_cstr(&t));
	text_done(&t);
}

static bool is_ours(const char *var)
{
	static const char *const prefixes[] = {"reason=", "VPNGATEWAY=", "VPNPID=", "TUNDEV=",
	        "IDLE_TIMEOUT=", "LOG_LEVEL=", "INTERNAL_IP", "CISCO_"};
	for (size_t i = 0; i < N_ELEM(prefixes); i++)
		if (strncmp(var, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

void script_env_build(const struct script_facts *f, enum script_reason reason, struct script_env *ret)
{
	char a[ADDR_TEXT_MAX];
	*ret = (struct script_env){0};
	for (char **v = environ; v != NULL && *v != NULL; v++)
		if (!is_ours(*v))
			env_put(ret, "%s", *v);
	env_put(ret, "reason=%s", reason_names[reason]);
	env_put(ret, "VPNGATEWAY=%s", addr_format(&f->gateway, a));
	env_put(ret, "VPNPID=%ld", (long)getpid());
	env_put(ret, "LOG_LEVEL=%u", f->verbosity);
	if (f->adapter[0] != '\0')
		env_put(ret, "TUNDEV=%s", f->adapter);
	if (f->params == NULL)
		return;
	env_put(ret, "IDLE_TIMEOUT=%u", f->params->idle_timeout_s);
	env_put(ret, "INTERNAL_IP4_MTU=%u", f->mtu);
	put_addresses(ret, f->params);
	put_list(ret, "INTERNAL_IP4_DNS", f->params->dns, f->params->n_dns);
	put_list(ret, "INTERNAL_IP4_NBNS", f->params->nbns, f->params->n_nbns);
	put_names(ret, f->params);
	put_split(ret, "INC", f->params->include, f->params->n_include);
	put_split(ret, "EXC", f->params->exclude, f->params->n_exclude);
	if (f->cstp_options != NULL && f->cstp_options[0] != '\0')
		env_put(ret, "CISCO_CSTP_OPTIONS=%s", f->cstp_options);
}

static void script_child(const struct script_facts *f, char **env)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	execle("/bin/sh", "sh", "-c", f->command, (char *)NULL, env);
	_exit(127);
}

int script_run(const struct script_facts *f, enum script_reason reason)
{
	struct script_env env;
	int err = -ENOMEM;
	script_env_build(f, reason, &env);
	if (!env.is_bad) {
		pid_t pid = fork();
		if (pid == 0)
			script_child(f, env.v);
		err = child_wait(pid);
	}
	script_env_done(&env);
	return err;
}
