/* Writes culvert.conf(5): the hand-written head, then the command reference from the command table. */
#include <stdio.h>

#include "policy/config.h"

static int copy_file(const char *path)
{
	FILE *f = fopen(path, "r");
	if (f == NULL) {
		perror(path);
		return -1;
	}
	for (int c; (c = getc(f)) != EOF;)
		putchar(c);
	return fclose(f);
}

int main(int argc, char **argv)
{
	struct text t = {0};
	if (argc != 2 || copy_file(argv[1]) < 0)
		return 1;
	policy_manual(&t);
	text_str(&t, ".SH SEE ALSO\n.BR culvertd (8),\n.BR culvertctl (8),\n.BR culvert (1)\n");
	bool is_written = text_ok(&t) && fputs(text_cstr(&t), stdout) >= 0 && fflush(stdout) == 0;
	text_done(&t);
	return is_written ? 0 : 1;
}
