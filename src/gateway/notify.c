#include "gateway/notify.h"

#ifdef CULVERT_SYSTEMD
#include <stdint.h>
#include <time.h>

#include <systemd/sd-daemon.h>

void notify_send(enum notify_what what)
{
	struct timespec now;
	switch (what) {
	case NOTIFY_READY:
		sd_notify(0, "READY=1\nSTATUS=Serving.");
		break;
	case NOTIFY_RELOADING: /* systemd tells reloads apart by the time (Type=notify-reload) */
		clock_gettime(CLOCK_MONOTONIC, &now);
		sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		        (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
		break;
	case NOTIFY_STOPPING:
		sd_notify(0, "STOPPING=1");
		break;
	}
}
#else
void notify_send(enum notify_what what)
{
	(void)what;
}
#endif
