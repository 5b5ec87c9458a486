//! The main job, on stand-ins for what only a cloud account could give: a node is attested and locked, a model is trained,
//! and a hostile job is refused what it could do a moment before.

#[path = "../../support/bundle.rs"]
mod bundle;
#[path = "../../support/provider.rs"]
mod provider;

mod attempts;
mod audit;
mod issuer;
mod stage;
mod user;

use std::path::PathBuf;

use crate::build;
use crate::shell::{Outcome, is_root};
use attempts::{Attempts, Ground};
use stage::Stage;

/// Shows it. Only `--real-provider` needs Node and, once, the network.
pub fn run(options: &[&str]) -> Outcome<()> {
    let real = match options {
        [] => false,
        ["--real-provider"] => true,
        _ => return Err(crate::USAGE.into()),
    };
    let binary = built("LONGHORN_BIN", build::binary)?;
    if !is_root() {
        return user::show(&binary);
    }
    let simulator = built("LONGHORN_SIMULATOR", build::simulator)?;
    let stage = Stage::set(&binary, &simulator, real)?;
    title(1, "a node starts: attested, decided for, locked, recorded; then its job runs");
    say(&format!("workspace   simulated, {}\nissuer      {}\n\n", stage.workspace, stage.issuer));
    say(&stage.node("locked")?);
    title(2, "what a hostile job tries as root: first unlocked, then locked");
    stage.node("unlocked")?;
    let (free, held) = (Attempts::read(&stage.share.join("unlocked.tsv"))?, Attempts::read(&stage.share.join("locked.tsv"))?);
    free.beside(&held, &Ground::Node)?;
    title(3, "a job that presents the token of another workspace: without Longhorn, then with it");
    say(&stage.node("refused")?);
    title(4, "the auditor, who need not trust the node");
    audit::show(&binary, &stage.share)
}

/// What the tests name, or what is built now.
fn built(name: &str, build: fn() -> Outcome<PathBuf>) -> Outcome<PathBuf> {
    std::env::var_os(name).map_or_else(build, |path| Ok(path.into()))
}

/// Shows text, set in; long lines are broken where a reader would.
fn say(text: &str) {
    for line in text.lines() {
        let mut rest = line;
        let mut inset = 3;
        while rest.len() > WIDTH {
            let broken = rest[..WIDTH].rfind([' ', '/']).filter(|at| rest[..*at].contains(|letter| letter != ' '));
            let (part, more) = rest.split_at(broken.map_or(WIDTH, |at| at + 1));
            println!("{:inset$}{}", "", part.trim_end());
            (rest, inset) = (more, 10);
        }
        println!("{:indent$}{rest}", "", indent = if rest.is_empty() { 0 } else { inset });
    }
}

/// What fits on a slide.
const WIDTH: usize = 96;

fn title(number: u32, text: &str) {
    println!("\n── {number}  {text}\n");
}
