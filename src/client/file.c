#include "client/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"

int file_read(const char *path, size_t max_bytes, struct text *out)
{
	char buf[4096];
	size_t from = out->n;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0 && out->n - from < max_bytes)
		text_put(out, span_of(buf, (size_t)n));
	int err = n < 0 ? -errno : n > 0 ? ERR_TOO_LARGE : 0;
	close(fd);
	if (out->is_secret)
		explicit_bzero(buf, sizeof(buf));
	return err == 0 && !text_ok(out) ? -ENOMEM : err;
}
