/* Reading and writing configurations in the ASA dialect. */
#ifndef POLICY_CONFIG_H
#define POLICY_CONFIG_H

#include "policy/diag.h"
#include "policy/model.h"

#define CONFIG_MAX_BYTES      (4u << 20)
#define CONFIG_MAX_LINES      65536u
#define CONFIG_MAX_STATEMENTS 32768u
#define CONFIG_MAX_ERRORS     100u

/* Reads a whole file. Every message goes to the sink with its place. 0: *ret has one reference and there was
 * no error. ERR_CONFIG: errors were reported. ERR_TOO_LARGE (reported). -ENOMEM. Nothing of text is kept. */
MUST_USE int config_parse(struct span text, const char *filename, struct diag_sink sink, struct config **ret);

enum config_format_flag {
	CONFIG_SECRETS = 1, /* keep secrets, for handing over between processes; otherwise ***** */
	CONFIG_ALL = 2,     /* with the defaults, as `show running-config all` */
};
/* The running-config. Reading it again gives an equal configuration (with CONFIG_SECRETS). */
void config_format(const struct config *c, unsigned flags, struct text *out);

/* Names the commands, separated by ", ", whose change from a to b takes effect only at a restart. */
void config_restart_needed(const struct config *a, const struct config *b, struct text *out);

/* The command reference of culvert.conf(5), as roff in the man macros. */
void policy_manual(struct text *out);

#endif
