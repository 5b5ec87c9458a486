//! Which system calls a job and the sidecar do not have. What is not named here and is known is allowed; what is newer than
//! [`NEWEST`] is not there.

use nix::libc;

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// EPERM.
    Deny,
    /// ENOSYS: the C library falls back (clone3 to clone, whose flags can be inspected).
    Absent,
    /// EPERM when the masked low word of an argument equals the value.
    DenyIf(&'static [Condition]),
}

/// One condition on the low 32 bits of an argument; any of a list denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Which argument, from 0.
    pub argument: u8,
    /// Applied first.
    pub mask: u32,
    /// Then compared so.
    pub test: Test,
}

/// How a masked argument is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Equal.
    Is(u32),
    /// Different.
    IsNot(u32),
}

/// Denies where the masked argument equals the value.
pub const fn is(argument: u8, mask: u32, value: u32) -> Condition {
    Condition { argument, mask, test: Test::Is(value) }
}

const NEW_NAMESPACES: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWCGROUP) as u32;
const CLONE: Verdict = Verdict::DenyIf(&[Condition { argument: 0, mask: NEW_NAMESPACES, test: Test::IsNot(0) }]);
/// Device nodes: with one, the disk under every file is readable.
#[cfg(target_arch = "x86_64")]
const NODE_AT_1: Verdict = Verdict::DenyIf(&[is(1, libc::S_IFMT, libc::S_IFBLK), is(1, libc::S_IFMT, libc::S_IFCHR)]);
const NODE_AT_2: Verdict = Verdict::DenyIf(&[is(2, libc::S_IFMT, libc::S_IFBLK), is(2, libc::S_IFMT, libc::S_IFCHR)]);
/// A mask that leaves an argument as it is.
pub const WHOLE: u32 = u32::MAX;
/// Families that reach past the network namespace's own sockets, or into kernel crypto.
const SOCKET: Verdict = Verdict::DenyIf(&[
    is(0, WHOLE, libc::AF_PACKET as u32),
    is(0, WHOLE, libc::AF_VSOCK as u32),
    is(0, WHOLE, libc::AF_ALG as u32),
]);
/// linux/socket.h and linux/in.h; the libc crate does not name them. Shared memory communications: TCP by another name.
const AF_SMC: u32 = 43;
const IPPROTO_SMC: u32 = 256;
/// The same, where a TCP port is closed.
const PLAIN_SOCKET: Verdict = Verdict::DenyIf(&[
    is(0, WHOLE, libc::AF_PACKET as u32),
    is(0, WHOLE, libc::AF_VSOCK as u32),
    is(0, WHOLE, libc::AF_ALG as u32),
    is(0, WHOLE, AF_SMC),
    is(2, WHOLE, libc::IPPROTO_MPTCP as u32),
    is(2, WHOLE, IPPROTO_SMC),
]);
/// Data with the first packet connects without connect(2).
const FAST_OPEN: u32 = libc::MSG_FASTOPEN as u32;
const NOT_FAST_2: Verdict = Verdict::DenyIf(&[Condition { argument: 2, mask: FAST_OPEN, test: Test::IsNot(0) }]);
const NOT_FAST_3: Verdict = Verdict::DenyIf(&[Condition { argument: 3, mask: FAST_OPEN, test: Test::IsNot(0) }]);
/// Only on oneself: `prlimit(pid, RLIMIT_CPU, 0)` kills processes that a Landlock signal scope protects.
const PRLIMIT: Verdict = Verdict::DenyIf(&[Condition { argument: 0, mask: WHOLE, test: Test::IsNot(0) }]);
/// Typing into another process's terminal.
const IOCTL: Verdict = Verdict::DenyIf(&[is(1, WHOLE, libc::TIOCSTI as u32), is(1, WHOLE, libc::TIOCLINUX as u32)]);
/// Linux 6.15, by its number: the C library's headers do not name it yet. From 424 on every architecture has the same numbers.
const SYS_OPEN_TREE_ATTR: i64 = 467;
/// asm-generic/unistd.h; the libc crate does not name it there.
#[cfg(target_arch = "aarch64")]
const SYS_KEXEC_FILE_LOAD: i64 = 294;
#[cfg(not(target_arch = "aarch64"))]
const SYS_KEXEC_FILE_LOAD: i64 = libc::SYS_kexec_file_load;
/// The newest call that this table was thought through for: file_setattr(2) of Linux 6.17.
pub const NEWEST: i64 = 469;

