/* From statements to the model. */
#ifndef POLICY_APPLY_H
#define POLICY_APPLY_H

#include "policy/report.h"
#include "policy/statement.h"

/* What is being built: mutable views of the arrays of the configuration. */
struct builder {
	struct config *config;
	struct arena *arena;
	struct reporter *reporter;
	struct pool4 *pools4;
	struct pool6 *pools6;
	struct acl *acls;
	struct trustpoint *trustpoints;
	struct group_policy *policies;
	struct tunnel_group *groups;
	struct local_user *users;
	struct log_host *log_hosts;
	struct log_message_rule *log_rules;
	struct str_list aaa_servers;
	int trustpoint_rank; /* of the one chosen so far */
};

/* The object of a mode: struct config (global, webvpn), policy_overlay (group policy and its webvpn, and
 * webvpn of a user), tunnel_group, local_user, trustpoint; functions of attribute rows always get the
 * overlay. */

/* Applies one statement. ERR_CONFIG (reported), -ENOMEM. */
MUST_USE int apply_stmt(struct builder *b, const struct stmt *s, void *obj);

/* Builds the whole model from the statements. ERR_CONFIG (reported), -ENOMEM. */
MUST_USE int apply_tree(struct builder *b, const struct stmt *root);
/* Sets what the rows of these modes have as their default. -ENOMEM; ERR_CONFIG: the table contradicts itself.
 */
MUST_USE int apply_defaults(struct builder *b, uint32_t modes, void *obj);
/* An error about word i of a statement; returns ERR_CONFIG. */
int apply_error(struct builder *b, const struct stmt *s, size_t i, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Appends a zeroed element to one of the builder's arrays; evaluates to NULL when out of memory. */
void *apply_append(struct builder *b, const void *array, size_t n, size_t elem_bytes, void **ret_array);

/* The functions of the table. */
typedef int apply_f(struct builder *b, const struct stmt *s, void *obj);
apply_f apply_mtu, apply_enable, apply_mtu_formula, apply_mss, apply_acl_net, apply_acl_prefix6, apply_pool4,
        apply_pool6, apply_aaa_server, apply_trustpoint, apply_ssl_version, apply_ssl_cipher,
        apply_ssl_dh_group, apply_ssl_trustpoint, apply_listen, apply_policy_new, apply_banner, apply_wins,
        apply_dns, apply_protocols, apply_group_lock, apply_acl_ref, apply_pool4_refs, apply_pool6_refs,
        apply_group_new, apply_policy_ref, apply_auth_servers, apply_accounting, apply_authentication,
        apply_alias, apply_url, apply_user_new, apply_framed4, apply_framed6, apply_log_buffered,
        apply_log_trap, apply_log_device_id, apply_log_host, apply_log_off, apply_log_level;

#endif
