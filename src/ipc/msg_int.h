/* Between msg.c (the table of all messages) and msg_codec.c. */
#ifndef IPC_MSG_INT_H
#define IPC_MSG_INT_H

#include "ipc/msg.h"

enum ipc_field_kind { F_U8, F_U16, F_U32, F_U64, F_BOOL, F_STR, F_BYTES, F_ADDR, F_ADDRS };

struct ipc_field {
	uint8_t kind;
	uint16_t offset;       /* in struct ipc_msg */
	uint16_t size;         /* STR, BYTES: of the member; ADDRS: most elements */
	uint32_t max;          /* U8: largest value */
	uint16_t count_offset; /* ADDRS: the uint16_t that counts them */
};

struct ipc_row {
	const char *name;
	const struct ipc_field *fields;
	uint8_t n_fields;
	/* the permission table */
	uint8_t from, to;    /* masks of enum ipc_role */
	uint8_t states;      /* mask of enum ipc_state, of the receiver */
	uint32_t per_second; /* on one socket */
};

/* NULL: there is no such message. */
const struct ipc_row *ipc_row_find(uint8_t type);

#endif
