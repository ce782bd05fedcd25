#include "client/mtu_command.h"

#include <jansson.h>
#include <stdio.h>

#include "client/exits.h"
#include "client/mtu_options.h"
#include "mtu/advice.h"

struct report {
	struct mtu_request q;
	struct mtu_derivation d;
	struct mtu_advice advice[MTU_MAX_ADVICE];
	size_t n_advice;
};

/* ---- remarks ---- */

static void note_refusal(struct mtu_notes *n, const struct mtu_suite *s)
{
	if (s != NULL && !s->is_negotiable)
		mtu_note(n, "%s is explained only; Culvert refuses to speak it: %s.", s->name, s->refusal);
}

/* The exact size of a CBC suite with SHA-1 depends on the order, which both ends agree on. */
static void note_mac_order(struct mtu_notes *n, const struct report *r)
{
	struct mtu_input in = r->q.in;
	struct mtu_derivation d;
	bool is_last = in.mac_order == MTU_MAC_LAST;
	in.mac_order = is_last ? MTU_MAC_FIRST : MTU_MAC_LAST;
	if (mtu_derive(&in, &d) == 0 && (d.tls_limit != r->d.tls_limit || d.dtls_limit != r->d.dtls_limit))
		mtu_note(n, "%s encrypt-then-MAC (RFC 7366) the records hold %u bytes in TLS, %u in DTLS.",
		        is_last ? "Without" : "With", d.tls_limit, d.dtls_limit);
}

static void note_clamps(struct mtu_notes *n, const struct report *r)
{
	const struct mtu_input *in = &r->q.in;
	uint16_t floor = in->has_ip6 ? MTU_MIN_IP6 : MTU_MIN;
	unsigned most = r->d.base_mtu - (in->outer_family == 6 ? 60u : 40u);
	bool has_dtls = in->dtls_suite != NULL;
	if (in->tcpmss != 0 && in->tcpmss < r->d.mss)
		mtu_note(n, "A tcpmss of %u counts as %u: less holds no record.", in->tcpmss, r->d.mss);
	if (r->d.mss > most)
		mtu_note(n, "An MSS of %u does not fit the outer path, which has room for %u.", r->d.mss,
		        most);
	if (r->d.tls_limit < floor || (has_dtls && r->d.dtls_limit < floor))
		mtu_note(n,
		        "No MTU below %u is announced; a packet of that size needs more than one segment "
		        "or fragment of the outer path.",
		        floor);
}

static void add_notes(struct report *r)
{
	const struct mtu_input *in = &r->q.in;
	note_refusal(&r->q.notes, in->tls_suite);
	if (in->dtls_suite != in->tls_suite)
		note_refusal(&r->q.notes, in->dtls_suite);
	note_clamps(&r->q.notes, r);
	note_mac_order(&r->q.notes, r);
}

/* ---- JSON ---- */

static json_t *steps_json(const struct mtu_steps *s)
{
	json_t *a = json_array();
	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(
		        a, json_pack("{s:s, s:i}", "label", s->v[i].label, "value", s->v[i].value));
	return a;
}

static void append_line(void *ctx, const char *line)
{
	json_array_append_new(ctx, json_string(line));
}

static json_t *positive(uint32_t n)
{
	return n ? json_integer(n) : json_null();
}

static json_t *situation_json(const struct report *r)
{
	const struct mtu_input *in = &r->q.in;
	const struct mtu_suite *dtls = in->dtls_suite;
	return json_pack("{s:s, s:i, s:i, s:i, s:o, s:b, s:s, s:s, s:s?, s:s?}", "formula",
	        in->formula == MTU_CISCO ? "cisco" : "exact", "outer", in->outer_family, "base_mtu",
	        r->d.base_mtu, "mss", r->d.mss, "configured", positive(in->configured), "ip6", in->has_ip6,
	        "tls_cipher", in->tls_suite->name, "tls_version", mtu_version_name(in->tls_version),
	        "dtls_cipher", dtls ? dtls->name : NULL, "dtls_version",
	        dtls ? mtu_version_name(in->dtls_version) : NULL);
}

static void print_json(const struct report *r)
{
	json_t *o = situation_json(r), *advice = json_array(), *notes = json_array(), *words = json_array();
	for (size_t i = 0; i < r->n_advice; i++)
		append_line(advice, r->advice[i].line);
	for (size_t i = 0; i < r->q.notes.n; i++)
		append_line(notes, r->q.notes.v[i]);
	mtu_explain(&r->q.in, &r->d, append_line, words);
	json_object_set_new(o, "tls_mtu", json_integer(r->d.tls));
	json_object_set_new(o, "dtls_mtu", positive(r->d.dtls));
	json_object_set_new(o, "adapter_mtu", json_integer(r->d.adapter));
	json_object_set_new(o, "reconnect_expected", json_boolean(r->d.is_reconnect_expected));
	json_object_set_new(o, "tls_steps", steps_json(&r->d.tls_steps));
	json_object_set_new(o, "dtls_steps", steps_json(&r->d.dtls_steps));
	json_object_set_new(o, "advice", advice);
	json_object_set_new(o, "notes", notes);
	json_object_set_new(o, "explanation", words);
	json_dumpf(o, stdout, JSON_INDENT(2));
	printf("\n");
	json_decref(o);
}

