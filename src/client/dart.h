/* `culvert dart`: one zip file with what support needs, and no secrets (cisco-facts.md 7.4). Works without a
 * running session, too. Returns an enum culvert_exit. */
#ifndef CLIENT_DART_H
#define CLIENT_DART_H

int dart_command(int argc, char **argv);

#endif
