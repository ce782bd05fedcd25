/* Which ways to handle many packets at once, mostly of the kernel, are not to be used: for kernels that have
 * them and get them wrong, and for tests of how it goes without. */
#ifndef IO_OFFLOAD_H
#define IO_OFFLOAD_H

#include "base/err.h"
#include "base/text.h"
#include "base/util.h"

#define OFFLOAD_TUN 1u /* super-packets and checksums to be completed, TUN */
#define OFFLOAD_USO 2u /* super-packets of UDP, TUN */
#define OFFLOAD_GSO 4u /* many datagrams in one sendmsg() */
#define OFFLOAD_GRO 8u /* many datagrams in one recvmsg() */

#define OFFLOAD_QUEUES 16u /* several queues of one TUN device; without them there is one worker thread */
#define OFFLOAD_STEER  32u /* a BPF program that chooses queue and socket */
#define OFFLOAD_SUPER  64u /* not the kernel's: a super-packet to an own peer in one CSTP packet */
#define OFFLOAD_ALL    127u

#define OFFLOAD_WORDS "tun, uso, gso, gro, queues, steer, super, all"

/* A list of OFFLOAD_WORDS with commas between. ERR_MALFORMED. */
MUST_USE int offload_parse(const char *list, unsigned *ret_refused);
/* The same for --no-offload, an option_take_f; refused: an unsigned. */
bool offload_take(void *refused, const char *list, struct text *why);
/* TUN_OFFLOAD_* not to ask for. */
unsigned offload_tun_refused(unsigned refused);

#endif
