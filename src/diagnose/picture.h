/* The timeline as a picture: which tunnel carried the data, large packets, reconnects, the adapter's MTU. */
#ifndef DIAGNOSE_PICTURE_H
#define DIAGNOSE_PICTURE_H

#include "diagnose/timeline.h"

/* An <svg> element whose colours come from classes; nothing when the rows have no times. */
void picture_put(struct text *out, const struct timeline *t);

#endif
