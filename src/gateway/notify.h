/* News for systemd (sd_notify(3)); nothing happens without it. */
#ifndef GATEWAY_NOTIFY_H
#define GATEWAY_NOTIFY_H

enum notify_what { NOTIFY_READY, NOTIFY_RELOADING, NOTIFY_STOPPING };

void notify_send(enum notify_what what);

#endif
