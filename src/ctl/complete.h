/* Completion of a command line by asking the gateway. */
#ifndef CTL_COMPLETE_H
#define CTL_COMPLETE_H

#include "base/text.h"

/* What may be inserted at the end of line (the part up to the cursor): the rest of the only word possible and
 * a blank, or what all possible words have in common. Nothing when the gateway is away or nothing fits. */
void complete_line(const char *socket_path, struct span line, struct text *ret_insert);
/* The list of what may follow, with help, for the terminal. */
void complete_help(const char *socket_path, struct span line, struct text *ret_list);

#endif
