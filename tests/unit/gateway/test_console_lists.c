/* Lists of many sessions at the console of a worker with two threads: some are connected to each, thousands
 * only wait and are auth's, whose part the script plays. */
#include "worker_unit.h"

#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/control_int.h"

#define LIVE             12 /* sessions, alternately at the two threads, with the indexes 1.. */
#define FIRST_WAITING    1000u
#define MANY             18000u             /* sessions, so many that the detailed list is over ... */
#define LARGE_BYTES      ((size_t)16 << 20) /* ... what a text may be, */
#define GROWTH_PAGES     1024               /* and the worker may take so much memory for it: 4 MiB */
#define HALF_WAY_AT_MOST (MANY / 8)         /* rows that are ready when nobody has read */

static struct client *clients[LIVE];
static uint32_t n_waiting;
static bool last_are_gone; /* those whose names are the last in order */
static unsigned n_questions, n_items;

static void live_open(uint32_t i)
{
	gateway_turn_to(i % 2);
	memcpy(token + 4, &i, sizeof(i));
	clients[i] = client_open();
	client_ask_tunnel(clients[i], "");
	auth_opens(i + 1, 1);
	assert_int_equal(client_answer(clients[i]), 200);
	gateway_turn_to(0);
}

static void many_start(uint32_t n)
{
	g.n_threads = 2;
	n_waiting = n;
	n_questions = n_items = 0;
	last_are_gone = false;
	gateway_start();
	for (uint32_t i = 0; i < LIVE; i++)
		live_open(i);
}

static void many_stop(void)
{
	gateway_turn_to(0);
	for (uint32_t i = 0; i < LIVE; i++) {
		if (clients[i])
			client_free(clients[i]);
		clients[i] = NULL;
	}
	gateway_stop(false);
	g.n_threads = 0;
}

/* ---- auth ---- */

/* Names in another order than the indexes, and all of them before "alice". */
static void name_of(uint32_t index, char *ret, size_t cap)
{
	snprintf(ret, cap, "W%05u", (index * 7919u) % 100000u);
}

static bool is_there(uint32_t index)
{
	char name[16];
	name_of(index, name, sizeof(name));
	return !last_are_gone || name[1] != '9';
}

static struct ipc_session_item item_after(uint32_t after)
{
	uint32_t index = after < FIRST_WAITING ? FIRST_WAITING : after + 1;
	while (!is_there(index))
		index++;
	struct ipc_session_item item = {.index = index, .login_at_s = 1700000000, .lost_at_s = 1700000100};
	item.is_found = index < FIRST_WAITING + n_waiting;
	name_of(index, item.username, sizeof(item.username));
	strcpy(item.tunnel_group, "STAFF");
	strcpy(item.group_policy, "GP");
	item.ip4 = addr_from_v4(0x0a020000u + index);
	item.peer = addr_from_v4(0xc0000200u + index % 200);
	return item;
}

static void auth_answer(const struct ipc_msg *q)
{
	struct ipc_msg m = {.type = IPC_SESSION_ITEM, .ref = q->ref, .session_item.is_found = true};
	uint32_t after = q->session_query.after;
	assert_true(q->session_query.wants_waiting);
	n_questions++;
	for (unsigned i = 0; i < q->session_query.n_max && m.session_item.is_found; i++, n_items++) {
		m.session_item = item_after(after);
		after = m.session_item.index;
		auth_say(&m);
	}
}

/* One message of the worker's main thread; the end of a session is nothing that concerns us. */
static void auth_serve(void)
{
	struct ipc_msg m;
	int fd;
	assert_int_equal(chan_recv(&g.auth, IPC_RUNNING, 0, &m, &fd), 0);
	if (m.type == IPC_SESSION_QUERY)
		auth_answer(&m);
	else
		assert_true(m.type == IPC_SESSION_END || m.type == IPC_SESSION_LOST);
}

static bool auth_has_work(int ms)
{
	if (chan_wants_write(&g.auth))
		assert_int_equal(chan_flush(&g.auth), 0);
	return readable(g.auth.fd, chan_wants_write(&g.auth) ? 1 : ms);
}

/* ---- the console ---- */

struct answer {
	char *p;
	size_t n, cap;
	int status; /* -1: has not ended */
};

static void ask(int fd, const char *request)
{
	assert_int_equal(send(fd, request, strlen(request), 0), (ssize_t)strlen(request));
}

