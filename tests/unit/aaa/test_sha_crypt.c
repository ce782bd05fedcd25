/* Against what `openssl passwd` makes, and against libcrypt. */
#include "../unit.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>

#include "aaa/password.h"
#include "aaa/sha_crypt.h"

#define HELLO_256 "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"
#define HELLO_512                                                                                            \
	"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/"                                                 \
	"O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
#define HELLO_LONG "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA"

static int verify(const char *stored, const char *password)
{
	return sha_crypt_verify(stored, span_str(password));
}

TEST(made_by_openssl)
{
	assert_int_equal(verify(HELLO_256, "Hello world!"), 0);
	assert_int_equal(verify(HELLO_256, "Hello world"), ERR_REFUSED);
	assert_int_equal(verify(HELLO_256, ""), ERR_REFUSED);
	assert_int_equal(verify(HELLO_512, "Hello world!"), 0);
	assert_int_equal(verify(HELLO_512, "hello world!"), ERR_REFUSED);
	assert_int_equal(verify(HELLO_LONG, "Hello world!"), 0);
	assert_int_equal(verify(HELLO_LONG, "Hello World!"), ERR_REFUSED);
}

/* One digit of the hash changed, each in turn. */
static void check_altered(const char *stored, const char *password)
{
	char text[CRYPT_OUTPUT_SIZE];
	const size_t n = strlen(stored);
	for (size_t i = (size_t)(strrchr(stored, '$') - stored) + 1; i < n; i += 7) {
		memcpy(text, stored, n + 1);
		text[i] = text[i] == '.' ? '/' : '.';
		assert_int_equal(verify(text, password), ERR_REFUSED);
	}
}

static void check_same(const char *prefix, unsigned n_rounds, size_t n_salt, size_t n_password)
{
	static const char salt[] = "./09AZaz.9Zabcde";
	char setting[64], password[PASSWORD_MAX_BYTES + 1] = {0}, rounds[32] = "";
	struct crypt_data data = {0};
	for (size_t i = 0; i < n_password; i++)
		password[i] = (char)(1 + (i * 37 + n_salt * 11 + n_rounds) % 255);
	if (n_rounds > 0)
		snprintf(rounds, sizeof(rounds), "rounds=%u$", n_rounds);
	snprintf(setting, sizeof(setting), "%s%s%.*s", prefix, rounds, (int)n_salt, salt);
	const char *stored = crypt_rn(password, setting, &data, (int)sizeof(data));
	assert_non_null(stored);
	assert_int_equal(verify(stored, password), 0);
	if (n_password % 50 == 0)
		check_altered(stored, password);
	password[n_password / 2] ^= 1;
	if (n_password > 0)
		assert_int_equal(verify(stored, password), ERR_REFUSED);
}

TEST(the_same_as_libcrypt)
{
	static const char *const prefixes[] = {"$5$", "$6$"};
	for (size_t k = 0; k < 2; k++) {
		for (size_t n = 0; n <= PASSWORD_MAX_BYTES; n += n < 70 ? 1 : 37)
			check_same(prefixes[k], 1000 + (unsigned)n, 1 + n % 16, n);
		check_same(prefixes[k], 0, 16, 8);
		check_same(prefixes[k], 0, 8, PASSWORD_MAX_BYTES);
	}
}

TEST(forms_that_libcrypt_may_know)
{
	static const char *const other[] = {
	        "",
	        "$5$",
	        "$1$salt$5B8vYYiY.CVt1RlTTf8KbX",
	        "$y$j9T$salt$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEl8",
	        "$5$$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEl8",
	        "$5$salt",
	        "$5$saltstringsaltstr$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEl8",
	        "$5$salt:string$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEl8",
	        "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEl",
	        "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEl8.",
	        "$6$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEl8",
	        "$5$rounds=999$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEl8",
	        "$5$rounds=05000$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEl8",
	        "$5$rounds=1000001$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEl8",
	        "$5$rounds=$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEl8",
	};
	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++)
		assert_int_equal(verify(other[i], "Hello world!"), ERR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(made_by_openssl),
	        cmocka_unit_test(the_same_as_libcrypt),
	        cmocka_unit_test(forms_that_libcrypt_may_know),
	};
	return RUN(tests);
}
