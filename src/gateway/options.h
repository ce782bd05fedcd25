/* culvertd's command line (contract.md section 2) as a value. No output and no exit here. */
#ifndef GATEWAY_OPTIONS_H
#define GATEWAY_OPTIONS_H

#include <stdbool.h>

#include "base/util.h"
#include "ipc/msg.h"

#define OPTIONS_CONFIG_FILE "/etc/culvert/culvert.conf"
#define OPTIONS_STATE_DIR   "/var/lib/culvert"
#define OPTIONS_CONTROL     "/run/culvert/control.sock"
#define OPTIONS_TEXT_MAX    160

enum options_action { OPTIONS_RUN, OPTIONS_TEST, OPTIONS_VERSION, OPTIONS_HELP };

/* Strings point into argv or to constants. */
struct options {
	enum options_action action;
	const char *config_file, *state_dir, *control;
	bool is_foreground;
	unsigned offloads_refused; /* OFFLOAD_* */
	bool is_offload_wrong;
	enum ipc_log_target log_target;
	const char *log_file; /* with IPC_LOG_FILE */
};

/* 0; -EINVAL with one line for the operator, without a line end, in why. A later option wins over an earlier
 * one. */
MUST_USE int options_parse(
        int argc, char *const argv[], struct options *ret, char why[static OPTIONS_TEXT_MAX]);
const char *options_help(void);

#endif
