/* What a terminal leaves in text that was copied from it: prompts and the pager. */
#ifndef DIAGNOSE_CLI_H
#define DIAGNOSE_CLI_H

#include "base/span.h"

/* The line without "<--- More --->" and the blanks with which the ASA wipes it. */
struct span cli_clean(struct span line);

/* "ciscoasa# show run", "fw1/pri/act(config)# sh asp drop", "> show running-config" (FTD). *ret_device is
 * empty when the prompt has no name. False: not a prompt with a command behind it. */
bool cli_prompt(struct span line, struct span *ret_device, struct span *ret_command);

/* Does the command's next word abbreviate the keyword? At least min letters of it. Cuts the word off. */
bool cli_word(struct span *command, const char *keyword, size_t min);

/* The next word, blanks on its left skipped; empty at the end. */
struct span cli_next(struct span *rest);

#endif
