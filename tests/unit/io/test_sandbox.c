/* Each case runs in a child: what it enters cannot be left. The child's exit status is the answer. */
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uv.h>

#include "io/sandbox.h"
#include "io/udp.h"

#define CHECK(cond)                                                                                          \
	do {                                                                                                 \
		if (!(cond))                                                                                 \
			return __LINE__ % 200 + 1;                                                           \
	} while (0)

static int in_child(enum sandbox_profile profile, int (*f)(void))
{
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct sandbox_config config = {.profile = profile, .keeps_user = true, .files_max = 200};
		const char *step = "";
		if (sandbox_enter(&config, &step) < 0)
			_exit(255);
		_exit(f());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void *thread_main(void *arg)
{
	*(int *)arg = 42;
	return NULL;
}

static void after_work(uv_work_t *req, int status)
{
	*(int *)req->data += status == 0;
}

static void work(uv_work_t *req)
{
	*(int *)req->data += 1;
}

static int worker_can_work(void)
{
	struct udp_config config = {0};
	struct rlimit limit;
	uint8_t buf[16];
	pthread_t thread;
	int pair[2], value = 0;
	uv_loop_t loop;
	uv_work_t req = {.data = &value};
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max == 200);
	CHECK(prctl(PR_GET_NAME, buf) == 0);
	CHECK(pthread_create(&thread, NULL, thread_main, &value) == 0);
	CHECK(pthread_join(thread, NULL) == 0 && value == 42);
	value = 0;
	CHECK(uv_loop_init(&loop) == 0);
	CHECK(uv_queue_work(&loop, &req, work, after_work) == 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	CHECK(value == 2 && uv_loop_close(&loop) == 0);
	CHECK(getentropy(buf, sizeof(buf)) == 0);
	void *big = malloc(8 << 20);
	CHECK(big != NULL);
	memset(big, 1, 8 << 20);
	free(big);
	/* refused, but alive */
	struct udp u;
	if (sandbox_has_filter()) {
		CHECK(udp_listen(&config, &u) == -EACCES);
		struct stat st;
		CHECK(fstat(2, &st) == 0);
		CHECK(stat("/etc", &st) == -1 && errno == EACCES);
		CHECK(open("/etc/passwd", O_RDONLY) == -1 && errno == EACCES);
		pair[0] = socket(AF_INET, SOCK_STREAM, 0);
		CHECK(pair[0] == -1 && errno == EACCES);
	}
	return 0;
}

static int ends[2];
static struct udp udp_ends[2];

static union {
	struct cmsghdr head;
	uint8_t bytes[CMSG_SPACE(sizeof(int))];
} control;

/* A message of one byte and a descriptor. */
static ssize_t fd_send(int to, int fd)
{
	struct iovec iov = {.iov_base = "m", .iov_len = 1};
	struct msghdr h = {
	        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	control.head = (struct cmsghdr){
	        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	return sendmsg(to, &h, MSG_NOSIGNAL);
}

static ssize_t fd_recv(int from, int *ret_fd)
{
	uint8_t byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr h = {
	        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(from, &h, MSG_CMSG_CLOEXEC);
	memcpy(ret_fd, CMSG_DATA(&control.head), sizeof(*ret_fd));
	return n;
}

static int worker_can_use_descriptors(void)
{
	static uint8_t in[4 * 2048];
	const struct udp_datagram *d;
	struct udp_rx *rx;
	struct udp_path path = {0};
	struct udp_piece pieces[] = {{0, 10}, {10, 10}, {20, 5}};
	uint8_t buf[64] = {0};
	int got = -1;
	CHECK(fd_send(ends[0], udp_ends[0].fd) == 1);
	CHECK(fd_recv(ends[1], &got) == 1 && fcntl(got, F_GETFD) == FD_CLOEXEC);
	CHECK(udp_rx_new(in, 4, 2048, &rx) == 0);
	CHECK(udp_send_batch(&udp_ends[1], &path, buf, pieces, 3, NULL) == 3);
	CHECK(udp_recv_batch(&udp_ends[0], rx, &d) == 3);
	udp_rx_free(rx);
	return 0;
}

static int call_execve(void)
{
	char *argv[] = {"/bin/true", NULL};
	execv(argv[0], argv);
	return 1;
}

static int call_fork(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid < 0 && errno == EPERM ? 2 : 1;
}

static int call_ptrace_like(void)
{
	return kill(getppid(), 0) == 0 ? 1 : 2;
}

static int call_exec_memory(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? 2 : 1;
}

static int call_setuid(void)
{
	return setuid(0) == 0 ? 1 : 2;
}

static int call_tiocsti(void)
{
	char c = 'x';
	return ioctl(0, TIOCSTI, &c) == 0 ? 1 : 2;
}

static void assert_killed(int status)
{
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void assert_exit(int status, int code)
{
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

TEST(memory_is_hidden)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		sandbox_hide_memory();
		_exit(prctl(PR_GET_DUMPABLE) == (sandbox_has_filter() ? 0 : 1) ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

TEST(worker_works)
{
	assert_exit(in_child(SANDBOX_WORKER, worker_can_work), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	struct udp_config config = {0};
	struct ip_addr addr = addr_from_v4(INADDR_LOOPBACK);
	uint16_t port;
	assert_int_equal(udp_listen(&config, &udp_ends[0]), 0);
	assert_int_equal(udp_local_port(&udp_ends[0], &port), 0);
	assert_int_equal(udp_connect(&config, &addr, port, &udp_ends[1]), 0);
	assert_exit(in_child(SANDBOX_WORKER, worker_can_use_descriptors), 0);
	udp_close(&udp_ends[0]);
	udp_close(&udp_ends[1]);
	close(ends[0]);
	close(ends[1]);
}

TEST(worker_dies_of_what_it_has_no_business_with)
{
	static int (*const calls[])(void) = {
	        call_execve, call_fork, call_ptrace_like, call_exec_memory, call_setuid, call_tiocsti};
	if (!sandbox_has_filter())
		skip();
	for (size_t i = 0; i < N_ELEM(calls); i++)
		assert_killed(in_child(SANDBOX_WORKER, calls[i]));
}

static char dir[] = "/tmp/culvert-box-XXXXXX";

static int auth_can_use_files(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	CHECK(chdir(dir) == -1); /* not on the list: refused, not killed */
	char path[64] = {0};
	memcpy(path, dir, strlen(dir));
	memcpy(path + strlen(dir), "/db", 4);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK(pwrite(fd, "x", 1, 0) == 1 && fcntl(fd, F_SETLK, &lock) == 0 && fsync(fd) == 0);
	void *shm = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(shm != MAP_FAILED);
	CHECK(ftruncate(fd, 0) == 0 && unlink(path) == 0);
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(s >= 0);
	CHECK(socket(AF_PACKET, SOCK_RAW, 0) == -1 && errno == EPERM);
	return 0;
}

TEST(auth_has_files_and_sockets_but_no_programs)
{
	if (!sandbox_has_filter())
		skip();
	assert_non_null(mkdtemp(dir));
	assert_exit(in_child(SANDBOX_AUTH, auth_can_use_files), 0);
	rmdir(dir);
	assert_exit(in_child(SANDBOX_AUTH, call_fork), 2);
	assert_exit(in_child(SANDBOX_AUTH, call_setuid), 2);
	assert_killed(in_child(SANDBOX_AUTH, call_execve));
}

/* The whole way down, which only root can go. */
static int drop_all(const char *root_dir)
{
	struct sandbox_config config = {
	        .profile = SANDBOX_WORKER, .user = "no-such-user", .root_dir = root_dir};
	const char *step;
	uid_t r, e, s;
	int err = sandbox_enter(&config, &step);
	if (err < 0)
		return err == -ENOTEMPTY ? 3 : 255;
	CHECK(getresuid(&r, &e, &s) == 0 && r != 0 && e == r && s == r);
	CHECK(getgid() != 0);
	return 0;
}

TEST(root_becomes_nobody_in_an_empty_directory)
{
	char box[] = "/tmp/culvert-box-XXXXXX";
	const char *const places[] = {"/etc", box};
	const int codes[] = {3, 0};
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(box));
	for (size_t i = 0; i < 2; i++) {
		int status;
		pid_t pid = fork();
		if (pid == 0)
			_exit(drop_all(places[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_exit(status, codes[i]);
	}
	rmdir(box);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(memory_is_hidden),
	        cmocka_unit_test(worker_works),
	        cmocka_unit_test(worker_dies_of_what_it_has_no_business_with),
	        cmocka_unit_test(auth_has_files_and_sockets_but_no_programs),
	        cmocka_unit_test(root_becomes_nobody_in_an_empty_directory),
	};
	return RUN(tests);
}
