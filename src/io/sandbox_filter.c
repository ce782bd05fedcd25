#include "io/sandbox_filter.h"

#include <errno.h>

#ifdef CULVERT_NO_SECCOMP /* sanitizer build, see meson.build */

bool sandbox_has_filter(void)
{
	return false;
}

int sandbox_filter_load(enum sandbox_profile profile)
{
	(void)profile;
	return 0;
}

#else

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SANDBOX_PR_SET_VMA 0x53564d41 /* linux/prctl.h, since Linux 5.17 */

/* SCMP_SYS() is a pseudo number on architectures without the call: such rules are no-ops there. */

/* Both profiles: what libc, libuv, OpenSSL and our own code do with descriptors they have. */
static const int sandbox_allowed[] = {
        /* data */
        SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),
        SCMP_SYS(pwrite64), SCMP_SYS(preadv), SCMP_SYS(pwritev), SCMP_SYS(recv), SCMP_SYS(send),
        SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(recvmmsg),
        SCMP_SYS(sendmmsg), SCMP_SYS(accept4), SCMP_SYS(accept), SCMP_SYS(shutdown), SCMP_SYS(getsockopt),
        SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(lseek),
        /* descriptors */
        SCMP_SYS(close), SCMP_SYS(close_range), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3),
        SCMP_SYS(fcntl), SCMP_SYS(fstat), SCMP_SYS(pipe2), SCMP_SYS(eventfd2), SCMP_SYS(fsync),
        SCMP_SYS(fdatasync),
        /* waiting */
        SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(epoll_create1),
        SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
        SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(signalfd4), SCMP_SYS(nanosleep),
        SCMP_SYS(clock_nanosleep), SCMP_SYS(restart_syscall),
        /* memory; making memory executable is taken out below */
        SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mlock),
        SCMP_SYS(mlock2), SCMP_SYS(munlock), SCMP_SYS(membarrier), SCMP_SYS(msync),
        /* threads and signals */
        SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
        SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_setaffinity), SCMP_SYS(gettid), SCMP_SYS(getpid),
        SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
        SCMP_SYS(rt_sigtimedwait), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(getcpu),
        /* time, random, who am I */
        SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
        SCMP_SYS(getrandom), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
        SCMP_SYS(getppid), SCMP_SYS(getresuid), SCMP_SYS(getresgid), SCMP_SYS(getrusage), SCMP_SYS(getrlimit),
        SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(capget)};

/* What libraries try and can go without: an error instead of the end. */
static const struct sandbox_refused {
	int call, err;
} sandbox_worker_refused[] = {{SCMP_SYS(open), EACCES}, {SCMP_SYS(openat), EACCES},
        {SCMP_SYS(access), EACCES}, {SCMP_SYS(faccessat), EACCES}, {SCMP_SYS(faccessat2), EACCES},
        {SCMP_SYS(stat), EACCES}, {SCMP_SYS(lstat), EACCES}, {SCMP_SYS(statx), EACCES},
        {SCMP_SYS(readlink), EACCES}, {SCMP_SYS(readlinkat), EACCES}, {SCMP_SYS(getcwd), EACCES},
        /* e.g. syslog(3) connecting again after syslogd restarted */
        {SCMP_SYS(socket), EACCES}, {SCMP_SYS(connect), EACCES}};

/* Both: newer variants that libc and libuv fall back from. */
static const struct sandbox_refused sandbox_unknown[] = {
        {SCMP_SYS(clone3), ENOSYS}, /* its flags are behind a pointer, clone's are not */
        {SCMP_SYS(io_uring_setup), ENOSYS}, {SCMP_SYS(io_uring_enter), ENOSYS},
        {SCMP_SYS(io_uring_register), ENOSYS}, {SCMP_SYS(statfs), ENOSYS}};

/* auth: sockets to RADIUS and LDAP, and SQLite's files below its root directory. */
static const int sandbox_auth_allowed[] = {SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(open),
        SCMP_SYS(openat), SCMP_SYS(creat), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
        SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(fstatfs),
        SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
        SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(mkdir), SCMP_SYS(mkdirat),
        SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fchmod), SCMP_SYS(fchown), SCMP_SYS(utimensat),
        SCMP_SYS(getdents64), SCMP_SYS(umask), SCMP_SYS(flock), SCMP_SYS(fadvise64)};

/* auth refuses what it does not know, but never forgives these. */
static const int sandbox_auth_fatal[] = {SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace),
        SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(mount), SCMP_SYS(umount2),
        SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(bpf),
        SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
        SCMP_SYS(keyctl), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(reboot)};

bool sandbox_has_filter(void)
{
	return true;
}

static int filter_allow_all(scmp_filter_ctx f, const int *calls, size_t n)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
	return r;
}

