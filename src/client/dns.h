/* Name resolution through the tunnel: systemd-resolved when it runs, else /etc/resolv.conf, whose former
 * content comes back at the end, or at the next start when this process was killed. */
#ifndef CLIENT_DNS_H
#define CLIENT_DNS_H

#include <net/if.h>
#include <stdbool.h>

#include "base/text.h"
#include "wire/params.h"

enum dns_way { DNS_NONE, DNS_RESOLVED, DNS_FILE };

struct dns {
	enum dns_way way; /* what is in force because of us */
	char adapter[IFNAMSIZ];
	const char *path; /* DNS_RESOLV_CONF; another one in tests */
};

#define DNS_RESOLV_CONF "/etc/resolv.conf"

void dns_init(struct dns *d);
/* Restores what a killed culvert left. True when something was restored. */
bool dns_repair(const struct dns *d);
/* Nothing happens when the gateway names no resolver. -errno; then nothing has changed. */
MUST_USE int dns_set(struct dns *d, const char *adapter, const struct tunnel_params *p);
void dns_undo(struct dns *d);

/* The file's new content: marker with pid, the old content as comments (or where the old symbolic link led;
 * link "" if it was none), our resolvers, search list, the old file's options lines. So the file holds its
 * own backup: it works the same where the file is a mount of its own, and no second file can get lost. */
void dns_file_format(
        const struct tunnel_params *p, long pid, struct span old, const char *link, struct text *out);
/* The old content out of that; false when content is not such a file or its comments are not complete. */
bool dns_file_recover(struct span content, struct text *old, struct text *link);
/* Pid in the marker of a file written by dns_file_format(); 0: not ours. */
long dns_file_owner(struct span content);

#endif
