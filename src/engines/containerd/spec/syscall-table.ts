/** System calls that every container may make, by what they are for; names that a kernel lacks do no harm. */
export const ALLOWED_SYSCALLS: readonly string[] = [
  // processes and threads
  "arch_prctl execve execveat exit exit_group fork vfork getpgid getpgrp getpid getppid getsid gettid",
  "get_robust_list set_robust_list get_thread_area set_thread_area set_tid_address membarrier rseq",
  "setpgid setsid wait4 waitid waitpid prctl pidfd_open pidfd_send_signal process_mrelease restart_syscall",
  "futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue seccomp capget capset",
  "landlock_create_ruleset landlock_add_rule landlock_restrict_self process_vm_readv process_vm_writev ptrace",
  // signals
  "kill tkill tgkill pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn",
  "rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signal sigaction",
  "signalfd signalfd4 sigprocmask sigreturn sigpending sigsuspend",
  // scheduling and limits
  "getcpu getpriority setpriority getrlimit setrlimit ugetrlimit prlimit64 getrusage ioprio_get ioprio_set nice",
  "sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min",
  "sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr",
  "sched_setparam sched_setscheduler sched_yield",
  // time
  "adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64",
  "clock_nanosleep clock_nanosleep_time64 getitimer setitimer gettimeofday nanosleep time times timer_create",
  "timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create",
  "timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64",
  // users and groups
  "getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 getresuid",
  "getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32",
  "setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32",
  // memory
  "brk madvise memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap mseal msync",
  "munlock munlockall munmap map_shadow_stack pkey_alloc pkey_free pkey_mprotect remap_file_pages",
  // files by descriptor
  "cachestat close close_range copy_file_range dup dup2 dup3 fadvise64 fadvise64_64 fallocate fchdir fchmod",
  "fchown fchown32 fcntl fcntl64 fdatasync flock fstat fstat64 fstatfs fstatfs64 fsync ftruncate ftruncate64",
  "getdents getdents64 ioctl lseek _llseek pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead",
  "readv sendfile sendfile64 splice sync_file_range syncfs tee vmsplice write writev",
  // files by name
  "access chdir chmod chown chown32 creat faccessat faccessat2 fchmodat fchmodat2 fchownat fstatat64 futimesat",
  "getcwd lchown lchown32 link linkat lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat",
  "open openat openat2 readlink readlinkat rename renameat renameat2 rmdir stat stat64 statfs statfs64 statx",
  "symlink symlinkat sync truncate truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes",
  // extended attributes
  "fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr",
  "lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat",
  // waiting for events
  "epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old",
  "eventfd eventfd2 fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch _newselect poll",
  "ppoll ppoll_time64 pselect6 pselect6_time64 select io_cancel io_destroy io_getevents io_pgetevents",
  "io_pgetevents_time64 io_setup io_submit",
  // sockets and pipes
  "accept accept4 bind connect getpeername getsockname getsockopt listen pipe pipe2 recv recvfrom recvmmsg",
  "recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair",
  // System V and POSIX messages, semaphores, shared memory
  "ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend",
  "mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop",
  "semtimedop_time64 shmat shmctl shmdt shmget",
  // the rest
  "getrandom sysinfo uname",
].flatMap((line) => line.split(" "));

/** System calls that come with a capability: without it the kernel would refuse most of them anyway. */
export const SYSCALLS_BY_CAPABILITY: Readonly<Record<string, string>> = {
  CAP_BPF: "bpf",
  CAP_DAC_READ_SEARCH: "open_by_handle_at",
  CAP_PERFMON: "perf_event_open",
  CAP_SYS_ADMIN:
    "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick listmount lookup_dcookie lsm_list_modules " +
    "mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname " +
    "setns statmount syslog umount umount2 unshare",
  CAP_SYS_BOOT: "reboot",
  CAP_SYS_CHROOT: "chroot",
  CAP_SYS_MODULE: "delete_module finit_module init_module",
  CAP_SYS_NICE:
    "get_mempolicy mbind migrate_pages move_pages set_mempolicy set_mempolicy_home_node",
  CAP_SYS_PACCT: "acct",
  CAP_SYS_PTRACE: "kcmp pidfd_getfd process_madvise",
  CAP_SYS_RAWIO: "ioperm iopl",
  CAP_SYS_TIME: "clock_settime clock_settime64 settimeofday stime",
  CAP_SYS_TTY_CONFIG: "vhangup",
  CAP_SYSLOG: "syslog",
};

/** System calls that one processor family needs, by Go's name of it. */
export const SYSCALLS_BY_ARCHITECTURE: Readonly<Record<string, string>> = {
  amd64: "modify_ldt",
  arm: "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2",
  arm64: "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2",
  ppc64le: "swapcontext sync_file_range2",
  riscv64: "riscv_flush_icache riscv_hwprobe",
  s390x: "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr",
};

/** Names of a processor family and of those whose programs it runs too, as libseccomp has them. */
export const SECCOMP_ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  amd64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  arm: ["SCMP_ARCH_ARM"],
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
  ppc64le: ["SCMP_ARCH_PPC64LE"],
  riscv64: ["SCMP_ARCH_RISCV64"],
  s390x: ["SCMP_ARCH_S390X", "SCMP_ARCH_S390"],
};