static int filter_refuse_all(scmp_filter_ctx f, const struct sandbox_refused *calls, size_t n)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(calls[i].err), calls[i].call, 0);
	return r;
}

/* when argument number arg, under mask, is value */
static int filter_allow_masked(scmp_filter_ctx f, int call, unsigned arg, uint64_t mask, uint64_t value)
{
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1, SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, mask, value));
}

static int filter_allow_value(scmp_filter_ctx f, int call, unsigned arg, uint64_t value)
{
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1, SCMP_CMP(arg, SCMP_CMP_EQ, value));
}

/* Calls whose arguments decide. */
static int filter_allow_by_argument(scmp_filter_ctx f)
{
	static const unsigned long ioctls[] = {FIONBIO, FIONREAD, FIOCLEX, SIOCOUTQ, TUNGETIFF};
	/* abort(3) signals itself; a thread may signal its siblings but no other process */
	uint32_t pid = (uint32_t)getpid();
	int r;
	for (size_t i = 0; i < N_ELEM(ioctls); i++)
		if ((r = filter_allow_value(f, SCMP_SYS(ioctl), 1, ioctls[i])) < 0)
			return r;
	if ((r = filter_allow_value(f, SCMP_SYS(tgkill), 0, pid)) < 0 ||
	        (r = filter_allow_value(f, SCMP_SYS(kill), 0, pid)) < 0)
		return r;
	/* threads yes, processes no */
	if ((r = filter_allow_masked(f, SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD)) < 0)
		return r;
	/* no memory that can be executed */
	if ((r = filter_allow_masked(f, SCMP_SYS(mmap), 2, PROT_EXEC, 0)) < 0 ||
	        (r = filter_allow_masked(f, SCMP_SYS(mmap2), 2, PROT_EXEC, 0)) < 0 ||
	        (r = filter_allow_masked(f, SCMP_SYS(mprotect), 2, PROT_EXEC, 0)) < 0)
		return r;
	/* thread names; anonymous maps are named by newer libcs */
	if ((r = filter_allow_value(f, SCMP_SYS(prctl), 0, PR_SET_NAME)) < 0 ||
	        (r = filter_allow_value(f, SCMP_SYS(prctl), 0, PR_GET_NAME)) < 0)
		return r;
	if ((r = seccomp_rule_add(f, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
	             SCMP_A0(SCMP_CMP_EQ, SANDBOX_PR_SET_VMA))) < 0)
		return r;
	/* asking for a limit (sysconf) yes, setting one no */
	return filter_allow_value(f, SCMP_SYS(prlimit64), 2, 0);
}

static int filter_fill_auth(scmp_filter_ctx f)
{
	static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
	int r = filter_allow_all(f, sandbox_auth_allowed, N_ELEM(sandbox_auth_allowed));
	for (size_t i = 0; r == 0 && i < N_ELEM(families); i++)
		r = filter_allow_value(f, SCMP_SYS(socket), 0, (uint64_t)families[i]);
	for (size_t i = 0; r == 0 && i < N_ELEM(sandbox_auth_fatal); i++)
		r = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, sandbox_auth_fatal[i], 0);
	return r;
}

/* fstat(3) is newfstatat with an empty path since glibc 2.33; a path in an empty root tells nothing anyway.
 */
static int filter_fill_worker(scmp_filter_ctx f)
{
	int r = filter_refuse_all(f, sandbox_worker_refused, N_ELEM(sandbox_worker_refused));
	if (r == 0)
		r = filter_allow_masked(f, SCMP_SYS(newfstatat), 3, AT_EMPTY_PATH, AT_EMPTY_PATH);
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(newfstatat), 1,
		        SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0));
	return r;
}

int sandbox_filter_load(enum sandbox_profile profile)
{
	bool is_worker = profile == SANDBOX_WORKER;
	scmp_filter_ctx f = seccomp_init(is_worker ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM));
	int r;
	if (f == NULL)
		return -ENOMEM;
	if ((r = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1)) < 0 ||
	        (r = seccomp_attr_set(f, SCMP_FLTATR_CTL_LOG, 1)) < 0 ||
	        (r = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2)) < 0 ||
	        (r = filter_allow_all(f, sandbox_allowed, N_ELEM(sandbox_allowed))) < 0 ||
	        (r = filter_refuse_all(f, sandbox_unknown, N_ELEM(sandbox_unknown))) < 0 ||
	        (r = filter_allow_by_argument(f)) < 0)
		goto out;
	r = is_worker ? filter_fill_worker(f) : filter_fill_auth(f);
	if (r == 0)
		r = seccomp_load(f);
out:
	seccomp_release(f);
	return r;
}

#endif
