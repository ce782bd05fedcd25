/* culvert connect: options, login, session, background. */
#ifndef CLIENT_CONNECT_H
#define CLIENT_CONNECT_H

/* argv[0] is "connect". Returns an enum culvert_exit. */
int connect_command(int argc, char **argv);

#endif
