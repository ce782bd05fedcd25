#include "diagnose/labels.h"

#include "base/util.h"
#include "diagnose/pattern.h"

static const struct date_label {
	const char *word;
	uint8_t order;
} date_labels[] = {
        {"Date", DATE_UNKNOWN}, /* English and French */
        {"Date and Time", DATE_UNKNOWN},
        {"Datum", DATE_DMY},
        {"Fecha", DATE_DMY},
        {"Data", DATE_DMY},
        {"Dato", DATE_DMY},
        {"Dátum", DATE_FIXED},
        {"Päivämäärä", DATE_DMY},
        {"Päiväys", DATE_DMY},
        {"Дата", DATE_DMY},
        {"Tarih", DATE_DMY},
        {"Ημερομηνία", DATE_DMY},
        {"日付", DATE_FIXED},
        {"日期", DATE_FIXED},
        {"날짜", DATE_FIXED},
};

static const char *const computer_labels[] = {"Computer", "Ordinateur", "Equipo", "Computador", "Komputer",
        "Počítač", "Dator", "Datamaskin", "Tietokone", "Számítógép", "Компьютер", "Bilgisayar",
        "コンピューター", "コンピュータ", "计算机", "電腦", "컴퓨터"};

bool label_cut(struct span line, struct span *ret_label, struct span *ret_value)
{
	static const char wide[] = "：";
	size_t n_head = line.n < LABEL_MAX_BYTES ? line.n : LABEL_MAX_BYTES;
	const struct span head = span_of(line.p, n_head);
	const uint8_t *at = span_find(head, wide), *colon = n_head > 0 ? memchr(line.p, ':', n_head) : NULL;
	size_t n_colon = 1;
	if (at != NULL && (colon == NULL || at < colon)) {
		colon = at;
		n_colon = sizeof(wide) - 1;
	}
	if (colon == NULL || colon == line.p)
		return false;
	size_t n = (size_t)(colon - line.p);
	*ret_label = span_trim(span_of(line.p, n));
	*ret_value = span_trim(span_skip(line, n + n_colon));
	return ret_label->n > 0;
}

static const struct date_label *date_label(struct span label)
{
	for (size_t i = 0; i < N_ELEM(date_labels); i++)
		if (span_is(label, date_labels[i].word))
			return &date_labels[i];
	return NULL;
}

bool label_is_date(struct span label)
{
	return date_label(label) != NULL;
}

enum date_order label_date_order(struct span label)
{
	const struct date_label *l = date_label(label);
	return l != NULL && l->order != DATE_FIXED ? l->order : DATE_UNKNOWN;
}

bool label_is_computer(struct span label)
{
	for (size_t i = 0; i < N_ELEM(computer_labels); i++)
		if (span_is(label, computer_labels[i]))
			return true;
	return false;
}
