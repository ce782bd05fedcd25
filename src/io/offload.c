#include "io/offload.h"

#include "io/tun.h"

static const struct {
	const char *word;
	unsigned bits;
} words[] = {
        {"tun", OFFLOAD_TUN},
        {"uso", OFFLOAD_USO},
        {"gso", OFFLOAD_GSO},
        {"gro", OFFLOAD_GRO},
        {"queues", OFFLOAD_QUEUES},
        {"steer", OFFLOAD_STEER},
        {"super", OFFLOAD_SUPER},
        {"all", OFFLOAD_ALL},
};

static unsigned word_bits(struct span word)
{
	for (size_t i = 0; i < N_ELEM(words); i++)
		if (span_eq(word, span_str(words[i].word)))
			return words[i].bits;
	return 0;
}

int offload_parse(const char *list, unsigned *ret_refused)
{
	unsigned refused = 0;

	for (const char *end = list; *end != '\0'; list = end + 1) {
		end = strchrnul(list, ',');
		unsigned bits = word_bits(span_of(list, (size_t)(end - list)));
		if (bits == 0)
			return ERR_MALFORMED;
		refused |= bits;
	}
	if (refused == 0)
		return ERR_MALFORMED;
	*ret_refused = refused;
	return 0;
}

bool offload_take(void *refused, const char *list, struct text *why)
{
	if (offload_parse(list, refused) == 0)
		return true;
	text_str(why, "--no-offload wants a list of " OFFLOAD_WORDS);
	return false;
}

unsigned offload_tun_refused(unsigned refused)
{
	return refused & OFFLOAD_TUN ? ~0u : refused & OFFLOAD_USO ? TUN_OFFLOAD_USO : 0;
}
