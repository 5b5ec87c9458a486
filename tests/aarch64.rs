//! Promises on aarch64: the binary that ships for it holds under a real kernel of that architecture, emulated. Each denial is
//! shown twice: the same attempt succeeds, or fails for another reason, without the lock.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use longhorn::lock::calls::{TABLE, Verdict};
use machine::{Machine, Part};

#[path = "support/machine.rs"]
mod machine;

const EPERM: &str = "errno 1";
const ENOSYS: &str = "errno 38";

fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn given(name: &str) -> PathBuf {
    std::env::var_os(name).unwrap_or_else(|| panic!("`cargo xtask test` sets {name}")).into()
}

/// The calls of the table that are refused whatever their arguments, by the names that both architectures have. Their
/// numbers come from the C library's headers, not from ours.
fn refused() -> BTreeMap<&'static str, &'static str> {
    let answer = |verdict: &Verdict| match verdict {
        Verdict::Deny => Some(EPERM),
        Verdict::Absent => Some(ENOSYS),
        Verdict::DenyIf(_) => None,
    };
    // Of x86_64 alone.
    let elsewhere = ["SYS_iopl", "SYS_ioperm"];
    TABLE
        .iter()
        .filter(|(_, name, _)| !elsewhere.contains(name))
        .filter_map(|(_, name, verdict)| Some((*name, answer(verdict)?)))
        .collect()
}

/// A static program for the machine.
fn probe(named: &str) -> PathBuf {
    let directory = tree().join("target/stage").join(format!("{named}-probe"));
    fs::create_dir_all(&directory).expect("the stage can be made");
    let rows: String = refused().keys().map(|name| format!("{{ \"{name}\", {name} }},\n")).collect();
    fs::write(directory.join("calls.h"), rows).expect("the header can be written");
    let probe = directory.join("probe");
    let mut compiler = Command::new(given("LONGHORN_ZIG"));
    compiler
        .args(["-m", "ziglang", "cc", "-target", "aarch64-linux-musl", "-static", "-Os", "-Wall", "-Werror", "-o"])
        .arg(&probe);
    compiler.arg("-I").arg(&directory).arg(tree().join("tests/suites/machine/probe.c"));
    let output = compiler.env("ZIG_GLOBAL_CACHE_DIR", tree().join("target/tools/zig-cache")).output().expect("zig starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    probe
}

fn boot(suite: &str, named: &str) -> BTreeMap<String, Part> {
    let longhorn = given("LONGHORN_AARCH64");
    let machine = Machine {
        architecture: "aarch64",
        parts: tree().join("target/machines").join(format!("arm64-{suite}")),
        launcher: longhorn.with_file_name("longhorn-launch"),
        longhorn,
        probe: probe(named),
    };
    machine.run(named)
}

/// The lines `name: value` of a part that came to its end.
fn lines(part: &Part) -> BTreeMap<&str, &str> {
    assert_eq!(part.code, 0, "{}", part.text);
    assert!(part.text.ends_with("the end\n"), "{}", part.text);
    part.text.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim())).collect()
}

