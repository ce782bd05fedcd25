/* Exit status of culvert (contract.md section 3). */
#ifndef CLIENT_EXITS_H
#define CLIENT_EXITS_H

enum culvert_exit {
	EXIT_ENDED = 0, /* by the user */
	EXIT_USAGE = 1,
	EXIT_REFUSED = 2, /* authentication refused */
	EXIT_UNREACHABLE = 3,
	EXIT_IDENTITY = 4,   /* server identity not accepted */
	EXIT_BY_GATEWAY = 5, /* session ended by the gateway */
	EXIT_NETWORK = 6,    /* local network configuration failed */
};

#endif
