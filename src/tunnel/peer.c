#include "tunnel/peer.h"

static const struct peer_traits traits[PEER_N_KINDS] = {
        [PEER_OWN] =
                {
                        .name = "culvert",
                        .may_mix = true,
                        .may_duplicate = true,
                        .echoes_dpd = true,
                        .takes_padding = true,
                        .has_pieces = true,
                },
        /* writes to its adapter what comes by either tunnel; answers DPD with one byte */
        [PEER_OPENCONNECT] =
                {
                        .name = "openconnect",
                        .may_mix = true,
                        .may_duplicate = true,
                        .takes_padding = true,
                        .is_nudgeable = true,
                },
        /* closed software: what is not known is not tried */
        [PEER_CISCO] =
                {
                        .name = "cisco-client",
                        .echoes_dpd = true,
                        .takes_padding = true,
                        .is_nudgeable = true,
                },
        /* takes data by TLS as a sign that we left DTLS */
        [PEER_OCSERV] =
                {
                        .name = "ocserv",
                        .echoes_dpd = true,
                        .takes_padding = true,
                },
        /* its answer to padded requests is not known: its announced MTU is believed */
        [PEER_ASA] = {.name = "asa", .echoes_dpd = false},
};

const struct peer_traits *peer_traits(enum peer_kind k)
{
	return &traits[k < PEER_N_KINDS ? k : PEER_ASA];
}
