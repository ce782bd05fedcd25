/* Words that an operator of an ASA types out of habit and that need no gateway. */
#ifndef CTL_LOCAL_H
#define CTL_LOCAL_H

#include "base/util.h"

#include <stdbool.h>
#include <stddef.h>

enum local_act { LOCAL_NONE, LOCAL_TOLD, LOCAL_REFUSED, LOCAL_HELP, LOCAL_LEAVE };

/* What to do about the word that begins a line; LOCAL_TOLD and LOCAL_REFUSED: *ret_text is the line to print.
 */
enum local_act local_find(const char *word, const char **ret_text);

#endif
