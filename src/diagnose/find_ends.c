/* Sessions that ended or broke for a reason that has nothing to do with MTUs. Saying so is the point. */
#include <stdio.h>

#include "diagnose/cure.h"

#define PROVED_CASES 5
#define LOST_OFTEN   2     /* losses of one session that are worth a word although it came back */
#define NEAR_MS      30000 /* what happened this long before explains it */
#define DPD_CURE_S   30    /* what the cures below set; where it is no more they are none */

static uint32_t last_end(const struct find *x, const struct one_case *k)
{
	uint32_t found = CASE_NONE;
	for (uint32_t i = k->first; i != CASE_NONE; i = x->c->next[i])
		if (store_at(x->s, i)->kind == EVENT_SESSION_END &&
		        (found == CASE_NONE || store_at(x->s, i)->reason))
			found = i;
	return found;
}

static bool is_ended_by(const struct one_case *k, enum end_reason a, enum end_reason b)
{
	return k->is_ended && (k->reason == a || k->reason == b);
}

/* ---- idle-or-session-timeout ---- */

struct timeouts {
	size_t n_idle, n_max;
	const struct policy_setup *policy;
	const struct one_case *shown;
};

static void say_limit(struct text *c, const char *command, uint32_t minutes)
{
	if (minutes > 0)
		text_fmt(c, " (`%s %u`, minutes)", command, minutes);
}

static void say_timeouts(struct find *x, const struct timeouts *t)
{
	struct finding *f = x->f;
	const struct policy_setup *p = t->policy;
	if (t->n_idle > 0) {
		text_fmt(&f->cause, "%zu %s ended because nothing was sent for the idle time", t->n_idle,
		        t->n_idle == 1 ? "session" : "sessions");
		say_limit(&f->cause, "vpn-idle-timeout", p ? p->idle_min.value : 0);
		text_str(&f->cause, ". ");
	}
	if (t->n_max > 0) {
		text_fmt(&f->cause, "%zu %s reached the longest time a session may have", t->n_max,
		        t->n_max == 1 ? "session" : "sessions");
		say_limit(&f->cause, "vpn-session-timeout", p ? p->session_min.value : 0);
		text_str(&f->cause, ". ");
	}
	text_str(&f->cause, "That is configured so, and not a fault of tunnels or MTUs.");
	find_say_users(x, &f->verdict);
	text_fmt(&f->verdict, ": disconnected by the configured %s timeout.",
	        t->n_idle == 0  ? "session"
	        : t->n_max == 0 ? "idle"
	                        : "idle or session");
}

static const struct cure idle_cures[] = {
        {PRODUCTS_OCSERV, PASTE_GLOBAL, "If it is too short",
                "idle-timeout = 3600\nmobile-idle-timeout = 3600", "Sessions may be silent for an hour.",
                "Addresses stay in use longer."},
};

static const struct cure max_cures[] = {
        {PRODUCTS_COMMANDS, PASTE_POLICY, "If it is too short", "vpn-session-timeout none",
                "Sessions end only by the idle timeout.", "Addresses and licences stay in use longer."},
        {PRODUCTS_OCSERV, PASTE_GLOBAL, "If it is too short", "session-timeout = 604800",
                "A session may last a week.", "Addresses stay in use longer."},
};

/* Twice what is configured, an hour at least. */
static void cure_idle(struct find *x, const struct policy_setup *p)
{
	char lines[40], effect[60];
	uint32_t minutes = p != NULL ? p->idle_min.value : SETUP_DEFAULT_IDLE_MIN;
	minutes = minutes < 30 ? 60 : minutes < SETUP_MAX_IDLE_MIN / 2 ? 2 * minutes : SETUP_MAX_IDLE_MIN;
	(void)snprintf(lines, sizeof(lines), "vpn-idle-timeout %u", minutes);
	(void)snprintf(effect, sizeof(effect), "Sessions may be silent for %u minutes.", minutes);
	const struct cure c = {PRODUCTS_COMMANDS, PASTE_POLICY, "If it is too short", lines, effect,
	        "Addresses and licences stay in use longer."};
	x->own_user = p != NULL && p->idle_min.fact != NULL && p->idle_min.fact->is_user ? p->user : 0;
	cure_add_here(x, &c, 1);
	cure_add_here(x, idle_cures, N_ELEM(idle_cures));
}

