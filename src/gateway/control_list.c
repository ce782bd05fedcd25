/* A command that lists sessions: what the main thread does (listing.h). */
#include <stdlib.h>

#include "gateway/control_int.h"
#include "gateway/listing.h"

struct batch_row {
	struct session_ref ref;
	uint8_t n_moves;
	bool is_done;
	struct text text;
};

struct listing {
	uint32_t id;
	const struct list_form *form;
	struct session_choice choice; /* borrows from the request */
	struct session_refs refs;
	struct list_letter *letters[OWNERS_MAX_THREADS]; /* at home; NULL: on its way */
	unsigned n_away;
	bool is_walked;
	uint32_t n_items;             /* auth's answers that are still to come */
	uint8_t asked[LISTING_BATCH]; /* places of the rows that auth was asked about, in this order */
	uint8_t n_asked;
	struct batch_row rows[LISTING_BATCH];
	size_t n_rows;
	uint64_t n_shown;
	struct session waiting; /* the one of auth's in hand */
};

static void on_letter(struct worker *w, struct mail *m);
static void batch_go_on(struct call *c);

void control_list_done(struct call *c)
{
	struct listing *l = c->listing;
	if (l == NULL)
		return;
	c->listing = NULL;
	for (size_t i = 0; i < N_ELEM(l->letters); i++) {
		if (l->letters[i])
			list_letter_free(l->letters[i]); /* others when they come home */
	}
	for (size_t i = 0; i < l->n_rows; i++) {
		session_ref_done(&l->refs, &l->rows[i].ref);
		text_done(&l->rows[i].text);
	}
	session_refs_done(&l->refs);
	free(l);
}

/* ---- letters ---- */

/* In the thread that was asked. */
static void letter_walk(struct worker *w, struct mail *m)
{
	list_letter_walk(w, CONTAINER_OF(m, struct list_letter, mail));
	m->open = on_letter;
	process_mail(w->process->threads[0], m);
}

static void letter_show(struct worker *w, struct mail *m)
{
	list_letter_show(w, CONTAINER_OF(m, struct list_letter, mail));
	m->open = on_letter;
	process_mail(w->process->threads[0], m);
}

static void letter_send(struct call *c, uint8_t thread, void (*open)(struct worker *w, struct mail *m))
{
	struct list_letter *letter = c->listing->letters[thread];
	c->listing->letters[thread] = NULL;
	c->listing->n_away++;
	letter->mail.open = open;
	process_mail(c->w->process->threads[thread], &letter->mail);
}

static struct control_client *find_listing(const struct worker *w, uint32_t id)
{
	for (size_t i = 0; w->process->control && i < CONTROL_MAX_CLIENTS; i++) {
		struct control_client *k = w->process->control->clients[i];
		if (k && k->call.listing && k->call.listing->id == id)
			return k;
	}
	return NULL;
}

/* ---- the end of a batch, and of all ---- */

static void put_end(struct call *c)
{
	const struct listing *l = c->listing;
	if (c->is_json)
		text_str(&c->out, l->n_shown ? "\n]\n" : "[]\n");
	else if (l->n_shown == 0)
		render_no_sessions(&c->out);
}

static void put_row(struct call *c, struct text *text)
{
	struct listing *l = c->listing;
	if (text->n == 0)
		return; /* over by now, or not what the filter takes any more */
	if (c->is_json)
		text_str(&c->out, l->n_shown ? ",\n  " : "[\n  ");
	else if (l->n_shown == 0 && l->form->head)
		l->form->head(&c->out);
	text_put(&c->out, span_of(text->p, text->n));
	l->n_shown++;
}

static void batch_send(struct call *c)
{
	struct listing *l = c->listing;
	for (size_t i = 0; i < l->n_rows; i++) {
		put_row(c, &l->rows[i].text);
		text_done(&l->rows[i].text);
		session_ref_done(&l->refs, &l->rows[i].ref);
	}
	l->n_rows = 0;
	c->is_begun |= c->out.n > 0;
	if (!text_ok(&c->out))
		call_fail(c, "ERROR: memory is short");
}

/* ---- a batch ---- */

