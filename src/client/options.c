#include "client/options.h"

#include <getopt.h>
#include <net/if.h>
#include <stdio.h>

#include "base/parse.h"
#include "io/offload.h"

enum option_id {
	OPT_PASSWORD_STDIN = 256,
	OPT_PASSWORD_FILE,
	OPT_PIN,
	OPT_CA,
	OPT_CERTIFICATE,
	OPT_KEY,
	OPT_INTERFACE,
	OPT_SCRIPT,
	OPT_NO_DTLS,
	OPT_MTU_POLICY,
	OPT_DTLS_GIVE_UP,
	OPT_BACKGROUND,
	OPT_PID_FILE,
	OPT_EVENTS,
	OPT_RECONNECT_TIMEOUT,
	OPT_CONTROL,
	OPT_NO_OFFLOAD,
};

/* One row per option: parser and help come from it. */
static const struct option_row {
	const char *name;
	int id;
	const char *arg; /* NULL: a switch */
	const char *help;
} rows[] = {
        {"password-stdin", OPT_PASSWORD_STDIN, NULL, "read the password from standard input, one line"},
        {"password-file", OPT_PASSWORD_FILE, "FILE", "read the password from the first line of FILE"},
        {"pin", OPT_PIN, "pin-sha256:...", "accept the gateway by its key; may be given several times"},
        {"ca", OPT_CA, "FILE", "accept gateways certified by the authorities in FILE (PEM)"},
        {"certificate", OPT_CERTIFICATE, "FILE", "client certificate (PEM)"},
        {"key", OPT_KEY, "FILE", "key of the client certificate (PEM)"},
        {"interface", OPT_INTERFACE, "NAME", "name of the adapter (default culvert%d)"},
        {"script", OPT_SCRIPT, "PATH|none", "vpnc-script compatible program that configures the network"},
        {"no-dtls", OPT_NO_DTLS, NULL, "TLS only"},
        {"mtu-policy", OPT_MTU_POLICY, "POLICY", "seamless (default) or classic"},
        {"dtls-give-up", OPT_DTLS_GIVE_UP, "SECONDS", "classic: how long to wait for DTLS (default 60)"},
        {"background", OPT_BACKGROUND, NULL, "go to the background once connected"},
        {"pid-file", OPT_PID_FILE, "FILE", "write the process id to FILE"},
        {"events", OPT_EVENTS, "FILE", "append the event log to FILE as JSON lines"},
        {"reconnect-timeout", OPT_RECONNECT_TIMEOUT, "SECONDS",
                "how long to try to get a lost session back (default: as the gateway says)"},
        {"control", OPT_CONTROL, "SOCKET", "for status and disconnect (default " OPTIONS_DEFAULT_CONTROL ")"},
        {"no-offload", OPT_NO_OFFLOAD, "LIST", "do without these: " OFFLOAD_WORDS},
        {"verbose", 'v', NULL, "say more on standard error"},
        {"help", 'h', NULL, "this text"},
};

void options_print_help(void)
{
	printf("Usage: culvert connect [USER@]HOST[:PORT][/GROUP] [options]\n\n"
	       "Connects to an AnyConnect-compatible gateway. Needs root or CAP_NET_ADMIN.\n\n");
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		char left[48];
		(void)snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].arg ? " " : "",
		        rows[i].arg ? rows[i].arg : "");
		printf("  %-30s %s\n", left, rows[i].help);
	}
	printf("\nExit status: 0 ended by the user, 1 usage, 2 authentication refused, 3 server "
	       "unreachable,\n"
	       "4 server identity not accepted, 5 session ended by the gateway, 6 network configuration "
	       "failed.\n");
}

static bool seconds_parse(const char *name, const char *value, unsigned *ret)
{
	uint32_t n;
	if (parse_u32(span_str(value), 0, 31536000, &n)) {
		fprintf(stderr, "culvert: --%s wants a number of seconds, not \"%s\".\n", name, value);
		return false;
	}
	*ret = n;
	return true;
}

static bool pin_add(struct identity_options *o, const char *pin)
{
	if (!span_starts(span_str(pin), "pin-sha256:")) {
		fprintf(stderr,
		        "culvert: --pin wants pin-sha256: and the base64 hash of the gateway's key.\n");
		return false;
	}
	if (o->n_pins == OPTIONS_MAX_PINS) {
		fprintf(stderr, "culvert: at most %d --pin options.\n", OPTIONS_MAX_PINS);
		return false;
	}
	o->pins[o->n_pins++] = pin;
	return true;
}

