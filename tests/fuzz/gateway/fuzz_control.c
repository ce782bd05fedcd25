/* A request at the control socket, from its bytes to the answer, in a gateway without sessions whose other
 * processes are away. */
#include <stdlib.h>

#include "gateway/control_int.h"
#include "io/log.h"
#include "policy/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The letters of a list come home to nobody: as when the console is gone. */
static void call_free(struct call *c)
{
	struct worker *w = c->w;
	bool has_letters = c->listing != NULL;
	control_list_done(c);
	if (has_letters) {
		mailbox_open_all(&w->mailbox, w);
		mailbox_open_all(&w->mailbox, w);
	}
	json_decref(c->request);
	json_decref(c->json);
	text_done(&c->out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct process process;
	static struct worker w = {.process = &process, .auth.chan.fd = -1};
	static struct control control = {.w = &w};
	struct control_client k = {.control = &control};
	if (!w.config) {
		log_set_level(LOG_CRIT);
		process_init(&process);
		process.control = &control;
		process.threads[0] = &w;
		mailbox_init(&w.mailbox);
		if (uv_loop_init(&w.loop) < 0 || uv_async_init(&w.loop, &w.wake, NULL) < 0)
			abort();
		if (config_parse(span_str("hostname fuzz\nip local pool P 10.0.0.1-10.0.0.9\n"), "fuzz",
		            (struct diag_sink){0}, &w.config) < 0)
			abort();
	}
	control_request(&k, span_of(data, size));
	if (k.call.ref != 0 || k.call.status > 1 || !text_ok(&k.call.out))
		abort();
	if (k.call.stream_level == 0 && !k.call.listing && k.call.is_json != (k.call.json != NULL))
		abort(); /* an answer is in the form that was asked for */
	call_free(&k.call);
	return 0;
}
