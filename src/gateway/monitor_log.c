#include "gateway/monitor_log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "gateway/log_frame.h"
#include "gateway/log_setup.h"

struct log_pending {
	struct log_pending *prev, *next;
	uint64_t at_us;
	struct log_item item;
	char text[];
};

static void host_changed(void *ctx, const struct log_host *host, bool is_up)
{
	char addr[ADDR_TEXT_MAX];
	(void)ctx;
	addr_format(&host->addr, addr);
	if (is_up)
		log_msg(6, "ASA", 414004, "TCP Syslog Server %s:%s/%u - Connection restored", host->interface,
		        addr, host->port);
	else
		log_msg(3, "ASA", 414003,
		        "TCP Syslog Server %s:%s/%u not responding. New connections are permitted based on "
		        "logging permit-hostdown policy.",
		        host->interface, addr, host->port);
}

/* ---- taking ---- */

static void hosts_send(struct monitor_log *l, const struct log_item *item)
{
	const struct logging_settings *set = &l->config->logging;
	const uint32_t queue = set->queue ? set->queue : LOG_QUEUE_MAX;
	char buf[LOG_FRAME_MAX + 1];
	l->n_trapped++;
	for (size_t i = 0; i < l->n_hosts; i++) {
		const struct log_frame f = {.facility = set->facility,
		        .has_timestamp = set->has_timestamp,
		        .device_id = set->is_device_hostname ? l->config->hostname : set->device_id,
		        .is_stream = l->targets[i].is_tcp};
		size_t n = log_frame_make(item, &f, buf);
		log_sender_put(l->hosts[i], span_of(buf, n), queue);
	}
}

static void item_use(struct monitor_log *l, const struct log_item *item)
{
	const struct logging_settings *set = &l->config->logging;
	if (!set->is_enabled)
		return;
	if (item->severity <= set->buffered_level && set->buffered_level < POLICY_LOG_LEVEL_OFF) {
		l->n_buffered++;
		log_ring_put(&l->ring, item);
	}
	if (item->severity <= set->trap_level && set->trap_level < POLICY_LOG_LEVEL_OFF && l->n_hosts > 0)
		hosts_send(l, item);
}

/* Uses what was said at until_us or before. */
static void pending_use(struct monitor_log *l, uint64_t until_us)
{
	while (l->first != NULL && l->first->at_us <= until_us) {
		struct log_pending *p = l->first;
		l->first = p->next;
		if (p->next != NULL)
			p->next->prev = NULL;
		else
			l->last = NULL;
		l->n_pending--;
		item_use(l, &p->item);
		free(p);
	}
}

static void on_timer(struct loop_timer *t, ms_t now_ms)
{
	struct monitor_log *l = t->ctx;
	const uint64_t now_us = log_setup_now_us(), rest_us = MONITOR_LOG_ORDER_MS * 1000;
	pending_use(l, now_us > rest_us ? now_us - rest_us : 0);
	if (l->first != NULL)
		loop_timer_set(t, now_ms + MONITOR_LOG_ORDER_MS);
}

static void pending_insert(struct monitor_log *l, struct log_pending *p)
{
	struct log_pending *after = l->last;
	while (after != NULL && after->at_us > p->at_us)
		after = after->prev;
	p->prev = after;
	p->next = after ? after->next : l->first;
	*(p->next ? &p->next->prev : &l->last) = p;
	*(after ? &after->next : &l->first) = p;
	l->n_pending++;
}

static void take(struct monitor_log *l, const struct log_item *item, uint64_t at_us)
{
	const uint64_t now_us = log_setup_now_us();
	size_t n = strlen(item->text);
	struct log_pending *p = malloc(sizeof(*p) + n + 1);
	if (p == NULL) {
		l->n_lost++;
		return;
	}
	p->at_us = at_us < now_us ? at_us : now_us;
	p->item = *item;
	p->item.at_s = (uint64_t)time(NULL);
	p->item.text = p->text;
	memcpy(p->text, item->text, n + 1);
	log_text_clean(p->text, false); /* a newline would begin a message of its own at a TCP host */
	if (l->first == NULL)
		loop_timer_set(&l->timer, loop_now() + MONITOR_LOG_ORDER_MS);
	pending_insert(l, p);
	if (l->n_pending > MONITOR_LOG_PENDING_MAX)
		pending_use(l, UINT64_MAX);
}

void monitor_log_take(struct monitor_log *l, const struct ipc_log *in, bool is_too_often)
{
	const struct log_item item = {
	        .id = in->id, .severity = in->severity, .is_asa = in->is_asa, .text = in->text};
	l->n_lost += in->n_lost + is_too_often;
	if (!is_too_often)
		take(l, &item, in->at_us);
}

static void take_own(void *ctx, const struct log_record *r)
{
	char text[IPC_LOG_TEXT_MAX + 1];
	const struct log_item item = {
	        .id = r->id, .severity = r->severity, .is_asa = r->is_asa, .text = text};
	ipc_cut_str(text, sizeof(text), r->text);
	take(ctx, &item, log_setup_now_us());
}

