/* A request at the control socket, from its bytes to the answer, in a gateway without sessions whose other
 * processes are away. */
#include <stdlib.h>

#include "gateway/control_int.h"
#include "io/log.h"
#include "policy/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void call_free(struct call *c)
{
	json_decref(c->request);
	json_decref(c->json);
	text_done(&c->out);
	gathered_done(&c->gathered);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct process process;
	static struct worker w = {.process = &process, .auth.fd = -1};
	static struct control control = {.w = &w};
	struct control_client k = {.control = &control};
	if (!w.config) {
		log_set_level(LOG_CRIT);
		process_init(&process);
		process.control = &control;
		if (config_parse(span_str("hostname fuzz\nip local pool P 10.0.0.1-10.0.0.9\n"), "fuzz",
		            (struct diag_sink){0}, &w.config) < 0)
			abort();
	}
	control_request(&k, span_of(data, size));
	if (k.call.ref != 0 || k.call.status > 1 || !text_ok(&k.call.out))
		abort();
	if (k.call.stream_level == 0 && k.call.is_json != (k.call.json != NULL))
		abort(); /* an answer is in the form that was asked for */
	call_free(&k.call);
	return 0;
}
