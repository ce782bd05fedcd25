/* Options of `culvert connect` (contract.md section 3). Strings point into argv. */
#ifndef CLIENT_CONNECT_OPTIONS_H
#define CLIENT_CONNECT_OPTIONS_H

#include "base/option_table.h"
#include "client/target.h"

#define CONNECT_MAX_PINS        16
#define CONNECT_DEFAULT_CONTROL "/run/culvert/client.sock"
#define CONNECT_AS_ANNOUNCED    UINT32_MAX /* of reconnect_timeout_s: what the gateway says */

enum mtu_policy { MTU_SEAMLESS, MTU_CLASSIC };

struct credential_options {
	bool has_password_stdin;
	const char *password_file;
	const char *certificate, *key;
};

struct identity_options {
	const char *pins[CONNECT_MAX_PINS];
	size_t n_pins;
	const char *ca_file;
};

struct network_options {
	const char *interface;     /* may hold one %d */
	const char *script;        /* NULL: built-in configuration */
	bool has_no_script;        /* --script none: address, MTU and up only */
	unsigned offloads_refused; /* OFFLOAD_* */
};

struct tunnel_options {
	bool has_no_dtls;
	enum mtu_policy mtu_policy;
	uint32_t dtls_give_up_s;
	uint32_t reconnect_timeout_s; /* or CONNECT_AS_ANNOUNCED */
};

struct run_options {
	bool is_background;
	unsigned verbosity; /* how often --verbose was given */
	const char *pid_file;
	const char *events_file;
	const char *control;
};

struct connect_options {
	struct target target;
	struct credential_options credential;
	struct identity_options identity;
	struct network_options network;
	struct tunnel_options tunnel;
	struct run_options run;
};

/* As option_table_parse(). */
enum options_verdict connect_options_parse(
        int argc, char **argv, struct connect_options *ret, struct text *say);

#endif
