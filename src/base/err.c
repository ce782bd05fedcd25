#include "base/err.h"

#include <string.h>

#include "base/util.h"

static const struct {
	int err;
	const char *text;
} texts[] = {
        {ERR_MALFORMED, "malformed data"},
        {ERR_TOO_LARGE, "too large"},
        {ERR_UNSUPPORTED, "not supported"},
        {ERR_MORE, "incomplete data"},
        {ERR_REFUSED, "refused"},
        {ERR_LOCKED, "locked after too many failures"},
        {ERR_LIMIT, "limit reached"},
        {ERR_NO_ADDRESS, "no address available"},
        {ERR_CLOSED, "closed by the peer"},
        {ERR_IDENTITY, "server identity not accepted"},
        {ERR_CRYPTO, "cryptographic failure"},
        {ERR_TIMEOUT, "timed out"},
        {ERR_CONFIG, "unusable configuration"},
        {ERR_PEER_PROTOCOL, "protocol violation by the peer"},
};

const char *err_text(int err)
{
	for (size_t i = 0; i < N_ELEM(texts); i++) {
		if (texts[i].err == err)
			return texts[i].text;
	}
	return err < 0 ? strerror(-err) : "success";
}
