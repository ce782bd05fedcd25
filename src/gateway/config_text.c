#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/config_text.h"
#include "io/log.h"
#include "policy/config.h"

static int text_read(int fd, uint8_t *buf, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t got = pread(fd, buf + done, n - done, (off_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		done += (size_t)got;
	}
	return 0;
}

/* Not expected, since the monitor parsed the same text: worth a line. */
static void error_log(void *arg, const struct diag *d)
{
	(void)arg;
	struct text t = {0};
	if (d->severity != DIAG_ERROR)
		return;
	diag_format(d, &t);
	log_msg(3, "CULVERT", 101010, "%s", text_cstr(&t));
	text_done(&t);
}

int config_text_read(int fd, struct config **ret)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 0 || st.st_size > CONFIG_MAX_BYTES)
		return ERR_TOO_LARGE;
	size_t n = (size_t)st.st_size;
	uint8_t *buf = malloc(n + 1);
	if (buf == NULL)
		return -ENOMEM;
	int r = text_read(fd, buf, n);
	if (r == 0)
		r = config_parse(
		        span_of(buf, n), "running-config", (struct diag_sink){.put = error_log}, ret);
	explicit_bzero(buf, n); /* secrets */
	free(buf);
	return r;
}
