/* Options of `culvert mtu` (contract.md section 3). */
#ifndef CLIENT_MTU_OPTIONS_H
#define CLIENT_MTU_OPTIONS_H

#include "base/option_table.h"
#include "mtu/derive.h"

#define MTU_MAX_NOTES  6
#define MTU_NOTE_BYTES 200

/* Remarks for the reader: what was assumed, what is refused in reality. */
struct mtu_notes {
	char v[MTU_MAX_NOTES][MTU_NOTE_BYTES];
	size_t n;
};

struct mtu_request {
	struct mtu_input in; /* mtu_derive() accepts it */
	bool is_json, wants_list;
	struct mtu_notes notes;
};

void mtu_note(struct mtu_notes *n, const char *fmt, ...) PRINTF_LIKE(2, 3);
const char *mtu_version_name(enum mtu_version v); /* "TLS 1.2" */

/* As option_table_parse(). */
enum options_verdict mtu_options_parse(int argc, char **argv, struct mtu_request *ret, struct text *say);

#endif
