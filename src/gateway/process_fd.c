/* The descriptors that the monitor hands over, and whose they are. */
#include <errno.h>
#include <unistd.h>

#include "gateway/process_int.h"

int process_thread(struct process *p, uint16_t index, struct worker **ret)
{
	int r = 0;
	if (index >= N_ELEM(p->threads))
		return -ERANGE;
	if (p->threads[index] == NULL)
		r = worker_new(p, (uint8_t)index, &p->threads[index]);
	*ret = p->threads[index];
	return r;
}

/* Descriptors that each thread has of its own. Takes fd on success. */
static int take_thread_fd(struct process *p, const struct ipc_fd *f, int fd)
{
	struct worker *w;
	int r = process_thread(p, f->index, &w);
	if (r < 0)
		return r;
	switch (f->kind) {
	case IPC_FD_TUN:
		w->tun.dev.fds[0] = fd;
		return 0;
	case IPC_FD_TCP:
		w->listener.fd = fd;
		return 0;
	case IPC_FD_UDP:
		return udp_adopt(fd, &w->udp);
	default: /* IPC_FD_AUTH */
		chan_init(&w->auth.chan, fd, IPC_WORKER, IPC_AUTH);
		w->auth.is_up = true;
		return 0;
	}
}

int process_take_fd(struct process *p, const struct ipc_fd *f, int fd)
{
	int r = 0;
	switch (f->kind) {
	case IPC_FD_CONFIG:
		r = process_take_config(p, fd);
		break;
	case IPC_FD_CERT:
		r = process_take_cert(p->threads[0], fd);
		break;
	case IPC_FD_TUN:
	case IPC_FD_TCP:
	case IPC_FD_UDP:
	case IPC_FD_AUTH:
		if ((r = take_thread_fd(p, f, fd)) == 0)
			return 0;
		break;
	case IPC_FD_CONTROL:
		p->control_fd = fd;
		return 0;
	case IPC_FD_STEER:
		r = f->index < STEER_N_KEYS ? steer_map(fd, &p->steer[f->index]) : -ERANGE;
		break;
	case IPC_FD_LOG:
		return dup2(fd, STDERR_FILENO) < 0 ? -errno : (close(fd), 0);
	default:
		break;
	}
	close(fd);
	return r;
}
