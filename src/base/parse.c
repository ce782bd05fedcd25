#include "base/parse.h"

#include <errno.h>

int parse_u64(struct span in, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	if (in.n == 0)
		return -EINVAL;
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] < '0' || in.p[i] > '9')
			return -EINVAL;
	}
	for (size_t i = 0; i < in.n; i++) {
		uint64_t digit = in.p[i] - '0';
		if (v > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		v = v * 10 + digit;
	}
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int parse_u32(struct span in, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t v;
	int r = parse_u64(in, min, max, &v);
	if (r == 0)
		*ret = (uint32_t)v;
	return r;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int parse_hex(struct span in, uint8_t *ret, size_t cap, size_t *ret_n)
{
	if (in.n % 2 != 0)
		return -EINVAL;
	if (in.n / 2 > cap)
		return -ENOBUFS;
	for (size_t i = 0; i < in.n; i++) {
		if (hex_digit(in.p[i]) < 0)
			return -EINVAL;
	}
	for (size_t i = 0; i < in.n / 2; i++)
		ret[i] = (uint8_t)(hex_digit(in.p[2 * i]) << 4 | hex_digit(in.p[2 * i + 1]));
	*ret_n = in.n / 2;
	return 0;
}

int parse_name(struct span in, char *ret, size_t cap)
{
	if (in.n >= cap)
		return -ENAMETOOLONG;
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] < 0x20 || in.p[i] == 0x7f)
			return -EINVAL;
	}
	if (in.n > 0)
		memcpy(ret, in.p, in.n);
	ret[in.n] = '\0';
	return 0;
}
