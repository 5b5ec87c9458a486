//! `longhorn policy render`: what it prints is judged by an evaluator of compute policies, the evaluator by the
//! documentation's own examples, and both by the official SDK's types.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn render(arguments: &[&str]) -> Output {
    let longhorn = std::env::var_os("LONGHORN_BIN").map_or_else(|| env!("CARGO_BIN_EXE_longhorn").into(), PathBuf::from);
    let policy = tree().join("tests/fixtures/compute/policy.toml");
    Command::new(longhorn).args(["policy", "render"]).arg(policy).args(arguments).output().expect("longhorn starts")
}

fn printed(arguments: &[&str]) -> Vec<u8> {
    let output = render(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn a_rendered_policy_lets_our_script_run_first_and_alone_and_refuses_what_would_undo_it() {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("render");
    std::fs::create_dir_all(&place).expect("a directory can be made");
    let write = |name: &str, bytes: &[u8]| std::fs::write(place.join(name), bytes).expect("it can be written");
    for name in ["jobs", "interactive", "baked"] {
        write(&format!("{name}.json"), &printed(&["--compute", name]));
        write(&format!("{name}.tf"), &printed(&["--compute", name, "--as", "terraform"]));
    }
    write("empty", b"{}");
    write("theirs", br#"{"artifact_matchers":[{"artifact":"/Volumes/theirs/","match_type":"PREFIX_MATCH"}],"created_by":"ada"}"#);
    for (from, to) in [("empty", "first.list"), ("theirs", "merged.list")] {
        let current = place.join(from).display().to_string();
        write(to, &printed(&["--compute", "interactive", "--as", "allow-list", "--current", &current]));
    }
    for environment in ["sdk-new", "sdk-old"] {
        let python = tree().join("target").join(environment).join("bin/python");
        assert!(python.is_file(), "no databricks-sdk in target/{environment}: `cargo xtask test` installs it");
        let output = Command::new(python)
            .arg(tree().join("tests/suites/compute/judge.py"))
            .arg(tree().join("tests/fixtures/compute/documentation.json"))
            .arg(&place)
            .stdin(Stdio::null())
            .output()
            .expect("python starts");
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{environment}: {said}");
        for step in ["documentation", "honest", "hostile 4", "attributes", "allow-list", "terraform"] {
            assert!(said.contains(&format!("ok {step}")), "{environment}: {said}");
        }
    }
}
