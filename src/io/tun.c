#include "io/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cap-ng.h>
#include <linux/if_tun.h>

#include "base/err.h"

_Static_assert(
        TUN_OFFLOAD_CSUM == TUN_F_CSUM && TUN_OFFLOAD_TSO4 == TUN_F_TSO4 && TUN_OFFLOAD_TSO6 == TUN_F_TSO6,
        "the kernel's numbers; those of USO are not in headers before 6.2");

/* From best to least; older kernels refuse a set with an unknown bit as a whole, and TSO without CSUM. */
static const unsigned tun_offload_sets[] = {
        TUN_OFFLOAD_CSUM | TUN_OFFLOAD_TSO4 | TUN_OFFLOAD_TSO6 | TUN_OFFLOAD_USO,
        TUN_OFFLOAD_CSUM | TUN_OFFLOAD_TSO4 | TUN_OFFLOAD_TSO6, TUN_OFFLOAD_CSUM,
        0, /* a device that stays when its program ends may still have those of the last one */
};

/* The kernel expands a %d itself; anything else with a per cent sign is a mistake. */
static bool tun_name_is_good(const char *name)
{
	const char *percent = strchr(name, '%');
	size_t n = strlen(name);
	if (n == 0 || n >= IFNAMSIZ || strchr(name, '/') != NULL)
		return false;
	return percent == NULL || (percent[1] == 'd' && strchr(percent + 1, '%') == NULL);
}

static int tun_queue_open(const char *name, short flags, struct ifreq *ret)
{
	struct ifreq req = {.ifr_flags = flags};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENXIO ? -ENODEV : errno == EACCES ? -EPERM : -errno;
	memcpy(req.ifr_name, name, strlen(name) + 1);
	if (ioctl(fd, TUNSETIFF, &req) < 0) {
		int err = -errno;
		close(fd);
		/* EINVAL: exists as another kind of device, or with other flags. Our own flags are fine. */
		return err == -EINVAL || err == -EEXIST ? -EBUSY : err;
	}
	*ret = req;
	return fd;
}

static unsigned tun_offloads_set(int fd, unsigned refused)
{
	for (size_t i = 0; i < N_ELEM(tun_offload_sets); i++) {
		unsigned set = tun_offload_sets[i];
		if ((set & refused) == 0 && ioctl(fd, TUNSETOFFLOAD, (unsigned long)set) == 0)
			return set;
	}
	return 0;
}

/* The length of the queues; what cannot be set stays as it is: no reason to do without the device. */
static void tun_queue_set(const char *name, unsigned packets)
{
	struct ifreq req = {.ifr_qlen = (int)packets};
	int fd = packets > 0 ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	if (fd < 0)
		return;
	memcpy(req.ifr_name, name, IFNAMSIZ);
	(void)ioctl(fd, SIOCSIFTXQLEN, &req);
	close(fd);
}

/* The header's size of a device that stays may have been changed as well. */
static int tun_vnet_setup(struct tun *tun, unsigned refused)
{
	int n = TUN_VNET_HDR_BYTES;
	for (unsigned i = 0; tun->has_vnet_hdr && i < tun->queues; i++)
		if (ioctl(tun->fds[i], TUNSETVNETHDRSZ, &n) < 0)
			return -errno;
	tun->offloads = tun_offloads_set(tun->fds[0], tun->has_vnet_hdr ? refused : ~0u);
	return 0;
}

int tun_open(const struct tun_config *config, struct tun *ret)
{
	struct tun tun = {.has_vnet_hdr = config->wants_vnet_hdr};
	short flags = IFF_TUN | IFF_NO_PI;
	struct ifreq req = {0};
	if (config->queues < 1 || config->queues > TUN_QUEUES_MAX || !tun_name_is_good(config->name))
		return -EINVAL;
	flags |= config->queues > 1 ? IFF_MULTI_QUEUE : 0;
	flags |= config->wants_vnet_hdr ? IFF_VNET_HDR : 0;
	memcpy(tun.name, config->name, strlen(config->name) + 1);
	for (; tun.queues < config->queues; tun.queues++) {
		int fd = tun_queue_open(tun.name, flags, &req);
		if (fd < 0) {
			tun_close(&tun);
			return fd;
		}
		tun.fds[tun.queues] = fd;
		memcpy(tun.name, req.ifr_name, IFNAMSIZ); /* further queues join the device made first */
	}
	int r = tun_vnet_setup(&tun, config->offloads_refused);
	if (r < 0) {
		tun_close(&tun);
		return r;
	}
	tun_queue_set(tun.name, config->queue_packets);
	*ret = tun;
	return 0;
}

void tun_adopt(int fd, unsigned offloads_refused, struct tun *ret)
{
	struct ifreq req = {0};
	struct tun tun = {.fds = {fd}, .queues = 1};
	if (ioctl(fd, TUNGETIFF, &req) == 0) {
		memcpy(tun.name, req.ifr_name, IFNAMSIZ);
		tun.has_vnet_hdr = req.ifr_flags & IFF_VNET_HDR;
		/* what was accepted cannot be asked for, only asked for again */
		tun.offloads = tun_offloads_set(fd, tun.has_vnet_hdr ? offloads_refused : ~0u);
	}
	*ret = tun;
}

bool tun_is_allowed(const char *name)
{
	capng_get_caps_process();
	return capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) || if_nametoindex(name) != 0;
}

void tun_close(struct tun *tun)
{
	while (tun->queues > 0)
		close(tun->fds[--tun->queues]);
}

const char *tun_error_text(int err)
{
	switch (err) {
	case -ENODEV:
		return "/dev/net/tun is missing: load the module \"tun\", or give the container that device";
	case -EPERM:
		return "a TUN device needs root or CAP_NET_ADMIN";
	case -EBUSY:
		return "a device of this name is in use (by another gateway or client?) or no TUN device: "
		       "choose another name";
	case -EINVAL:
		return "not usable as the name of a device (at most 15 characters, one %d), or too many "
		       "queues";
	default:
		return err_text(err);
	}
}

int tun_read_batch(int fd, uint8_t *buf, size_t stride, struct tun_packet *ret, size_t max)
{
	size_t n_got = 0;
	for (size_t n_read = 0; n_read < max; n_read++) {
		uint8_t *slot = buf + n_got * stride;
		ssize_t n = read(fd, slot, stride);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return n_got > 0 || errno == EAGAIN ? (int)n_got : -errno;
		if (n == 0 || (size_t)n == stride) /* a full slot: cut, or it cannot be told from that */
			continue;
		ret[n_got++] = (struct tun_packet){.p = slot, .n = (size_t)n};
	}
	return (int)n_got;
}

int tun_writev(int fd, const struct iovec *iov, unsigned n_iov)
{
	ssize_t done;
	do
		done = writev(fd, iov, (int)n_iov);
	while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : 0;
}
