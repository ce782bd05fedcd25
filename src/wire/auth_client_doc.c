/* What a client sends: init, auth-reply, logout. Source: wire-protocol.md 1.2, 1.3, 1.5, 1.14. */
#include "wire/auth_common.h"

#include <errno.h>
#include <stdlib.h>

#include "wire/http.h"

enum node {
	N_ROOT = XML_NODE_FIRST,
	N_VERSION,
	N_DEVICE_ID,
	N_GROUP_SELECT,
	N_GROUP_ACCESS,
	N_SESSION_TOKEN,
	N_CERT_FAIL,
	N_OPAQUE,
	N_AUTH,
	N_FIELD,
};

#define LINE_MAX_BYTES XML_MAX_TEXT /* before trimming; the field's own size decides */

/* group-select inside auth: some agents put it there, as they do with every other form field. */
static const struct xml_rule rules[] = {
        {XML_NODE_DOC, N_ROOT, 0, "config-auth"},
        {N_ROOT, N_VERSION, LINE_MAX_BYTES, "version"},
        {N_ROOT, N_DEVICE_ID, LINE_MAX_BYTES, "device-id"},
        {N_ROOT, N_GROUP_SELECT, LINE_MAX_BYTES, "group-select"},
        {N_ROOT, N_GROUP_ACCESS, LINE_MAX_BYTES, "group-access"},
        {N_ROOT, N_SESSION_TOKEN, LINE_MAX_BYTES, "session-token"},
        {N_ROOT, N_CERT_FAIL, 0, "client-cert-fail"},
        {N_ROOT, N_OPAQUE, 0, "opaque"},
        {N_ROOT, N_AUTH, 0, "auth"},
        {N_AUTH, N_GROUP_SELECT, LINE_MAX_BYTES, "group-select"},
        {N_AUTH, N_GROUP_SELECT, LINE_MAX_BYTES, "group_list"},
        {N_AUTH, N_FIELD, LINE_MAX_BYTES, "*"},
};

static const struct field_target targets[] = {
        FIELD_TARGET(N_VERSION, FIELD_LINE, auth_client_doc, version),
        FIELD_TARGET(N_DEVICE_ID, FIELD_LINE, auth_client_doc, device_id),
        FIELD_TARGET(N_GROUP_SELECT, FIELD_LINE, auth_client_doc, group_select),
        FIELD_TARGET(N_GROUP_ACCESS, FIELD_LINE, auth_client_doc, group_access),
        FIELD_TARGET(N_SESSION_TOKEN, FIELD_LINE, auth_client_doc, session_token),
};

static const struct {
	enum auth_doc_type type;
	const char *name;
} types[] = {
        {AUTH_DOC_INIT, "init"},
        {AUTH_DOC_REPLY, "auth-reply"},
        {AUTH_DOC_LOGOUT, "logout"},
};

static int on_open(void *arg, const struct xml_element *e)
{
	struct auth_client_doc *d = arg;
	const char *type = e->node == N_ROOT ? xml_attr(e, "type") : NULL;
	for (size_t i = 0; type != NULL && i < N_ELEM(types); i++) {
		if (strcmp(types[i].name, type) == 0)
			d->type = types[i].type;
	}
	if (e->node == N_CERT_FAIL)
		d->has_cert_fail = true;
	return 0;
}

/* Two answers to one question are refused: two readers might choose differently. */
static int credential_set(bool *has, struct span value, enum field_kind kind, char *ret)
{
	if (*has)
		return ERR_MALFORMED;
	*has = true;
	return field_set(kind, value, ret, AUTH_FIELD_BYTES);
}

/* A form field of any name, whichever dialect it came in. */
static int answer_add(struct auth_client_doc *d, const char *name, struct span value)
{
	if (strcmp(name, "username") == 0)
		return credential_set(&d->has_username, value, FIELD_LINE, d->username);
	if (strcmp(name, "password") == 0)
		return credential_set(&d->has_password, value, FIELD_RAW, d->password);
	if (d->n_fields == AUTH_MAX_FIELDS)
		return ERR_TOO_LARGE;
	struct auth_field *f = &d->fields[d->n_fields];
	int err = field_set(FIELD_LINE, span_str(name), f->name, sizeof(f->name));
	if (err == 0)
		err = field_set(FIELD_RAW, value, f->value, sizeof(f->value));
	if (err == 0)
		d->n_fields++;
	return err;
}

static int on_close(void *arg, const struct xml_element *e)
{
	struct auth_client_doc *d = arg;
	const struct field_target *t = field_target_find(targets, N_ELEM(targets), e->node);
	if (t != NULL)
		return field_target_set(d, t, e->text);
	if (e->node == N_OPAQUE)
		return field_set(FIELD_RAW, e->inner, d->opaque, sizeof(d->opaque));
	if (e->node == N_FIELD)
		return answer_add(d, e->name, e->text);
	return 0;
}

static void doc_free(struct auth_client_doc *d)
{
	if (d != NULL)
		auth_client_doc_wipe(d);
	free(d);
}

int auth_client_doc_parse(struct span xml, struct auth_client_doc *ret)
{
	struct auth_client_doc *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return -ENOMEM;
	struct xml_walk walk = {
	        .rules = rules, .n_rules = N_ELEM(rules), .open = on_open, .close = on_close, .arg = d};
	int err = xml_read(xml, &walk);
	if (err == 0)
		*ret = *d;
	doc_free(d);
	return err;
}

