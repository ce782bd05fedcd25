/* Carries the login dialogue out: connects, sends, receives, asks the user. Blocks; nothing is configured on
 * the machine yet, so a signal may simply end the program. */
#ifndef CLIENT_LOGIN_IO_H
#define CLIENT_LOGIN_IO_H

#include "client/conn.h"
#include "client/credentials.h"
#include "client/events.h"
#include "client/exits.h"
#include "client/gate.h"

/* 0: gate has the cookie, and conn is open when the gateway kept it so (CONNECT then goes over the same
 * connection). Else an enum culvert_exit; the reason was told to the user. */
MUST_USE int login_run(struct gate *g, struct conn *conn, struct credentials *cr, struct events *ev,
        const struct target *target, bool has_certificate);

#endif
