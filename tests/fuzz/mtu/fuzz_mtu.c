/* Any numbers and suite names: the steps must add up, the results keep their ranges, and no line of the
 * explanation may be empty or cut. Input: 15 bytes of numbers, then the name of the TLS suite, '\n', that of
 * the DTLS suite. */
#include <stdlib.h>

#include "base/rd.h"
#include "mtu/derive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_line(void *ctx, const char *line)
{
	size_t *n = ctx;
	want(strlen(line) > 0 && strlen(line) < 150);
	(*n)++;
}

static void check_steps(const struct mtu_steps *s, uint16_t result)
{
	int32_t sum = 0;
	want(s->n >= 4 && s->n < MTU_MAX_STEPS);
	for (size_t i = 0; i + 1 < s->n; i++)
		sum += s->v[i].value;
	want(sum == result && s->v[s->n - 1].value == result);
}

static void check(const struct mtu_input *in)
{
	struct mtu_derivation d;
	size_t n_lines = 0;
	uint16_t floor = in->has_ip6 ? MTU_MIN_IP6 : MTU_MIN;
	if (mtu_derive(in, &d) < 0)
		return;
	check_steps(&d.tls_steps, d.tls);
	want(d.tls >= floor && d.tls <= MTU_MAX && d.adapter >= floor && d.adapter <= MTU_MAX);
	want(d.tls_limit > 0 && d.tls_limit < d.mss && d.mss <= MTU_MAX);
	if (in->dtls_suite != NULL) {
		check_steps(&d.dtls_steps, d.dtls);
		want(d.dtls == d.adapter && d.dtls_limit > 0 && d.dtls_limit < d.base_mtu);
	}
	mtu_explain(in, &d, check_line, &n_lines);
	want(n_lines >= 7 && n_lines <= 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_open(span_of(data, size));
	uint8_t form = rd_u8(&r), versions = rd_u8(&r);
	struct mtu_input in = {
	        .formula = form & 1 ? MTU_CISCO : MTU_EXACT,
	        .has_ip6 = (form & 2) != 0,
	        .mac_order = (form >> 2) % 3,
	        .tls_version = versions & 15,
	        .dtls_version = versions >> 4,
	        .outer_family = rd_u8(&r),
	        .base_mtu = rd_u32(&r),
	        .tcpmss = rd_u32(&r),
	        .configured = rd_u32(&r),
	};
	struct span rest = span_skip(span_of(data, size), 15);
	struct span tls = span_cut(&rest, '\n');
	in.tls_suite = mtu_suite_find(tls);
	in.dtls_suite = mtu_suite_find(rest);
	check(&in);
	return 0;
}
