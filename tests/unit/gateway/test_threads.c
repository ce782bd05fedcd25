/* What leads from one thread of the worker to another: packets, letters, and who has which session. */
#include "../unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "gateway/handover.h"
#include "gateway/mail.h"
#include "gateway/owners.h"
#include "io/steer.h"

#define BUF_BYTES  4096
#define PRODUCERS  3
#define EACH_SENDS 20000u

/* ---- packets ---- */

TEST(packets_come_in_order_with_their_head)
{
	struct handover h;
	struct handover_head head = {
	        .is_datagram = true, .tried = 5, .local = {.family = 4, .b = {10, 0, 0, 1}}};
	assert_int_equal(handover_init(&h, BUF_BYTES), 0);
	assert_int_equal(handover_put(&h, &head, span_str("first")), 1); /* wakes */
	assert_int_equal(handover_put(&h, &(struct handover_head){0}, span_str("second one")), 0);
	struct handover_batch b = handover_take(&h);
	uint8_t *p;
	const struct handover_head *got = handover_next(&b, &p);
	assert_true(got->is_datagram && got->tried == 5 && got->local.b[0] == 10 && got->n == 5);
	assert_memory_equal(p, "first", 5);
	memset(p - HANDOVER_HEADROOM, 0xff, HANDOVER_HEADROOM); /* the owner's to write */
	got = handover_next(&b, &p);
	assert_true(!got->is_datagram && got->n == 10);
	assert_memory_equal(p, "second one", 10);
	assert_null(handover_next(&b, &p));
	assert_int_equal(handover_put(&h, &head, span_str("x")), 1);
	handover_done(&h);
}

TEST(what_does_not_fit_is_refused)
{
	static uint8_t bytes[UINT16_MAX + HANDOVER_HEADROOM + 1];
	struct handover h;
	const struct handover_head head = {0};
	unsigned n = 0;
	uint8_t *p;
	assert_int_equal(handover_init(&h, BUF_BYTES), 0);
	assert_int_equal(handover_put(&h, &head, span_of(bytes, sizeof(bytes))), -ENOBUFS);
	while (handover_put(&h, &head, span_of(bytes, 1000)) >= 0)
		n++;
	assert_in_range(n, 2, 4);
	struct handover_batch b = handover_take(&h);
	assert_true(handover_put(&h, &head, span_of(bytes, 1000)) == 1); /* the other buffer */
	for (; handover_next(&b, &p); n--)
		;
	assert_int_equal(n, 0);
	handover_done(&h);
}

struct producer {
	struct handover *h;
	uint32_t number;
	atomic_uint *n_refused;
};

static void *produce(void *arg)
{
	const struct producer *p = arg;
	for (uint32_t i = 0; i < EACH_SENDS; i++) {
		uint32_t v[2] = {p->number, i};
		if (handover_put(p->h, &(struct handover_head){0}, span_of(v, sizeof(v))) < 0)
			atomic_fetch_add(p->n_refused, 1);
	}
	return NULL;
}

/* Of each producer the numbers grow, and none is lost that was not refused. */
TEST(several_threads_at_once)
{
	struct handover h;
	atomic_uint n_refused = 0;
	struct producer p[PRODUCERS];
	pthread_t ids[PRODUCERS];
	int64_t last[PRODUCERS] = {-1, -1, -1};
	uint32_t n = 0;
	assert_int_equal(handover_init(&h, BUF_BYTES), 0);
	for (uint32_t i = 0; i < PRODUCERS; i++) {
		p[i] = (struct producer){&h, i, &n_refused};
		assert_int_equal(pthread_create(&ids[i], NULL, produce, &p[i]), 0);
	}
	while (n + atomic_load(&n_refused) < PRODUCERS * EACH_SENDS) {
		struct handover_batch b = handover_take(&h);
		uint8_t *bytes;
		for (const struct handover_head *head; (head = handover_next(&b, &bytes)) != NULL; n++) {
			uint32_t v[2];
			assert_int_equal(head->n, sizeof(v));
			memcpy(v, bytes, sizeof(v));
			assert_true(v[0] < PRODUCERS && v[1] > last[v[0]]);
			last[v[0]] = v[1];
		}
	}
	for (uint32_t i = 0; i < PRODUCERS; i++)
		pthread_join(ids[i], NULL);
	handover_done(&h);
}

/* ---- letters ---- */

struct letter {
	struct mail mail;
	struct mailbox *box;
	unsigned n_more;
};

