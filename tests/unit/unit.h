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

/* What a sanitizer keeps back of freed memory is not the program's: limits of memory are not checked then. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNIT_MEMORY_COUNTS 0
#else
#define UNIT_MEMORY_COUNTS 1
#endif

#endif
