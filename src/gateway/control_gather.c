/* What commands collect from the threads. */
#include <stdlib.h>

#include "gateway/control_int.h"

bool gathered_add(struct gathered *to, struct gathered *from)
{
	for (size_t i = 0; i < N_DROP_REASONS; i++)
		to->drops[i] += from->drops[i];
	switches_add(&to->switches, &from->switches);
	to->n_handed_over += from->n_handed_over;
	to->is_short |= from->is_short;
	return session_list_join(&to->list, &from->list) == 0;
}

void gathered_done(struct gathered *g)
{
	session_list_done(&g->list);
	session_choice_done(&g->choice);
	*g = (struct gathered){0};
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

/* The main thread's own are added last, by the command itself: they need no copy. */
void gather_sessions(struct worker *w, struct gathered *g)
{
	if (w->index != 0 && session_list_add_copies(&g->list, w, &g->choice) < 0)
		g->is_short = true;
}
