/* The interactive console: a line editor around ask(), or lines from standard input when it is no terminal.
 */
#ifndef CTL_CONSOLE_H
#define CTL_CONSOLE_H

#include "base/util.h"

#include <stdbool.h>

/* One command; prints the answer. The exit status: 0 or 1. */
int console_run(const char *socket_path, const char *const *argv, size_t argc, bool is_json);

/* Until "exit" or the end of input. The exit status: 1 when a command failed that did not come from a
 * terminal. */
int console_loop(const char *socket_path, bool is_json);

#endif