/* What our own forms may ask for, and the three names that XML mode folds into password. */
static const struct {
	const char *form_name;
	const char *name;
} form_fields[] = {
        {"username", "username"},
        {"password", "password"},
        {"answer", "password"},
        {"whichpin", "password"},
        {"new_password", "password"},
        {"secondary_username", "secondary_username"},
        {"secondary_password", "secondary_password"},
};

/* -ENOENT when the form has no such field. The decoded value is never longer than the body, so that the
 * buffer does not move and one wipe reaches every copy. */
static int form_field(struct span body, const char *name, struct text *value)
{
	explicit_bzero(value->p, value->cap);
	value->n = 0;
	return form_get(body, name, value);
}

static int form_group(struct span body, struct text *value, struct auth_client_doc *d)
{
	static const struct field_target group =
	        FIELD_TARGET(N_GROUP_SELECT, FIELD_LINE, auth_client_doc, group_select);
	int err = form_field(body, "group_list", value);
	if (err == -ENOENT)
		return 0;
	return err != 0 ? err : field_target_set(d, &group, span_of(value->p, value->n));
}

static int form_read(struct span body, struct text *value, struct auth_client_doc *d)
{
	for (size_t i = 0; i < N_ELEM(form_fields); i++) {
		int err = form_field(body, form_fields[i].form_name, value);
		if (err == -ENOENT)
			continue;
		if (err == 0)
			err = answer_add(d, form_fields[i].name, span_of(value->p, value->n));
		if (err != 0)
			return err;
	}
	return form_group(body, value, d);
}

int auth_client_form_parse(struct span body, struct auth_client_doc *ret)
{
	if (body.n > XML_DOC_MAX_BYTES)
		return ERR_TOO_LARGE;
	int err = -ENOMEM;
	struct auth_client_doc *d = calloc(1, sizeof(*d));
	struct text value = {.cap = body.n + 2, .is_secret = true};
	value.p = calloc(1, value.cap);
	if (d == NULL || value.p == NULL)
		goto out;
	d->type = body.n == 0 ? AUTH_DOC_INIT : AUTH_DOC_REPLY;
	err = form_read(body, &value, d);
	if (err == 0)
		*ret = *d;
out:
	text_done(&value);
	doc_free(d);
	return err;
}

static const char *type_name(enum auth_doc_type type)
{
	for (size_t i = 0; i < N_ELEM(types); i++) {
		if (types[i].type == type)
			return types[i].name;
	}
	return "init";
}

/* What a form field is called in the reply; NULL: not sent. Everything else keeps its name. */
static const char *reply_name(const char *field)
{
	static const struct {
		const char *field, *sent;
	} names[] = {
	        {"answer", "password"},
	        {"whichpin", "password"},
	        {"new_password", "password"},
	        {"verify_pin", NULL},
	        {"verify_password", NULL},
	        {"group_list", NULL},
	};
	for (size_t i = 0; i < N_ELEM(names); i++) {
		if (strcmp(names[i].field, field) == 0)
			return names[i].sent;
	}
	return xml_is_name(field) ? field : NULL;
}

static void answers_put(const struct auth_client_doc *d, struct text *out)
{
	bool has_password = d->has_password;
	text_str(out, "<auth>\n");
	if (d->has_username)
		xml_put_element(out, "username", d->username);
	if (d->has_password)
		xml_put_element(out, "password", d->password);
	for (size_t i = 0; i < d->n_fields; i++) {
		const char *name = reply_name(d->fields[i].name);
		bool is_password = name != NULL && strcmp(name, "password") == 0;
		if (name == NULL || (is_password && has_password))
			continue;
		has_password = has_password || is_password;
		xml_put_element(out, name, d->fields[i].value);
	}
	text_str(out, "</auth>\n");
}

void auth_client_doc_format(const struct auth_client_doc *d, struct text *out)
{
	out->is_secret = true;
	text_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<config-auth client=\"vpn\"");
	xml_put_attr(out, "type", type_name(d->type));
	text_str(out, " aggregate-auth-version=\"2\">\n<version who=\"vpn\">");
	xml_put_text(out, d->version);
	text_str(out, "</version>\n");
	xml_put_element(out, "device-id", d->device_id);
	if (d->session_token[0] != '\0')
		xml_put_element(out, "session-token", d->session_token);
	if (d->opaque[0] != '\0') {
		text_str(out, "<opaque is-for=\"sg\">");
		text_str(out, d->opaque);
		text_str(out, "</opaque>\n");
	}
	if (d->has_cert_fail)
		text_str(out, "<client-cert-fail/>\n");
	if (d->type == AUTH_DOC_REPLY)
		answers_put(d, out);
	if (d->group_select[0] != '\0')
		xml_put_element(out, "group-select", d->group_select);
	if (d->group_access[0] != '\0')
		xml_put_element(out, "group-access", d->group_access);
	text_str(out, "</config-auth>\n");
}

void auth_client_doc_wipe(struct auth_client_doc *d)
{
	explicit_bzero(d, sizeof(*d));
}
