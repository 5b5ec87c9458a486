//! The system call filter: the tables of [`super::calls`], compiled to a balanced tree of classic BPF over runs of call numbers.
//!
//! A linear filter costs each system call up to one comparison per entry, and its installation as much again, because
//! the kernel emulates it for every call number; a tree costs seven. Every instruction is checked and compiled by the
//! kernel at each launch, so neighbours with one verdict share a leaf.

use longhorn_sys::seccomp::Instruction;
use nix::libc;

use super::calls::{Condition, IDENTITY, NEWEST, SIDECAR, TABLE, Test, Verdict, WHOLE, is};

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e; // AUDIT_ARCH_X86_64
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7; // AUDIT_ARCH_AARCH64

const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
const AND: u16 = 0x54; // BPF_ALU | BPF_AND | BPF_K
const JUMP: u16 = 0x05; // BPF_JMP | BPF_JA
const IF_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const IF_AT_LEAST: u16 = 0x35; // BPF_JMP | BPF_JGE | BPF_K
const RETURN: u16 = 0x06; // BPF_RET | BPF_K
const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;
const EPERM: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
const ENOSYS: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
/// Offsets in `struct seccomp_data` (linux/seccomp.h).
const NUMBER_AT: u32 = 0;
const ARCHITECTURE_AT: u32 = 4;
const ARGUMENTS_AT: u32 = 16;

fn step(code: u16, operand: u32) -> Instruction {
    Instruction { code, jump_true: 0, jump_false: 0, operand }
}

fn branch(code: u16, operand: u32, jump_true: u8, jump_false: u8) -> Instruction {
    Instruction { code, jump_true, jump_false, operand }
}

/// The filter for jobs. `refused_id`: the sidecar's id, where the policy keeps SETUID or SETGID.
pub fn for_jobs(refused_id: Option<u32>) -> Vec<Instruction> {
    let ids: Vec<(i64, Vec<Condition>)> = (refused_id.into_iter())
        .flat_map(|id| {
            IDENTITY.iter().map(move |(call, arguments)| (*call, (0..*arguments).map(|at| is(at, WHOLE, id)).collect()))
        })
        .collect();
    let mut leaves: Vec<(u32, Vec<Instruction>)> =
        TABLE.iter().map(|(call, _, verdict)| (number(*call), body(*verdict))).collect();
    leaves.extend(ids.iter().map(|(call, conditions)| (number(*call), conditional(conditions))));
    program(leaves)
}

/// The filter for the sidecar.
pub fn for_sidecar() -> Vec<Instruction> {
    program(TABLE.iter().chain(SIDECAR).map(|(call, _, verdict)| (number(*call), body(*verdict))).collect())
}

fn number(call: i64) -> u32 {
    u32::try_from(call).expect("system call numbers are small and positive")
}

fn program(calls: Vec<(u32, Vec<Instruction>)>) -> Vec<Instruction> {
    // A foreign architecture's numbers mean other calls: nothing may run on them.
    let mut program =
        vec![step(LOAD, ARCHITECTURE_AT), branch(IF_EQUAL, ARCHITECTURE, 1, 0), step(RETURN, KILL), step(LOAD, NUMBER_AT)];
    // x32 (bit 30) reaches the same calls by other numbers.
    program.extend([branch(IF_AT_LEAST, 0x4000_0000, 0, 1), step(RETURN, KILL)]);
    program.extend(tree(&runs(calls)));
    program
}

/// All numbers as runs of one body each, by the first number of each run: neighbours are mostly denied together.
fn runs(mut calls: Vec<(u32, Vec<Instruction>)>) -> Vec<(u32, Vec<Instruction>)> {
    calls.sort_by_key(|(number, _)| *number);
    let allow = || vec![step(RETURN, ALLOW)];
    let mut runs = vec![(0, allow())];
    let mut end = 0;
    for (number, body) in calls {
        if number > end {
            runs.push((end, allow()));
        }
        runs.push((number, body));
        end = number + 1;
    }
    runs.push((end, allow()));
    // What a kernel newer than the table brings is not there: a program asks for it and falls back, as on an older kernel.
    runs.push((number(NEWEST + 1), vec![step(RETURN, ENOSYS)]));
    // Of two that begin at one number the later stands; of two that do the same the earlier does.
    runs.reverse();
    runs.dedup_by_key(|(first, _)| *first);
    runs.reverse();
    runs.dedup_by(|(_, later), (_, earlier)| later == earlier);
    runs
}

/// A balanced search for the run that a number lies in.
fn tree(runs: &[(u32, Vec<Instruction>)]) -> Vec<Instruction> {
    if let [(_, body)] = runs {
        return body.clone();
    }
    let (left, right) = runs.split_at(runs.len() / 2);
    let (first_right, left, right) = (right[0].0, tree(left), tree(right));
    let mut node = match u8::try_from(left.len()) {
        Ok(over) => vec![branch(IF_AT_LEAST, first_right, over, 0)],
        // A conditional jump reaches 255 instructions, an unconditional one any number.
        Err(_) => vec![
            branch(IF_AT_LEAST, first_right, 0, 1),
            step(JUMP, u32::try_from(left.len()).expect("a program is far shorter than 4 G instructions")),
        ],
    };
    node.extend(left);
    node.extend(right);
    node
}

fn body(verdict: Verdict) -> Vec<Instruction> {
    match verdict {
        Verdict::Deny => vec![step(RETURN, EPERM)],
        Verdict::Absent => vec![step(RETURN, ENOSYS)],
        Verdict::DenyIf(conditions) => conditional(conditions),
    }
}

fn conditional(conditions: &[Condition]) -> Vec<Instruction> {
    let mut body = Vec::new();
    for condition in conditions {
        // The low word of a little-endian argument.
        body.push(step(LOAD, ARGUMENTS_AT + 8 * u32::from(condition.argument)));
        if condition.mask != WHOLE {
            body.push(step(AND, condition.mask));
        }
        match condition.test {
            Test::Is(value) => body.push(branch(IF_EQUAL, value, 0, 1)),
            Test::IsNot(value) => body.push(branch(IF_EQUAL, value, 1, 0)),
        }
        body.push(step(RETURN, EPERM));
    }
    body.push(step(RETURN, ALLOW));
    body
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
        let program = for_jobs(None);
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
        for (whose, program) in
            [("job", for_jobs(None)), ("a job that keeps SETUID", for_jobs(Some(64222))), ("sidecar", for_sidecar())]
        {
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
        let program = for_jobs(None);
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
    fn foreign_numbers_end_the_process() {
        let program = for_jobs(None);
        assert_eq!(run(&program, 0x4000_0003, 1, [0; 6]), KILL, "i386");
        assert_eq!(run(&program, ARCHITECTURE, 0x4000_0001, [0; 6]), KILL, "x32");
    }

    #[test]
    fn the_sidecars_id_is_refused_at_every_place_where_an_id_can_stand() {
        let (open, program) = (for_jobs(None), for_jobs(Some(64222)));
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
        assert_eq!(run(&for_jobs(None), ARCHITECTURE, number(libc::SYS_execve), [0; 6]), ALLOW);
    }

    #[test]
    fn a_program_survives_the_sealed_lock_and_fits_the_kernel() {
        let program = for_jobs(Some(64222));
        assert_eq!(from_bytes(&to_bytes(&program)).unwrap(), program);
        assert!(program.len() < 4096, "BPF_MAXINSNS is 4096, this has {}", program.len());
        assert!(from_bytes(&[0; 7]).is_none());
    }
}