/* ---- text ---- */

static void print_steps(
        const char *tunnel, const struct mtu_suite *suite, enum mtu_version v, const struct mtu_steps *s)
{
	printf("%s tunnel: %s, %s\n", tunnel, suite->name, mtu_version_name(v));
	for (size_t i = 0; i < s->n; i++) {
		int32_t n = s->v[i].value;
		char sign = i + 1 == s->n ? '=' : i == 0 ? ' ' : n > 0 ? '+' : '-';
		printf("  %c %5d  %s\n", sign, n < 0 ? -n : n, s->v[i].label);
	}
	printf("\n");
}

static void print_line(void *ctx, const char *line)
{
	(void)ctx;
	printf("    %s\n", line);
}

static void print_verdict(const struct report *r)
{
	const struct mtu_derivation *d = &r->d;
	if (d->is_reconnect_expected) {
		printf("The event of tech note 116881 will occur when UDP is blocked.\n"
		       "The adapter starts with %u bytes, but TLS carries only %u. Packets of %u to %u bytes "
		       "with DF\n"
		       "set are dropped (mp-svc-no-fragment, 722036), and after about a minute the client "
		       "reconnects\n"
		       "to lower the adapter's MTU (reason code 16, \"New MTU configuration\").\n",
		        d->adapter, d->tls, d->tls + 1u, d->adapter);
		return;
	}
	printf("The event of tech note 116881 will not occur.\n");
	if (r->q.in.dtls_suite == NULL)
		printf("There is no DTLS tunnel: the adapter has the TLS MTU from the start.\n");
	else if (d->tls == d->adapter)
		printf("Both tunnels have the same MTU: the adapter stays as it is when UDP is blocked.\n");
	else
		printf("TLS carries %u bytes, more than the adapter's %u: it stays as it is when UDP is "
		       "blocked.\n",
		        d->tls, d->adapter);
}

static void print_advice(const struct report *r)
{
	if (r->n_advice > 0)
		printf("\nWhat helps, each by itself:\n");
	for (size_t i = 0; i < r->n_advice; i++) {
		const struct mtu_advice *a = &r->advice[i];
		printf("  %s\n      in: %s\n      %s%s%s\n", a->line, a->where, a->effect,
		        a->side_effects[0] ? " " : "", a->side_effects);
	}
	for (size_t i = 0; i < r->q.notes.n; i++)
		printf("%sNote: %s\n", i == 0 ? "\n" : "", r->q.notes.v[i]);
}

static void print_text(const struct report *r)
{
	const struct mtu_input *in = &r->q.in;
	printf("%s, outer path of %u bytes over IPv%u\n\n",
	        in->formula == MTU_CISCO ? "As an ASA counts" : "True record sizes", r->d.base_mtu,
	        in->outer_family);
	print_steps("TLS", in->tls_suite, in->tls_version, &r->d.tls_steps);
	if (in->dtls_suite != NULL)
		print_steps("DTLS", in->dtls_suite, in->dtls_version, &r->d.dtls_steps);
	printf("In the words of \"debug webvpn anyconnect\":\n");
	mtu_explain(in, &r->d, print_line, NULL);
	printf("\nTLS MTU      %u\n", r->d.tls);
	if (in->dtls_suite != NULL)
		printf("DTLS MTU     %u\n", r->d.dtls);
	printf("Adapter MTU  %u (%s, before DTLS is up)\n\n", r->d.adapter,
	        in->dtls_suite != NULL ? "the DTLS MTU" : "the TLS MTU");
	print_verdict(r);
	print_advice(r);
}

static void print_list(void)
{
	size_t n;
	const struct mtu_suite *s = mtu_suites(&n);
	for (size_t i = 0; i < n; i++)
		printf("%-32s %-46s%s\n", s[i].name, s[i].iana_name,
		        s[i].is_negotiable ? "" : " explained only");
}

int mtu_command(int argc, char **argv)
{
	struct report r = {0};
	struct text say = {0};
	enum options_verdict verdict = mtu_options_parse(argc, argv, &r.q, &say);
	if (verdict != OPTIONS_OK)
		return option_table_say(verdict, &say);
	if (r.q.wants_list) {
		print_list();
		return 0;
	}
	if (mtu_derive(&r.q.in, &r.d) < 0) /* mtu_options_parse() has checked all of it */
		return EXIT_USAGE;
	r.n_advice = mtu_advise(&r.q.in, &r.d, r.advice);
	add_notes(&r);
	if (r.q.is_json)
		print_json(&r);
	else
		print_text(&r);
	return 0;
}
