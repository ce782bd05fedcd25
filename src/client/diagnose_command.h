/* `culvert diagnose`: logs and configurations to cause, evidence and cure. */
#ifndef CLIENT_DIAGNOSE_COMMAND_H
#define CLIENT_DIAGNOSE_COMMAND_H

/* argv after the program's name. Returns the exit status: 0 nothing wrong was found, 10 findings, 1 usage, 2
 * a file could not be read. */
int diagnose_command(int argc, char **argv);

#endif
