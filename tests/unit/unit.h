/* What every unit test program includes: cmocka and the headers it needs first. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* static void NAME(void **state) without the unused-parameter noise */
#define TEST(name) static void name(void **state __attribute__((unused)))
#define RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

#endif
