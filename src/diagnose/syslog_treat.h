/* What a message means beyond its row in the table, by the messages before it. */
#ifndef DIAGNOSE_SYSLOG_TREAT_H
#define DIAGNOSE_SYSLOG_TREAT_H

#include "diagnose/syslog_recent.h"
#include "diagnose/syslog_table.h"

/* Of one file; begins zeroed. */
struct syslog_memory {
	struct syslog_recent recent;
	struct ip_addr failed; /* client of the last 725006 or 725008 */
	int64_t failed_at_ms;
	uint32_t failed_until_line; /* to which its 725014 may come; 0: none */
	uint64_t informational;     /* a bit by the hash of the device: it logs 722022 and 722023 */
};

/* Completes the event by the rule of the row (enum syslog_how). False: the message is understood, and told
 * already or of no use. */
bool syslog_treat(
        struct syslog_memory *m, const struct syslog_row *row, struct event *e, const struct syslog_words *w);

#endif
