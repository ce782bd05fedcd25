/* Shared by the files of the params codec only. */
#ifndef WIRE_PARAMS_INTERNAL_H
#define WIRE_PARAMS_INTERNAL_H

#include "wire/params.h"

/* DTLS_NONE when we do not know that name in that header. */
enum dtls_suite dtls_suite_find(struct span header, struct span name);

/* "name: value" and the line's end; nothing for an empty value. Control characters and outer blanks are left
 * out. */
void params_put_str(struct text *out, const char *name, const char *value);
/* Nothing for 0. */
void params_put_u32(struct text *out, const char *name, uint32_t value);
void params_put_addr(struct text *out, const char *name, const struct ip_addr *a);
/* Hexadecimal digits of either case; leaves no copy of bytes behind. */
void params_put_hex(struct text *out, const char *name, struct span bytes, bool is_upper);
/* The suites of the set that belong to this header, as one line; nothing when there are none. */
void params_put_suites(struct text *out, const char *header, uint32_t suites);

/* Reading: 0 when absent, "none", not a number, or outside min..max. */
uint32_t params_number(struct span v, uint32_t min, uint32_t max);
/* Copies v, or leaves "" when it does not fit or has control characters. */
void params_name(struct span v, char *ret, size_t cap);
/* X-Culvert. Nothing when its first word is not "1". */
struct own_words params_own_parse(struct span v);
void params_own_format(const struct own_words *w, struct text *out);

#endif
