/* A configuration that came from the monitor as a descriptor of its text. */
#ifndef GATEWAY_CONFIG_TEXT_H
#define GATEWAY_CONFIG_TEXT_H

#include "policy/model.h"

/* Reads the whole file from its beginning; fd stays the caller's. The monitor has parsed the same text
 * before, so messages are not repeated. *ret has one reference. 0, ERR_CONFIG, ERR_TOO_LARGE, -ENOMEM,
 * -errno. */
MUST_USE int config_text_read(int fd, struct config **ret);

#endif
