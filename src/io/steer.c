#include "io/steer.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_tun.h>

#ifndef TUNSETSTEERINGEBPF
#define TUNSETSTEERINGEBPF _IOR('T', 224, int)
#endif

#define HASH_STEP   33u
#define HASH_SPREAD 0x9e3779b1u /* 2^32 divided by the golden ratio: spreads neighbours */
#define HASH_SHIFT  16          /* 32 bits to those of STEER_SLOTS */

/* ---- the program ---- */

/* Registers: 6 the packet, 7 the hash, 0 what was loaded or returned, 10 the stack. */
#define INSN(c, d, s, o, i)                                                                                  \
	(struct bpf_insn)                                                                                    \
	{                                                                                                    \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (int16_t)(o), .imm = (int32_t)(i)        \
	}
#define MOV_REG(d, s)       INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOV_IMM(d, i)       INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ALU32_IMM(op, d, i) INSN(BPF_ALU | (op) | BPF_K, d, 0, 0, i)
#define ALU32_REG(op, d, s) INSN(BPF_ALU | (op) | BPF_X, d, s, 0, 0)
#define LOAD_NET(size, at)  INSN(BPF_LD | BPF_ABS | (size), 0, 0, 0, SKF_NET_OFF + (at)) /* short: returns 0 \
	                                                                                  */
#define JUMP_IF(op, d, i, n) INSN(BPF_JMP | (op) | BPF_K, d, 0, n, i)
#define JUMP(n)              INSN(BPF_JMP | BPF_JA, 0, 0, n, 0)
#define EXIT                 INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

struct program {
	struct bpf_insn v[80];
	unsigned n;
};

static void put(struct program *p, struct bpf_insn i)
{
	if (p->n < N_ELEM(p->v))
		p->v[p->n++] = i;
}

/* hash = hash * 33 + what stands there */
static void put_word(struct program *p, uint8_t size, int at)
{
	put(p, LOAD_NET(size, at));
	put(p, ALU32_IMM(BPF_MUL, BPF_REG_7, HASH_STEP));
	put(p, ALU32_REG(BPF_ADD, BPF_REG_7, BPF_REG_0));
}

/* The words of an address, and the port behind a header of this length. */
static void put_key(struct program *p, enum steer_key key, int address_at, int n_words, int header_bytes)
{
	for (int i = 0; i < n_words; i++)
		put_word(p, BPF_W, address_at + 4 * i);
	if (key == STEER_BY_SOURCE)
		put_word(p, BPF_H, header_bytes);
}

/* A jump that is not known yet; there: to the next instruction. */
static unsigned put_jump(struct program *p, struct bpf_insn i)
{
	put(p, i);
	return p->n - 1;
}

static void jump_here(struct program *p, unsigned at)
{
	p->v[at].off = (int16_t)(p->n - at - 1);
}

static void put_lookup(struct program *p, int table_fd)
{
	put(p, ALU32_IMM(BPF_MUL, BPF_REG_7, HASH_SPREAD));
	put(p, ALU32_IMM(BPF_RSH, BPF_REG_7, HASH_SHIFT));
	put(p, INSN(BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, BPF_REG_7, -4, 0));
	put(p, INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, table_fd));
	put(p, INSN(0, 0, 0, 0, 0)); /* second half of it */
	put(p, MOV_REG(BPF_REG_2, BPF_REG_10));
	put(p, INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4));
	put(p, INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem));
	unsigned has_none = put_jump(p, JUMP_IF(BPF_JEQ, BPF_REG_0, 0, 0));
	put(p, INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_0, 0, 0));
	put(p, ALU32_IMM(BPF_SUB, BPF_REG_0, 1)); /* empty: a number that no socket has */
	put(p, EXIT);
	jump_here(p, has_none);
	put(p, ALU32_IMM(BPF_MOV, BPF_REG_0, -1));
	put(p, EXIT);
}

