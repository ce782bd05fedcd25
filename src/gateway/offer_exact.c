/* Until mtu/derive.h has its implementation: the two headers name different things alike. */
#include "gateway/offer_exact.h"

#include "mtu/exact.h"

uint16_t offer_exact_dtls(uint32_t base_mtu, uint8_t outer_family)
{
	return mtu_exact_dtls(base_mtu, outer_family, MTU_DTLS12_GCM);
}
