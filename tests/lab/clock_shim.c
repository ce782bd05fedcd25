/* For the lab, preloaded: CLOCK_BOOTTIME goes ahead by the seconds that the file $LAB_SLEPT holds, as after a suspend. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *ret)
{
	static int (*real)(clockid_t, struct timespec *);
	if (real == NULL)
		real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	int r = real(id, ret);
	const char *path = getenv("LAB_SLEPT");
	FILE *f = id == CLOCK_BOOTTIME && path != NULL ? fopen(path, "re") : NULL;
	char line[32];
	if (f != NULL && fgets(line, sizeof(line), f) != NULL)
		ret->tv_sec += strtol(line, NULL, 10);
	if (f != NULL)
		fclose(f);
	return r;
}
