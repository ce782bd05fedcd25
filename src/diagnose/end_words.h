/* Why a session ended, from the words in which clients and gateways say it. */
#ifndef DIAGNOSE_END_WORDS_H
#define DIAGNOSE_END_WORDS_H

#include "diagnose/event.h"

/* REASON_UNKNOWN when the words are not known. */
enum end_reason end_reason_of(struct span words);
/* A gateway's refusal that says that no inner address was left. */
bool is_pool_exhausted(struct span words);
/* An error of TLS or DTLS that says that both sides had no cipher or version in common. */
bool is_cipher_mismatch(struct span words);

#endif
