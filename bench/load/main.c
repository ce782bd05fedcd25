#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "load/load.h"

#define OTHER_FDS 64

static void on_signal(uv_signal_t *handle, int sig)
{
	(void)sig;
	load_end(handle->data);
}

static int watch_signals(struct load *l, uv_signal_t handles[2])
{
	static const int signals[2] = {SIGTERM, SIGINT};
	int err = 0;
	for (int i = 0; i < 2 && err == 0; i++) {
		err = uv_signal_init(&l->loop, &handles[i]);
		if (err == 0)
			err = uv_signal_start(&handles[i], on_signal, signals[i]);
		handles[i].data = l;
		uv_unref((uv_handle_t *)&handles[i]);
	}
	return err;
}

/* TCP, perhaps UDP for each session. */
static int raise_limit(const struct load_options *o)
{
	rlim_t want = (rlim_t)o->n_members + o->n_dtls + OTHER_FDS;
	struct rlimit l;
	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return -errno;
	if (l.rlim_cur >= want)
		return 0;
	l.rlim_cur = want;
	if (l.rlim_max < want)
		l.rlim_max = want;
	return setrlimit(RLIMIT_NOFILE, &l) < 0 ? -errno : 0;
}

int main(int argc, char **argv)
{
	static struct load load;
	struct load_options o;
	uv_signal_t signals[2];
	struct text say = {0};
	enum options_verdict verdict = load_options_parse(argc, argv, &o, &say);
	if (verdict != OPTIONS_OK)
		return option_table_say(verdict, &say) == 0 ? 0 : 2;
	signal(SIGPIPE, SIG_IGN);
	int err = raise_limit(&o);
	if (err == 0)
		err = load_init(&load, &o);
	if (err == 0)
		err = watch_signals(&load, signals);
	if (err) {
		fprintf(stderr, "loadgen: %s\n", err_text(err));
		return 1;
	}
	load_begin(&load);
	uv_run(&load.loop, UV_RUN_DEFAULT);
	report_end(&load);
	int status = load.count.n_failed || load.count.n_dtls_failed || load.count.n_lost ? 1 : 0;
	load_done(&load);
	return status;
}
