/* Writing what a gateway sends. Elements, their order, and the attributes that carry nothing are those of an
 * ASA, because Cisco's client was only ever tested against that; openconnect reads them in any order. Source:
 * wire-protocol.md 1.4, 1.7 and gotchas 13 - 15. No comments, no CDATA, never action="". */
#include "wire/auth_common.h"

static void opt_element(struct text *out, const char *name, const char *s)
{
	if (s[0] != '\0')
		xml_put_element(out, name, s);
}

static void opaque_put(const struct auth_server_doc *d, struct text *out)
{
	if (d->opaque[0] == '\0')
		return;
	text_str(out, "<opaque is-for=\"sg\">");
	text_str(out, d->opaque);
	text_str(out, "</opaque>\n");
}

static void input_put(const struct auth_input *in, struct text *out)
{
	static const char *const types[] = {
	        [AUTH_INPUT_TEXT] = "text",
	        [AUTH_INPUT_PASSWORD] = "password",
	        [AUTH_INPUT_HIDDEN] = "hidden",
	        [AUTH_INPUT_SSO] = "sso",
	        [AUTH_INPUT_SUBMIT] = "submit",
	};
	text_str(out, "<input");
	xml_put_attr(out, "type", types[in->type]);
	xml_put_attr(out, "name", in->name);
	if (in->label[0] != '\0')
		xml_put_attr(out, "label", in->label);
	if (in->value[0] != '\0')
		xml_put_attr(out, "value", in->value);
	text_str(out, "></input>\n");
}

static void option_put(const struct auth_option *o, struct text *out)
{
	text_str(out, "<option");
	if (o->value[0] != '\0' && strcmp(o->value, o->label) != 0)
		xml_put_attr(out, "value", o->value);
	if (o->is_selected)
		xml_put_attr(out, "selected", "true");
	text_str(out, ">");
	xml_put_text(out, o->label);
	text_str(out, "</option>\n");
}

static void select_put(const struct auth_server_doc *d, struct text *out)
{
	if (d->n_options == 0)
		return;
	text_str(out, "<select");
	xml_put_attr(out, "name", d->select_name[0] ? d->select_name : "group_list");
	if (d->select_label[0] != '\0')
		xml_put_attr(out, "label", d->select_label);
	text_str(out, ">\n");
	for (size_t i = 0; i < d->n_options; i++)
		option_put(&d->options[i], out);
	text_str(out, "</select>\n");
}

static void form_put(const struct auth_server_doc *d, struct text *out)
{
	if (d->n_inputs == 0 && d->n_options == 0)
		return;
	text_str(out, "<form method=\"post\"");
	xml_put_attr(out, "action", d->action[0] ? d->action : "/");
	text_str(out, ">\n");
	for (size_t i = 0; i < d->n_inputs; i++)
		input_put(&d->inputs[i], out);
	select_put(d, out);
	text_str(out, "</form>\n");
}

static void request_put(const struct auth_server_doc *d, struct text *out)
{
	opaque_put(d, out);
	if (d->wants_client_cert)
		text_str(out, "<client-cert-request></client-cert-request>\n");
	text_str(out, "<auth");
	xml_put_attr(out, "id", d->auth_id[0] ? d->auth_id : "main");
	text_str(out, ">\n");
	opt_element(out, "title", d->title);
	opt_element(out, "message", d->message);
	opt_element(out, "banner", d->banner);
	if (d->error[0] != '\0') {
		text_str(out, "<error id=\"88\" param1=\"\" param2=\"\">");
		xml_put_text(out, d->error);
		text_str(out, "</error>\n");
	}
	form_put(d, out);
	text_str(out, "</auth>\n");
}

static void config_put(const struct auth_server_doc *d, struct text *out)
{
	if (d->server_cert_hash[0] == '\0')
		return;
	text_str(out, "<config client=\"vpn\" type=\"private\">\n<vpn-base-config>\n");
	xml_put_element(out, "server-cert-hash", d->server_cert_hash);
	text_str(out, "</vpn-base-config>\n<opaque is-for=\"vpn-client\"></opaque>\n</config>\n");
}

static void complete_put(const struct auth_server_doc *d, struct text *out)
{
	out->is_secret = true; /* the session token */
	opt_element(out, "session-id", d->session_id);
	opt_element(out, "session-token", d->session_token);
	opaque_put(d, out);
	text_str(out, "<auth id=\"success\">\n");
	opt_element(out, "title", d->title);
	xml_put_element(out, "banner", d->banner);
	text_str(out, "<message id=\"0\" param1=\"\" param2=\"\">");
	xml_put_text(out, d->message);
	text_str(out, "</message>\n</auth>\n");
	text_str(out, "<capabilities>\n<crypto-supported>ssl-dhe</crypto-supported>\n</capabilities>\n");
	config_put(d, out);
}

void auth_server_doc_format(const struct auth_server_doc *d, struct text *out)
{
	bool is_complete = d->type == AUTH_DOC_COMPLETE;
	text_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<config-auth client=\"vpn\"");
	xml_put_attr(out, "type", is_complete ? "complete" : "auth-request");
	text_str(out, " aggregate-auth-version=\"2\">\n");
	if (is_complete)
		complete_put(d, out);
	else
		request_put(d, out);
	text_str(out, "</config-auth>\n");
}