static void program_write(struct program *p, enum steer_key key, int table_fd)
{
	const bool is_source = key == STEER_BY_SOURCE;
	put(p, MOV_REG(BPF_REG_6, BPF_REG_1));
	put(p, MOV_IMM(BPF_REG_7, 0));
	put(p, LOAD_NET(BPF_B, 0));
	put(p, ALU32_IMM(BPF_RSH, BPF_REG_0, 4));
	unsigned is_v6 = put_jump(p, JUMP_IF(BPF_JEQ, BPF_REG_0, 6, 0));
	put_key(p, key, is_source ? 12 : 16, 1,
	        20); /* options are rare: such a packet is only steered wrong */
	unsigned is_done = put_jump(p, JUMP(0));
	jump_here(p, is_v6);
	put_key(p, key, is_source ? 8 : 24, 4, 40);
	jump_here(p, is_done);
	put_lookup(p, table_fd);
}

/* ---- loading ---- */

static int bpf_call(int command, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, command, attr, sizeof(*attr));
	return r < 0 ? -errno : (int)r;
}

int steer_new(enum steer_key key, int *ret_table_fd, int *ret_program_fd)
{
	union bpf_attr table = {.map_type = BPF_MAP_TYPE_ARRAY,
	        .key_size = sizeof(uint32_t),
	        .value_size = sizeof(uint64_t),
	        .max_entries = STEER_SLOTS,
	        .map_flags = BPF_F_MMAPABLE};
	struct program p = {.n = 0};
	int fd = bpf_call(BPF_MAP_CREATE, &table);
	if (fd < 0)
		return fd;
	program_write(&p, key, fd);
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
	        .insns = (uint64_t)(uintptr_t)p.v,
	        .insn_cnt = p.n,
	        .license = (uint64_t)(uintptr_t) "Dual MIT/GPL"};
	int program_fd = bpf_call(BPF_PROG_LOAD, &load);
	if (program_fd < 0) {
		close(fd);
		return program_fd;
	}
	*ret_table_fd = fd;
	*ret_program_fd = program_fd;
	return 0;
}

int steer_tun(int tun_fd, int program_fd)
{
	return ioctl(tun_fd, TUNSETSTEERINGEBPF, &program_fd) < 0 ? -errno : 0;
}

int steer_udp(int udp_fd, int program_fd)
{
	return setsockopt(udp_fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &program_fd, sizeof(program_fd)) < 0
	               ? -errno
	               : 0;
}

/* ---- the table ---- */

int steer_map(int table_fd, steer_slot **ret)
{
	void *p =
	        mmap(NULL, STEER_SLOTS * sizeof(steer_slot), PROT_READ | PROT_WRITE, MAP_SHARED, table_fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	memset(p, 0,
	        STEER_SLOTS * sizeof(steer_slot)); /* a worker that died may have left its threads there */
	*ret = p;
	return 0;
}

/* As the program does it. */
static steer_slot *slot_of(steer_slot *slots, const struct ip_addr *a, uint16_t port)
{
	uint32_t hash = 0;
	for (size_t i = 0; i < (a->family == 4 ? 1u : 4u); i++) {
		const uint8_t *b = a->b + 4 * i;
		hash = hash * HASH_STEP +
		       ((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
	}
	if (port != 0)
		hash = hash * HASH_STEP + port;
	return &slots[hash * HASH_SPREAD >> HASH_SHIFT];
}

void steer_set(steer_slot *slots, const struct ip_addr *a, uint16_t port, unsigned thread)
{
	if (slots)
		atomic_store_explicit(slot_of(slots, a, port), thread + 1, memory_order_relaxed);
}

void steer_clear(steer_slot *slots, const struct ip_addr *a, uint16_t port, unsigned thread)
{
	uint64_t mine = thread + 1;
	if (slots)
		atomic_compare_exchange_strong(slot_of(slots, a, port), &mine, 0);
}