static unsigned n_opened;

static void open_letter(struct worker *w, struct mail *m)
{
	struct letter *l = CONTAINER_OF(m, struct letter, mail);
	assert_null(w);
	assert_int_equal(l->n_more % 10, n_opened % 10);
	n_opened++;
	if (l->n_more < 20) { /* opening brings another one, for the next turn: its owner is woken again */
		assert_int_equal(mailbox_put(l->box, m), l->n_more % 10 == 0);
		l->n_more += 10;
	} else {
		free(l);
	}
}

TEST(letters_are_opened_in_order)
{
	struct mailbox box;
	mailbox_init(&box);
	for (unsigned i = 0; i < 10; i++) {
		struct letter *l = calloc(1, sizeof(*l));
		assert_non_null(l);
		*l = (struct letter){.mail.open = open_letter, .box = &box, .n_more = i};
		assert_int_equal(mailbox_put(&box, &l->mail), i == 0);
	}
	for (unsigned want = 10; want <= 30; want += 10) {
		mailbox_open_all(&box, NULL);
		assert_int_equal(n_opened, want);
	}
	mailbox_open_all(&box, NULL);
	assert_int_equal(n_opened, 30);
}

/* ---- owners ---- */

TEST(owners_are_a_set_of_threads)
{
	struct owners o;
	struct owner_node a = {0}, b = {0}, c = {0};
	owners_init(&o);
	assert_int_equal(owners_find(&o, OWNER_PEER, 77), 0);
	assert_int_equal(owners_insert(&o, OWNER_PEER, &a, 77, 3), 0);
	assert_int_equal(owners_insert(&o, OWNER_HOST, &c, 77, 9), 0);
	assert_int_equal(owners_find(&o, OWNER_PEER, 77), 1u << 3);
	assert_false(owners_are_shared(&o, OWNER_PEER));
	assert_int_equal(owners_insert(&o, OWNER_PEER, &b, 77, 63), 0);
	assert_true(owners_are_shared(&o, OWNER_PEER) && !owners_are_shared(&o, OWNER_HOST));
	assert_true(owners_find(&o, OWNER_PEER, 77) == ((uint64_t)1 << 63 | 1u << 3));
	owners_remove(&o, OWNER_PEER, &a);
	owners_remove(&o, OWNER_PEER, &a);
	assert_true(owners_find(&o, OWNER_PEER, 77) == (uint64_t)1 << 63);
	owners_remove(&o, OWNER_PEER, &b);
	owners_remove(&o, OWNER_HOST, &c);
	assert_int_equal(owners_find(&o, OWNER_PEER, 77) | owners_find(&o, OWNER_HOST, 77), 0);
	owners_done(&o);
}

/* ---- steering: the slots; that the kernel's program finds the same ones is tests/lab/test_threads.py's ----
 */

static unsigned n_slots_of(const steer_slot *slots, uint64_t value)
{
	unsigned n = 0;
	for (size_t i = 0; i < STEER_SLOTS; i++)
		n += atomic_load(&slots[i]) == value;
	return n;
}

TEST(a_pool_spreads_over_the_slots)
{
	steer_slot *slots = calloc(STEER_SLOTS, sizeof(*slots));
	struct ip_addr a = {.family = 4, .b = {10, 1, 0, 0}};
	assert_non_null(slots);
	for (unsigned i = 0; i < 4096; i++) {
		a.b[2] = (uint8_t)(i >> 8);
		a.b[3] = (uint8_t)i;
		steer_set(slots, &a, 0, 6);
	}
	assert_in_range(n_slots_of(slots, 7), 3900, 4096);
	steer_set(slots, &a, 0, 2); /* another thread's now */
	steer_clear(slots, &a, 0, 6);
	assert_int_equal(n_slots_of(slots, 3), 1);
	steer_clear(slots, &a, 0, 2);
	assert_int_equal(n_slots_of(slots, 3), 0);
	steer_set(NULL, &a, 0, 0); /* no table: nothing happens */
	steer_clear(NULL, &a, 0, 0);
	free(slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(packets_come_in_order_with_their_head),
	        cmocka_unit_test(what_does_not_fit_is_refused),
	        cmocka_unit_test(several_threads_at_once),
	        cmocka_unit_test(letters_are_opened_in_order),
	        cmocka_unit_test(owners_are_a_set_of_threads),
	        cmocka_unit_test(a_pool_spreads_over_the_slots),
	};
	return RUN(tests);
}
