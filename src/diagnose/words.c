#include "diagnose/words.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/htab.h"

#define N_SLOTS (1u << 19) /* over twice STORE_MAX_WORDS */

int words_init(struct words *w)
{
	*w = (struct words){.n = 0};
	/* whole at once: what is never touched costs no memory */
	w->bytes = malloc(STORE_WORDS_BYTES);
	w->starts = malloc((STORE_MAX_WORDS + 1) * sizeof(*w->starts));
	w->slots = calloc(N_SLOTS, sizeof(*w->slots));
	if (w->bytes == NULL || w->starts == NULL || w->slots == NULL ||
	        getrandom(w->key, sizeof(w->key), 0) != (ssize_t)sizeof(w->key)) {
		words_done(w);
		return -ENOMEM;
	}
	return 0;
}

void words_done(struct words *w)
{
	free(w->bytes);
	free(w->starts);
	free(w->slots);
	*w = (struct words){.n = 0};
}

struct span words_get(const struct words *w, word_t word)
{
	if (word == 0 || word > w->n)
		return span_of(NULL, 0);
	const uint8_t *at = w->bytes + w->starts[word];
	return span_of(at + 1, at[0]);
}

static struct span cut(struct span text)
{
	if (text.n > STORE_MAX_WORD_BYTES)
		text.n = STORE_MAX_WORD_BYTES;
	return text;
}

/* The slot in which the text is, or the free one in which it would be. */
static word_t *slot_of(const struct words *w, struct span text)
{
	size_t i = htab_hash(w->key, text) & (N_SLOTS - 1);
	while (w->slots[i] != 0 && !span_eq(words_get(w, w->slots[i]), text))
		i = (i + 1) & (N_SLOTS - 1);
	return &w->slots[i];
}

word_t words_find(const struct words *w, struct span text)
{
	text = cut(text);
	return text.n > 0 ? *slot_of(w, text) : 0;
}

word_t words_put(struct words *w, struct span text, bool *is_full)
{
	text = cut(text);
	if (text.n == 0)
		return 0;
	word_t *slot = slot_of(w, text);
	if (*slot != 0)
		return *slot;
	if (w->n >= STORE_MAX_WORDS || w->n_bytes + 1 + text.n > STORE_WORDS_BYTES) {
		*is_full = true;
		return 0;
	}
	w->n++;
	w->starts[w->n] = (uint32_t)w->n_bytes;
	w->bytes[w->n_bytes] = (uint8_t)text.n;
	memcpy(w->bytes + w->n_bytes + 1, text.p, text.n);
	w->n_bytes += 1 + text.n;
	*slot = (word_t)w->n;
	return *slot;
}
