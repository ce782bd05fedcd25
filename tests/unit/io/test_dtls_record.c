#include "../unit.h"

#include "io/dtls_record.h"
#include "io/replay.h"

static const enum aead_alg algs[] = {AEAD_AES128_GCM, AEAD_AES256_GCM, AEAD_CHACHA20_POLY1305};

struct ends {
	struct dtls_record *a, *b;
};

static void ends_make(struct ends *e, enum aead_alg alg, uint64_t seq)
{
	struct dtls_record_keys k = {.alg = alg, .tx_key = {1}, .rx_key = {2}, .tx_iv = {3}, .rx_iv = {4}};
	struct dtls_record_keys back = {.alg = alg, .tx_key = {2}, .rx_key = {1}, .tx_iv = {4}, .rx_iv = {3}};
	struct dtls_record_start start = {.epoch = 1, .tx_seq = seq, .tx_nonce = UINT64_MAX - 1};

	/* one engine on either side where there are two */
	assert_int_equal(dtls_record_new(AEAD_AUTO, &k, &start, &e->a), 0);
	assert_int_equal(dtls_record_new(AEAD_OPENSSL, &back, &start, &e->b), 0);
}

static void ends_done(struct ends *e)
{
	dtls_record_free(e->a);
	dtls_record_free(e->b);
}

static struct dtls_record_head cut(const uint8_t *p, size_t n)
{
	struct span s = span_of(p, n);
	struct dtls_record_head h;

	assert_true(dtls_record_cut(&s, &h));
	assert_int_equal(s.n, 0);
	return h;
}

TEST(every_length_of_every_suite)
{
	static uint8_t plain[DTLS_RECORD_PLAIN_MAX + 1], wire[DTLS_RECORD_PLAIN_MAX + 64],
	        got[DTLS_RECORD_PLAIN_MAX];

	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 7);
	for (size_t alg = 0; alg < N_ELEM(algs); alg++) {
		struct ends e;
		ends_make(&e, algs[alg], 5);
		size_t extra = dtls_record_overhead_bytes(e.a);
		assert_int_equal(extra, algs[alg] == AEAD_CHACHA20_POLY1305 ? 29 : 37);
		for (size_t n = 0; n <= DTLS_RECORD_PLAIN_MAX; n = n < 300 ? n + 1 : n + 1149) {
			int w = dtls_record_seal(e.a, DTLS_DATA, wire, span_of(plain, n));
			assert_int_equal(w, n + extra);
			struct dtls_record_head h = cut(wire, (size_t)w);
			assert_int_equal(h.type, DTLS_DATA);
			assert_int_equal(h.epoch, 1);
			assert_int_equal(dtls_record_plain_bytes(e.b, &h), n);
			assert_int_equal(dtls_record_open(e.b, &h, got), n);
			assert_memory_equal(got, plain, n);
			assert_true(dtls_record_open(e.b, &h, got) < 0); /* a replay */
		}
		assert_int_equal(
		        dtls_record_seal(e.a, DTLS_DATA, wire, span_of(plain, sizeof(plain))), ERR_TOO_LARGE);
		/* in place */
		int w = dtls_record_seal(e.b, DTLS_ALERT, wire, span_of(plain, 100));
		struct dtls_record_head h = cut(wire, (size_t)w);
		uint8_t *text = wire + DTLS_RECORD_HEAD_BYTES + dtls_record_text_offset(e.a);
		assert_int_equal(dtls_record_open(e.a, &h, text), 100);
		assert_memory_equal(text, plain, 100);
		assert_int_equal(h.type, DTLS_ALERT);
		ends_done(&e);
	}
}

