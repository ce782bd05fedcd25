/* Options of `culvert diagnose`. */
#ifndef CLIENT_DIAGNOSE_OPTIONS_H
#define CLIENT_DIAGNOSE_OPTIONS_H

#include "base/option_table.h"
#include "diagnose/store.h"

struct diagnose_request {
	struct store_focus focus;
	const char *html; /* file to write, NULL: none */
	char *const *files;
	size_t n_files; /* 1 and more */
	bool is_json;
};

/* As option_table_parse(). */
enum options_verdict diagnose_options_parse(
        int argc, char **argv, struct diagnose_request *ret, struct text *say);

#endif
