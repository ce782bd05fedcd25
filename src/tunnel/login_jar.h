/* The cookies of one login: names and values only; an empty value deletes (wire-protocol.md 1.8). */
#ifndef TUNNEL_LOGIN_JAR_H
#define TUNNEL_LOGIN_JAR_H

#include "tunnel/login.h"

/* All Set-Cookie headers of an answer. What does not fit the limits is left out. */
void login_jar_take(struct login_jar *jar, const struct http_head *head);
void login_jar_put(struct login_jar *jar, struct span name, struct span value);
/* NULL when absent. */
const char *login_jar_get(const struct login_jar *jar, const char *name);
/* "Cookie: a=1; b=2\r\n", nothing when empty. */
void login_jar_format(const struct login_jar *jar, struct text *out);

#endif
