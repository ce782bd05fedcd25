/* What commands collect from the threads: asked and answered by letter. */
#include <stdlib.h>

#include "gateway/control_int.h"

/* ---- letters ---- */

static void gathered_add(struct gathered *to, const struct gathered *from)
{
	for (size_t i = 0; i < N_DROP_REASONS; i++)
		to->counts.drops[i] += from->counts.drops[i];
	switches_add(&to->counts.switches, &from->counts.switches);
	to->counts.n_handed_over += from->counts.n_handed_over;
	to->is_short |= from->is_short;
}

struct gather_letter {
	struct mail mail;
	uint32_t ref;
	gather_f *f;
	struct gathered g;
};

/* Back in the main thread. */
static void gather_take(struct worker *w, struct mail *m)
{
	struct gather_letter *l = CONTAINER_OF(m, struct gather_letter, mail);
	struct control_client *k = control_client_waiting(w, l->ref);
	if (k)
		gathered_add(&k->call.gathered, &l->g);
	free(l);
	if (k == NULL || --k->call.n_asked > 0)
		return;
	k->call.ref = 0;
	k->call.on_gathered(&k->call);
	control_client_go_on(k);
}

/* In the thread that was asked. */
static void gather_do(struct worker *w, struct mail *m)
{
	struct gather_letter *l = CONTAINER_OF(m, struct gather_letter, mail);
	if (l->f)
		l->f(w, &l->g);
	m->open = gather_take;
	process_mail(w->process->threads[0], m);
}

void call_gather(struct call *c, gather_f *f, void (*then)(struct call *c))
{
	struct process *p = c->w->process;
	c->n_asked = 0;
	c->on_gathered = then;
	if (p->n_threads > 1)
		c->ref = CONTROL_REF | (p->control->next_ref++ & ~CONTROL_REF);
	for (unsigned i = 1; i < p->n_threads; i++) {
		struct gather_letter *l = calloc(1, sizeof(*l));
		if (l == NULL) {
			c->gathered.is_short = true;
			continue;
		}
		l->mail.open = gather_do;
		l->ref = c->ref;
		l->f = f;
		process_mail(p->threads[i], &l->mail);
		c->n_asked++;
	}
	if (f)
		f(c->w, &c->gathered);
	if (c->n_asked > 0)
		return;
	c->ref = 0;
	then(c);
}

/* ---- what is collected ---- */

void gather_counts(struct worker *w, struct gathered *g)
{
	g->counts = w->counts;
}

void gather_clear_drops(struct worker *w, struct gathered *g)
{
	(void)g;
	memset(w->counts.drops, 0, sizeof(w->counts.drops));
}
