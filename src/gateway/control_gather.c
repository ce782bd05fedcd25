/* What commands collect from the threads. */
#include "gateway/control_int.h"

void gathered_add(struct gathered *to, const struct gathered *from)
{
	for (size_t i = 0; i < N_DROP_REASONS; i++)
		to->drops[i] += from->drops[i];
	switches_add(&to->switches, &from->switches);
	to->n_handed_over += from->n_handed_over;
	to->is_short |= from->is_short;
}

void gather_counts(struct worker *w, struct gathered *g)
{
	memcpy(g->drops, w->drops, sizeof(g->drops));
	g->switches = w->switches;
	g->n_handed_over = w->n_handed_over;
}

void gather_clear_drops(struct worker *w, struct gathered *g)
{
	(void)g;
	memset(w->drops, 0, sizeof(w->drops));
}
