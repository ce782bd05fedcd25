/* The `ssl` commands in the terms of io/tls.h. The monitor tries a certificate with them before the worker
 * gets both. */
#ifndef GATEWAY_TLS_POLICY_H
#define GATEWAY_TLS_POLICY_H

#include "io/tls.h"
#include "policy/model.h"

/* pem: chain and key. Borrows from both; valid as long as they are. */
struct tls_server_opts tls_policy_opts(const struct ssl_settings *ssl, struct span pem);

#endif
