/* User name, password and further secrets: from the command line, standard input, a file, or the terminal. */
#ifndef CLIENT_CREDENTIALS_H
#define CLIENT_CREDENTIALS_H

#include <stdbool.h>
#include <stdio.h>

#include "client/connect_options.h"

#define CREDENTIAL_BYTES 256 /* with the NUL */

struct credentials {
	FILE *lines;         /* standard input or the password file; NULL: terminal */
	bool is_interactive; /* a terminal is there to ask on */
};

/* -errno of the password file. */
MUST_USE int credentials_open(struct credentials *c, const struct credential_options *o);
void credentials_close(struct credentials *c);

/* The next secret: next line of the file or input, else asked on the terminal without echo under this label.
 * -ENODATA: there is none and nobody to ask; -EINTR: the user broke off; -EMSGSIZE: longer than
 * CREDENTIAL_BYTES. */
MUST_USE int credentials_secret(struct credentials *c, const char *label, char ret[static CREDENTIAL_BYTES]);
/* Asks on the terminal with echo. Errors as above. */
MUST_USE int credentials_text(struct credentials *c, const char *label, char ret[static CREDENTIAL_BYTES]);

#endif