static void take_packet(int fd, struct answer *a)
{
	static char buf[32768];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);
	assert_true(n > 0);
	if (buf[0] == 'E') {
		assert_int_equal(n, 5); /* no reason for an early end */
		a->status = buf[4];
		return;
	}
	assert_int_equal(buf[0], 'D');
	if (a->n + (size_t)n > a->cap) {
		a->cap = 2 * (a->cap + (size_t)n);
		a->p = realloc(a->p, a->cap);
		assert_non_null(a->p);
	}
	memcpy(a->p + a->n, buf + 1, (size_t)n - 1);
	a->n += (size_t)n - 1;
	a->p[a->n] = '\0';
}

/* The whole answer, with auth doing its part. */
static struct answer read_all(int fd)
{
	struct answer a = {.status = -1};
	while (a.status < 0) {
		struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = g.auth.fd, .events = POLLIN}};
		assert_int_not_equal(poll(p, 2, chan_wants_write(&g.auth) ? 1 : WAIT_MS), -1);
		if (p[0].revents)
			take_packet(fd, &a);
		if (auth_has_work(0))
			auth_serve();
	}
	return a;
}

/* Reads nothing, until the worker has nothing more to ask. */
static void read_nothing(void)
{
	while (auth_has_work(SILENCE_MS))
		auth_serve();
}

static unsigned long memory_pages(void)
{
	char path[64], line[128] = "";
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)g.pid);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	unsigned long all, resident;
	assert_int_equal(sscanf(line, "%lu %lu", &all, &resident), 2);
	return resident;
}

/* How often the label is there; the numbers behind it must grow. */
static unsigned count_in_order(const char *text, const char *label)
{
	unsigned n = 0;
	unsigned long last = 0;
	for (const char *at = text; (at = strstr(at, label)) != NULL; n++) {
		at += strlen(label);
		unsigned long index = strtoul(at, NULL, 10);
		assert_true(index > last);
		last = index;
	}
	return n;
}

#define TEXT_INDEX        "Index        : "
#define JSON_INDEX        "\"index\": "
#define LIST(words, json) "{\"argv\":[\"show\",\"vpn-sessiondb\"," words "],\"json\":" json "}"

TEST(a_slow_reader_costs_nothing_and_gets_all)
{
	many_start(MANY);
	int fd = console_open();
	ask(fd, LIST("\"anyconnect\",\"filter\",\"name\",\"alice\"",
	                "true")); /* what the first one costs for good */
	struct answer a = read_all(fd);
	assert_int_equal(count_in_order(a.p, JSON_INDEX), LIVE);
	assert_in_range(n_questions, MANY / IPC_SESSION_ITEMS_MAX, MANY / IPC_SESSION_ITEMS_MAX + 1);
	free(a.p);
	unsigned long before = memory_pages();
	unsigned asked_before = n_items;
	ask(fd, LIST("\"detail\",\"anyconnect\"", "true"));
	read_nothing();
	if (UNIT_MEMORY_COUNTS)
		assert_in_range(memory_pages(), 1, before + GROWTH_PAGES);
	assert_in_range(n_items - asked_before, 0, MANY + HALF_WAY_AT_MOST);
	for (int i = 0; i < 2; i++) { /* others are served meanwhile */
		gateway_turn_to(i);
		uint8_t p[] = "12345";
		cstp_say(clients[i], CSTP_DPD_REQUEST, p, sizeof(p));
		cstp_expect(clients[i], CSTP_DPD_RESPONSE, p, sizeof(p));
	}
	gateway_turn_to(0);
	a = read_all(fd);
	assert_int_equal(a.status, 0);
	assert_true(a.n > LARGE_BYTES);
	assert_int_equal(count_in_order(a.p, JSON_INDEX), LIVE + MANY);
	print_message("%zu bytes, %lu pages more than before\n", a.n, memory_pages() - before);
	free(a.p);
	close(fd);
	many_stop();
}

