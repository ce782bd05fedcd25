/* Reading what a server sends: OCS, ASA, legacy gateways. Source: wire-protocol.md 1.4, 1.6, 1.7, 1.9 - 1.12.
 */
#include "wire/auth_common.h"

#include <errno.h>
#include <stdlib.h>

enum node {
	N_ROOT = XML_NODE_FIRST,
	N_AUTH, /* also as the root of the legacy dialect */
	N_TITLE,
	N_MESSAGE,
	N_BANNER,
	N_ERROR,
	N_FORM,
	N_INPUT,
	N_SELECT,
	N_OPTION,
	N_OPAQUE,
	N_SESSION_TOKEN,
	N_SESSION_ID,
	N_CONFIG,
	N_BASE_CONFIG,
	N_CERT_HASH,
	N_CERT_REQUEST,
	N_HOST_SCAN,
	N_SSO,
	N_COMPLETE,
};

#define TEXT XML_MAX_TEXT /* before trimming; the field's own size decides */

static const struct xml_rule rules[] = {
        {XML_NODE_DOC, N_ROOT, 0, "config-auth"},
        {XML_NODE_DOC, N_AUTH, 0, "auth"},
        {N_ROOT, N_AUTH, 0, "auth"},
        {N_ROOT, N_OPAQUE, 0, "opaque"},
        {N_ROOT, N_SESSION_TOKEN, TEXT, "session-token"},
        {N_ROOT, N_SESSION_ID, TEXT, "session-id"},
        {N_ROOT, N_CERT_REQUEST, 0, "client-cert-request"},
        {N_ROOT, N_HOST_SCAN, 0, "host-scan"},
        {N_ROOT, N_HOST_SCAN, 0, "csd"},
        {N_ROOT, N_HOST_SCAN, 0, "csdLinux"},
        {N_ROOT, N_COMPLETE, 0, "authentication-complete"},
        {N_ROOT, N_CONFIG, 0, "config"},
        {N_CONFIG, N_BASE_CONFIG, 0, "vpn-base-config"},
        {N_BASE_CONFIG, N_CERT_HASH, TEXT, "server-cert-hash"},
        {N_AUTH, N_TITLE, TEXT, "title"},
        {N_AUTH, N_MESSAGE, TEXT, "message"},
        {N_AUTH, N_BANNER, TEXT, "banner"},
        {N_AUTH, N_ERROR, TEXT, "error"},
        {N_AUTH, N_FORM, 0, "form"},
        {N_AUTH, N_OPAQUE, 0, "opaque"},
        {N_AUTH, N_SESSION_TOKEN, TEXT, "session-token"},
        {N_AUTH, N_CERT_REQUEST, 0, "client-cert-request"},
        {N_AUTH, N_HOST_SCAN, 0, "host-scan"},
        {N_AUTH, N_HOST_SCAN, 0, "csd"},
        {N_AUTH, N_HOST_SCAN, 0, "csdLinux"},
        {N_AUTH, N_COMPLETE, 0, "authentication-complete"},
        {N_AUTH, N_SSO, 0, "sso-v2-login"},
        {N_FORM, N_INPUT, 0, "input"},
        {N_FORM, N_SELECT, 0, "select"},
        {N_SELECT, N_OPTION, TEXT, "option"},
};

static const struct field_target targets[] = {
        FIELD_TARGET(N_TITLE, FIELD_PROSE, auth_server_doc, title),
        FIELD_TARGET(N_MESSAGE, FIELD_PROSE, auth_server_doc, message),
        FIELD_TARGET(N_BANNER, FIELD_PROSE, auth_server_doc, banner),
        FIELD_TARGET(N_ERROR, FIELD_PROSE, auth_server_doc, error),
        FIELD_TARGET(N_SESSION_TOKEN, FIELD_LINE, auth_server_doc, session_token),
        FIELD_TARGET(N_SESSION_ID, FIELD_LINE, auth_server_doc, session_id),
        FIELD_TARGET(N_CERT_HASH, FIELD_LINE, auth_server_doc, server_cert_hash),
};

struct reading {
	struct auth_server_doc doc;
	bool has_auth;
	bool is_select_ignored;
	bool has_param[2]; /* of the text element being read */
	char params[2][AUTH_TEXT_BYTES];
};

