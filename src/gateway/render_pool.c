/* show ip local pool */
#include <stdlib.h>

#include "gateway/render.h"

#define FREE_SHOWN_MAX 256 /* free addresses listed; the count says how many there are */

static int by_address(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ip_addr));
}

static void pool_mask(const struct ipc_pool_info *p, struct text *out)
{
	char text[ADDR_TEXT_MAX];
	if (p->first.family == 4) {
		struct ip_addr mask = addr_mask_v4(p->mask_len);
		text_fmt(out, "%-16s", addr_format(&mask, text));
	} else {
		text_fmt(out, "/%-15u", p->mask_len);
	}
}

static void list(const struct ip_addr *a, size_t n, struct text *out)
{
	char text[ADDR_TEXT_MAX];
	for (size_t i = 0; i < n; i++)
		text_fmt(out, "%s\n", addr_format(&a[i], text));
}

/* The pool without the addresses in use (sorted), as far as they were told. */
static void list_free(const struct ipc_pool_info *p, const struct ip_addr *used, struct text *out)
{
	char text[ADDR_TEXT_MAX];
	size_t n_shown = 0;
	bool is_complete = (uint64_t)p->n_held + p->n_in_use <= p->n_addrs;
	struct ip_addr a = p->first;
	for (uint32_t i = 0; is_complete && n_shown < FREE_SHOWN_MAX && n_shown < p->n_free; i++) {
		a = addr_add(&p->first, i);
		if (memcmp(&a, &p->last, sizeof(a)) > 0)
			break;
		if (p->n_addrs && bsearch(&a, used, p->n_addrs, sizeof(a), by_address))
			continue;
		text_fmt(out, "%s\n", addr_format(&a, text));
		n_shown++;
	}
	if (n_shown < p->n_free)
		text_fmt(out, "... %llu more\n", (unsigned long long)(p->n_free - n_shown));
}

void render_pool_head(struct text *out)
{
	text_str(out, "Begin           End             Mask            Free     Held     In use\n");
}

void render_pool(const struct ipc_pool_info *p, bool has_addresses, struct text *out)
{
	char text[ADDR_TEXT_MAX];
	struct ip_addr used[IPC_POOL_ADDRS_MAX];
	memcpy(used, p->addrs, sizeof(used));
	qsort(used, p->n_addrs, sizeof(used[0]), by_address);
	text_fmt(out, "%-15s ", addr_format(&p->first, text));
	text_fmt(out, "%-15s ", addr_format(&p->last, text));
	pool_mask(p, out);
	text_fmt(out, "%-8llu %-8u %u\n", (unsigned long long)p->n_free, p->n_held, p->n_in_use);
	if (!has_addresses)
		return;
	text_str(out, "\nAvailable Addresses:\n");
	list_free(p, used, out);
	text_str(out, "\nIn Use Addresses:\n");
	list(used, p->n_addrs, out);
}

json_t *render_pool_json(const char *name, const struct ipc_pool_info *p)
{
	char first[ADDR_TEXT_MAX], last[ADDR_TEXT_MAX], text[ADDR_TEXT_MAX];
	json_t *used = json_array();
	for (size_t i = 0; used && i < p->n_addrs; i++) {
		if (json_array_append_new(used, json_string(addr_format(&p->addrs[i], text))) < 0) {
			json_decref(used);
			return NULL;
		}
	}
	return json_pack("{s:o, s:s, s:s, s:i, s:I, s:I, s:I, s:o}", "name", render_json_text(name), "begin",
	        addr_format(&p->first, first), "end", addr_format(&p->last, last), "prefix_length",
	        (int)p->mask_len, "free", (json_int_t)p->n_free, "held", (json_int_t)p->n_held, "in_use",
	        (json_int_t)p->n_in_use, "in_use_addresses", used);
}
