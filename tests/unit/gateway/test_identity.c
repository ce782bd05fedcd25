#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/conf_file.h"
#include "gateway/identity.h"

#define NOW_S 1790000000

static char dir[] = "/tmp/culvert-identity-XXXXXX";
static char path[128];

static const char *in_dir(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *content)
{
	FILE *f = fopen(in_dir(name), "w");
	assert_non_null(f);
	fputs(content, f);
	fclose(f);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int teardown(void **state)
{
	(void)state;
	static const char *const names[] = {"cert.pem", "key.pem", "c", "k"};
	for (size_t i = 0; i < N_ELEM(names); i++)
		unlink(in_dir(names[i]));
	return rmdir(dir);
}

static const struct config self_signed = {.hostname = "vpn.example.com", .ssl = {.trustpoint = ""}};

TEST(self_signed_is_made_once)
{
	struct identity a, b;
	struct text why = {0};
	struct stat st;
	assert_int_equal(identity_load(&self_signed, dir, NOW_S, &a, &why), 0);
	assert_true(a.is_self_signed);
	assert_int_equal(stat(in_dir("key.pem"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_non_null(strstr(text_cstr(&a.pem), "BEGIN CERTIFICATE"));
	assert_non_null(strstr(text_cstr(&a.pem), "PRIVATE KEY"));
	assert_int_equal(identity_load(&self_signed, dir, NOW_S + 5, &b, &why), 0);
	assert_string_equal(a.pin, b.pin);
	assert_int_equal(strncmp(a.pin, "pin-sha256:", 11), 0);
	identity_done(&a);
	identity_done(&b);
	text_done(&why);
}

static void check_warned(const struct identity *id, int64_t now_s, const char *want)
{
	struct text t = {0};
	identity_warn(id, now_s, &t);
	assert_int_equal(t.n > 0, want != NULL);
	if (want)
		assert_non_null(strstr(text_cstr(&t), want));
	text_done(&t);
}

TEST(a_certificate_that_clients_refuse_is_warned_of)
{
	const int64_t day_s = 86400, until_s = NOW_S + IDENTITY_VALID_DAYS * day_s;
	struct identity id;
	struct text why = {0};
	assert_int_equal(identity_load(&self_signed, dir, NOW_S, &id, &why), 0);
	assert_int_equal(id.valid_from_s, NOW_S - day_s);
	assert_int_equal(id.valid_until_s, until_s);
	check_warned(&id, NOW_S, NULL);
	check_warned(&id, until_s - 31 * day_s, NULL);
	check_warned(&id, until_s - 29 * day_s, "expires on 20");
	check_warned(&id, until_s, "expired on 20");
	check_warned(&id, NOW_S - 2 * day_s, "is the clock of this machine right?");
	identity_done(&id);
	text_done(&why);
}

TEST(half_a_pair_is_replaced)
{
	struct identity id;
	struct text why = {0};
	put("key.pem", "nothing");
	assert_int_equal(identity_load(&self_signed, dir, NOW_S, &id, &why), 0);
	identity_done(&id);
	text_done(&why);
}

TEST(trust_point_faults_are_named)
{
	char c_path[128], k_path[128];
	strcpy(c_path, in_dir("c"));
	strcpy(k_path, in_dir("k"));
	const struct trustpoint tp[] = {
	        {.name = "T", .certificate_file = c_path, .key_file = k_path}, {.name = "U"}};
	struct config c = {.ssl = {.trustpoint = "T"}, .trustpoints = tp, .n_trustpoints = 2};
	struct identity id;
	struct text why = {0};
	assert_int_equal(identity_load(&c, dir, NOW_S, &id, &why), -ENOENT);
	assert_non_null(strstr(text_cstr(&why), c_path));
	text_done(&why);
	put("c", "no certificate\n");
	put("k", "");
	assert_true(identity_load(&c, dir, NOW_S, &id, &why) < 0);
	assert_non_null(strstr(text_cstr(&why), "no certificate"));
	text_done(&why);
	c.ssl.trustpoint = "U";
	assert_int_equal(identity_load(&c, dir, NOW_S, &id, &why), ERR_CONFIG);
	text_done(&why);
}

TEST(memfd_cannot_be_changed)
{
	char buf[8] = "";
	int fd;
	assert_int_equal(conf_file_memfd_bytes("x", span_str("hello"), &fd), 0);
	assert_int_equal(read(fd, buf, sizeof(buf)), 5);
	assert_string_equal(buf, "hello");
	assert_true(write(fd, "x", 1) < 0);
	assert_int_equal(fcntl(fd, F_GET_SEALS) & F_SEAL_SEAL, F_SEAL_SEAL);
	close(fd);
}

TEST(file_limit)
{
	struct text t = {0};
	put("c", "12345");
	assert_int_equal(conf_file_slurp(in_dir("c"), 4, &t), ERR_TOO_LARGE);
	assert_int_equal(conf_file_slurp(in_dir("c"), 5, &t), 0);
	assert_string_equal(text_cstr(&t), "12345");
	text_done(&t);
	assert_int_equal(conf_file_slurp(dir, 5, &t), -EISDIR);
	assert_int_equal(conf_file_slurp(in_dir("none"), 5, &t), -ENOENT);
}

TEST(a_gateway_needs_webvpn)
{
	struct text messages = {0};
	struct config *c = NULL;
	put("c", "hostname a\nwebvpn\n enable outside\n");
	assert_int_equal(conf_file_load(in_dir("c"), &messages, &c), 0);
	assert_int_equal(conf_file_check(c, "f", &messages), 0);
	assert_non_null(strstr(text_cstr(&messages), "f:1:1: warning: nobody can log in: "));
	assert_non_null(strstr(text_cstr(&messages), "f:1:1: warning: nobody can connect: "));
	config_put(c);
	text_done(&messages);
	put("c", "hostname a\nip local pool P 10.0.0.2-10.0.0.9 mask 255.255.255.0\nwebvpn\n enable outside\n"
	         "username u password p\n");
	assert_int_equal(conf_file_load(in_dir("c"), &messages, &c), 0);
	assert_int_equal(conf_file_check(c, "f", &messages), 0);
	assert_int_equal(messages.n, 0);
	config_put(c);
	put("c", "ip local pool P 10.0.0.2-10.0.0.9 mask 255.255.255.0\nwebvpn\n enable outside\n"
	         "username u password p\naaa-server R protocol radius\ntunnel-group T type remote-access\n"
	         "tunnel-group T general-attributes\n authentication-server-group R\n");
	assert_int_equal(conf_file_load(in_dir("c"), &messages, &c), 0);
	assert_int_equal(conf_file_check(c, "f", &messages), 0);
	assert_non_null(
	        strstr(text_cstr(&messages), "f:1:1: warning: nobody can log in through tunnel-group T: "));
	config_put(c);
	put("c", "hostname a\n");
	assert_int_equal(conf_file_load(in_dir("c"), &messages, &c), 0);
	assert_int_equal(conf_file_check(c, "f", &messages), ERR_CONFIG);
	config_put(c);
	text_done(&messages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(self_signed_is_made_once, setup, teardown),
	        cmocka_unit_test_setup_teardown(
	                a_certificate_that_clients_refuse_is_warned_of, setup, teardown),
	        cmocka_unit_test_setup_teardown(half_a_pair_is_replaced, setup, teardown),
	        cmocka_unit_test_setup_teardown(trust_point_faults_are_named, setup, teardown),
	        cmocka_unit_test(memfd_cannot_be_changed),
	        cmocka_unit_test_setup_teardown(file_limit, setup, teardown),
	        cmocka_unit_test_setup_teardown(a_gateway_needs_webvpn, setup, teardown),
	};
	return RUN(tests);
}
