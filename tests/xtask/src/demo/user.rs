//! What a normal user can be shown: the lock that this machine permits, tried (`longhorn try`), and the policy, asked. What
//! takes root is named.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use super::attempts::{Attempts, Ground};
use super::bundle::Filling;
use super::{say, title};
use crate::shell::{Outcome, root};

/// What is left out, and why.
const NEEDS_ROOT: &str = "\
a node that is attested, covered and locked, and one that is refused
attempts to unmount the cover, to become the sidecar's uid, to read its memory, to kill it
a record: written, edited, verified
full strength: a mount namespace that hides other processes and masks files
";

/// Shows it.
pub fn show(binary: &Path) -> Outcome<()> {
    println!("\nYou are not root: this shows the lock of a policy on this machine, without a node around it.");
    let place = Place::make()?;
    title(1, "the lock that this machine permits a normal user");
    let open = strength(&place, binary)?;
    title(2, "a model is trained under it");
    say("$ longhorn try --policy policy.toml --environment python-ml -- /usr/bin/python3 train.py");
    let trained = answered(place.locked(binary).arg(place.code("train.py")).arg(place.inside.join("model.json")))?;
    say(&String::from_utf8_lossy(&trained.stdout));
    title(3, "what a hostile program tries as the same user: without the lock, then under it");
    let free = attempts(&place, place.unlocked())?;
    let held = attempts(&place, place.locked(binary))?;
    free.beside(&held, &Ground::Machine { open })?;
    title(4, "what the policy says of the job of an engineer, and of an intern");
    explain(&place, binary, "okta:ml-engineers", 0)?;
    println!();
    explain(&place, binary, "okta:interns", 79)?;
    title(5, "what takes root, and `cargo xtask demo` as root shows");
    say(NEEDS_ROOT);
    Ok(())
}

/// Directories outside of the policy and inside of it, until they are dropped.
struct Place {
    outside: PathBuf,
    inside: PathBuf,
}

impl Drop for Place {
    fn drop(&mut self) {
        for directory in [&self.outside, &self.inside] {
            let _ = fs::remove_dir_all(directory);
        }
    }
}

impl Place {
    fn make() -> Outcome<Self> {
        let name = format!("longhorn-demo.{}", std::process::id());
        let place = Self { outside: Path::new("/var/tmp").join(&name), inside: Path::new("/tmp").join(&name) };
        fs::create_dir(&place.outside)?;
        fs::create_dir(&place.inside)?;
        fs::create_dir(place.code(""))?;
        for script in ["train.py", "attempts.py", "neighbour.py"] {
            fs::copy(root().join("tests/suites/demo").join(script), place.code(script))?;
        }
        fs::write(place.outside.join(".databrickscfg"), "[DEFAULT]\ntoken = throwaway\n")?;
        let code = place.code("").display().to_string();
        let filling = Filling {
            suite: "demo",
            workspace: "https://dbc-1111.cloud.databricks.com",
            issuer: "https://id.acme.example",
            kind: "jwt",
            token: "token",
            lease: "10m",
            code: code.trim_end_matches('/'),
            signer: "",
        };
        fs::write(place.policy(), filling.fill(&root(), "policy.toml")?)?;
        Ok(place)
    }

    fn code(&self, name: &str) -> PathBuf {
        self.outside.join("code").join(name)
    }

    fn policy(&self) -> PathBuf {
        self.outside.join("policy.toml")
    }

    /// Python as it is; arguments follow.
    fn unlocked(&self) -> Command {
        Command::new("/usr/bin/python3")
    }

    /// Python under the policy's lock; arguments follow.
    fn locked(&self, binary: &Path) -> Command {
        let mut command = Command::new(binary);
        command.args(["try", "--environment", "python-ml", "--policy"]).arg(self.policy()).args(["--", "/usr/bin/python3"]);
        command
    }
}

/// A command's answer; it must succeed.
fn answered(command: &mut Command) -> Outcome<Output> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(output);
    }
    Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}

/// Says how strong the lock is; returns the ways that it leaves open.
fn strength(place: &Place, binary: &Path) -> Outcome<Vec<String>> {
    let output = answered(place.locked(binary).args(["-c", "pass"]))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let about = |label: &str| -> Vec<String> {
        let lines = said.lines().filter_map(|line| line.strip_prefix(&format!("longhorn: try: {label}: ")));
        lines.map(str::to_owned).collect()
    };
    let open = about("open");
    println!("   strength   {}", about("strength").join(""));
    println!("   open       {}", open.join(", "));
    println!("   floor      {}", about("floor").join(""));
    Ok(open)
}

/// Runs the attempts beside a neighbour of their own, which they end with.
fn attempts(place: &Place, mut python: Command) -> Outcome<Attempts> {
    let neighbour = Neighbour::start(place)?;
    python.arg(place.code("attempts.py")).arg("here").arg(neighbour.0.id().to_string());
    python.args([&place.outside, &place.inside]).env("AWS_SECRET_ACCESS_KEY", "from-a-laptop");
    Attempts::parse(&String::from_utf8_lossy(&answered(&mut python)?.stdout))
}

struct Neighbour(Child);

impl Neighbour {
    fn start(place: &Place) -> Outcome<Self> {
        let mut process =
            place.unlocked().arg(place.code("neighbour.py")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let out = process.stdout.take().ok_or("it has a standard output")?;
        let neighbour = Self(process);
        BufReader::new(out).read_line(&mut String::new())?;
        Ok(neighbour)
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn explain(place: &Place, binary: &Path, group: &str, code: i32) -> Outcome<()> {
    let run_as = "7c9f2c1e-53d4-4d0e-9c3d-1f0a9f7b2c11";
    let mut command = Command::new(binary);
    command.args(["policy", "explain", "--job", "605777310657626", "--run-as", run_as, "--group", group]).arg(place.policy());
    let output = command.stdin(Stdio::null()).output()?;
    say(&format!("$ longhorn policy explain policy.toml … --group {group} 2>&1 | grep -v ^hit"));
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    said.lines().filter(|line| !line.starts_with("hit")).for_each(say);
    if output.status.code() == Some(code) { Ok(()) } else { Err(format!("{group}: expected exit {code}").into()) }
}
