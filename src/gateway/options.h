/* culvertd's command line (contract.md section 2) as a value. No output and no exit here. */
#ifndef GATEWAY_OPTIONS_H
#define GATEWAY_OPTIONS_H

#include "base/option_table.h"
#include "ipc/msg.h"

#define OPTIONS_CONFIG_FILE "/etc/culvert/culvert.conf"
#define OPTIONS_STATE_DIR   "/var/lib/culvert"
#define OPTIONS_CONTROL     "/run/culvert/control.sock"

/* Strings point into argv or to constants. */
struct options {
	const char *config_file, *state_dir, *control;
	bool is_test, is_foreground;
	unsigned offloads_refused; /* OFFLOAD_* */
	enum ipc_log_target log_target;
	const char *log_file; /* with IPC_LOG_FILE */
};

/* As option_table_parse(). */
enum options_verdict options_parse(int argc, char **argv, struct options *ret, struct text *say);

#endif
