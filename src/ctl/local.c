#include "ctl/local.h"

#include <string.h>
#include <strings.h>

#define NEEDLESS "Not needed here: who may open the console may do everything, and nothing is paged."
#define NO_MODE                                                                                              \
	"There is no configuration mode: change the file that culvertd reads, check it with culvertd "       \
	"--test, "                                                                                           \
	"then type reload."

static const struct {
	const char *word;
	size_t n_least; /* how short it may be */
	enum local_act act;
	const char *text;
} rows[] = {
        {"exit", 2, LOCAL_LEAVE, NULL},
        {"quit", 1, LOCAL_LEAVE, NULL},
        {"logout", 3, LOCAL_LEAVE, NULL},
        {"help", 1, LOCAL_HELP, NULL},
        {"enable", 2, LOCAL_TOLD, NEEDLESS},
        {"disable", 2, LOCAL_TOLD, NEEDLESS},
        {"terminal", 1, LOCAL_TOLD, NEEDLESS},
        {"configure", 3, LOCAL_REFUSED, NO_MODE},
        {"write", 2, LOCAL_REFUSED, NO_MODE},
        {"copy", 3, LOCAL_REFUSED, NO_MODE},
};

enum local_act local_find(const char *word, const char **ret_text)
{
	size_t n = strlen(word);
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		if (n >= rows[i].n_least && strncasecmp(rows[i].word, word, n) == 0) {
			*ret_text = rows[i].text;
			return rows[i].act;
		}
	}
	return LOCAL_NONE;
}
