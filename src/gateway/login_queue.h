/* Logins that wait for their password to be checked. The thread pool gets a few at a time, so that what was
 * found out about one is known before the next: guesses in parallel do not outrun the lockout. Fair: the
 * addresses with logins waiting take turns, each in the order of arrival. One address is an IPv4 address or
 * an IPv6 /64, as for the lockout. Pure: time is an argument. */
#ifndef GATEWAY_LOGIN_QUEUE_H
#define GATEWAY_LOGIN_QUEUE_H

#include "base/addr.h"
#include "base/htab.h"

#define LOGIN_CHECKS_MAX         4u    /* at the same time: as many as libuv's pool has threads */
#define LOGIN_QUEUE_MAX          4096u /* waiting */
#define LOGIN_QUEUE_PER_PEER_MAX 1024u /* of them of one address: an office behind NAT in the morning */
#define LOGIN_QUEUE_WAIT_MS      60000 /* then it is refused; the client may try again */

struct login_source;

/* One login; inside what the caller keeps of it. */
struct login_ticket {
	struct login_ticket *next;          /* of the same address */
	struct login_ticket *older, *newer; /* of all */
	struct login_source *source;
	ms_t since_ms;
};

struct login_queue {
	struct htab sources;
	uint8_t hash_key[16];
	struct login_source *first, *last;    /* whose turn it is */
	struct login_ticket *oldest, *newest; /* of those that wait */
	unsigned n_waiting, n_running;
};

/* key: random. */
void login_queue_init(struct login_queue *q, const uint8_t key[static 16]);
/* ERR_LIMIT: too many wait, of this address or at all; -ENOMEM. */
MUST_USE int login_queue_put(
        struct login_queue *q, struct login_ticket *t, const struct ip_addr *peer, ms_t now_ms);
/* The next one to check, which then runs until login_queue_done(). NULL: nobody waits, or enough are running.
 */
struct login_ticket *login_queue_take(struct login_queue *q);
void login_queue_done(struct login_queue *q, struct login_ticket *t);
/* One that has waited too long, and is no more inside. NULL: there is none. */
struct login_ticket *login_queue_expire(struct login_queue *q, ms_t now_ms);
/* When to look for those next; MS_NEVER. */
ms_t login_queue_due_ms(const struct login_queue *q);
/* Nothing may be inside. */
void login_queue_free(struct login_queue *q);

#endif