/* Of a list that is still far from them a session of a thread and some of auth's end. */
TEST(sessions_end_meanwhile)
{
	struct ipc_msg m;
	unsigned n_gone = 0;
	many_start(2000);
	int fd = console_open();
	ask(fd, LIST("\"detail\",\"anyconnect\",\"sort\",\"name\"", "true"));
	read_nothing();
	last_are_gone = true;
	for (uint32_t i = FIRST_WAITING; i < FIRST_WAITING + n_waiting; i++)
		n_gone += !is_there(i);
	gateway_turn_to(1);
	client_say(clients[1], "STF\1\0\1\5\0\xb0", 9);
	expect(&g.auth, IPC_SESSION_END, &m);
	client_free(clients[1]);
	clients[1] = NULL;
	gateway_turn_to(0);
	struct answer a = read_all(fd);
	assert_int_equal(a.status, 0);
	json_t *list = json_loadb(a.p, a.n, JSON_REJECT_DUPLICATES, NULL);
	assert_true(json_is_array(list));
	const char *last = "";
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);
		const char *name = json_string_value(json_object_get(j, "username"));
		assert_true(strcmp(last, name) <= 0);
		assert_int_not_equal(json_is_null(json_object_get(j, "thread")), strcmp(name, "alice") == 0);
		last = name;
	}
	assert_in_range(n_gone, 100, 400);
	assert_int_equal(json_array_size(list), LIVE + 2000 - n_gone - 1);
	json_decref(list);
	free(a.p);
	close(fd);
	many_stop();
}

TEST(filters_and_empty_lists)
{
	static const struct {
		const char *request;
		unsigned n;
	} rows[] = {
	        {LIST("\"anyconnect\",\"filter\",\"name\",\"alice\"", "true"), LIVE},
	        {LIST("\"anyconnect\",\"filter\",\"name\",\"nobody\"", "true"), 0},
	        {LIST("\"anyconnect\",\"filter\",\"index\",\"1003\"", "true"), 1},
	        {LIST("\"anyconnect\",\"filter\",\"index\",\"2\"", "true"), 1},
	        {LIST("\"anyconnect\",\"filter\",\"inactive\",\"sort\",\"p-ipaddress\"", "true"), 100},
	        {"{\"argv\":[\"show\",\"mtu\"],\"json\":true}", LIVE + 100},
	        {"{\"argv\":[\"show\",\"mtu\",\"name\",\"alice\"],\"json\":true}", LIVE},
	};
	many_start(100);
	int fd = console_open();
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		ask(fd, rows[i].request);
		struct answer a = read_all(fd);
		assert_int_equal(a.status, 0);
		json_t *list = json_loadb(a.p, a.n, 0, NULL);
		assert_true(json_is_array(list));
		assert_int_equal(json_array_size(list), rows[i].n);
		json_decref(list);
		free(a.p);
	}
	ask(fd, LIST("\"anyconnect\",\"filter\",\"name\",\"nobody\"", "false"));
	struct answer a = read_all(fd);
	assert_string_equal(a.p, "INFO: There are presently no active sessions\n");
	free(a.p);
	close(fd);
	many_stop();
}

/* Consoles that go away in the middle, at any place, leave nothing behind. */
TEST(a_console_may_leave_at_any_time)
{
	struct answer a = {.status = -1};
	many_start(500);
	for (unsigned i = 0; i < 60; i++) {
		int fd = console_open();
		ask(fd, LIST("\"detail\",\"anyconnect\",\"sort\",\"name\"", "true"));
		for (unsigned k = 0; k < i; k++) {
			if (auth_has_work(1))
				auth_serve();
			if (readable(fd, 0))
				take_packet(fd, &a);
		}
		close(fd);
	}
	read_nothing();
	free(a.p);
	int fd = console_open();
	ask(fd, LIST("\"anyconnect\"", "false"));
	a = read_all(fd);
	assert_int_equal(count_in_order(a.p, TEXT_INDEX), LIVE + 500);
	free(a.p);
	close(fd);
	many_stop();
}

/* Auth may still answer about rows of a list that has failed: what the answer would go to is freed. */
TEST(an_answer_that_failed_waits_for_nobody)
{
	struct call c = {.ref = CONTROL_REF | 7};
	call_fail(&c, "ERROR: memory is short");
	assert_int_equal(c.ref, 0);
	assert_int_equal(c.status, 1);
	assert_string_equal(c.out.p, "ERROR: memory is short\n");
	text_done(&c.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_slow_reader_costs_nothing_and_gets_all),
	        cmocka_unit_test(sessions_end_meanwhile),
	        cmocka_unit_test(filters_and_empty_lists),
	        cmocka_unit_test(a_console_may_leave_at_any_time),
	        cmocka_unit_test(an_answer_that_failed_waits_for_nobody),
	};
	return RUN_WORKER(tests);
}
