/* A configuration file: must not crash; what parses must print, and print the same after reading the print.
 */
#include <stdlib.h>

#include "policy/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c, *again;
	struct text first = {0}, second = {0};
	if (config_parse(span_of(data, size), "fuzz", (struct diag_sink){0}, &c) < 0)
		return 0;
	config_format(c, CONFIG_SECRETS, &first);
	if (config_parse(span_of(first.p, first.n), "fuzz", (struct diag_sink){0}, &again) < 0)
		abort();
	config_format(again, CONFIG_SECRETS, &second);
	if (strcmp(text_cstr(&first), text_cstr(&second)) != 0)
		abort();
	struct group_policy_values v;
	for (size_t i = 0; i < c->n_users; i++) {
		if (config_resolve_policy(c, &c->tunnel_groups[0], &c->users[i], (struct span){0}, NULL, &v) <
		        0)
			abort();
	}
	text_done(&first);
	text_done(&second);
	config_put(c);
	config_put(again);
	return 0;
}