/* ---- settings ---- */

static struct log_sender *sender_take(struct monitor_log *l, const struct log_host *host)
{
	for (size_t i = 0; i < l->n_hosts; i++) {
		struct log_sender *s = l->hosts[i];
		if (s != NULL && log_sender_is_for(s, host)) {
			l->hosts[i] = NULL;
			return s;
		}
	}
	return NULL;
}

/* A host that stays keeps its connection and counters. */
static void hosts_apply(struct monitor_log *l, const struct logging_settings *set)
{
	struct monitor_log was = *l;
	size_t n_wanted = set->is_enabled && set->n_hosts <= POLICY_MAX_LOG_HOSTS ? set->n_hosts : 0;
	l->n_hosts = 0;
	for (size_t i = 0; i < n_wanted; i++) {
		struct log_sender *s = sender_take(&was, &set->hosts[i]);
		int r = s ? 0 : log_sender_new(l->loop, &set->hosts[i], host_changed, l, &s);
		if (r < 0) {
			log_line(LOG_ERR, "a log host cannot be used: %s", err_text(r));
			continue;
		}
		l->targets[l->n_hosts] = set->hosts[i];
		l->hosts[l->n_hosts++] = s;
	}
	for (size_t i = 0; i < was.n_hosts; i++)
		log_sender_free(was.hosts[i]);
}

int monitor_log_open(struct monitor_log *l, uv_loop_t *loop)
{
	l->loop = loop;
	return loop_timer_open(&l->timer, loop, on_timer, l);
}

void monitor_log_apply(struct monitor_log *l, const struct config *c)
{
	log_set_relay(-1, NULL, NULL);
	if (l->config != NULL) /* what was said under the former configuration */
		pending_use(l, UINT64_MAX);
	l->config = c;
	hosts_apply(l, &c->logging);
	if (log_ring_resize(&l->ring, c->logging.buffer_bytes) < 0)
		log_line(LOG_ERR, "no memory for a buffer of %u bytes", c->logging.buffer_bytes);
	log_setup_apply(c, take_own, l);
}

void monitor_log_close(struct monitor_log *l)
{
	log_set_relay(-1, NULL, NULL);
	if (l->config != NULL)
		pending_use(l, UINT64_MAX);
	for (size_t i = 0; i < l->n_hosts; i++)
		log_sender_free(l->hosts[i]);
	l->n_hosts = 0;
	log_ring_done(&l->ring);
}

/* ---- questions ---- */

static void host_answer(const struct monitor_log *l, size_t i, struct ipc_log_host_info *ret)
{
	if (i >= l->n_hosts)
		return;
	const struct log_host *host = &l->targets[i];
	const struct log_sender_stats stats = log_sender_stats(l->hosts[i]);
	*ret = (struct ipc_log_host_info){.is_found = true,
	        .is_tcp = host->is_tcp,
	        .is_up = stats.is_up,
	        .addr = host->addr,
	        .port = host->port,
	        .n_sent = stats.n_sent,
	        .n_errors = stats.n_errors,
	        .n_dropped = stats.n_dropped,
	        .n_waiting = stats.n_waiting};
	ipc_cut_str(ret->interface, sizeof(ret->interface), host->interface);
}

static void item_answer(const struct monitor_log *l, uint64_t after, struct ipc_log_item *ret)
{
	struct log_item item;
	if (!log_ring_after(&l->ring, after, &item))
		return;
	*ret = (struct ipc_log_item){.is_found = true,
	        .number = item.number,
	        .at_s = item.at_s,
	        .severity = item.severity,
	        .is_asa = item.is_asa,
	        .id = item.id};
	ipc_cut_str(ret->text, sizeof(ret->text), item.text);
}

void monitor_log_answer(struct monitor_log *l, const struct ipc_msg *in, struct ipc_msg *ret)
{
	*ret = (struct ipc_msg){.ref = in->ref};
	if (in->type == IPC_LOG_QUERY || in->type == IPC_LOG_CLEAR)
		pending_use(l, UINT64_MAX);
	switch (in->type) {
	case IPC_LOG_HOST_QUERY:
		ret->type = IPC_LOG_HOST_INFO;
		host_answer(l, in->log_host_query.index, &ret->log_host_info);
		break;
	case IPC_LOG_ITEM_QUERY:
		ret->type = IPC_LOG_ITEM;
		item_answer(l, in->log_item_query.after, &ret->log_item);
		break;
	default:
		if (in->type == IPC_LOG_CLEAR)
			log_ring_clear(&l->ring);
		ret->type = IPC_LOG_INFO;
		ret->log_info = (struct ipc_log_info){.n_buffered = l->n_buffered,
		        .n_trapped = l->n_trapped,
		        .n_lost = l->n_lost,
		        .newest = l->ring.next > 0 ? l->ring.next - 1 : 0};
		break;
	}
}
