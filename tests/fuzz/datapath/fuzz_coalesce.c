/* Packets of the input's making. Each instruction of four bytes adds one to one of four flows, with a change
 * of one byte anywhere; with raw bytes in between. What comes out, cut again, is what went in: per flow, byte
 * for byte (replay_check.h aborts otherwise). */
#include "../../unit/datapath/replay_check.h"

#define SLOT_BYTES 400
#define RAW        7

static uint8_t slot[CHECK_PACKETS_MAX][SLOT_BYTES];

static void forms_begin(struct packet_form *f)
{
	for (int i = 0; i < 4; i++)
		f[i] = (struct packet_form){
		        .is_ip6 = i & 1, .is_udp = i & 2, .ttl = 64, .flags = 0x10, .port = 9, .window = 7};
}

static size_t made(struct packet_form *f, const uint8_t *in, uint8_t *p)
{
	struct packet_form *g = &f[in[0] & 3];
	size_t payload = in[1];

	g->flags = in[0] & 0x40 ? in[3] : 0x10;
	size_t n = packet_make(p, g, payload, in[1]);
	g->seq += (uint32_t)payload;
	g->id++;
	if (in[0] & 0x80) {
		p[in[2] % n] ^= in[3];
		if (in[0] & 0x20)
			sums_set(p, n);
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct replay_check check;
	static struct coalesce co;
	struct packet_form f[4];

	memset(&check, 0, sizeof(check));
	coalesce_init(&co, size > 0 ? data[0] & 7u : 7u, check_emit, &check);
	forms_begin(f);
	for (size_t at = 1; at + 4 <= size && check.n_in < CHECK_PACKETS_MAX;) {
		uint8_t *p = slot[check.n_in];
		size_t n;
		if ((data[at] & RAW) == RAW) {
			n = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;
			memcpy(p, data + at + 2, n);
			at += 2 + n;
		} else {
			n = made(f, data + at, p);
			at += 4;
		}
		check_add(&check, &co, p, n);
	}
	check_end(&check, &co);
	return 0;
}
