#ifndef GATEWAY_OFFER_EXACT_H
#define GATEWAY_OFFER_EXACT_H

#include <stdint.h>

uint16_t offer_exact_dtls(uint32_t base_mtu, uint8_t outer_family);

#endif