TEST(headers_are_authenticated)
{
	for (size_t alg = 0; alg < N_ELEM(algs); alg++) {
		struct ends e;
		uint8_t wire[128], bad[128], got[128];
		ends_make(&e, algs[alg], 1);
		int w = dtls_record_seal(
		        e.a, DTLS_DATA, wire, span_str("forty bytes of plaintext, more or less.."));
		for (int bit = 0; bit < w * 8; bit++) {
			struct span s = span_of(bad, (size_t)w);
			struct dtls_record_head h;
			memcpy(bad, wire, sizeof(bad));
			bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (dtls_record_cut(&s, &h))
				assert_true(dtls_record_open(e.b, &h, got) < 0);
		}
		for (int n = 0; n < w; n++) {
			struct span s = span_of(wire, (size_t)n);
			assert_false(dtls_record_cut(&s, &(struct dtls_record_head){0}));
			assert_int_equal(s.n, n);
		}
		struct dtls_record_head h = cut(wire, (size_t)w);
		assert_int_equal(dtls_record_open(e.b, &h, got), 40);
		ends_done(&e);
	}
}

TEST(numbers_run_out_but_never_wrap)
{
	struct ends e;
	uint8_t wire[64];

	ends_make(&e, AEAD_AES128_GCM, DTLS_RECORD_SEQ_END / 2 - 1);
	assert_false(dtls_record_wants_rekey(e.a));
	assert_true(dtls_record_seal(e.a, DTLS_DATA, wire, span_str("x")) > 0);
	assert_true(dtls_record_wants_rekey(e.a));
	/* who only receives knows it as well */
	uint8_t text[8];
	struct dtls_record_head h = cut(wire, 38);
	assert_false(dtls_record_wants_rekey(e.b));
	assert_int_equal(dtls_record_seal(e.a, DTLS_DATA, wire, span_str("x")), 38);
	h = cut(wire, 38);
	assert_int_equal(dtls_record_open(e.b, &h, text), 1);
	assert_true(dtls_record_wants_rekey(e.b));
	ends_done(&e);
	ends_make(&e, AEAD_CHACHA20_POLY1305, DTLS_RECORD_SEQ_END - 1);
	assert_true(dtls_record_seal(e.a, DTLS_DATA, wire, span_str("x")) > 0);
	assert_int_equal(cut(wire, 30).seq, DTLS_RECORD_SEQ_END - 1);
	assert_int_equal(dtls_record_seal(e.a, DTLS_DATA, wire, span_str("x")), ERR_CLOSED);
	ends_done(&e);
}

/* Against the plain definition: a number is new if it was not marked and is within the window. */
TEST(replay_window_is_exact)
{
	static bool marked[20000];
	struct replay r = {0};
	uint64_t s = 12345, top = 0;

	for (int i = 0; i < 200000; i++) {
		s = s * 6364136223846793005u + 1442695040888963407u;
		uint64_t jump = s >> 60 == 0 ? 2500 : 40, back = s >> 33 & (s >> 56 & 1 ? 15 : 2047);
		uint64_t seq = top + (s >> 40) % jump;
		seq = seq > back ? seq - back : 0;
		if (seq >= N_ELEM(marked))
			break;
		bool want = seq + REPLAY_WINDOW > top || top == 0;
		want = (seq >= top || top - seq <= REPLAY_WINDOW) && !marked[seq];
		assert_int_equal(replay_is_new(&r, seq), want);
		if (!want)
			continue;
		replay_mark(&r, seq);
		marked[seq] = true;
		if (seq + 1 > top)
			top = seq + 1;
	}
	assert_true(top > N_ELEM(marked) / 2);
	assert_true(REPLAY_WINDOW >= 1024);
	/* the ends of the range */
	r = (struct replay){0};
	assert_true(replay_is_new(&r, 0) && replay_is_new(&r, DTLS_RECORD_SEQ_END - 1));
	replay_mark(&r, DTLS_RECORD_SEQ_END - 1);
	assert_false(replay_is_new(&r, DTLS_RECORD_SEQ_END - 1));
	assert_false(replay_is_new(&r, 0));
	assert_true(replay_is_new(&r, DTLS_RECORD_SEQ_END - REPLAY_WINDOW));
	assert_false(replay_is_new(&r, DTLS_RECORD_SEQ_END - REPLAY_WINDOW - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_length_of_every_suite),
	        cmocka_unit_test(headers_are_authenticated),
	        cmocka_unit_test(numbers_run_out_but_never_wrap),
	        cmocka_unit_test(replay_window_is_exact),
	};
	return RUN(tests);
}
