#include "../unit.h"

#include <crypt.h>
#include <stdio.h>

#include "aaa/password.h"

static int verify(enum secret_kind kind, const char *stored, const char *password)
{
	return password_verify(kind, stored, span_str(password));
}

/* Computed with python3: hashlib.pbkdf2_hmac('sha512', password, salt, rounds, length). */
static const struct {
	const char *password, *stored;
} pbkdf2_vectors[] = {
        {"secret", "$sha512$5000$AAECAwQFBgcICQoLDA0ODw==$xrgDMI01ROu6O2Kb98Cigw=="},
        {"", "$sha512$1$/////////////////////w==$VQmqu0XVftWrV5BcSxoJJA=="},
        {"p\xc3\xa4ssword", "$sha512$1000$MDEyMzQ1Njc4OWFiY2RlZg==$20MTVzg/n3H4pkjP7rPbsw=="},
        {"password",
                "$sha512$1$c2FsdA==$"
                "hn9wzxreAs/zdSWZo6U9xK80x6ZpgVrl1RNVThyM8lLALUcKKFoFAbrZmb/pQ8CPBQI119aLHaVeY/c7YKV/zg=="},
};

TEST(pbkdf2)
{
	for (size_t i = 0; i < N_ELEM(pbkdf2_vectors); i++) {
		const char *stored = pbkdf2_vectors[i].stored;
		assert_int_equal(verify(SECRET_PBKDF2, stored, pbkdf2_vectors[i].password), 0);
		assert_int_equal(verify(SECRET_PBKDF2, stored, "other"), ERR_REFUSED);
	}
}

TEST(pbkdf2_that_is_none)
{
	static const char *const bad[] = {
	        "",
	        "secret",
	        "$sha512$",
	        "$sha512$0$AAECAwQFBgcICQoLDA0ODw==$xrgDMI01ROu6O2Kb98Cigw==",
	        "$sha512$1000001$AAECAwQFBgcICQoLDA0ODw==$xrgDMI01ROu6O2Kb98Cigw==",
	        "$sha512$-1$AAECAwQFBgcICQoLDA0ODw==$xrgDMI01ROu6O2Kb98Cigw==",
	        "$sha256$1$AAECAwQFBgcICQoLDA0ODw==$xrgDMI01ROu6O2Kb98Cigw==",
	        "$sha512$1$$xrgDMI01ROu6O2Kb98Cigw==",
	        "$sha512$1$AAECAwQFBgcICQoLDA0ODw==$",
	        "$sha512$1$AAECAwQFBgcICQoLDA0ODw==$AAAA", /* 3 bytes would soon be guessed */
	        "$sha512$1$AAECAwQFBgcICQoLDA0ODw=$xrgDMI01ROu6O2Kb98Cigw==",
	        "$sha512$1$AAECAwQFBgcICQoLDA0ODx==$xrgDMI01ROu6O2Kb98Cigw==", /* bits behind the end */
	        "$sha512$1$AAECAwQFBgcICQoLDA0O=w==$xrgDMI01ROu6O2Kb98Cigw==",
	        "$sha512$1$AAECAwQFBgcICQoLDA0ODw==$xrgDMI01ROu6O2Kb98Cigw==$",
	        "$sha512$1$====$xrgDMI01ROu6O2Kb98Cigw==",
	};
	for (size_t i = 0; i < N_ELEM(bad); i++) {
		assert_int_equal(verify(SECRET_PBKDF2, bad[i], "secret"), ERR_CONFIG);
		assert_int_equal(password_stored_check(SECRET_PBKDF2, bad[i]), ERR_CONFIG);
	}
	char huge[512];
	snprintf(huge, sizeof(huge), "$sha512$1$AAAA$%0400d", 0);
	assert_int_equal(verify(SECRET_PBKDF2, huge, "secret"), ERR_CONFIG);
}

