//! The system call filter: the tables of [`super::calls`], compiled to a search tree of classic BPF over runs of call numbers.
//!
//! A linear filter costs each system call up to one comparison per entry, and its installation as much again, because
//! the kernel emulates it for every call number. The kernel checks and compiles every instruction at each launch, so each
//! verdict stands once, and a lone number among others of one verdict is one comparison.

use longhorn_sys::seccomp::Instruction;
use nix::libc;

use super::bpf::{AND, IF_AT_LEAST, IF_EQUAL, LOAD, Layout, Place};
use super::calls::{Condition, IDENTITY, NEWEST, PORTS, SIDECAR, TABLE, Test, Verdict, WHOLE, is};

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e; // AUDIT_ARCH_X86_64
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7; // AUDIT_ARCH_AARCH64

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;
const EPERM: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
const ENOSYS: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
/// Offsets in `struct seccomp_data` (linux/seccomp.h).
const NUMBER_AT: u32 = 0;
const ARCHITECTURE_AT: u32 = 4;
const ARGUMENTS_AT: u32 = 16;
/// The bit of x32 numbers, which reach the same calls once more.
const X32: u32 = 0x4000_0000;
/// So many lone numbers are asked for one by one before the tree goes on: more make the way of their neighbours long.
const MOST_ALONE: usize = 2;

/// What happens to the calls of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Body {
    Ends(u32),
    DeniesIf(Vec<Condition>),
}

/// Numbers that meet one body, but for lone ones among them.
struct Stretch {
    first: u32,
    body: Body,
    alone: Vec<(u32, Body)>,
}

/// The filter for jobs. `refused_id`: the sidecar's id, where the policy keeps SETUID or SETGID. `port_closed`: Landlock
/// closes a TCP port, and what its rules do not see is closed here.
pub fn for_jobs(refused_id: Option<u32>, port_closed: bool) -> Vec<Instruction> {
    let ids = refused_id.into_iter().flat_map(|id| {
        let refused = move |arguments| Body::DeniesIf((0..arguments).map(|at| is(at, WHOLE, id)).collect());
        IDENTITY.iter().map(move |(call, arguments)| (number(*call), refused(*arguments)))
    });
    // The later of two entries for one call stands.
    let ports = if port_closed { PORTS } else { &[] };
    let table = TABLE.iter().chain(ports).map(|(call, _, verdict)| (number(*call), body(*verdict)));
    program(table.chain(ids).collect())
}

/// The filter for the sidecar.
pub fn for_sidecar() -> Vec<Instruction> {
    program(TABLE.iter().chain(SIDECAR).map(|(call, _, verdict)| (number(*call), body(*verdict))).collect())
}

fn number(call: i64) -> u32 {
    u32::try_from(call).expect("system call numbers are small and positive")
}

fn body(verdict: Verdict) -> Body {
    match verdict {
        Verdict::Deny => Body::Ends(EPERM),
        Verdict::Absent => Body::Ends(ENOSYS),
        Verdict::DenyIf(conditions) => Body::DeniesIf(conditions.to_vec()),
    }
}

fn program(calls: Vec<(u32, Body)>) -> Vec<Instruction> {
    let mut code = Layout::default();
    let kill = code.verdict(KILL);
    let found = tree(&mut code, &stretches(runs(calls)), number(NEWEST + 1));
    let own = code.step(LOAD, NUMBER_AT, found);
    // A foreign architecture's numbers mean other calls: nothing may run on them.
    let known = code.branch(IF_EQUAL, ARCHITECTURE, own, kill);
    code.step(LOAD, ARCHITECTURE_AT, known);
    code.finish()
}

/// All numbers as runs of one body each, by the first number of each run: neighbours are mostly denied together.
fn runs(mut calls: Vec<(u32, Body)>) -> Vec<(u32, Body)> {
    calls.sort_by_key(|(number, _)| *number);
    let mut runs = vec![(0, Body::Ends(ALLOW))];
    let mut end = 0;
    for (number, body) in calls {
        if number > end {
            runs.push((end, Body::Ends(ALLOW)));
        }
        runs.push((number, body));
        end = number + 1;
    }
    runs.push((end, Body::Ends(ALLOW)));
    // What a kernel newer than the table brings is not there: a program asks for it and falls back, as on an older kernel.
    runs.push((number(NEWEST + 1), Body::Ends(ENOSYS)));
    runs.push((X32, Body::Ends(KILL)));
    // Of two that begin at one number the later stands; of two that do the same the earlier does.
    runs.reverse();
    runs.dedup_by_key(|(first, _)| *first);
    runs.reverse();
    runs.dedup_by(|(_, later), (_, earlier)| later == earlier);
    runs
}