static void cure_max(struct find *x, const struct policy_setup *p)
{
	x->own_user = p != NULL && p->session_min.fact != NULL && p->session_min.fact->is_user ? p->user : 0;
	cure_add_here(x, max_cures, N_ELEM(max_cures));
}

void find_timeouts(struct find *x)
{
	struct timeouts t = {0};
	size_t n_proved = 0;
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		if (!is_ended_by(k, REASON_IDLE, REASON_MAX_TIME) || !find_is_session(x, k))
			continue;
		find_hit(x, k, k->end_at_ms, k->end_at_ms);
		t.n_idle += k->reason == REASON_IDLE;
		t.n_max += k->reason == REASON_MAX_TIME;
		t.policy = t.policy ? t.policy : find_policy_of(x, k);
		if (n_proved++ < PROVED_CASES)
			find_prove(x, last_end(x, k));
	}
	if (x->n_hits == 0)
		return;
	if (t.policy != NULL) {
		find_prove_fact(x, t.n_idle ? t.policy->idle_min.fact : NULL);
		find_prove_fact(x, t.n_max ? t.policy->session_min.fact : NULL);
	}
	x->f->confidence = CONFIDENCE_CERTAIN;
	say_timeouts(x, &t);
	if (t.n_idle > 0)
		cure_idle(x, t.policy);
	else
		cure_max(x, t.policy);
}

/* ---- dpd-timeout ---- */

/* Sleep and changes of network explain a peer that does not answer, when they came not long before. Walked
 * along with the session, so that many losses in one take no longer. */
struct excuses {
	uint32_t next;   /* place that was not yet looked at */
	int64_t last_ms; /* of the latest excuse; TIME_NONE */
	bool has_any, has_untimed;
};

static bool is_excuse(const struct record *r)
{
	return r->kind == EVENT_SUSPEND || r->kind == EVENT_WAKE || r->kind == EVENT_NETWORK_CHANGE;
}

static struct excuses excuses_of(const struct find *x, const struct one_case *k)
{
	struct excuses e = {.next = k->first, .last_ms = TIME_NONE};
	for (uint32_t i = k->first; i != CASE_NONE; i = x->c->next[i]) {
		const struct record *r = store_at(x->s, i);
		e.has_any |= is_excuse(r);
		e.has_untimed |= is_excuse(r) && r->at_ms == TIME_NONE;
	}
	return e;
}

static bool is_explained(const struct find *x, struct excuses *e, const struct record *r)
{
	if (e->has_untimed || r->at_ms == TIME_NONE)
		return e->has_any;
	for (; e->next != CASE_NONE; e->next = x->c->next[e->next]) {
		const struct record *o = store_at(x->s, e->next);
		if (o->at_ms != TIME_NONE && o->at_ms > r->at_ms + NEAR_MS)
			break;
		if (is_excuse(o))
			e->last_ms = o->at_ms;
	}
	return e->last_ms != TIME_NONE && e->last_ms >= r->at_ms - 10 * NEAR_MS;
}

static bool is_dead_peer(const struct record *r)
{
	if (r->tunnel == TUNNEL_DTLS)
		return false;
	return r->kind == EVENT_DPD_DEAD ||
	       (r->reason == REASON_DPD && (r->kind == EVENT_SESSION_LOST || r->kind == EVENT_SESSION_END ||
	                                           r->kind == EVENT_TUNNEL_DOWN));
}

struct dead {
	uint32_t first, last; /* places */
	size_t n;             /* moments */
};

static struct dead count_dead(const struct find *x, const struct one_case *k)
{
	struct dead d = {.first = CASE_NONE, .last = CASE_NONE};
	struct excuses e = excuses_of(x, k);
	for (uint32_t i = k->first; i != CASE_NONE; i = x->c->next[i]) {
		const struct record *r = store_at(x->s, i);
		if (!is_dead_peer(r) || is_explained(x, &e, r))
			continue;
		int64_t before = d.last == CASE_NONE ? TIME_NONE : store_at(x->s, d.last)->at_ms;
		bool is_same = before != TIME_NONE && r->at_ms != TIME_NONE && r->at_ms - before <= NEAR_MS;
		d.n += !is_same;
		d.first = d.first == CASE_NONE ? i : d.first;
		d.last = i;
	}
	return d;
}

