#include "client/connect_options.h"

#include <net/if.h>

#include "io/offload.h"

#define SECONDS_MAX (365u * 86400)

static bool pin_take(void *at, const char *value, struct text *why)
{
	struct identity_options *o = at;
	if (!span_starts(span_str(value), "pin-sha256:")) {
		text_str(why, "--pin wants pin-sha256: and the base64 hash of the gateway's key");
		return false;
	}
	if (o->n_pins == CONNECT_MAX_PINS) {
		text_fmt(why, "at most %d --pin options", CONNECT_MAX_PINS);
		return false;
	}
	o->pins[o->n_pins++] = value;
	return true;
}

static bool interface_take(void *at, const char *value, struct text *why)
{
	struct network_options *o = at;
	size_t n = strlen(value);
	o->interface = value;
	if (n < IFNAMSIZ && strchr(value, '/') == NULL && strchr(value, ' ') == NULL)
		return true;
	text_fmt(why, "--interface wants a name of 1 to %d characters", IFNAMSIZ - 1);
	return false;
}

static bool script_take(void *at, const char *value, struct text *why)
{
	struct network_options *o = at;
	(void)why;
	o->has_no_script = strcmp(value, "none") == 0;
	o->script = o->has_no_script ? NULL : value;
	return true;
}

static const struct option_word policies[] = {{"seamless", MTU_SEAMLESS}, {"classic", MTU_CLASSIC}, {0}};

#define SWITCH(member)  OPTION_SWITCH(struct connect_options, member)
#define TEXT(member)    OPTION_TEXT(struct connect_options, member)
#define SECONDS(member) OPTION_NUMBER(struct connect_options, member, "seconds", 0, SECONDS_MAX)

static const struct option_row rows[] = {
        {"password-stdin", 0, NULL, "read the password from standard input, one line",
                SWITCH(credential.has_password_stdin)},
        {"password-file", 0, "FILE", "read the password from the first line of FILE",
                TEXT(credential.password_file)},
        {"pin", 0, "pin-sha256:...", "accept the gateway by its key; may be given several times",
                OPTION_TAKE(struct connect_options, identity, pin_take)},
        {"ca", 0, "FILE", "accept gateways certified by the authorities in FILE (PEM)",
                TEXT(identity.ca_file)},
        {"certificate", 0, "FILE", "client certificate (PEM)", TEXT(credential.certificate)},
        {"key", 0, "FILE", "key of the client certificate (PEM)", TEXT(credential.key)},
        {"interface", 0, "NAME", "name of the adapter (default culvert%d)",
                OPTION_TAKE(struct connect_options, network, interface_take)},
        {"script", 0, "PATH|none", "vpnc-script compatible program that configures the network",
                OPTION_TAKE(struct connect_options, network, script_take)},
        {"no-dtls", 0, NULL, "TLS only", SWITCH(tunnel.has_no_dtls)},
        {"mtu-policy", 0, "POLICY", "seamless (default) or classic",
                OPTION_CHOICE(struct connect_options, tunnel.mtu_policy, policies)},
        {"dtls-give-up", 0, "SECONDS", "classic: how long to wait for DTLS (default 60)",
                SECONDS(tunnel.dtls_give_up_s)},
        {"background", 0, NULL, "go to the background once connected", SWITCH(run.is_background)},
        {"pid-file", 0, "FILE", "write the process id to FILE", TEXT(run.pid_file)},
        {"events", 0, "FILE", "append the event log to FILE as JSON lines", TEXT(run.events_file)},
        {"reconnect-timeout", 0, "SECONDS",
                "how long to try to get a lost session back (default: as the gateway says)",
                SECONDS(tunnel.reconnect_timeout_s)},
        {"control", 0, "SOCKET", "for status and disconnect (default " CONNECT_DEFAULT_CONTROL ")",
                TEXT(run.control)},
        {"no-offload", 0, "LIST", "do without these: " OFFLOAD_WORDS,
                OPTION_TAKE(struct connect_options, network.offloads_refused, offload_take)},
        {"verbose", 'v', NULL, "say more on standard error",
                OPTION_COUNT(struct connect_options, run.verbosity)},
        {"help", 'h', NULL, "this text", OPTION_HELP},
};

static const struct option_table table = {
        .program = "culvert",
        .command = "connect",
        .usage = "[USER@]HOST[:PORT][/GROUP] [options]",
        .about = "Connects to an AnyConnect-compatible gateway. Needs root or CAP_NET_ADMIN.",
        .end = "Exit status: 0 ended by the user, 1 usage, 2 authentication refused, 3 server unreachable,\n"
               "4 server identity not accepted, 5 session ended by the gateway, 6 network configuration "
               "failed.",
        .rows = rows,
        .n_rows = N_ELEM(rows),
        .min_words = 1,
        .max_words = 1,
        .words = "one gateway: [USER@]HOST[:PORT][/GROUP]",
};

/* NULL: they can be used together. */
static const char *disagreement(const struct credential_options *o)
{
	if ((o->certificate == NULL) != (o->key == NULL))
		return "--certificate and --key belong together";
	if (o->has_password_stdin && o->password_file != NULL)
		return "--password-stdin and --password-file exclude each other";
	return NULL;
}

enum options_verdict connect_options_parse(
        int argc, char **argv, struct connect_options *ret, struct text *say)
{
	struct option_words words;
	struct connect_options o = {
	        .network.interface = "culvert%d",
	        .tunnel = {.dtls_give_up_s = 60, .reconnect_timeout_s = CONNECT_AS_ANNOUNCED},
	        .run.control = CONNECT_DEFAULT_CONTROL,
	};
	enum options_verdict v = option_table_parse(&table, argc, argv, &o, &words, say);
	if (v != OPTIONS_OK)
		return v;
	if (target_parse(words.v[0], &o.target) < 0)
		return option_table_refuse(
		        &table, say, "\"%s\" is not [USER@]HOST[:PORT][/GROUP]", words.v[0]);
	const char *why = disagreement(&o.credential);
	if (why != NULL)
		return option_table_refuse(&table, say, "%s", why);
	*ret = o;
	return OPTIONS_OK;
}
