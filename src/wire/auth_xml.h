/* The aggregate-auth dialogue (config-auth documents), both directions.
 * Source: wire-protocol.md 1.2 - 1.8. Read with expat: no DTD, no entities but the five, limits on depth, elements,
 * attributes, and text. Written by hand with escaping. */
#ifndef WIRE_AUTH_XML_H
#define WIRE_AUTH_XML_H

#include "base/err.h"
#include "base/span.h"
#include "base/text.h"
#include "base/util.h"

#define AUTH_FIELD_BYTES  256 /* a user name, password, field name */
#define AUTH_TEXT_BYTES   4096 /* message, banner, error */
#define AUTH_MAX_FIELDS   16
#define AUTH_MAX_OPTIONS  64
#define AUTH_OPAQUE_BYTES 4096
#define AUTH_XML_MAX_DEPTH 16
#define AUTH_XML_MAX_ELEMENTS 512

enum auth_doc_type {
	AUTH_DOC_UNKNOWN,
	AUTH_DOC_INIT,    /* client: start, or group change */
	AUTH_DOC_REPLY,   /* client: auth-reply */
	AUTH_DOC_LOGOUT,  /* client */
	AUTH_DOC_REQUEST, /* server: a form */
	AUTH_DOC_COMPLETE, /* server: success */
};

struct auth_field {
	char name[AUTH_FIELD_BYTES];
	char value[AUTH_FIELD_BYTES];
};

/* What a client sends. Also the result of reading a urlencoded form (legacy dialect). */
struct auth_client_doc {
	enum auth_doc_type type;
	char version[AUTH_FIELD_BYTES];   /* <version who="vpn"> */
	char device_id[AUTH_FIELD_BYTES];
	char group_select[AUTH_FIELD_BYTES];
	char group_access[2 * AUTH_FIELD_BYTES]; /* URL */
	char username[AUTH_FIELD_BYTES];
	char password[AUTH_FIELD_BYTES];
	bool has_username, has_password;
	char session_token[AUTH_FIELD_BYTES];
	struct auth_field fields[AUTH_MAX_FIELDS]; /* other children of <auth> */
	size_t n_fields;
	char opaque[AUTH_OPAQUE_BYTES]; /* inner text of <opaque>, verbatim markup, to be sent back; "" none */
	bool has_cert_fail;
};

/* ERR_MALFORMED (not well-formed, DTD, wrong root), ERR_TOO_LARGE (a limit). Wipe with auth_client_doc_wipe(). */
MUST_USE int auth_client_doc_parse(struct span xml, struct auth_client_doc *ret);
/* username=..&password=..&group_list=..; type becomes AUTH_DOC_REPLY (INIT when the body is empty). */
MUST_USE int auth_client_form_parse(struct span body, struct auth_client_doc *ret);
void auth_client_doc_format(const struct auth_client_doc *d, struct text *out);
void auth_client_doc_wipe(struct auth_client_doc *d);

enum auth_input_type { AUTH_INPUT_TEXT, AUTH_INPUT_PASSWORD, AUTH_INPUT_HIDDEN, AUTH_INPUT_SSO, AUTH_INPUT_SUBMIT };

struct auth_input {
	enum auth_input_type type;
	char name[AUTH_FIELD_BYTES];
	char label[AUTH_FIELD_BYTES];
	char value[AUTH_FIELD_BYTES];
};

struct auth_option {
	char value[AUTH_FIELD_BYTES]; /* what is sent back; the text when the attribute is missing */
	char label[AUTH_FIELD_BYTES];
	bool is_selected;
};

/* What a server sends. */
struct auth_server_doc {
	enum auth_doc_type type; /* REQUEST or COMPLETE (auth id="success") */
	char auth_id[AUTH_FIELD_BYTES];
	char title[AUTH_FIELD_BYTES];
	char message[AUTH_TEXT_BYTES];
	char banner[AUTH_TEXT_BYTES];
	char error[AUTH_TEXT_BYTES];
	char action[AUTH_FIELD_BYTES]; /* form action; "/" when absent; empty attribute is ERR_MALFORMED */
	struct auth_input inputs[AUTH_MAX_FIELDS];
	size_t n_inputs;
	char select_name[AUTH_FIELD_BYTES]; /* "group_list" */
	char select_label[AUTH_FIELD_BYTES];
	struct auth_option options[AUTH_MAX_OPTIONS];
	size_t n_options;
	char opaque[AUTH_OPAQUE_BYTES];
	char session_token[AUTH_FIELD_BYTES];
	char session_id[AUTH_FIELD_BYTES];
	char server_cert_hash[AUTH_FIELD_BYTES]; /* SHA-1 hex, upper case */
	bool wants_client_cert;
	bool wants_host_scan; /* host-scan or csd element: we never run it */
	bool has_sso;         /* sso-v2-login present */
};

/* Bare <auth> roots (legacy dialect) are accepted too. param1/param2 replace %s in texts. */
MUST_USE int auth_server_doc_parse(struct span xml, struct auth_server_doc *ret);
/* Writes the dialect that openconnect, Cisco's client and old agents all read. */
void auth_server_doc_format(const struct auth_server_doc *d, struct text *out);

#endif
