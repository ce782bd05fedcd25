#include "diagnose/kind.h"

#include "base/util.h"

static const struct {
	const char *name, *title;
} kinds[SOURCE_N] = {
        [SOURCE_NONE] = {"unknown", "not recognised"},
        [SOURCE_ASA_CONFIG] = {"asa-config", "ASA configuration"},
        [SOURCE_ASA_SYSLOG] = {"asa-syslog", "ASA or FTD syslog"},
        [SOURCE_ASA_DEBUG] = {"asa-debug", "output of debug webvpn anyconnect"},
        [SOURCE_ASA_SESSIONS] = {"asa-sessions", "output of show vpn-sessiondb"},
        [SOURCE_ASA_DROPS] = {"asa-drops", "output of show asp drop"},
        [SOURCE_DART] = {"dart", "AnyConnect event log (DART)"},
        [SOURCE_WINDOWS_EVENTS] = {"windows-events", "exported Windows event log"},
        [SOURCE_CLIENT_SYSLOG] = {"client-syslog", "syslog of an AnyConnect client"},
        [SOURCE_OPENCONNECT] = {"openconnect", "output of openconnect"},
        [SOURCE_OCSERV] = {"ocserv", "log of ocserv"},
        [SOURCE_CULVERT_EVENTS] = {"culvert-events", "Culvert's log as JSON"},
        [SOURCE_CULVERT_CLIENT] = {"culvert-client", "output of the Culvert client"},
};

const char *kind_name(enum source_kind k)
{
	return kinds[k < SOURCE_N ? k : SOURCE_NONE].name;
}

void kind_put_titles(struct text *t, uint32_t set)
{
	const char *sep = "";
	for (unsigned k = SOURCE_NONE + 1; k < SOURCE_N; k++)
		if ((set & 1u << k) != 0) {
			text_fmt(t, "%s%s", sep, kinds[k].title);
			sep = " and ";
		}
}