macro_rules! table {
    ($($(#[$only:meta])* $name:ident => $verdict:expr),* $(,)?) => {
        /// Every call that is not simply allowed, for this architecture.
        pub const TABLE: &[(i64, &str, Verdict)] = &[
            (SYS_OPEN_TREE_ATTR, "SYS_open_tree_attr", Verdict::Deny),
            (SYS_KEXEC_FILE_LOAD, "SYS_kexec_file_load", Verdict::Deny),
            $($(#[$only])* (libc::$name, stringify!($name), $verdict)),*
        ];
    };
}

table! {
    // Other processes' memory and descriptors. ptrace within the domain is harmless and debuggers need it: Landlock and
    // the dumpable flag hold it off the rest.
    SYS_process_vm_readv => Verdict::Deny, SYS_process_vm_writev => Verdict::Deny, SYS_kcmp => Verdict::Deny,
    SYS_pidfd_getfd => Verdict::Deny, SYS_process_madvise => Verdict::Deny, SYS_move_pages => Verdict::Deny,
    // Mounts and namespaces.
    SYS_mount => Verdict::Deny, SYS_umount2 => Verdict::Deny, SYS_pivot_root => Verdict::Deny, SYS_open_tree => Verdict::Deny,
    SYS_move_mount => Verdict::Deny, SYS_fsopen => Verdict::Deny, SYS_fsconfig => Verdict::Deny, SYS_fsmount => Verdict::Deny,
    SYS_fspick => Verdict::Deny, SYS_mount_setattr => Verdict::Deny, SYS_unshare => Verdict::Deny, SYS_setns => Verdict::Deny,
    SYS_chroot => Verdict::Deny, SYS_clone => CLONE, SYS_clone3 => Verdict::Absent,
    // Files by handle walk past every path.
    SYS_open_by_handle_at => Verdict::Deny, SYS_name_to_handle_at => Verdict::Deny, SYS_fanotify_init => Verdict::Deny,
    // The kernel itself.
    SYS_init_module => Verdict::Deny, SYS_finit_module => Verdict::Deny, SYS_delete_module => Verdict::Deny,
    SYS_kexec_load => Verdict::Deny, SYS_bpf => Verdict::Deny, SYS_perf_event_open => Verdict::Deny,
    SYS_userfaultfd => Verdict::Deny,
    // Key rings; on kernels before the fix of CVE-2024-42318 KEYCTL_SESSION_TO_PARENT removes a Landlock domain.
    SYS_add_key => Verdict::Deny, SYS_request_key => Verdict::Deny, SYS_keyctl => Verdict::Deny,
    // Rings submit calls that this filter never sees.
    SYS_io_uring_setup => Verdict::Deny, SYS_io_uring_enter => Verdict::Deny, SYS_io_uring_register => Verdict::Deny,
    // The machine.
    SYS_swapon => Verdict::Deny, SYS_swapoff => Verdict::Deny, SYS_acct => Verdict::Deny, SYS_quotactl => Verdict::Deny,
    SYS_quotactl_fd => Verdict::Deny, SYS_reboot => Verdict::Deny, SYS_settimeofday => Verdict::Deny, SYS_clock_settime => Verdict::Deny,
    SYS_adjtimex => Verdict::Deny, SYS_clock_adjtime => Verdict::Deny, SYS_sethostname => Verdict::Deny, SYS_setdomainname => Verdict::Deny,
    SYS_syslog => Verdict::Deny, SYS_lookup_dcookie => Verdict::Deny, SYS_vhangup => Verdict::Deny,
    SYS_prlimit64 => PRLIMIT, SYS_socket => SOCKET, SYS_ioctl => IOCTL, SYS_mknodat => NODE_AT_2,
    #[cfg(target_arch = "x86_64")] SYS_mknod => NODE_AT_1,
    #[cfg(target_arch = "x86_64")] SYS_iopl => Verdict::Deny,
    #[cfg(target_arch = "x86_64")] SYS_ioperm => Verdict::Deny,
}

/// What the sidecar gives up besides: it never becomes another program and never opens another process.
pub const SIDECAR: &[(i64, &str, Verdict)] = &[
    (libc::SYS_execve, "SYS_execve", Verdict::Deny),
    (libc::SYS_execveat, "SYS_execveat", Verdict::Deny),
    (libc::SYS_ptrace, "SYS_ptrace", Verdict::Deny),
];

/// Besides, where a TCP port is closed by Landlock: its rules look at connect(2) of plain TCP sockets alone. On Linux 6.18,
/// Multipath TCP (which falls back to plain TCP) and TCP Fast Open both reach a port that no rule allows.
pub const PORTS: &[(i64, &str, Verdict)] = &[
    (libc::SYS_socket, "SYS_socket", PLAIN_SOCKET),
    (libc::SYS_sendto, "SYS_sendto", NOT_FAST_3),
    (libc::SYS_sendmsg, "SYS_sendmsg", NOT_FAST_2),
    (libc::SYS_sendmmsg, "SYS_sendmmsg", NOT_FAST_3),
];

/// Calls that take user or group ids, with the number of id arguments. Refused for the sidecar's ids where the policy
/// keeps SETUID or SETGID.
pub const IDENTITY: &[(i64, u8)] = &[
    (libc::SYS_setuid, 1),
    (libc::SYS_setgid, 1),
    (libc::SYS_setreuid, 2),
    (libc::SYS_setregid, 2),
    (libc::SYS_setresuid, 3),
    (libc::SYS_setresgid, 3),
    (libc::SYS_setfsuid, 1),
    (libc::SYS_setfsgid, 1),
];
