/* Runs a fuzz target once over every file of a corpus folder: the seeds as a plain test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEED_MAX_BYTES (1u << 20)

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		perror(path);
		return -1;
	}
	uint8_t *buf = malloc(SEED_MAX_BYTES);
	size_t n = buf ? fread(buf, 1, SEED_MAX_BYTES, f) : 0;
	fclose(f);
	/* exactly as large as the input, so that sanitizers see a read beyond it */
	uint8_t *exact = malloc(n ? n : 1);
	for (size_t i = 0; exact && i < n; i++)
		exact[i] = buf[i];
	if (exact)
		LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	free(buf);
	return 0;
}

int main(int argc, char **argv)
{
	int n_files = 0;
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
	if (dir == NULL) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER (must exist)\n", argv[0]);
		return 1;
	}
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		char path[4096];
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
		if (replay_file(path) < 0)
			return 1;
		n_files++;
	}
	closedir(dir);
	printf("%d seeds replayed\n", n_files);
	return n_files > 0 ? 0 : 1;
}