static void row_take(struct call *c, size_t place, bool is_found, struct text *text)
{
	struct batch_row *row = &c->listing->rows[place];
	uint32_t index = row->ref.index;
	row->text = *text;
	*text = (struct text){0};
	row->is_done = is_found || ++row->n_moves > LISTING_MOVES_MAX;
	if (row->is_done)
		return;
	uint64_t threads = session_is_where(c->w, index);
	if (threads == 0)
		row->is_done = true; /* has ended */
	else
		row->ref.thread = (uint8_t)__builtin_ctzll(threads);
}

static void on_row_item(struct call *c, const struct ipc_msg *m)
{
	const struct ipc_session_item *item = &m->session_item;
	struct listing *l = c->listing;
	size_t place = l->asked[l->n_asked - l->n_items];
	bool is_found = item->is_found && item->index == l->rows[place].ref.index;
	struct text text = {0};
	bool is_good = true;
	if (is_found) {
		const struct render_now now = listing_now();
		session_list_from_item(c->w, item, &now, &l->waiting);
		is_good = list_row_text(l->form, &l->choice, c->is_json, &l->waiting, &text);
	}
	row_take(c, place, is_found, &text);
	if (!is_good)
		call_fail(c, "ERROR: memory is short");
	else if (--l->n_items > 0)
		call_expect(c, m->ref, on_row_item);
	else if (l->n_away == 0)
		batch_go_on(c);
}

static void rows_ask_auth(struct call *c)
{
	struct listing *l = c->listing;
	l->n_asked = 0;
	for (size_t i = 0; c->listing && i < l->n_rows; i++) {
		const struct batch_row *row = &l->rows[i];
		if (row->is_done || row->ref.thread != SESSION_REF_AUTH)
			continue;
		struct ipc_msg m = {.type = IPC_SESSION_QUERY,
		        .session_query = {.after = row->ref.index - 1, .wants_waiting = true, .n_max = 1}};
		l->asked[l->n_asked++] = (uint8_t)i;
		l->n_items = l->n_asked;
		if (l->n_asked == 1)
			call_ask(c, &m, on_row_item);
		else
			call_ask_more(c, &m);
	}
}

/* Which rows are not written yet goes to where their sessions are. */
static void batch_ask(struct call *c)
{
	struct listing *l = c->listing;
	for (size_t i = 0; i < l->n_rows; i++) {
		const struct batch_row *row = &l->rows[i];
		if (row->is_done || row->ref.thread == SESSION_REF_AUTH)
			continue;
		struct list_letter *letter = l->letters[row->ref.thread];
		letter->rows[letter->n_rows++] =
		        (struct list_row){.index = row->ref.index, .place = (uint8_t)i};
	}
	for (uint8_t t = 0; t < c->w->process->n_threads; t++) {
		if (l->letters[t]->n_rows > 0)
			letter_send(c, t, letter_show);
	}
	rows_ask_auth(c);
}

static bool batch_is_done(const struct listing *l)
{
	size_t n = 0;
	while (n < l->n_rows && l->rows[n].is_done)
		n++;
	return n == l->n_rows;
}

/* All that were asked have answered. */
static void batch_go_on(struct call *c)
{
	if (batch_is_done(c->listing))
		batch_send(c);
	else
		batch_ask(c);
}

bool control_list_is_waiting(const struct call *c)
{
	return c->listing && (c->listing->n_away > 0 || c->listing->n_items > 0);
}

void control_list_next(struct call *c)
{
	struct listing *l = c->listing;
	struct session_ref ref;
	while (l->n_rows < LISTING_BATCH && session_refs_take(&l->refs, &ref))
		l->rows[l->n_rows++] = (struct batch_row){.ref = ref};
	if (l->n_rows > 0) {
		batch_ask(c);
		return;
	}
	put_end(c);
	c->is_begun = true;
	control_list_done(c);
}

/* ---- the walk ---- */

static void ask_waiting(struct call *c, uint32_t after);

