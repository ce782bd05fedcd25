/* Shared by netlink*.c only: turning kernel messages into our structs. */
#ifndef IO_NETLINK_INT_H
#define IO_NETLINK_INT_H

#include "io/netlink.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

/* Dumps of the kernel come in pieces of up to 32 KiB when the reader's buffer holds that. */
#define NETLINK_BUF_BYTES 32768

/* All: -EBADMSG for a message that is too short or has malformed attributes. */
MUST_USE int netlink_link_parse(const struct nlmsghdr *h, struct netlink_link *ret);
MUST_USE int netlink_address_parse(const struct nlmsghdr *h, struct netlink_address *ret);
/* -EOPNOTSUPP for what the header leaves out: cache entries, multicast, other families. */
MUST_USE int netlink_route_parse(const struct nlmsghdr *h, struct netlink_route *ret);

#endif
