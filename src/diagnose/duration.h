/* "2d 4h:21m:44s", "0h:10m:12s": how long a session lasted, as gateways write it. */
#ifndef DIAGNOSE_DURATION_H
#define DIAGNOSE_DURATION_H

#include "base/span.h"

/* Seconds, 0 when it is none; parts that are no numbers count nothing. */
uint32_t duration_s(struct span text);

#endif