#[test]
fn under_its_own_kernel_the_lock_is_full_and_every_denial_is_the_locks() {
    let parts = boot("trixie", "aarch64-full");
    assert!(parts["kernel"].text.trim_end().ends_with("aarch64"), "{:?}", parts["kernel"]);
    let doctor = &parts["doctor"];
    assert!(doctor.code == 0 && doctor.text.contains("\"strength\":\"full\""), "{}", doctor.text);
    assert_eq!(parts["floor"].code, 0, "{}", parts["floor"].text);

    let (free, locked) = (lines(&parts["unlocked"]), lines(&parts["locked"]));
    assert!(parts["locked"].text.contains("longhorn: try: strength: full\n"), "{}", parts["locked"].text);
    let both = |name: &str| (free[name], locked[name]);
    // Files.
    assert_eq!(both("read protected"), ("done", "errno 13"));
    assert_eq!(both("write protected"), ("done", "errno 13"));
    assert_eq!(both("write granted"), ("done", "done"));
    assert_eq!(both("read granted"), ("done", "done"));
    // The environment.
    assert_eq!(both("variable SMUGGLED"), ("1", "absent"));
    assert_eq!(both("variable TZ"), ("Mars", "UTC"));
    assert_eq!(both("variable FEATURE_A"), ("2", "2"));
    // What the kernel says of the process.
    assert_eq!(both("NoNewPrivs"), ("0", "1"));
    assert_eq!(both("Seccomp"), ("0", "2"));
    assert_eq!(locked["CapBnd"], "0000000000000000");
    assert_eq!(locked["CapEff"], "0000000000000000");
    assert_ne!(free["CapBnd"], locked["CapBnd"]);
    // Calls whose arguments decide.
    assert_eq!(both("clone"), ("done", "done"));
    assert_eq!(both("clone into a mount namespace"), ("done", EPERM));
    assert_eq!(both("clone into a user namespace"), ("done", EPERM));
    assert_eq!(both("socket unix"), ("done", "done"));
    assert_eq!(locked["socket alg"], EPERM);
    assert_ne!(free["socket alg"], EPERM);
    assert_eq!(locked["socket packet"], EPERM);
    assert_ne!(free["socket packet"], EPERM);
    assert_eq!(both("make a file node"), ("done", "done"));
    assert_eq!(both("make a block node"), ("done", EPERM));
    assert_eq!(both("own limits"), ("done", "done"));
    assert_eq!(both("limits of another"), ("done", EPERM));
    assert_eq!(locked["type into a terminal"], EPERM);
    assert_ne!(free["type into a terminal"], EPERM);
    // Every other call of the table.
    let refused = refused();
    assert!(refused.len() > 50, "{refused:?}");
    for (name, answer) in refused {
        assert_eq!(locked[name], answer, "{name}");
        assert_ne!(free[name], answer, "{name} is refused without a lock too: this shows nothing");
    }
}

#[test]
fn below_the_policys_floor_a_node_is_refused_and_the_screen_names_what_is_missing() {
    let parts = boot("bookworm", "aarch64-below");
    let floor = &parts["floor"];
    assert_eq!(floor.code, 80, "{}", floor.text);
    assert!(floor.text.contains("reason: landlock-too-old"), "{}", floor.text);
    let locked = &parts["locked"];
    assert!(locked.text.contains("a node like this machine would be refused: landlock-too-old"), "{}", locked.text);
    // What this kernel does give is enforced all the same.
    let locked = lines(locked);
    assert_eq!((locked["read protected"], locked["Seccomp"], locked["NoNewPrivs"]), ("errno 13", "2", "1"));
}

#[test]
fn the_binary_is_of_that_architecture_moves_in_memory_keeps_its_promised_size_and_names_no_place_of_the_building_machine() {
    for name in ["longhorn", "longhorn-launch"] {
        let bytes = fs::read(given("LONGHORN_AARCH64").with_file_name(name)).expect("it was built");
        // e_type ET_DYN, e_machine EM_AARCH64 (elf(5)).
        assert_eq!(&bytes[16..20], [3, 0, 183, 0], "{name}");
        assert!(bytes.len() <= 11 * 512 * 1024, "{name} is {} bytes", bytes.len());
        for place in [tree().to_str().expect("the tree's path is text"), "/registry/src/", "/.cargo/", "/.rustup/"] {
            assert!(!bytes.windows(place.len()).any(|window| window == place.as_bytes()), "{name} names {place}");
        }
    }
}

#[test]
fn the_launcher_without_a_sealed_lock_refuses() {
    let parts = boot("trixie", "aarch64-launcher");
    assert_eq!(parts["launcher"].code, 82, "{}", parts["launcher"].text);
}
