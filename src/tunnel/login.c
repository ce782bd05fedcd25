#include "tunnel/login.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/parse.h"
#include "tunnel/login_jar.h"

/* ---- ends ---- */

static void login_fail(struct login *l, int failure, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void login_fail(struct login *l, int failure, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	/* the format is always ours; a cut text is still a text */
	(void)vsnprintf(l->error, sizeof(l->error), fmt, ap);
	va_end(ap);
	l->failure = failure;
	l->state = LOGIN_FAILED;
}

static bool put_field(char *field, size_t cap, const char *value)
{
	return parse_name(span_str(value), field, cap) == 0;
}

/* ---- begin ---- */

static void login_prepare_init(struct login *l)
{
	auth_client_doc_wipe(&l->reply);
	l->reply.type = AUTH_DOC_INIT;
	l->state = LOGIN_SEND;
}

int login_init(struct login *l, const struct login_config *c)
{
	*l = (struct login){
	        .port = c->port,
	        .user_agent = c->user_agent,
	        .version = c->version,
	        .device_id = c->device_id,
	        .is_interactive = c->is_interactive,
	        .has_certificate = c->has_certificate,
	        .path = "/",
	};
	if (!put_field(l->host, sizeof(l->host), c->host))
		return -EINVAL;
	if (c->group != NULL && c->group[0] != '\0') {
		if (!put_field(l->group.wanted, sizeof(l->group.wanted), c->group))
			return -EINVAL;
		struct text path = {0};
		text_str(&path, "/");
		form_escape(&path, span_str(c->group));
		bool fits = text_ok(&path) && put_field(l->path, sizeof(l->path), text_cstr(&path));
		text_done(&path);
		if (!fits)
			return -EINVAL;
		l->group.is_by_path = true;
	}
	login_prepare_init(l);
	return 0;
}

void login_wipe(struct login *l)
{
	explicit_bzero(l, sizeof(*l));
}

/* ---- requests ---- */

void login_host_format(const char *host, uint16_t port, struct text *out)
{
	bool is_ip6 = strchr(host, ':') != NULL;
	text_fmt(out, "%s%s%s", is_ip6 ? "[" : "", host, is_ip6 ? "]" : "");
	if (port != 443)
		text_fmt(out, ":%u", port);
}

static void login_complete_doc(struct login *l, const char *host)
{
	struct auth_client_doc *d = &l->reply;
	(void)snprintf(d->version, sizeof(d->version), "%s", l->version);
	(void)snprintf(d->device_id, sizeof(d->device_id), "%s", l->device_id);
	(void)snprintf(d->group_select, sizeof(d->group_select), "%s", l->group.chosen);
	(void)snprintf(d->opaque, sizeof(d->opaque), "%s", l->opaque);
	d->has_cert_fail = l->is_cert_failed;
	d->group_access[0] = '\0';
	if (d->type == AUTH_DOC_INIT)
		(void)snprintf(d->group_access, sizeof(d->group_access), "https://%s%s", host, l->path);
}

void login_request_format(struct login *l, struct text *out)
{
	struct text body = {.is_secret = true}, host = {0};
	login_host_format(l->host, l->port, &host);
	login_complete_doc(l, text_cstr(&host));
	auth_client_doc_format(&l->reply, &body);
	text_fmt(out, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n", l->path, text_cstr(&host),
	        l->user_agent);
	login_jar_format(&l->jar, out);
	text_str(out, "Accept: */*\r\nAccept-Encoding: identity\r\nX-Transcend-Version: "
	              "1\r\nX-Aggregate-Auth: 1\r\n");
	/* header value and body together a multiple of 64, so that record sizes do not tell the password's
	 * length */
	unsigned pad = (unsigned)(64 - body.n % 64);
	text_fmt(out, "X-Pad: %0*d\r\n", (int)pad, 0);
	text_fmt(out, "Content-Type: application/xml; charset=utf-8\r\nContent-Length: %zu\r\n\r\n", body.n);
	text_put(out, span_of(body.p, body.n));
	if (!text_ok(&body) || !text_ok(&host))
		out->is_bad = true;
	text_done(&body);
	text_done(&host);
	l->wants_new_connection = false;
	l->has_moved = false;
	l->requests++;
}

bool login_may_resend(const struct login *l)
{
	return l->state == LOGIN_SEND && l->requests < LOGIN_MAX_REQUESTS;
}

/* ---- groups ---- */

static bool option_is(const struct auth_option *o, struct span wanted)
{
	return span_is_nocase(wanted, o->label) || span_is_nocase(wanted, o->value);
}

/* Exactly by label or value, else the only label that begins so (as openconnect's users know it). -1: none.
 */
static int group_find(const struct auth_server_doc *doc, struct span wanted)
{
	int found = -1;
	for (size_t i = 0; i < doc->n_options; i++)
		if (option_is(&doc->options[i], wanted))
			return (int)i;
	for (size_t i = 0; i < doc->n_options; i++) {
		struct span label = span_str(doc->options[i].label);
		if (wanted.n == 0 || label.n < wanted.n ||
		        strncasecmp((const char *)label.p, (const char *)wanted.p, wanted.n))
			continue;
		if (found >= 0)
			return -1;
		found = (int)i;
	}
	return found;
}

static int group_selected(const struct auth_server_doc *doc)
{
	for (size_t i = 0; i < doc->n_options; i++)
		if (doc->options[i].is_selected)
			return (int)i;
	return doc->n_options > 0 ? 0 : -1;
}

static void group_not_offered(struct login *l)
{
	struct text names = {0};
	for (size_t i = 0; i < l->doc.n_options; i++)
		text_fmt(&names, "%s%s", i ? ", " : "", l->doc.options[i].label);
	login_fail(l, ERR_REFUSED, "The gateway has no group \"%s\". It offers: %s.", l->group.wanted,
	        text_cstr(&names));
	text_done(&names);
}

/* The group is settled to option i; true when the gateway has to be asked for that group's own form first. */
static bool group_settle(struct login *l, int i)
{
	const struct auth_option *o = &l->doc.options[i];
	bool is_new = strcmp(l->group.chosen, o->value) != 0;
	(void)snprintf(l->group.chosen, sizeof(l->group.chosen), "%s", o->value);
	if (!is_new || i == group_selected(&l->doc) || l->group.tries >= LOGIN_MAX_GROUP_TRIES)
		return false;
	l->group.tries++;
	login_prepare_init(l);
	return true;
}

enum group_verdict { GROUP_FINE, GROUP_ASK, GROUP_STOP };

static enum group_verdict group_decide(struct login *l)
{
	if (l->doc.n_options == 0) {
		if (l->group.wanted[0] == '\0' || l->group.chosen[0] != '\0' || l->group.is_path_accepted)
			return GROUP_FINE;
		login_fail(l, ERR_REFUSED, "The gateway has no group \"%s\"; it has no groups at all.",
		        l->group.wanted);
		return GROUP_STOP;
	}
	int i = group_selected(&l->doc);
	if (l->group.chosen[0] != '\0')
		i = group_find(&l->doc, span_str(l->group.chosen));
	else if (l->group.wanted[0] != '\0')
		i = group_find(&l->doc, span_str(l->group.wanted));
	else if (l->is_interactive && l->doc.n_options > 1)
		return GROUP_ASK;
	if (i < 0 && l->group.is_path_accepted)
		i = group_selected(&l->doc);
	if (i < 0) {
		group_not_offered(l);
		return GROUP_STOP;
	}
	return group_settle(l, i) ? GROUP_STOP : GROUP_FINE;
}

/* ---- forms ---- */

static bool name_is_one_of(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

/* Fields that openconnect sends as <password>, and those it does not send (wire-protocol.md 1.5). */
static const char *const sent_as_password[] = {"password", "answer", "whichpin", "new_password", NULL};
static const char *const never_sent[] = {"verify_pin", "verify_password", NULL};

static enum login_ask input_kind(const struct auth_input *in)
{
	if (in->type == AUTH_INPUT_TEXT)
		return strcmp(in->name, "username") == 0 ? LOGIN_ASK_USERNAME : LOGIN_ASK_TEXT;
	return strcmp(in->name, "password") == 0 ? LOGIN_ASK_PASSWORD : LOGIN_ASK_SECOND;
}

static bool is_answered(const struct login *l, const char *name)
{
	for (size_t i = 0; i < l->n_answered; i++)
		if (strcmp(l->answered[i], name) == 0)
			return true;
	return false;
}

static void remember_answered(struct login *l, const char *name)
{
	if (!is_answered(l, name) && l->n_answered < AUTH_MAX_FIELDS)
		memcpy(l->answered[l->n_answered++], name, strlen(name) + 1); /* both are AUTH_FIELD_BYTES */
}

/* -ENOSPC when the form has more fields than a reply can carry. */
static int reply_put(struct login *l, const char *name, const char *value)
{
	struct auth_client_doc *r = &l->reply;
	if (strcmp(name, "username") == 0) {
		(void)snprintf(r->username, sizeof(r->username), "%s", value);
		r->has_username = true;
	} else if (name_is_one_of(name, sent_as_password)) {
		(void)snprintf(r->password, sizeof(r->password), "%s", value);
		r->has_password = true;
	} else if (!name_is_one_of(name, never_sent)) {
		if (r->n_fields == AUTH_MAX_FIELDS)
			return -ENOSPC;
		struct auth_field *f = &r->fields[r->n_fields++];
		(void)snprintf(f->name, sizeof(f->name), "%s", name);
		(void)snprintf(f->value, sizeof(f->value), "%s", value);
	}
	return 0;
}

/* Goes on with the form from input `at`: hidden fields by themselves, the first open one becomes a question.
 */
static void form_advance(struct login *l)
{
	for (; l->at < l->doc.n_inputs; l->at++) {
		const struct auth_input *in = &l->doc.inputs[l->at];
		switch (in->type) {
		case AUTH_INPUT_SUBMIT:
			continue;
		case AUTH_INPUT_HIDDEN:
			if (reply_put(l, in->name, in->value) == 0)
				continue;
			login_fail(l, ERR_TOO_LARGE, "The gateway's form has too many fields.");
			return;
		case AUTH_INPUT_SSO:
			login_fail(l, ERR_UNSUPPORTED,
			        "The gateway wants single sign-on in a browser, which culvert cannot do "
			        "yet.");
			return;
		case AUTH_INPUT_TEXT:
		case AUTH_INPUT_PASSWORD:
			l->state = LOGIN_ASK;
			return;
		}
	}
	l->state = LOGIN_SEND;
}

static void form_begin(struct login *l)
{
	auth_client_doc_wipe(&l->reply);
	l->reply.type = AUTH_DOC_REPLY;
	l->at = 0;
	form_advance(l);
}

static bool form_has_retry(const struct login *l)
{
	for (size_t i = 0; i < l->doc.n_inputs; i++)
		if (l->doc.inputs[i].type == AUTH_INPUT_PASSWORD && is_answered(l, l->doc.inputs[i].name))
			return true;
	return false;
}

static const char *doc_reason(const struct auth_server_doc *d)
{
	if (d->error[0] != '\0')
		return d->error;
	return d->message[0] != '\0' ? d->message : "no reason given";
}

/* A form came. Returns when there is a question, a request to send, or an end. */
static void login_on_form(struct login *l)
{
	if (l->doc.action[0] == '/')
		(void)snprintf(l->path, sizeof(l->path), "%s", l->doc.action);
	if (form_has_retry(l) && (!l->is_interactive || ++l->wrong >= LOGIN_MAX_WRONG)) {
		login_fail(l, ERR_REFUSED, "%s", doc_reason(&l->doc));
		return;
	}
	l->at = l->doc.n_inputs; /* where LOGIN_ASK_GROUP stands */
	switch (group_decide(l)) {
	case GROUP_STOP:
		return;
	case GROUP_ASK:
		l->state = LOGIN_ASK;
		return;
	case GROUP_FINE:
		form_begin(l);
	}
}

struct login_question login_question(const struct login *l)
{
	struct login_question q = {.doc = &l->doc};
	if (l->at >= l->doc.n_inputs) {
		q.kind = LOGIN_ASK_GROUP;
		q.label = l->doc.select_label[0] ? l->doc.select_label : "Group:";
		return q;
	}
	const struct auth_input *in = &l->doc.inputs[l->at];
	q.kind = input_kind(in);
	q.label = in->label[0] ? in->label : in->name;
	q.is_retry = in->type == AUTH_INPUT_PASSWORD && is_answered(l, in->name);
	return q;
}

int login_answer(struct login *l, struct span answer)
{
	if (l->state != LOGIN_ASK)
		return -EINVAL;
	if (l->at >= l->doc.n_inputs) {
		int i = answer.n ? group_find(&l->doc, answer) : group_selected(&l->doc);
		if (i < 0)
			return -EINVAL;
		if (!group_settle(l, i))
			form_begin(l);
		return 0;
	}
	char value[AUTH_FIELD_BYTES];
	const struct auth_input *in = &l->doc.inputs[l->at];
	int err = parse_name(answer, value, sizeof(value));
	if (err == 0)
		err = reply_put(l, in->name, value);
	explicit_bzero(value, sizeof(value));
	if (err)
		return -EINVAL;
	if (in->type == AUTH_INPUT_PASSWORD)
		remember_answered(l, in->name);
	l->at++;
	form_advance(l);
	return 0;
}

/* ---- answers ---- */

static void login_on_success(struct login *l)
{
	if (l->doc.session_token[0] != '\0')
		login_jar_put(&l->jar, span_str("webvpn"), span_str(l->doc.session_token));
	if (login_jar_get(&l->jar, "webvpn") == NULL) {
		login_fail(
		        l, ERR_PEER_PROTOCOL, "The gateway accepted the login but gave no session cookie.");
		return;
	}
	(void)snprintf(l->banner, sizeof(l->banner), "%s", l->doc.banner);
	l->state = LOGIN_DONE;
}

static void login_on_cert_request(struct login *l)
{
	if (l->has_certificate && !l->is_cert_tried) {
		l->is_cert_tried = true;
		l->wants_new_connection = true;
	} else if (!l->is_cert_failed) {
		l->is_cert_failed = true;
	} else {
		login_fail(l, ERR_REFUSED,
		        "The gateway wants a client certificate. Give one with --certificate and --key.");
		return;
	}
	login_prepare_init(l);
}

static void login_on_document(struct login *l, struct span body)
{
	explicit_bzero(&l->doc, sizeof(l->doc));
	int err = auth_server_doc_parse(body, &l->doc);
	if (err) {
		login_fail(l, ERR_PEER_PROTOCOL,
		        "The gateway's login answer cannot be read (%s). Is this an AnyConnect gateway?",
		        err_text(err));
		return;
	}
	if (l->doc.opaque[0] != '\0')
		(void)snprintf(l->opaque, sizeof(l->opaque), "%s", l->doc.opaque);
	if (l->doc.type == AUTH_DOC_COMPLETE)
		login_on_success(l);
	else if (l->doc.n_inputs > 0 || l->doc.n_options > 0)
		login_on_form(l);
	else if (l->doc.wants_client_cert)
		login_on_cert_request(l);
	else if (l->doc.has_sso)
		login_fail(l, ERR_UNSUPPORTED,
		        "The gateway wants single sign-on in a browser, which culvert cannot do yet.");
	else if (l->doc.wants_host_scan)
		login_fail(l, ERR_UNSUPPORTED,
		        "The gateway wants a host scan program to be run, which culvert never does.");
	else
		login_fail(l, ERR_REFUSED, "%s", doc_reason(&l->doc));
}

/* "https://host[:port][/path]" to its parts; -EINVAL for anything else. Brackets around IPv6 are taken off.
 */
static int location_parse(struct span in, struct span *ret_host, uint16_t *ret_port, struct span *ret_path)
{
	if (!span_starts(in, "https://"))
		return -EINVAL;
	in = span_skip(in, 8);
	struct span rest = in, host = span_cut(&rest, '/');
	*ret_path = span_skip(in, host.n);
	struct span port = {0};
	if (host.n > 0 && host.p[0] == '[') {
		port = span_skip(host, 1);
		host = span_cut(&port, ']');
		if (port.n > 0 && port.p[0] != ':')
			return -EINVAL;
		port = span_skip(port, 1);
	} else {
		port = host;
		host = span_cut(&port, ':');
	}
	uint32_t n = 443;
	if (host.n == 0 || (port.n > 0 && parse_u32(port, 1, 65535, &n)))
		return -EINVAL;
	*ret_host = host;
	*ret_port = (uint16_t)n;
	return 0;
}

static bool path_is_usable(struct span path)
{
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] <= ' ' || path.p[i] >= 0x7f)
			return false;
	return path.n == 0 || path.p[0] == '/';
}