static int waiting_add(struct call *c, const struct ipc_session_item *item)
{
	struct listing *l = c->listing;
	const struct render_now now = listing_now();
	struct session_ref ref;
	if (session_is_where(c->w, item->index) != 0)
		return 0; /* the walk has met it */
	session_list_from_item(c->w, item, &now, &l->waiting);
	if (!session_choice_takes(&l->choice, &l->waiting))
		return 0;
	int r = session_choice_ref(&l->choice, &l->waiting, &ref);
	if (r == 0 && (r = session_refs_add(&l->refs, &ref)) < 0)
		session_ref_done(&l->refs, &ref);
	return r;
}

/* Sessions that wait since before this worker started: only auth has them. */
static void on_waiting(struct call *c, const struct ipc_msg *m)
{
	const struct ipc_session_item *item = &m->session_item;
	struct listing *l = c->listing;
	l->n_items--;
	if (!item->is_found) {
		l->n_items = 0;
		l->is_walked = true;
		return;
	}
	if (waiting_add(c, item) < 0)
		call_fail(c, "ERROR: memory is short");
	else if (l->n_items > 0)
		call_expect(c, m->ref, on_waiting);
	else
		ask_waiting(c, item->index);
}

static void ask_waiting(struct call *c, uint32_t after)
{
	struct ipc_msg m = {.type = IPC_SESSION_QUERY,
	        .session_query = {.after = after, .wants_waiting = true, .n_max = IPC_SESSION_ITEMS_MAX}};
	c->listing->n_items = IPC_SESSION_ITEMS_MAX;
	call_ask(c, &m, on_waiting);
}

static void walk_take(struct call *c, struct list_letter *letter)
{
	struct listing *l = c->listing;
	size_t n = 0;
	int r = 0;
	while (n < letter->n_refs && (r = session_refs_add(&l->refs, &letter->refs[n])) == 0)
		n++;
	if (r < 0 || letter->is_short) {
		call_fail(c, "ERROR: memory is short");
		return;
	}
	letter->n_refs = 0; /* all taken */
	if (letter->cursor != 0)
		letter_send(c, letter->thread, letter_walk);
	else if (l->n_away == 0 && c->w->auth.is_up)
		ask_waiting(c, 0);
	else if (l->n_away == 0)
		l->is_walked = true;
}

static void rows_take(struct call *c, struct list_letter *letter)
{
	for (size_t i = 0; i < letter->n_rows; i++)
		row_take(c, letter->rows[i].place, letter->rows[i].is_found, &letter->rows[i].text);
	letter->n_rows = 0;
	if (letter->is_short)
		call_fail(c, "ERROR: memory is short");
	else if (c->listing->n_away == 0 && c->listing->n_items == 0)
		batch_go_on(c);
}

/* Back in the main thread. */
static void on_letter(struct worker *w, struct mail *m)
{
	struct list_letter *letter = CONTAINER_OF(m, struct list_letter, mail);
	struct control_client *k = find_listing(w, letter->id);
	if (k == NULL) { /* the console did not wait for it */
		list_letter_free(letter);
		return;
	}
	struct listing *l = k->call.listing;
	l->n_away--;
	l->letters[letter->thread] = letter;
	if (l->is_walked)
		rows_take(&k->call, letter);
	else
		walk_take(&k->call, letter);
	control_client_go_on(k);
}

void control_list_begin(struct call *c, const struct list_form *form, const struct session_choice *choice)
{
	struct process *p = c->w->process;
	struct listing *l = calloc(1, sizeof(*l));
	c->listing = l;
	if (l) {
		l->id = p->control->next_ref++;
		l->form = form;
		l->choice = *choice;
		l->refs.kind = session_choice_kind(choice);
	}
	for (uint8_t t = 0; l && t < p->n_threads; t++) {
		struct list_letter *letter = list_letter_new(choice, t);
		if (letter == NULL) {
			control_list_done(c);
			break;
		}
		letter->id = l->id;
		letter->form = form;
		letter->is_json = c->is_json;
		l->letters[t] = letter;
	}
	if (c->listing == NULL) {
		call_fail(c, "ERROR: memory is short");
		return;
	}
	for (uint8_t t = 0; t < p->n_threads; t++)
		letter_send(c, t, letter_walk);
}
