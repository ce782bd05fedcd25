#include "../unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/dns.h"

static char folder[] = "/tmp/culvert-dns-XXXXXX";
static char path[64];

static void put(const char *file, const char *content)
{
	FILE *f = fopen(file, "w");
	assert_non_null(f);
	fputs(content, f);
	fclose(f);
}

static bool holds(const char *file, const char *what)
{
	char buf[4096] = "";
	FILE *f = fopen(file, "r");
	if (f == NULL)
		return false;
	size_t n = fread(buf, 1, sizeof(buf) - 1, f);
	fclose(f);
	buf[n] = '\0';
	return strstr(buf, what) != NULL;
}

static struct tunnel_params params(void)
{
	struct tunnel_params p = {.n_dns = 2, .default_domain = "corp.example"};
	p.dns[0] = addr_from_v4(0x0a000001);
	p.dns[1] = addr_from_v4(0x0a000002);
	return p;
}

static struct dns dns_here(void)
{
	struct dns d;
	dns_init(&d);
	d.path = path;
	return d;
}

TEST(file_and_back)
{
	struct tunnel_params p = params();
	struct dns d = dns_here();
	put(path, "nameserver 192.0.2.1\noptions edns0\n");
	assert_int_equal(dns_set(&d, "culvert0", &p), 0);
	assert_true(holds(path, "nameserver 10.0.0.1\nnameserver 10.0.0.2\n"));
	assert_true(holds(path, "search corp.example\n"));
	assert_true(holds(path, "options edns0\n"));
	assert_false(holds(path, "\nnameserver 192.0.2.1"));
	dns_undo(&d);
	assert_true(holds(path, "nameserver 192.0.2.1\noptions edns0\n"));
}

TEST(link_stays_a_link)
{
	struct tunnel_params p = params();
	struct dns d = dns_here();
	struct stat st;
	char real[80];
	(void)snprintf(real, sizeof(real), "%s/real", folder);
	put(real, "nameserver 192.0.2.7\n");
	unlink(path);
	assert_int_equal(symlink(real, path), 0);
	assert_int_equal(dns_set(&d, "culvert0", &p), 0);
	assert_true(holds(real, "192.0.2.7"));
	assert_true(holds(path, "10.0.0.1"));
	dns_undo(&d);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_true(holds(path, "192.0.2.7"));
	unlink(path);
}

TEST(newer_file_wins)
{
	struct tunnel_params p = params();
	struct dns d = dns_here();
	put(path, "nameserver 192.0.2.1\n");
	assert_int_equal(dns_set(&d, "culvert0", &p), 0);
	put(path, "nameserver 198.51.100.1\n");
	dns_undo(&d);
	assert_true(holds(path, "198.51.100.1"));
}

/* Process 2^31-1 does not exist: pid_max is at most 2^22. */
TEST(leftovers_are_repaired)
{
	struct dns d = dns_here();
	struct tunnel_params p = params();
	struct text t = {0};
	dns_file_format(&p, 2147483647, span_str("nameserver 192.0.2.9\n"), "", &t);
	assert_int_equal(dns_file_owner(span_of(t.p, t.n)), 2147483647);
	put(path, text_cstr(&t));
	assert_true(dns_repair(&d));
	assert_true(holds(path, "nameserver 192.0.2.9\n"));
	assert_false(holds(path, "10.0.0.1"));
	assert_false(dns_repair(&d));
	/* cut in the middle: nothing to trust */
	put(path, "# Written by culvert, process 2147483647 (x)\n#was: nameserver 192.0.2.9\n");
	assert_false(dns_repair(&d));
	text_done(&t);
}

/* The file's owner as another user sees it who must not look into its memory: by its name. */
static int repaired_as_nobody(const char *name)
{
	struct dns d = dns_here();
	struct tunnel_params p = params();
	struct text t = {0};
	int status, fds[2];
	char byte;
	assert_int_equal(pipe(fds), 0);
	pid_t owner = fork();
	assert_true(owner >= 0);
	if (owner == 0) {
		(void)prctl(PR_SET_NAME, name);
		(void)prctl(PR_SET_DUMPABLE, 0);
		_exit(write(fds[1], "", 1) == 1 && pause() != 0);
	}
	assert_int_equal(read(fds[0], &byte, 1), 1);
	dns_file_format(&p, owner, span_str("nameserver 192.0.2.9\n"), "", &t);
	put(path, text_cstr(&t));
	assert_int_equal(chmod(folder, 0777), 0);
	pid_t other = fork();
	assert_true(other >= 0);
	if (other == 0)
		_exit(setresuid(65534, 65534, 65534) < 0 ? 2 : dns_repair(&d));
	assert_int_equal(waitpid(other, &status, 0), other);
	assert_int_equal(kill(owner, SIGKILL), 0);
	assert_int_equal(waitpid(owner, NULL, 0), owner);
	close(fds[0]);
	close(fds[1]);
	text_done(&t);
	return WEXITSTATUS(status);
}

TEST(a_session_that_hides_its_memory_lives)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(repaired_as_nobody("culvert"), 0);
	assert_int_equal(repaired_as_nobody("another"), 1);
}

TEST(no_resolvers_no_change)
{
	struct tunnel_params p = {0};
	struct dns d = dns_here();
	put(path, "nameserver 192.0.2.1\n");
	assert_int_equal(dns_set(&d, "culvert0", &p), 0);
	assert_int_equal(d.way, DNS_NONE);
	assert_true(holds(path, "192.0.2.1"));
}

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/resolv.conf", folder);
	return 0;
}

static int teardown(void **state)
{
	char real[80];
	(void)state;
	(void)snprintf(real, sizeof(real), "%s/real", folder);
	unlink(real);
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(file_and_back),
	        cmocka_unit_test(link_stays_a_link),
	        cmocka_unit_test(newer_file_wins),
	        cmocka_unit_test(leftovers_are_repaired),
	        cmocka_unit_test(a_session_that_hides_its_memory_lives),
	        cmocka_unit_test(no_resolvers_no_change),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