fn stretches(runs: Vec<(u32, Body)>) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut runs = runs.into_iter().peekable();
    while let Some((first, body)) = runs.next() {
        match (stretches.last_mut(), runs.peek()) {
            // A run of one number, and after it what was before it.
            (Some(around), Some((next, after)))
                if first + 1 == *next && around.body == *after && around.alone.len() < MOST_ALONE =>
            {
                around.alone.push((first, body));
                runs.next();
            }
            _ => stretches.push(Stretch { first, body, alone: Vec::new() }),
        }
    }
    stretches
}

/// A search for the stretch that a number lies in, halving the numbers up to `end`: the kernel emulates each of them.
fn tree(code: &mut Layout, stretches: &[Stretch], end: u32) -> Place {
    if let [stretch] = stretches {
        let rest = place(code, &stretch.body);
        return stretch.alone.iter().rev().fold(rest, |otherwise, (number, body)| {
            let alone = place(code, body);
            code.branch(IF_EQUAL, *number, alone, otherwise)
        });
    }
    let middle = stretches[0].first.midpoint(end);
    let half = stretches.partition_point(|stretch| stretch.first <= middle).clamp(1, stretches.len() - 1);
    let (left, right) = stretches.split_at(half);
    let first = right[0].first;
    let right = tree(code, right, end);
    let left = tree(code, left, first);
    code.branch(IF_AT_LEAST, first, right, left)
}

fn place(code: &mut Layout, body: &Body) -> Place {
    let conditions = match body {
        Body::Ends(verdict) => return code.verdict(*verdict),
        Body::DeniesIf(conditions) => conditions,
    };
    let mut next = code.verdict(ALLOW);
    for alike in conditions.chunk_by(|one, other| (one.argument, one.mask) == (other.argument, other.mask)).rev() {
        for condition in alike.iter().rev() {
            let deny = code.verdict(EPERM);
            next = match condition.test {
                Test::Is(value) => code.branch(IF_EQUAL, value, deny, next),
                Test::IsNot(value) => code.branch(IF_EQUAL, value, next, deny),
            };
        }
        if alike[0].mask != WHOLE {
            next = code.step(AND, alike[0].mask, next);
        }
        // The low word of a little-endian argument.
        next = code.step(LOAD, ARGUMENTS_AT + 8 * u32::from(alike[0].argument), next);
    }
    next
}

/// A program as bytes, for the sealed lock: 8 bytes an instruction, in `struct sock_filter` order, little-endian.
pub fn to_bytes(program: &[Instruction]) -> Vec<u8> {
    program
        .iter()
        .flat_map(|one| {
            let [a, b] = one.code.to_le_bytes();
            let [c, d, e, f] = one.operand.to_le_bytes();
            [a, b, one.jump_true, one.jump_false, c, d, e, f]
        })
        .collect()
}

