#include "diagnose/local_date.h"

#include "base/util.h"
#include "diagnose/event.h"
#include "diagnose/when.h"

/* Blanks of all kinds that Windows puts into dates: no-break spaces, and marks for the direction of writing.
 */
static const char *const blanks[] = {" ", "\t", "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x8e", "\xe2\x80\x8f"};

/* Words between the numbers of a date: CJK year, month and day; Korean too. */
static const char *const date_words[] = {".", "/", "-", "年", "月", "日", "년", "월", "일"};

/* A half of the day in the languages that Windows offers with a clock of twelve hours. */
static const struct half {
	const char *word;
	bool is_pm;
} halves[] = {
        {"AM", false},
        {"PM", true},
        {"am", false},
        {"pm", true},
        {"a.m.", false},
        {"p.m.", true},
        {"A.M.", false},
        {"P.M.", true},
        {"a. m.", false},
        {"p. m.", true},
        {"午前", false},
        {"午後", true},
        {"上午", false},
        {"下午", true},
        {"오전", false},
        {"오후", true},
        {"vorm.", false},
        {"nachm.", true},
        {"π.μ.", false},
        {"μ.μ.", true},
        {"πμ", false},
        {"μμ", true},
        {"ص", false},
        {"م", true},
        {"ÖÖ", false},
        {"ÖS", true},
        {"SA", false},
        {"CH", true},
};

static bool cut_word(struct span *s, const char *word)
{
	if (!span_starts(*s, word))
		return false;
	*s = span_skip(*s, strlen(word));
	return true;
}

static void cut_blanks(struct span *s)
{
	for (size_t i = 0; i < N_ELEM(blanks);)
		i = cut_word(s, blanks[i]) ? 0 : i + 1;
}

/* At most four digits. Returns how many there were. */
static size_t cut_number(struct span *s, uint32_t *ret)
{
	size_t n = 0;
	*ret = 0;
	while (n < s->n && n < 5 && s->p[n] >= '0' && s->p[n] <= '9')
		*ret = *ret * 10 + (s->p[n++] - '0');
	if (n > 4)
		return 0;
	*s = span_skip(*s, n);
	return n;
}

/* What stands between two numbers of a date: one word or two ("2013. 11."); its first byte, 0 when none. */
static uint8_t cut_separator(struct span *s)
{
	cut_blanks(s); /* marks of direction, in Arabic and Hebrew */
	uint8_t first = s->n > 0 ? s->p[0] : 0;
	for (size_t i = 0; i < N_ELEM(date_words); i++)
		if (cut_word(s, date_words[i])) {
			cut_blanks(s);
			return first;
		}
	return 0;
}

static enum date_order order_of(uint32_t first, uint32_t second, uint8_t separator)
{
	if (separator == '.' || first > 12)
		return DATE_DMY;
	return second > 12 ? DATE_MDY : DATE_UNKNOWN;
}

bool local_date_parse(struct span *s, struct local_date *ret)
{
	struct span in = *s;
	uint32_t n[3];
	cut_blanks(&in);
	size_t digits = cut_number(&in, &n[0]);
	uint8_t separator = digits > 0 ? cut_separator(&in) : 0;
	if (separator == 0 || cut_number(&in, &n[1]) == 0 || cut_separator(&in) == 0)
		return false;
	size_t last_digits = cut_number(&in, &n[2]);
	if (last_digits == 0 || n[1] > 31 || (digits != 4 && n[0] > 31) || (digits == 4 && n[2] > 31))
		return false;
	(void)(cut_word(&in, "日") || cut_word(&in, "일") || cut_word(&in, ".") || cut_word(&in, " г."));
	(void)cut_word(&in, ",");
	cut_blanks(&in);
	if (digits == 4) {
		*ret = (struct local_date){.year = (uint16_t)n[0],
		        .first = (uint8_t)n[1],
		        .second = (uint8_t)n[2],
		        .order = DATE_FIXED};
	} else {
		*ret = (struct local_date){.year = (uint16_t)(last_digits <= 2 ? n[2] + 2000 : n[2]),
		        .first = (uint8_t)n[0],
		        .second = (uint8_t)n[1],
		        .order = (uint8_t)order_of(n[0], n[1], separator)};
	}
	*s = in;
	return true;
}

static bool cut_half(struct span *s, bool *ret_is_pm)
{
	for (size_t i = 0; i < N_ELEM(halves); i++)
		if (cut_word(s, halves[i].word)) {
			*ret_is_pm = halves[i].is_pm;
			return true;
		}
	return false;
}

/* ":50", ":50.123" or nothing. */
static bool cut_seconds(struct span *s, char colon, uint32_t *ret_ms)
{
	uint32_t second, fraction = 0, unit = 100;
	*ret_ms = 0;
	if (s->n < 2 || s->p[0] != (uint8_t)colon || s->p[1] < '0' || s->p[1] > '9')
		return true;
	*s = span_skip(*s, 1);
	if (cut_number(s, &second) > 2 || second > 60)
		return false;
	if (s->n > 1 && (s->p[0] == '.' || s->p[0] == ',') && s->p[1] >= '0' && s->p[1] <= '9') {
		size_t i = 1;
		for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++, unit /= 10)
			fraction += (s->p[i] - '0') * unit;
		*s = span_skip(*s, i);
	}
	*ret_ms = (second > 59 ? 59 : second) * 1000 + fraction;
	return true;
}

bool local_time_parse(struct span *s, uint32_t *ret_ms, bool *ret_is_twelve_hours)
{
	struct span in = *s;
	uint32_t hour, minute, seconds_ms;
	bool is_pm = false;
	cut_blanks(&in);
	bool has_half = cut_half(&in, &is_pm);
	cut_blanks(&in);
	size_t digits = cut_number(&in, &hour);
	if (digits == 0 || digits > 2 || in.n == 0 || (in.p[0] != ':' && in.p[0] != '.'))
		return false;
	char colon = (char)in.p[0];
	in = span_skip(in, 1);
	if (cut_number(&in, &minute) != 2 || !cut_seconds(&in, colon, &seconds_ms))
		return false;
	cut_blanks(&in);
	has_half = cut_half(&in, &is_pm) || has_half;
	if (hour > 23 || minute > 59 || (has_half && hour > 12 && !is_pm))
		return false;
	if (has_half && hour <= 12)
		hour = hour % 12 + (is_pm ? 12 : 0);
	cut_blanks(&in);
	*ret_ms = (hour * 60 + minute) * 60000 + seconds_ms;
	*ret_is_twelve_hours = has_half;
	*s = in;
	return true;
}

int64_t local_date_at(const struct local_date *d, enum date_order order, uint32_t of_day_ms)
{
	bool is_day_first = d->order != DATE_FIXED && order == DATE_DMY;
	int month = is_day_first ? d->second : d->first, day = is_day_first ? d->first : d->second;
	int64_t midnight = when_utc_ms(d->year, month, day, 0, 0, 0, 0);
	return midnight == TIME_NONE ? TIME_NONE : midnight + of_day_ms;
}
