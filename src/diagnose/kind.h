/* Names of what a file is recognised as. */
#ifndef DIAGNOSE_KIND_H
#define DIAGNOSE_KIND_H

#include "base/text.h"
#include "diagnose/event.h"

/* For programs, stable: "asa-syslog"; SOURCE_NONE: "unknown". */
const char *kind_name(enum source_kind k);
/* For people: "ASA or FTD syslog and output of show asp drop", of the bits 1 << kind */
void kind_put_titles(struct text *t, uint32_t set);

#endif
