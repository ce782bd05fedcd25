#include "diagnose/end_words.h"

#include "base/util.h"
#include "diagnose/pattern.h"

/* Of ASA and culvertd (the reasons of 113019 and its likes), ocserv, and clients. The first that occurs
 * counts, so the more particular ones stand first. */
static const struct reason_words {
	const char *words;
	uint8_t reason;
} reasons[] = {
        {"idle time", REASON_IDLE},
        {"idle-timeout", REASON_IDLE},
        {"inactivity", REASON_IDLE},
        {"maximum connect", REASON_MAX_TIME},
        {"max time", REASON_MAX_TIME},
        {"maximum time", REASON_MAX_TIME},
        {"maximum duration", REASON_MAX_TIME},
        {"maximum session", REASON_MAX_TIME},
        {"session timeout", REASON_MAX_TIME},
        {"session time", REASON_MAX_TIME},
        {"session expired", REASON_MAX_TIME},
        {"preempt", REASON_PREEMPTED},
        {"another login", REASON_PREEMPTED},
        {"elsewhere", REASON_PREEMPTED},
        {"simultaneous", REASON_PREEMPTED},
        {"suspend", REASON_SUSPEND},
        {"sleep", REASON_SUSPEND},
        {"hibernat", REASON_SUSPEND},
        {"dead peer", REASON_DPD},
        {"dpd", REASON_DPD},
        {"lost carrier", REASON_DPD},
        {"lost service", REASON_DPD},
        {"peer timeout", REASON_DPD},
        {"dtls does not answer", REASON_DPD},
        {"administrator", REASON_ADMIN}, /* reset, reboot, shutdown */
        {"admin reset", REASON_ADMIN},
        {"admin reboot", REASON_ADMIN},
        {"admin shutdown", REASON_ADMIN},
        {"nas reboot", REASON_ADMIN},
        {"server disconnect", REASON_ADMIN},
        {"gateway is shutting down", REASON_ADMIN},
        {"by the user", REASON_USER},
        {"user has requested", REASON_USER},
        {"user request", REASON_USER},
        {"user-request", REASON_USER},
        {"user disconnect", REASON_USER},
        {"user logout", REASON_USER},
        {"host requested", REASON_USER},
        {"pc is shutting down", REASON_USER},
        {"logged off", REASON_USER},
        {"logoff", REASON_USER},
        {"service unavailable", REASON_ERROR},
        {"bad framing", REASON_ERROR},
        {"error", REASON_ERROR},
        {"fail", REASON_ERROR},
};

enum end_reason end_reason_of(struct span words)
{
	for (size_t i = 0; i < N_ELEM(reasons); i++)
		if (span_has_nocase(words, reasons[i].words))
			return reasons[i].reason;
	return REASON_UNKNOWN;
}

static bool has_one_of(struct span words, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_has_nocase(words, list[i]))
			return true;
	return false;
}

bool is_pool_exhausted(struct span words)
{
	static const char *const list[] = {"no assigned address", "no address available", "no more addresses",
	        "no free address", "address pool", "no ip address", "no address is left", "out of addresses"};
	return has_one_of(words, list, N_ELEM(list));
}

bool is_cipher_mismatch(struct span words)
{
	static const char *const list[] = {"handshake failure", "no shared cipher", "no ciphers available",
	        "no supported cipher", "no cipher suite", "unsupported protocol", "alert protocol version",
	        "wrong version number", "unsupported version", "unknown or unsupported cipher"};
	return has_one_of(words, list, N_ELEM(list));
}