static void login_on_redirect(struct login *l, struct span location)
{
	struct span host = span_str(l->host), path = location;
	uint16_t port = l->port;
	bool is_bad = location.n == 0;
	if (!is_bad && location.p[0] != '/')
		is_bad = location_parse(location, &host, &port, &path) != 0;
	if (is_bad || !path_is_usable(path) || ++l->redirects > LOGIN_MAX_REDIRECTS) {
		login_fail(l, ERR_PEER_PROTOCOL, "The gateway redirects to a place that cannot be used.");
		return;
	}
	if (parse_name(path.n ? path : span_str("/"), l->path, sizeof(l->path)) != 0) {
		login_fail(l, ERR_TOO_LARGE, "The gateway's redirect is too long.");
		return;
	}
	if (!span_is_nocase(host, l->host) || port != l->port) {
		if (parse_name(host, l->host, sizeof(l->host)) != 0) {
			login_fail(l, ERR_TOO_LARGE, "The gateway's redirect is too long.");
			return;
		}
		l->port = port;
		l->has_moved = l->wants_new_connection = true;
		explicit_bzero(&l->jar, sizeof(l->jar));
	}
	l->group.is_by_path = false;
	login_prepare_init(l);
}

/* /GROUP is not a place on this gateway: ask at / and choose in its list. */
static void login_fall_back_to_list(struct login *l)
{
	l->group.is_by_path = false;
	(void)snprintf(l->path, sizeof(l->path), "/");
	login_prepare_init(l);
}

void login_on_response(struct login *l, const struct http_head *head, struct span body)
{
	if (l->state != LOGIN_SEND)
		return;
	login_jar_take(&l->jar, head);
	bool is_first_by_path = l->group.is_by_path && !l->group.is_path_accepted;
	if (l->requests >= LOGIN_MAX_REQUESTS)
		login_fail(l, ERR_LIMIT, "The gateway's login does not come to an end.");
	else if (head->status >= 300 && head->status < 400)
		login_on_redirect(l, http_header(head, "Location"));
	else if (head->status == 401)
		login_fail(l, ERR_REFUSED, "Login failed.");
	else if (is_first_by_path && (head->status == 404 || head->status == 403 || head->status == 405))
		login_fall_back_to_list(l);
	else if (head->status != 200)
		login_fail(l, ERR_PEER_PROTOCOL, "The gateway answered the login with HTTP status %u.",
		        head->status);
	else {
		if (is_first_by_path)
			l->group.is_path_accepted = true;
		login_on_document(l, body);
	}
}

const char *login_cookie(const struct login *l)
{
	return login_jar_get(&l->jar, "webvpn");
}
