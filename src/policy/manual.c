/* The command reference of culvert.conf(5). */
#include "policy/args.h"
#include "policy/config.h"
#include "policy/syntax.h"
#include "policy/table.h"

static const struct {
	enum mode mode;
	const char *title, *text;
} modes[N_MODES] = {
        {MODE_GLOBAL, "Global", "Commands at the outer level."},
        {MODE_TRUSTPOINT, "crypto ca trustpoint NAME", "Behind this line:"},
        {MODE_WEBVPN, "webvpn", "Behind this line, at the outer level:"},
        {MODE_POLICY, "group-policy NAME attributes", "Behind this line:"},
        {MODE_POLICY_WEBVPN, "webvpn in a group policy",
                "Behind this line, inside group-policy or username attributes:"},
        {MODE_GROUP, "tunnel-group NAME general-attributes", "Behind this line:"},
        {MODE_GROUP_WEBVPN, "tunnel-group NAME webvpn-attributes", "Behind this line:"},
        {MODE_USER, "username NAME attributes", "Behind this line:"},
        {MODE_AAA, "aaa-server NAME protocol PROTOCOL", "Behind this line:"},
        {MODE_AAA_HOST, "aaa-server NAME (IF) host HOST", "Behind this line:"},
        {MODE_LDAP_MAP, "ldap attribute-map NAME", "Behind this line:"},
};

/* Text safe in roff: no control lines, hyphens that can be searched and pasted. */
static void roff(struct text *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			text_str(out, "\\e");
		else if (s.p[i] == '-')
			text_str(out, "\\-");
		else if ((s.p[i] == '.' || s.p[i] == '\'') && i == 0)
			text_fmt(out, "\\&%c", s.p[i]);
		else
			text_put(out, span_of(s.p + i, 1));
	}
}

/* Keywords bold, arguments italic. */
static void manual_syntax(struct text *out, const char *s)
{
	while (*s != '\0') {
		size_t n = strcspn(s, " []{}|");
		if (n > 0) {
			bool is_keyword = syntax_is_keyword(span_of(s, n));
			text_str(out, is_keyword ? "\\fB" : "\\fI");
			roff(out, span_of(s, n));
			text_str(out, "\\fR");
		} else {
			text_put(out, span_of(s, n = 1));
		}
		s += n;
	}
	text_str(out, "\n");
}

static void manual_row(struct text *out, const struct command *row)
{
	text_str(out, ".TP\n");
	manual_syntax(out, row->syntax);
	roff(out, span_str(row->help));
	text_str(out, "\n");
	if (row->unit != NULL)
		text_fmt(out, "Range: %u\\-%u %s.\n", row->min, row->max, row->unit);
	if (row->def != NULL) {
		text_str(out, "Default: \\fB");
		roff(out, span_str(row->def));
		text_str(out, "\\fR.\n");
	}
	if (row->flags & CMD_EXTENSION)
		text_str(out, "\\fIExtension\\fR: the ASA does not have this command.\n");
	if (row->flags & CMD_LATER)
		text_str(out, "Accepted, but not effective yet.\n");
	if (!(row->flags & CMD_RELOAD))
		text_str(out, "A change needs a restart.\n");
}

static void manual_ignored(struct text *out)
{
	size_t n, n_put = 0;
	const struct command *rows = command_table(&n);
	text_str(out, ".SS Ignored commands\nThese commands of the ASA are outside the scope; "
	              "they are reported once each and skipped with the lines inside them:\n");
	for (size_t i = 0; i < n; i++) {
		if (!(rows[i].flags & CMD_IGNORED) || !(rows[i].modes & MODE_GLOBAL))
			continue;
		struct span words = span_str(rows[i].syntax);
		words.n = strcspn(rows[i].syntax, "[{");
		text_str(out, n_put++ > 0 ? ",\n" : "");
		roff(out, span_trim(words));
	}
	text_str(out, ".\n");
}

void policy_manual(struct text *out)
{
	size_t n;
	const struct command *rows = command_table(&n);
	text_str(out, ".SH COMMANDS\n");
	for (size_t m = 0; m < N_MODES; m++) {
		text_str(out, ".SS ");
		roff(out, span_str(modes[m].title));
		text_fmt(out, "\n%s\n", modes[m].text);
		for (size_t i = 0; i < n; i++) {
			if (rows[i].modes & modes[m].mode && !(rows[i].flags & CMD_IGNORED))
				manual_row(out, &rows[i]);
		}
	}
	manual_ignored(out);
}