/* An attribute into a field; absent leaves it. */
static int attr_set(const struct xml_element *e, const char *name, char *ret, size_t cap)
{
	const char *value = xml_attr(e, name);
	return value != NULL ? field_set(FIELD_RAW, span_str(value), ret, cap) : 0;
}

static int auth_open(struct reading *r, const struct xml_element *e)
{
	if (r->has_auth)
		return ERR_MALFORMED;
	r->has_auth = true;
	int err = attr_set(e, "id", r->doc.auth_id, sizeof(r->doc.auth_id));
	if (strcmp(r->doc.auth_id, "success") == 0)
		r->doc.type = AUTH_DOC_COMPLETE;
	return err;
}

static int text_open(struct reading *r, const struct xml_element *e)
{
	static const char *const names[] = {"param1", "param2"};
	for (size_t i = 0; i < N_ELEM(names); i++) {
		r->has_param[i] = xml_attr(e, names[i]) != NULL;
		int err = attr_set(e, names[i], r->params[i], sizeof(r->params[i]));
		if (err != 0)
			return err;
	}
	return 0;
}

/* A missing method is POST: ASA writes a bare <form>. */
static int form_open(struct reading *r, const struct xml_element *e)
{
	const char *method = xml_attr(e, "method");
	const char *action = xml_attr(e, "action");
	if ((method != NULL && strcasecmp(method, "post") != 0) || (action != NULL && action[0] == '\0'))
		return ERR_MALFORMED;
	return attr_set(e, "action", r->doc.action, sizeof(r->doc.action));
}

static bool input_type_parse(const char *name, enum auth_input_type *ret)
{
	static const char *const names[] = {
	        [AUTH_INPUT_TEXT] = "text",
	        [AUTH_INPUT_PASSWORD] = "password",
	        [AUTH_INPUT_HIDDEN] = "hidden",
	        [AUTH_INPUT_SSO] = "sso",
	        [AUTH_INPUT_SUBMIT] = "submit",
	};
	for (size_t i = 0; name != NULL && i < N_ELEM(names); i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = (enum auth_input_type)i;
			return true;
		}
	}
	return false;
}

/* Types that we do not know are skipped, as is a button without a name. */
static int input_open(struct reading *r, const struct xml_element *e)
{
	struct auth_input in = {0};
	if (!input_type_parse(xml_attr(e, "type"), &in.type))
		return 0;
	int err = attr_set(e, "name", in.name, sizeof(in.name));
	if (err == 0)
		err = attr_set(e, "label", in.label, sizeof(in.label));
	if (err == 0)
		err = attr_set(e, "value", in.value, sizeof(in.value));
	if (err != 0)
		return err;
	if (in.name[0] == '\0')
		return in.type == AUTH_INPUT_SUBMIT ? 0 : ERR_MALFORMED;
	if (r->doc.n_inputs == AUTH_MAX_FIELDS)
		return ERR_TOO_LARGE;
	r->doc.inputs[r->doc.n_inputs++] = in;
	return 0;
}

/* One selector is kept: the group's, or else the first. */
static int select_open(struct reading *r, const struct xml_element *e)
{
	const char *name = xml_attr(e, "name");
	bool is_group = name != NULL && strcmp(name, "group_list") == 0;
	r->is_select_ignored = name == NULL || (r->doc.n_options > 0 && !is_group);
	if (r->is_select_ignored)
		return 0;
	r->doc.n_options = 0;
	memset(r->doc.options, 0, sizeof(r->doc.options));
	r->doc.select_label[0] = '\0';
	int err = attr_set(e, "name", r->doc.select_name, sizeof(r->doc.select_name));
	return err != 0 ? err : attr_set(e, "label", r->doc.select_label, sizeof(r->doc.select_label));
}

static int option_open(struct reading *r, const struct xml_element *e)
{
	if (r->is_select_ignored)
		return 0;
	if (r->doc.n_options == AUTH_MAX_OPTIONS)
		return ERR_TOO_LARGE;
	struct auth_option *o = &r->doc.options[r->doc.n_options++];
	const char *selected = xml_attr(e, "selected");
	o->is_selected =
	        selected != NULL && (strcmp(selected, "true") == 0 || strcmp(selected, "selected") == 0);
	return attr_set(e, "value", o->value, sizeof(o->value));
}

