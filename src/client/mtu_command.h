/* `culvert mtu`: the MTU of both tunnels, derived line by line. */
#ifndef CLIENT_MTU_COMMAND_H
#define CLIENT_MTU_COMMAND_H

/* argv after the program's name. Returns an enum culvert_exit. */
int mtu_command(int argc, char **argv);

#endif