/// The opposite of [`to_bytes`]; `None` when the length is not a multiple of 8.
pub fn from_bytes(bytes: &[u8]) -> Option<Vec<Instruction>> {
    let (instructions, rest) = bytes.as_chunks::<8>();
    rest.is_empty().then(|| {
        instructions
            .iter()
            .map(|&[a, b, jump_true, jump_false, c, d, e, f]| Instruction {
                code: u16::from_le_bytes([a, b]),
                jump_true,
                jump_false,
                operand: u32::from_le_bytes([c, d, e, f]),
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::super::bpf::{JUMP, RETURN};
    use super::*;

    /// Runs a program as the kernel would.
    fn run(program: &[Instruction], architecture: u32, number: u32, arguments: [u64; 6]) -> u32 {
        let mut accumulator = 0u32;
        let mut at = 0usize;
        loop {
            let one = program[at];
            at += 1;
            match one.code {
                LOAD => {
                    accumulator = match one.operand {
                        NUMBER_AT => number,
                        ARCHITECTURE_AT => architecture,
                        offset => {
                            let argument = arguments[((offset - ARGUMENTS_AT) / 8) as usize];
                            if offset % 8 == 0 { argument as u32 } else { (argument >> 32) as u32 }
                        }
                    }
                }
                AND => accumulator &= one.operand,
                JUMP => at += one.operand as usize,
                IF_EQUAL => at += usize::from(if accumulator == one.operand { one.jump_true } else { one.jump_false }),
                IF_AT_LEAST => at += usize::from(if accumulator >= one.operand { one.jump_true } else { one.jump_false }),
                RETURN => return one.operand,
                code => panic!("unexpected instruction {code:#x}"),
            }
        }
    }

    #[test]
    fn every_call_number_meets_the_verdict_of_the_table_every_other_known_one_is_allowed_and_what_is_unknown_is_not_there() {
        let program = for_jobs(None, false);
        for number in 0..1024u32 {
            let known = i64::from(number) <= NEWEST;
            let expected = match TABLE.iter().find(|(call, _, _)| *call == i64::from(number)).map(|(_, _, verdict)| *verdict) {
                None if !known => ENOSYS,
                None | Some(Verdict::DenyIf(_)) => ALLOW,
                Some(Verdict::Deny) => EPERM,
                Some(Verdict::Absent) => ENOSYS,
            };
            // All arguments zero meet none of the conditions.
            assert_eq!(run(&program, ARCHITECTURE, number, [0; 6]), expected, "call {number}");
        }
    }

    #[test]
    fn a_call_that_a_newer_kernel_brings_is_not_there_for_job_and_sidecar() {
        for (whose, program) in [
            ("job", for_jobs(None, false)),
            ("a job that keeps SETUID", for_jobs(Some(64222), false)),
            ("sidecar", for_sidecar()),
        ] {
            let verdict = |number| run(&program, ARCHITECTURE, number, [u64::MAX; 6]);
            assert_eq!(
                (verdict(467), verdict(468), verdict(469)),
                (EPERM, ALLOW, ALLOW),
                "{whose}: open_tree_attr and its neighbours"
            );
            for unknown in [470, 471, 1024, 65_535, 0x3fff_ffff] {
                assert_eq!(verdict(unknown), ENOSYS, "{whose}: call {unknown}");
            }
            assert_eq!(verdict(0x4000_0000), KILL, "{whose}: x32 stays closed");
        }
    }

    #[test]
    fn arguments_decide_where_the_table_says_so() {
        let program = for_jobs(None, false);
        let rows: &[(i64, [u64; 6], u32, &str)] = &[
            (libc::SYS_clone, [0x11, 0, 0, 0, 0, 0], ALLOW, "fork"),
            (libc::SYS_clone, [0x3d_0f00, 0, 0, 0, 0, 0], ALLOW, "a thread"),
            (libc::SYS_clone, [libc::CLONE_NEWUSER as u64 | 0x11, 0, 0, 0, 0, 0], EPERM, "a user namespace"),
            (libc::SYS_clone, [libc::CLONE_NEWNS as u64 | 0x11, 0, 0, 0, 0, 0], EPERM, "a mount namespace"),
            (libc::SYS_prlimit64, [0; 6], ALLOW, "its own limits"),
            (libc::SYS_prlimit64, [1, 0, 0, 0, 0, 0], EPERM, "another process's limits"),
            (libc::SYS_socket, [libc::AF_INET as u64, 0, 0, 0, 0, 0], ALLOW, "inet"),
            (libc::SYS_socket, [libc::AF_PACKET as u64, 0, 0, 0, 0, 0], EPERM, "packet"),
            (libc::SYS_socket, [libc::AF_ALG as u64, 0, 0, 0, 0, 0], EPERM, "kernel crypto"),
            (libc::SYS_mknodat, [0, 0, u64::from(libc::S_IFIFO | 0o600), 0, 0, 0], ALLOW, "a pipe"),
            (libc::SYS_mknodat, [0, 0, u64::from(libc::S_IFBLK | 0o600), 0, 0, 0], EPERM, "a block device"),
            (libc::SYS_mknodat, [0, 0, u64::from(libc::S_IFCHR | 0o600), 0, 0, 0], EPERM, "a character device"),
            (libc::SYS_ioctl, [0, libc::TIOCSTI, 0, 0, 0, 0], EPERM, "typing into a terminal"),
            (libc::SYS_ioctl, [0, 0x5401, 0, 0, 0, 0], ALLOW, "reading a terminal's settings"),
        ];
        for (call, arguments, expected, what) in rows {
            assert_eq!(run(&program, ARCHITECTURE, number(*call), *arguments), *expected, "{what}");
        }
    }

    #[test]
    fn where_a_port_is_closed_nothing_is_tcp_by_another_name_and_all_else_stays() {
        let (open, closed) = (for_jobs(None, false), for_jobs(None, true));
        let (inet, fast) = (libc::AF_INET as u64, libc::MSG_FASTOPEN as u64);
        let rows: &[(i64, [u64; 6], u32, u32, &str)] = &[
            (libc::SYS_socket, [inet, 1, libc::IPPROTO_MPTCP as u64, 0, 0, 0], ALLOW, EPERM, "multipath"),
            (libc::SYS_socket, [inet, 1, 256, 0, 0, 0], ALLOW, EPERM, "shared memory by protocol"),
            (libc::SYS_socket, [43, 1, 0, 0, 0, 0], ALLOW, EPERM, "shared memory by family"),
            (libc::SYS_socket, [inet, 1, 0, 0, 0, 0], ALLOW, ALLOW, "plain"),
            (libc::SYS_socket, [inet, 1, libc::IPPROTO_TCP as u64, 0, 0, 0], ALLOW, ALLOW, "plain by name"),
            (libc::SYS_socket, [libc::AF_VSOCK as u64, 1, 0, 0, 0, 0], EPERM, EPERM, "the hypervisor"),
            (libc::SYS_sendto, [3, 0, 0, fast | 0x4000, 0, 0], ALLOW, EPERM, "fast open by sendto"),
            (libc::SYS_sendto, [3, 0, 0, 0x4000, 0, 0], ALLOW, ALLOW, "sendto"),
            (libc::SYS_sendmsg, [3, 0, fast, 0, 0, 0], ALLOW, EPERM, "fast open by sendmsg"),
            (libc::SYS_sendmsg, [3, 0, 0, fast, 0, 0], ALLOW, ALLOW, "sendmsg"),
            (libc::SYS_sendmmsg, [3, 0, 1, fast, 0, 0], ALLOW, EPERM, "fast open by sendmmsg"),
            (libc::SYS_sendmmsg, [3, 0, fast, 0, 0, 0], ALLOW, ALLOW, "sendmmsg"),
        ];
        for (call, arguments, otherwise, expected, what) in rows {
            assert_eq!(run(&open, ARCHITECTURE, number(*call), *arguments), *otherwise, "{what}, no port closed");
            assert_eq!(run(&closed, ARCHITECTURE, number(*call), *arguments), *expected, "{what}");
        }
    }

    #[test]
    fn foreign_numbers_end_the_process() {
        let program = for_jobs(None, false);
        assert_eq!(run(&program, 0x4000_0003, 1, [0; 6]), KILL, "i386");
        assert_eq!(run(&program, ARCHITECTURE, 0x4000_0001, [0; 6]), KILL, "x32");
    }

    #[test]
    fn the_sidecars_id_is_refused_at_every_place_where_an_id_can_stand() {
        let (open, program) = (for_jobs(None, false), for_jobs(Some(64222), false));
        for (call, arguments) in IDENTITY {
            for at in 0..*arguments {
                let mut given = [7u64; 6];
                given[usize::from(at)] = 64222;
                assert_eq!(run(&program, ARCHITECTURE, number(*call), given), EPERM, "call {call} argument {at}");
                assert_eq!(run(&open, ARCHITECTURE, number(*call), given), ALLOW);
            }
            assert_eq!(run(&program, ARCHITECTURE, number(*call), [7; 6]), ALLOW, "call {call}");
        }
    }

    #[test]
    fn the_sidecar_cannot_become_another_program() {
        assert_eq!(run(&for_sidecar(), ARCHITECTURE, number(libc::SYS_execve), [0; 6]), EPERM);
        assert_eq!(run(&for_jobs(None, false), ARCHITECTURE, number(libc::SYS_execve), [0; 6]), ALLOW);
    }

    #[test]
    fn a_launch_pays_for_no_more_than_eighty_instructions() {
        let program = for_jobs(None, false);
        assert!(program.len() <= 80, "{}", program.len());
    }

    #[test]
    fn in_a_program_of_any_length_every_call_still_meets_its_own_verdict() {
        let own = |number: u32| is(0, WHOLE, number + 1);
        let calls = (0..400).map(|number| (number, Body::DeniesIf(vec![own(number), is(1, 0xff, number % 200)]))).collect();
        let program = program(calls);
        assert!(program.len() > 4 * usize::from(u8::MAX), "{}", program.len());
        for number in 0..400 {
            let verdict = |first: u32, second: u64| run(&program, ARCHITECTURE, number, [first.into(), second, 0, 0, 0, 0]);
            assert_eq!(verdict(number + 1, 255), EPERM, "call {number} by its first argument");
            assert_eq!(verdict(0, (number % 200).into()), EPERM, "call {number} by its second argument");
            assert_eq!(verdict(number, 255), ALLOW, "call {number}");
        }
        assert_eq!(run(&program, ARCHITECTURE, X32, [0; 6]), KILL);
        assert_eq!(run(&program, 0x4000_0003, 1, [0; 6]), KILL);
    }

    #[test]
    fn a_program_survives_the_sealed_lock_and_fits_the_kernel() {
        let program = for_jobs(Some(64222), false);
        assert_eq!(from_bytes(&to_bytes(&program)).unwrap(), program);
        assert!(program.len() < 4096, "BPF_MAXINSNS is 4096, this has {}", program.len());
        assert!(from_bytes(&[0; 7]).is_none());
    }
}