static int on_open(void *arg, const struct xml_element *e)
{
	struct reading *r = arg;
	switch ((enum node)e->node) {
	case N_AUTH:
		return auth_open(r, e);
	case N_MESSAGE:
	case N_BANNER:
	case N_ERROR:
		return text_open(r, e);
	case N_FORM:
		return form_open(r, e);
	case N_INPUT:
		return input_open(r, e);
	case N_SELECT:
		return select_open(r, e);
	case N_OPTION:
		return option_open(r, e);
	case N_CERT_REQUEST:
		r->doc.wants_client_cert = true;
		return 0;
	case N_HOST_SCAN:
		r->doc.wants_host_scan = true;
		return 0;
	case N_SSO:
		r->doc.has_sso = true;
		return 0;
	case N_COMPLETE:
		r->doc.type = AUTH_DOC_COMPLETE;
		return 0;
	default:
		return 0;
	}
}

static int option_close(struct reading *r, struct span text)
{
	if (r->is_select_ignored || r->doc.n_options == 0)
		return 0;
	struct auth_option *o = &r->doc.options[r->doc.n_options - 1];
	int err = field_set(FIELD_PROSE, text, o->label, sizeof(o->label));
	if (err != 0)
		return err;
	if (o->value[0] == '\0')
		memcpy(o->value, o->label, sizeof(o->value));
	if (o->label[0] == '\0')
		memcpy(o->label, o->value, sizeof(o->label));
	return 0;
}

/* The first %s becomes param1, the second param2, when the element has them. */
static void params_expand(const struct reading *r, struct span text, struct text *out)
{
	size_t n_seen = 0;
	while (text.n > 0) {
		size_t step = 1;
		if (span_starts(text, "%s") && n_seen < N_ELEM(r->params)) {
			step = 2;
			if (r->has_param[n_seen])
				text_str(out, r->params[n_seen]);
			else
				text_str(out, "%s");
			n_seen++;
		} else {
			text_put(out, span_of(text.p, 1));
		}
		text = span_skip(text, step);
	}
}

static int prose_close(struct reading *r, const struct field_target *t, struct span text)
{
	struct text full = {0};
	params_expand(r, text, &full);
	int err = text_ok(&full) ? field_target_set(&r->doc, t, span_of(full.p, full.n)) : -ENOMEM;
	text_done(&full);
	return err;
}

static int on_close(void *arg, const struct xml_element *e)
{
	struct reading *r = arg;
	const struct field_target *t = field_target_find(targets, N_ELEM(targets), e->node);
	switch ((enum node)e->node) {
	case N_MESSAGE:
	case N_BANNER:
	case N_ERROR:
		return prose_close(r, t, e->text);
	case N_OPTION:
		return option_close(r, e->text);
	case N_OPAQUE:
		return field_set(FIELD_RAW, e->inner, r->doc.opaque, sizeof(r->doc.opaque));
	default:
		return t != NULL ? field_target_set(&r->doc, t, e->text) : 0;
	}
}

/* What only the whole document can tell. */
static int reading_end(struct reading *r)
{
	if (!r->has_auth && !r->doc.wants_client_cert && !r->doc.wants_host_scan &&
	        r->doc.type != AUTH_DOC_COMPLETE)
		return ERR_MALFORMED;
	if (r->doc.type == AUTH_DOC_UNKNOWN)
		r->doc.type = AUTH_DOC_REQUEST;
	if (r->doc.action[0] == '\0')
		memcpy(r->doc.action, "/", sizeof("/"));
	if (r->doc.n_options == 0)
		r->doc.select_name[0] = r->doc.select_label[0] = '\0';
	return 0;
}

int auth_server_doc_parse(struct span xml, struct auth_server_doc *ret)
{
	struct reading *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return -ENOMEM;
	struct xml_walk walk = {
	        .rules = rules, .n_rules = N_ELEM(rules), .open = on_open, .close = on_close, .arg = r};
	int err = xml_read(xml, &walk);
	if (err == 0)
		err = reading_end(r);
	if (err == 0)
		*ret = r->doc;
	explicit_bzero(r, sizeof(*r)); /* session token, hidden fields */
	free(r);
	return err;
}