TEST(plain)
{
	assert_int_equal(verify(SECRET_PLAIN, "secret", "secret"), 0);
	assert_int_equal(verify(SECRET_PLAIN, "secret", "secre"), ERR_REFUSED);
	assert_int_equal(verify(SECRET_PLAIN, "secret", "secrets"), ERR_REFUSED);
	assert_int_equal(verify(SECRET_PLAIN, "secret", ""), ERR_REFUSED);
	assert_int_equal(password_verify(SECRET_PLAIN, "secret", span_of(NULL, 0)), ERR_REFUSED);
	assert_int_equal(verify(SECRET_PLAIN, "", ""), ERR_CONFIG);
}

TEST(nobody)
{
	assert_int_equal(verify(SECRET_NONE, "", ""), ERR_REFUSED);
	assert_int_equal(verify(SECRET_NONE, "secret", "secret"), ERR_REFUSED);
	assert_int_equal(verify((enum secret_kind)99, "secret", "secret"), ERR_CONFIG);
	password_burn(span_of(NULL, 0));
}

TEST(what_no_password_can_be)
{
	char big[PASSWORD_MAX_BYTES + 2];
	memset(big, 'a', sizeof(big));
	assert_int_equal(password_verify(SECRET_PLAIN, "secret", span_of("secret\0x", 8)), ERR_REFUSED);
	assert_int_equal(password_verify(SECRET_PLAIN, "secret", span_of(big, sizeof(big))), ERR_REFUSED);
	big[PASSWORD_MAX_BYTES] = '\0';
	assert_int_equal(verify(SECRET_PLAIN, big, big), 0);
}

static void check_crypt(const char *prefix, unsigned long cost)
{
	struct crypt_data data = {0};
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	assert_non_null(crypt_gensalt_rn(prefix, cost, "0123456789abcdef", 16, setting, sizeof(setting)));
	const char *stored = crypt_rn("se cret", setting, &data, (int)sizeof(data));
	assert_non_null(stored);
	assert_int_equal(password_stored_check(SECRET_CRYPT, stored), 0);
	assert_int_equal(verify(SECRET_CRYPT, stored, "se cret"), 0);
	assert_int_equal(verify(SECRET_CRYPT, stored, "se cre"), ERR_REFUSED);
	assert_int_equal(password_verify(SECRET_CRYPT, stored, span_of("se cret\0", 8)), ERR_REFUSED);
}

TEST(crypt_hashes)
{
	check_crypt("$y$", 1);
	check_crypt("$y$", 3);
	check_crypt("$y$", 0); /* the library's default */
	check_crypt("$5$", 1000);
	check_crypt("$6$", 1000);
	/* made by another implementation: openssl passwd -5 and -6, salt "saltstring" */
	static const char sha256[] = "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5";
	static const char sha512[] = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
	                             "FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";
	assert_int_equal(verify(SECRET_CRYPT, sha256, "Hello world!"), 0);
	assert_int_equal(verify(SECRET_CRYPT, sha512, "Hello world!"), 0);
}

TEST(crypt_that_we_refuse)
{
	static const char *const bad[] = {
	        "",
	        "*",
	        "secret",
	        "$1$salt$hash",
	        "$6$",
	        "$6$rounds=1000001$salt$hash",
	        "$6$rounds=999999999$salt$hash",
	        "$6$rounds=x$salt$hash",
	        "$y$",
	        "$y$j9T",
	        "$y$jET$salt$hash", /* 512 MiB */
	        "$y$jzT$salt$hash",
	        "$y$k9T$salt$hash",
	};
	for (size_t i = 0; i < N_ELEM(bad); i++)
		assert_int_equal(verify(SECRET_CRYPT, bad[i], "secret"), ERR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(pbkdf2),
	        cmocka_unit_test(pbkdf2_that_is_none),
	        cmocka_unit_test(plain),
	        cmocka_unit_test(nobody),
	        cmocka_unit_test(what_no_password_can_be),
	        cmocka_unit_test(crypt_hashes),
	        cmocka_unit_test(crypt_that_we_refuse),
	};
	return RUN(tests);
}
