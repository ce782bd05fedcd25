/* The auth process: holds the password hashes, the session records and the address pools; answers the
 * worker's threads. Never sees a client's socket, and parses nothing that a client sent but names and
 * passwords. */
#ifndef GATEWAY_AUTH_H
#define GATEWAY_AUTH_H

/* Runs until the monitor says SHUTDOWN or is gone, over the socket to it, which it takes. The log is the
 * caller's to open and close. Returns the exit status of the process. */
int auth_main(int monitor_fd);

#endif
