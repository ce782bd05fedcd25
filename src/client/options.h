/* Options of `culvert connect` (contract.md section 3). Strings point into argv. */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stdbool.h>

#include "client/target.h"

#define OPTIONS_MAX_PINS        16
#define OPTIONS_DEFAULT_CONTROL "/run/culvert/client.sock"

enum mtu_policy { MTU_SEAMLESS, MTU_CLASSIC };

struct credential_options {
	bool has_password_stdin;
	const char *password_file;
	const char *certificate, *key;
};

struct identity_options {
	const char *pins[OPTIONS_MAX_PINS];
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
	unsigned dtls_give_up_s;
	bool has_reconnect_timeout;
	unsigned reconnect_timeout_s;
};

struct run_options {
	bool is_background;
	unsigned verbosity; /* 0..2 */
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

enum options_verdict { OPTIONS_OK, OPTIONS_HELP, OPTIONS_BAD };

/* argv[0] is the command's name. OPTIONS_BAD: the reason was printed on standard error. */
enum options_verdict options_parse(int argc, char **argv, struct connect_options *ret);
void options_print_help(void);

#endif
