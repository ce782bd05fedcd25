#include "client/child.h"

#include <errno.h>
#include <sys/wait.h>

int child_wait(pid_t pid)
{
	int status;
	if (pid < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}