static bool policy_parse(const char *value, enum mtu_policy *ret)
{
	if (strcmp(value, "seamless") != 0 && strcmp(value, "classic") != 0) {
		fprintf(stderr, "culvert: --mtu-policy is seamless or classic, not \"%s\".\n", value);
		return false;
	}
	*ret = strcmp(value, "classic") == 0 ? MTU_CLASSIC : MTU_SEAMLESS;
	return true;
}

static bool offloads_parse(const char *list, unsigned *ret)
{
	if (offload_parse(list, ret) == 0)
		return true;
	fprintf(stderr, "culvert: --no-offload wants a list of " OFFLOAD_WORDS ".\n");
	return false;
}

static bool interface_check(const char *name)
{
	size_t n = strlen(name);
	if (n == 0 || n >= IFNAMSIZ || strchr(name, '/') != NULL || strchr(name, ' ') != NULL) {
		fprintf(stderr, "culvert: --interface wants a name of 1 to %d characters.\n", IFNAMSIZ - 1);
		return false;
	}
	return true;
}

static bool option_take(struct connect_options *o, int id, const char *arg)
{
	switch (id) {
	case OPT_PASSWORD_STDIN:
		o->credential.has_password_stdin = true;
		return true;
	case OPT_PASSWORD_FILE:
		o->credential.password_file = arg;
		return true;
	case OPT_PIN:
		return pin_add(&o->identity, arg);
	case OPT_CA:
		o->identity.ca_file = arg;
		return true;
	case OPT_CERTIFICATE:
		o->credential.certificate = arg;
		return true;
	case OPT_KEY:
		o->credential.key = arg;
		return true;
	case OPT_INTERFACE:
		o->network.interface = arg;
		return interface_check(arg);
	case OPT_SCRIPT:
		o->network.has_no_script = strcmp(arg, "none") == 0;
		o->network.script = o->network.has_no_script ? NULL : arg;
		return true;
	case OPT_NO_DTLS:
		o->tunnel.has_no_dtls = true;
		return true;
	case OPT_MTU_POLICY:
		return policy_parse(arg, &o->tunnel.mtu_policy);
	case OPT_DTLS_GIVE_UP:
		return seconds_parse("dtls-give-up", arg, &o->tunnel.dtls_give_up_s);
	case OPT_BACKGROUND:
		o->run.is_background = true;
		return true;
	case OPT_PID_FILE:
		o->run.pid_file = arg;
		return true;
	case OPT_EVENTS:
		o->run.events_file = arg;
		return true;
	case OPT_RECONNECT_TIMEOUT:
		o->tunnel.has_reconnect_timeout = true;
		return seconds_parse("reconnect-timeout", arg, &o->tunnel.reconnect_timeout_s);
	case OPT_CONTROL:
		o->run.control = arg;
		return true;
	case OPT_NO_OFFLOAD:
		return offloads_parse(arg, &o->network.offloads_refused);
	case 'v':
		o->run.verbosity++;
		return true;
	default:
		return false; /* getopt has said what is wrong */
	}
}

static bool options_agree(const struct connect_options *o)
{
	if ((o->credential.certificate == NULL) != (o->credential.key == NULL)) {
		fprintf(stderr, "culvert: --certificate and --key belong together.\n");
		return false;
	}
	if (o->credential.has_password_stdin && o->credential.password_file != NULL) {
		fprintf(stderr, "culvert: --password-stdin and --password-file exclude each other.\n");
		return false;
	}
	return true;
}

enum options_verdict options_parse(int argc, char **argv, struct connect_options *ret)
{
	struct option longs[N_ELEM(rows) + 1] = {0};
	struct connect_options o = {
	        .network.interface = "culvert%d",
	        .tunnel.dtls_give_up_s = 60,
	        .run.control = OPTIONS_DEFAULT_CONTROL,
	};
	for (size_t i = 0; i < N_ELEM(rows); i++)
		longs[i] = (struct option){
		        rows[i].name, rows[i].arg ? required_argument : no_argument, NULL, rows[i].id};
	optind = 1;
	for (int id; (id = getopt_long(argc, argv, "vh", longs, NULL)) != -1;) {
		if (id == 'h')
			return OPTIONS_HELP;
		if (!option_take(&o, id, optarg))
			return OPTIONS_BAD;
	}
	if (argc - optind != 1) {
		fprintf(stderr, "culvert: connect wants one gateway: [USER@]HOST[:PORT][/GROUP].\n");
		return OPTIONS_BAD;
	}
	if (target_parse(argv[optind], &o.target)) {
		fprintf(stderr, "culvert: \"%s\" is not [USER@]HOST[:PORT][/GROUP].\n", argv[optind]);
		return OPTIONS_BAD;
	}
	if (!options_agree(&o))
		return OPTIONS_BAD;
	*ret = o;
	return OPTIONS_OK;
}