/* It came back: once is a user on the move. */
static bool is_back(const struct find *x, uint32_t place)
{
	return cases_find(x->c, place, EVENT_SESSION_RESUMED, TUNNEL_UNKNOWN) != CASE_NONE ||
	       cases_find(x->c, place, EVENT_TUNNEL_REPLACED, TUNNEL_UNKNOWN) != CASE_NONE ||
	       cases_find(x->c, place, EVENT_TUNNEL_UP, TUNNEL_TLS) != CASE_NONE ||
	       cases_find(x->c, place, EVENT_CONNECTED, TUNNEL_UNKNOWN) != CASE_NONE;
}

static const struct cure dpd_cures[] = {
        {PRODUCTS_COMMANDS, PASTE_WEBVPN, "Keep NAT devices from forgetting the connection",
                "anyconnect ssl keepalive 20\nanyconnect dpd-interval client 30\n"
                "anyconnect dpd-interval gateway 30",
                "Something is sent often enough; a lost client is noticed within two minutes.",
                "Some traffic; phones sleep less. No help where the line really fails."},
        {PRODUCTS_OCSERV, PASTE_GLOBAL, "Keep NAT devices from forgetting the connection",
                "keepalive = 60\ndpd = 30\nmobile-dpd = 300",
                "Something is sent often enough; a lost client is noticed within two minutes.",
                "Some traffic; phones sleep less. No help where the line really fails."},
};

static void say_dpd(struct find *x, bool is_back_again)
{
	struct finding *f = x->f;
	text_str(&f->cause,
	        "The other end did not answer dead peer detection, again and again, so the tunnel was taken "
	        "down. The line between was interrupted: a client that lost its network or was switched off, "
	        "a NAT that forgot the connection, an overloaded line. MTUs have nothing to do with it.");
	if (is_back_again)
		text_str(&f->cause, " The sessions came back, but it happened again and again.");
	find_say_users(x, &f->verdict);
	text_str(&f->verdict, ": the line was interrupted (dead peer detection), not an MTU problem.");
}

void find_dpd(struct find *x)
{
	size_t n_proved = 0, n_back = 0;
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		struct dead d = {.n = 0};
		if (find_is_session(x, k) && (x->marks[i] & MARK_TLS_LIVED) == 0)
			d = count_dead(x, k);
		bool is_back_again = d.n > 0 && is_back(x, d.last);
		if (d.n == 0 || (is_back_again && d.n < LOST_OFTEN))
			continue;
		n_back += is_back_again;
		find_hit(x, k, store_at(x->s, d.first)->at_ms, store_at(x->s, d.last)->at_ms);
		if (n_proved++ >= PROVED_CASES)
			continue;
		find_prove(x, d.first);
		find_prove(x, d.last);
		find_prove(x, last_end(x, k));
	}
	if (x->n_hits == 0)
		return;
	say_dpd(x, n_back > 0);
	bool is_frequent = x->u->told_dpd.value > 0 && x->u->told_dpd.value <= DPD_CURE_S;
	if (!is_frequent)
		cure_add_here(x, dpd_cures, N_ELEM(dpd_cures));
}

/* ---- suspend ---- */

static const struct cure suspend_cures[] = {
        {PRODUCTS_ALL, PASTE_GLOBAL, "Resume by itself after waking up (client profile)",
                "<AutoReconnect UserControllable=\"false\">true\n"
                "  <AutoReconnectBehavior>ReconnectAfterResume</AutoReconnectBehavior>\n</AutoReconnect>",
                "The session goes on without a login when the machine wakes up.",
                "A stolen sleeping machine is in the VPN until the idle timeout."},
};

static uint32_t find_sleep(const struct find *x, const struct one_case *k)
{
	uint32_t at = cases_find(x->c, k->first, EVENT_SUSPEND, TUNNEL_UNKNOWN);
	return at == CASE_NONE && is_ended_by(k, REASON_SUSPEND, REASON_SUSPEND) ? last_end(x, k) : at;
}

