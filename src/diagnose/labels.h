/* Lines of the form "label : value" as DART and Windows' event viewer write them, in any language: which
 * value it is follows from the place and the look of it; labels only help where that is not enough. */
#ifndef DIAGNOSE_LABELS_H
#define DIAGNOSE_LABELS_H

#include "diagnose/local_date.h"

#define LABEL_MAX_BYTES 48

/* Cuts a line at its first colon (the wide one of East Asia too); both sides without blanks. False: no label.
 */
bool label_cut(struct span line, struct span *ret_label, struct span *ret_value);
/* "Date" in the languages of the client. */
bool label_is_date(struct span label);
/* The order of day and month that goes with a word for date: DATE_DMY for Fecha, Data, ...; English: unknown.
 */
enum date_order label_date_order(struct span label);
/* "Computer" in the languages of Windows. */
bool label_is_computer(struct span label);

#endif
