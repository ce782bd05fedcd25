/* Lines of `debug webvpn anyconnect`, which come from a terminal or, with `logging debug-trace`, by syslog.
 */
#ifndef DIAGNOSE_DEBUG_LINE_H
#define DIAGNOSE_DEBUG_LINE_H

#include "diagnose/event.h"

/* "tls-mtu=1347 dtls-mtu=1418" and its forms "computed ...", "announced ...": size and limit of an EVENT_MTU.
 * *ret_is_final: announced to the client; a computed value may still be overridden. */
bool debug_line_mtu(struct span line, struct event *ret, bool *ret_is_final);

#endif