static void say_suspend(struct find *x, bool is_sure)
{
	struct finding *f = x->f;
	f->confidence = is_sure ? CONFIDENCE_CERTAIN : CONFIDENCE_POSSIBLE;
	text_str(&f->cause,
	        is_sure ? "The client said that its machine goes to sleep, and the tunnels went down with "
	                  "it. "
	                : "By its words a line of the client's log tells that the machine went to sleep; the "
	                  "tunnels would go down with it. ");
	text_str(&f->cause, "After waking up the client resumes the session, unless the profile says "
	                    "DisconnectOnSuspend (the default) or the idle timeout was over. No fault of "
	                    "tunnels or MTUs.");
	find_say_users(x, &f->verdict);
	text_fmt(&f->verdict, ": disconnected%s because the machine went to sleep.",
	        is_sure ? "" : ", it seems,");
}

void find_suspend(struct find *x)
{
	size_t n_proved = 0;
	bool is_sure = false;
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		uint32_t at = find_is_session(x, k) ? find_sleep(x, k) : CASE_NONE;
		if (at == CASE_NONE)
			continue;
		find_hit(x, k, store_at(x->s, at)->at_ms, store_at(x->s, at)->at_ms);
		is_sure |= store_at(x->s, at)->reason == REASON_SUSPEND;
		if (n_proved++ >= PROVED_CASES)
			continue;
		find_prove(x, at);
		find_prove(x, cases_find(x->c, at, EVENT_WAKE, TUNNEL_UNKNOWN));
		find_prove(x, cases_find(x->c, at, EVENT_SESSION_RESUMED, TUNNEL_UNKNOWN));
	}
	if (x->n_hits == 0)
		return;
	say_suspend(x, is_sure);
	cure_add_here(x, suspend_cures, N_ELEM(suspend_cures));
}

/* ---- port-preempted ---- */

static const struct cure preempted_cures[] = {
        {PRODUCTS_OCSERV, PASTE_GLOBAL, "Permit as many logins as the user has machines",
                "max-same-clients = 3", "Older sessions stay.",
                "More addresses in use; shared accounts are noticed less."},
};

/* One more than now: what is configured is too few. */
static void cure_preempted(struct find *x, const struct policy_setup *p)
{
	char lines[40];
	uint32_t logins = p != NULL ? p->logins.value : SETUP_DEFAULT_LOGINS;
	logins = logins < SETUP_DEFAULT_LOGINS ? SETUP_DEFAULT_LOGINS
	         : logins < UINT32_MAX         ? logins + 1
	                                       : logins;
	(void)snprintf(lines, sizeof(lines), "vpn-simultaneous-logins %u", logins);
	const struct cure c = {PRODUCTS_COMMANDS, PASTE_POLICY,
	        "Permit as many logins as the user has machines", lines, "Older sessions stay.",
	        "More licences and addresses in use; shared accounts are noticed less."};
	x->own_user = p != NULL && p->logins.fact != NULL && p->logins.fact->is_user ? p->user : 0;
	cure_add_here(x, &c, 1);
	cure_add_here(x, preempted_cures, N_ELEM(preempted_cures));
}

static void say_logins(struct find *x, const struct policy_setup *p)
{
	if (p == NULL || p->logins.fact == NULL)
		return;
	text_fmt(&x->f->cause, " `vpn-simultaneous-logins %u` is configured in ", p->logins.value);
	paste_say_owner(x, &x->f->cause, p, &p->logins);
	text_str(&x->f->cause, ".");
	find_prove_fact(x, p->logins.fact);
}

void find_preempted(struct find *x)
{
	size_t n_proved = 0;
	const struct policy_setup *policy = NULL;
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		if (!is_ended_by(k, REASON_PREEMPTED, REASON_PREEMPTED) || !find_is_session(x, k))
			continue;
		find_hit(x, k, k->end_at_ms, k->end_at_ms);
		policy = policy ? policy : find_policy_of(x, k);
		if (n_proved++ < PROVED_CASES)
			find_prove(x, last_end(x, k));
	}
	if (x->n_hits == 0)
		return;
	x->f->confidence = CONFIDENCE_CERTAIN;
	text_str(&x->f->cause, "The user logged in again, from this or another machine, and has more "
	                       "sessions than the gateway permits: the oldest one is ended to make room. "
	                       "When two machines keep reconnecting by themselves they throw each other out "
	                       "in turns. Neither tunnels nor MTUs have to do with it.");
	find_say_users(x, &x->f->verdict);
	text_str(&x->f->verdict, ": a newer login of the same user ended the session.");
	say_logins(x, policy);
	cure_preempted(x, policy);
}
