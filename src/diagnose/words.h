/* Short texts that occur again and again (users, addresses, devices, policies), each kept once, in bounded
 * memory. Internal to the store. */
#ifndef DIAGNOSE_WORDS_H
#define DIAGNOSE_WORDS_H

#include "diagnose/store.h"

struct words {
	uint8_t *bytes;   /* of each word: length, then that many bytes */
	uint32_t *starts; /* of word w, in bytes; [0] is not used */
	word_t *slots;    /* open addressing; 0: free */
	size_t n, n_bytes;
	uint8_t key[16]; /* of the hash: whoever wrote the logs must not choose where words go */
};

MUST_USE int words_init(struct words *w); /* -ENOMEM */
void words_done(struct words *w);
/* The word of this text, cut to STORE_MAX_WORD_BYTES; 0 for the empty text and when there is no room (then
 * *is_full is set). */
word_t words_put(struct words *w, struct span text, bool *is_full);
word_t words_find(const struct words *w, struct span text);
struct span words_get(const struct words *w, word_t word);

#endif
