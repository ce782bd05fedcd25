/* The programs that ask the running session through its control socket, and show the answer as text or JSON.
 * argv begins with the command's name. Return an enum culvert_exit. */
#ifndef CLIENT_ASK_H
#define CLIENT_ASK_H

int status_command(int argc, char **argv);
int stats_command(int argc, char **argv);
int disconnect_command(int argc, char **argv);

#endif
