/* "daemon.notice", "Local4.Info": facility and level, which some programs write where others have the host.
 */
#ifndef DIAGNOSE_FACILITY_H
#define DIAGNOSE_FACILITY_H

#include "base/span.h"

bool facility_is(struct span word);

#endif
