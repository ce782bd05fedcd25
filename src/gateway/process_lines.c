/* Lines for log and consoles: the other threads send theirs to the main thread, which alone may use the
 * monitor's channel and the consoles. */
#include <stdlib.h>

#include "gateway/control.h"
#include "gateway/process_int.h"

struct line_letter {
	struct mail mail;
	struct ipc_msg log; /* IPC_LOG, or a line of debug in its text */
	unsigned level;     /* of debug */
};

/* NULL when too many wait, or memory is short. */
static struct line_letter *line_new(struct process *p, void (*open)(struct worker *w, struct mail *m))
{
	if (atomic_fetch_add(&p->n_letters, 1) < PROCESS_LETTERS_MAX) {
		struct line_letter *l = calloc(1, sizeof(*l));
		if (l) {
			l->mail.open = open;
			return l;
		}
	}
	atomic_fetch_sub(&p->n_letters, 1);
	return NULL;
}

static void line_done(struct process *p, struct line_letter *l)
{
	atomic_fetch_sub(&p->n_letters, 1);
	free(l);
}

/* ---- log ---- */

static void log_pass(struct worker *w, struct mail *m)
{
	struct line_letter *l = CONTAINER_OF(m, struct line_letter, mail);
	log_relay_send(&w->process->log_relay, &l->log);
	line_done(w->process, l);
}

/* The log of another thread: only this one may use the monitor's channel. */
static bool on_log_elsewhere(void *ctx, const struct ipc_msg *m)
{
	struct process *p = ctx;
	struct line_letter *l = line_new(p, log_pass);
	if (l == NULL)
		return false;
	l->log = *m;
	process_mail(p->threads[0], &l->mail);
	return true;
}

/* The log has put more into the monitor's channel than went out at once. */
static void on_log_waiting(void *ctx)
{
	struct process *p = ctx;
	worker_watch_chan(&p->monitor_poll, &p->monitor);
}

void process_log_open(struct process *p)
{
	p->log_relay = (struct log_relay){.monitor = &p->monitor,
	        .wants_write = on_log_waiting,
	        .elsewhere = on_log_elsewhere,
	        .ctx = p};
}

/* ---- debug ---- */

static void debug_pass(struct worker *w, struct mail *m)
{
	struct line_letter *l = CONTAINER_OF(m, struct line_letter, mail);
	control_debug_lost(w->process->control, atomic_exchange(&w->process->n_lines_lost, 0));
	control_debug_line(w->process->control, l->level, l->log.log.text);
	line_done(w->process, l);
}

void process_debug_line(struct worker *w, unsigned level, const char *text)
{
	if (w->index == 0) {
		control_debug_line(w->process->control, level, text);
		return;
	}
	struct line_letter *l = level <= process_debug_level(w) ? line_new(w->process, debug_pass) : NULL;
	if (l == NULL) {
		atomic_fetch_add(&w->process->n_lines_lost, level <= process_debug_level(w));
		return;
	}
	l->level = level;
	ipc_cut_str(l->log.log.text, sizeof(l->log.log.text), text);
	process_mail(w->process->threads[0], &l->mail);
}
