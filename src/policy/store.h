/* What a configuration owns. */
#ifndef POLICY_STORE_H
#define POLICY_STORE_H

#include "policy/statement.h"

struct config_store {
	struct arena arena; /* everything, the statements included; not this struct and the config */
	struct stmt root;
};

#endif
