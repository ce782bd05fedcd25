/* A process of the gateway as the monitor starts it: this program again, in a role, with its end of the
 * channel as descriptor CHILD_FD, no other descriptor but 0 to 2, and an empty environment. */
#ifndef GATEWAY_CHILD_H
#define GATEWAY_CHILD_H

#include <sys/types.h>

#include "base/util.h"
#include "ipc/chan.h"

#define CHILD_FD             3
#define CHILD_BACKOFF_MIN_MS 100u
#define CHILD_BACKOFF_MAX_MS 10000u
#define CHILD_STABLE_MS      60000u /* lived so long: its death is a first one again */

enum child_role { CHILD_AUTH, CHILD_WORKER, CHILD_N_ROLES };

/* "auth", "worker"; also behind --role=. */
const char *child_role_name(enum child_role role);
/* Of argv[1], "--role=worker": for main(). -ENOENT: it is no role. */
MUST_USE int child_role_parse(const char *arg, enum child_role *ret);
/* is_quiet: standard descriptors become /dev/null, else they are ours. The channel is initialised. */
MUST_USE int child_spawn(enum child_role role, bool is_quiet, struct chan *ret_chan, pid_t *ret_pid);
/* How long to wait before a restart after this many deaths in a row, 1.. */
uint32_t child_backoff_ms(unsigned deaths);

#endif
