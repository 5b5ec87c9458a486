//! The sealed lock is believed for its inode alone: each file that is not root's, not read-only, not a plain file, or not
//! whole is refused for its own reason.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use longhorn::decision::environment::Floor;
use longhorn::lock::env::EnvRule;
use longhorn::lock::sealed::{Seal, SealedLock, seal};
use longhorn::lock::{Plan, Strength};

fn sealed() -> Vec<u8> {
    let plan = Plan {
        profile: "e".into(),
        env: EnvRule { exact: vec![b"PATH".to_vec()], prefixes: Vec::new(), fixed: Vec::new() },
        rules: Vec::new(),
        landlock: 7,
        metadata_closed: false,
        protect: Vec::new(),
        mask: Vec::new(),
        mount: false,
        kept: 0,
        filter: Vec::new(),
        targets: Vec::new(),
        floor: Floor { landlock: 3, mount: false, capabilities: true, seccomp: true },
        strength: Strength::Full,
        open: Vec::new(),
    };
    let more = Seal {
        boot: [7; 16],
        receipt: b"receipt".to_vec(),
        canary: "/c/denied".into(),
        sibling: "/c/sibling".into(),
        mount: None,
        ipc: None,
        targets: Vec::new(),
        observes: false,
    };
    seal(&plan, &more)
}

/// `opened`, or the screen's reason and what was presented.
fn outcome(path: &Path) -> String {
    match SealedLock::open(path) {
        Ok(_) => "opened".to_owned(),
        Err(error) => {
            let screen = error.screen(path);
            assert_eq!((screen.exit.code(), screen.reason.as_ref()), (82, error.reason()));
            assert!(screen.hint.contains("restart the cluster"), "{screen}");
            format!("{}: {}", screen.reason, screen.facts.last().expect("a screen has facts").1)
        }
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "a named skip is what the run reports")]
fn a_sealed_lock_is_roots_read_only_plain_and_whole_file() {
    if !nix::unistd::geteuid().is_root() {
        println!("SKIP owners of the sealed lock: needs root");
        return;
    }
    let directory = std::env::temp_dir().join(format!("longhorn-sealed-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory can be made");
    let honest = sealed();
    let write = |bytes: &[u8], owner: u32, mode: u32| -> PathBuf {
        let path = directory.join("lock");
        // Left from the case before.
        let _ = fs::remove_file(&path);
        fs::write(&path, bytes).expect("a file can be written");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("its mode can be set");
        chown(&path, Some(owner), None).expect("it can be given away");
        path
    };
    assert_eq!(outcome(&write(&honest, 0, 0o444)), "opened");
    assert_eq!(outcome(&write(&honest, 1, 0o444)), "lock-foreign: owner 1, mode 0444");
    for mode in [0o644, 0o464, 0o446, 0o555, 0o400] {
        assert_eq!(outcome(&write(&honest, 0, mode)), format!("lock-foreign: owner 0, mode {mode:04o}"));
    }
    assert_eq!(outcome(&write(&honest[..honest.len() - 1], 0, 0o444)), "lock-damaged: other bytes", "truncated");
    assert_eq!(outcome(&write(&[&honest[..], b"x"].concat(), 0, 0o444)), "lock-damaged: other bytes", "grown");
    assert_eq!(outcome(&write(b"", 0, 0o444)), "lock-damaged: other bytes", "empty");
    assert_eq!(outcome(&directory.join("absent")), "lock-missing: No such file or directory (os error 2)");
    let link = directory.join("link");
    symlink(write(&honest, 0, 0o444), &link).expect("a link can be made");
    assert_eq!(outcome(&link), "lock-missing: Too many levels of symbolic links (os error 40)");
    fs::remove_dir_all(&directory).expect("it can be removed");
}

#[test]
fn a_refusal_that_nobody_reads_ends_with_the_same_code() {
    let refused = |errors: std::process::Stdio| {
        // The copy that stands for nothing, on a machine without a lock.
        std::process::Command::new(env!("CARGO_BIN_EXE_longhorn-launch")).stderr(errors).status().expect("it starts").code()
    };
    let (reader, gone) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    assert_eq!(refused(std::process::Stdio::null()), Some(82));
    assert_eq!(refused(gone.into()), Some(82));
}
