/* Any sequence of events and facts, whatever readers may come to say: store, cases, findings and the three
 * reports hold their limits, and what is written is whole and clean. Input: 16 bytes an event or a fact. */
#include <stdio.h>
#include <stdlib.h>

#include "base/rd.h"
#include "base/util.h"
#include "diagnose/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_ITEMS 3000
#define ITEM      16

static void want(bool is_true)
{
	if (!is_true)
		abort();
}

static const char *const names[] = {NULL, "alice", "bob", "ac_users_group", "DfltGrpPolicy", "*****",
        "<b>\"x\"&'", "\xff\xfe\x1b[2J\n", "mp-svc-no-fragment", "custom \"AES256-SHA256:RC4-SHA\"",
        "\xe6\x97\xa5\xe6\x9c\xac", "\xe2\x80\xae", "outside", "DTLS1.2", "x", "asa1"};

static struct span name_of(uint8_t b)
{
	return span_str(names[b % N_ELEM(names)]);
}

static struct ip_addr addr_of(uint8_t b)
{
	if (b % 4 == 0)
		return (struct ip_addr){.family = 0};
	if (b % 4 == 3)
		return addr_from_bytes(6, (const uint8_t[16]){0x20, 1, [15] = b});
	return addr_from_v4(0x0a000000u + b / 16);
}

static void tell_event(const struct sink *sink, struct rd *r, uint32_t line, int64_t *now_ms)
{
	uint8_t kind = rd_u8(r), source = rd_u8(r), flags = rd_u8(r), step = rd_u8(r), ids = rd_u8(r);
	/* some steps are the ones that rules look at: a second, the minute, an hour; some go back, some out
	 * of range */
	static const int64_t steps_ms[] = {0, 1, 1000, 5000, 12000, 45000, 60000, 61000, 240000, 3600000,
	        900000, -1000, -3600000, 86400000, 30000, 2000};
	*now_ms += steps_ms[step % N_ELEM(steps_ms)];
	struct event e = {
	        .kind = kind % (EVENT_N + 1),
	        .source = source % (SOURCE_N + 1),
	        .tunnel = flags % 3,
	        .reason = flags / 4 % REASON_N,
	        .is_to_client = flags & 1,
	        .has_tls = flags & 2,
	        .has_dtls = flags & 4,
	        .has_zone = flags & 128,
	        .code = flags & 64 ? 16 : ids,
	        .size = rd_u16(r),
	        .limit = rd_u16(r),
	        .adapter = rd_u8(r) * 8u,
	        .line = line,
	        .file = source / 64,
	        .at_ms = step < 16     ? TIME_NONE
	                 : step == 255 ? INT64_MAX - line
	                               : *now_ms,
	        .user = name_of(ids),
	        .group = name_of(ids / 16),
	        .device = name_of(step / 16),
	        .profile = name_of(flags),
	        .public_ip = addr_of(rd_u8(r)),
	        .inner = addr_of(rd_u8(r)),
	        .peer = addr_of(rd_u8(r)),
	        .cause = name_of(rd_u8(r)),
	        .text = name_of(rd_u8(r)),
	};
	sink->on_event(sink->ctx, &e);
}

static void tell_fact(const struct sink *sink, struct rd *r, uint32_t line)
{
	uint8_t kind = rd_u8(r), source = rd_u8(r), ids = rd_u8(r);
	struct fact f = {
	        .kind = kind % (FACT_N + 1),
	        .source = source & 1 ? SOURCE_ASA_CONFIG : source % (SOURCE_N + 1),
	        .is_user = (source & 2) != 0,
	        .scope = name_of(ids),
	        .text = name_of(ids / 16),
	        .raw = name_of(rd_u8(r)),
	        .number = rd_u32(r) >> (rd_u8(r) & 31),
	        .line = line,
	        .file = source / 64,
	};
	(void)rd_span(r, ITEM - 1 - 9);
	sink->on_fact(sink->ctx, &f);
}

static void tell_all(const struct sink *sink, struct span input)
{
	struct rd r = rd_open(input);
	int64_t now_ms = 1384565270000;
	for (uint32_t line = 1; r.rest.n >= ITEM && line < MAX_ITEMS; line++) {
		if (rd_u8(&r) & 1)
			tell_fact(sink, &r, line);
		else
			tell_event(sink, &r, line, &now_ms);
	}
}

/* No control character but the newline, whatever was in the input. */
static void check_clean(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		want((uint8_t)text[i] >= ' ' || text[i] == '\n');
}

static void check_reports(const struct report *r)
{
	for (int form = 0; form < 3; form++) {
		char *text = NULL;
		size_t n = 0;
		FILE *f = open_memstream(&text, &n);
		want(f != NULL);
		if (form == 0)
			report_text(f, r, findings_n(r->findings) % 2 ? 60 : 0);
		else if (form == 1)
			want(report_json(f, r) == 0);
		else
			report_html(f, r);
		want(fclose(f) == 0 && n > 0);
		check_clean(text, n);
		want(form != 2 || memmem(text, n, "<b>", 3) == NULL);
		free(text);
	}
}

static void check_findings(const struct findings *f)
{
	for (size_t i = 0; i < findings_n(f); i++) {
		const struct finding *one = findings_at(f, i);
		want(one->cause.n > 0 && one->verdict.n > 0 && one->n_evidence <= FINDING_MAX_EVIDENCE);
		want(one->n_users <= one->n_all_users && one->n_remedies <= FINDING_MAX_REMEDIES);
		want(one->first_at_ms == TIME_NONE || one->first_at_ms <= one->last_at_ms);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct report_file files[] = {
	        {.name = "a\x1b<b>.log", .kinds = 4, .note = "\xff"}, {.name = ""}};
	struct store_focus focus = {.since_ms = TIME_NONE};
	if (size > 0 && data[0] & 2)
		focus.user = "ALICE";
	if (size > 0 && data[0] & 4)
		focus.ip = addr_from_v4(0x0a000001u);
	if (size > 0 && data[0] & 8)
		focus.since_back_ms = 3600000;
	struct store *s = store_new(&focus);
	struct findings *found = NULL;
	want(s != NULL);
	struct sink sink = store_sink(s);
	tell_all(&sink, span_of(data, size));
	store_finish(s);
	want(findings_find(s, &found) == 0);
	check_findings(found);
	struct report r = {.store = s, .findings = found, .files = files, .n_files = N_ELEM(files)};
	check_reports(&r);
	findings_free(found);
	store_free(s);
	return 0;
}
