//! `longhorn try`: any command under a policy's lock, on any Linux machine, also unprivileged, without attesting. How a
//! policy author tests, and how anyone can attack the lock.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use nix::sched::{CloneFlags, unshare};

use super::args::TryArgs;
use super::observe;
use super::policy::wrong;
use super::terminal::Terminal;
use crate::config::learn::evidence::TRACE;
use crate::decision::access::Need;
use crate::decision::environment::{Environment, Floor};
use crate::decision::policy::Policy;
use crate::exit::Exit;
use crate::identity::ids::{Label, LocalName};
use crate::launch;
use crate::lock::env::Built;
use crate::lock::sealed::{Seal, SealedLock, seal};
use crate::lock::{NodeFacts, Place, Plan, PlanError, apply, canary, namespace, plan};
use crate::screen::Screen;

/// The uid that a real node's sidecar would have; only SETUID and SETGID rules name it.
const SIDECAR: u32 = 64_222;
const FORBIDDEN: &str = "a container or a sandbox may forbid it: try on the machine itself";
const OPTIONS: &str = "`longhorn try --help` shows the options";
const ANY: Floor = Floor { landlock: 0, mount: false, capabilities: false, seccomp: false };

/// Locks this process by an environment of a policy and becomes the command; returns only when it could not. With
/// `--observe` the command runs unlocked and traced, and its own exit code is returned.
pub fn run(args: &TryArgs, given: Vec<(OsString, OsString)>, terminal: &mut Terminal<'_>) -> u8 {
    if let Some(program) = &args.traced {
        return terminal.show(&observe::become_traced(program, &args.command)).code();
    }
    let environment = match find_environment(args, terminal) {
        Ok(environment) => environment,
        Err(screen) => return terminal.show(&screen).code(),
    };
    let outcome = if args.observe {
        observed(&environment, args, &given, terminal)
    } else {
        become_command(&environment, args, given, terminal).map(|never| match never {})
    };
    outcome.unwrap_or_else(|screen| terminal.show(&screen).code())
}

fn find_environment(args: &TryArgs, terminal: &mut Terminal<'_>) -> Result<Environment, Screen> {
    let (Some(path), Some(environment)) = (&args.policy, &args.environment) else {
        return Err(Screen::failed("usage", Exit::Usage, "`try` needs a policy and one of its environments")
            .fact("expected", "--policy and --environment")
            .fact("presented", "not both")
            .hint(OPTIONS));
    };
    named_environment(super::policy::load(path, terminal)?, environment, OPTIONS)
}

/// The environment of that name.
pub(super) fn named_environment(mut policy: Policy, environment: &str, options: &str) -> Result<Environment, Screen> {
    let name = LocalName::try_from(environment).map_err(|error| wrong(environment)(error).hint(options))?;
    let known: Vec<String> = policy.environments.keys().map(ToString::to_string).collect();
    policy.environments.remove(&name).ok_or_else(|| {
        Screen::failed("environment-unknown", Exit::Usage, "the policy has no environment of that name")
            .fact("expected environment", known.join(" or "))
            .fact("presented environment", &name)
            .hint("name one of the policy's with --environment")
    })
}

fn become_command(
    environment: &Environment,
    args: &TryArgs,
    given: Vec<(OsString, OsString)>,
    terminal: &mut Terminal<'_>,
) -> Result<std::convert::Infallible, Screen> {
    let plan = planned(environment, args, terminal)?;
    let program = find(&args.command[0], &given)?;
    let directory = std::env::temp_dir().join(format!("longhorn-try.{}", std::process::id()));
    let failed =
        |cause: std::io::Error| Screen::failed("try-failed", Exit::Os, "cannot prepare the lock").met(cause).hint(FORBIDDEN);
    let canaries = canary::create(&directory, &plan.profile).map_err(failed)?;
    let lock = sealed(&plan, &canaries).map_err(|error| error.screen(&directory))?;
    if plan.mount {
        unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC).map_err(|errno| failed(errno.into()))?;
        namespace::build(&plan, &[]).map_err(|error| failed(std::io::Error::other(error)))?;
    }
    let built = lock.env.build(given.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str())));
    for name in &built.removed {
        say(terminal, "removed variable", &name.to_string_lossy());
    }
    let locked =
        apply(&lock, Place::OwnNamespace).map_err(|error| Screen::failed_on_node("lock-not-applied", &error).hint(FORBIDDEN))?;
    for path in &locked.report().missing {
        say(terminal, "rule without a path", path);
    }
    launch::exec_unattested(locked, &program, args.command.clone(), built.entries).map_err(|error| error.screen())
}

/// The lock that this machine can give. A node would refuse below the floor; here the author sees what cannot be enforced,
/// and goes on.
fn planned(environment: &Environment, args: &TryArgs, terminal: &mut Terminal<'_>) -> Result<Plan, Screen> {
    let clearance = labels(&args.clearance)?;
    let facts = NodeFacts::probe();
    let below = plan(environment, &clearance, &[], &facts, SIDECAR).err();
    let mut free = environment.clone();
    free.kernel.floor = ANY;
    let plan = plan(&free, &clearance, &[], &facts, SIDECAR).map_err(|error| error.screen())?;
    announce(&plan, below.as_ref(), terminal);
    Ok(plan)
}

/// Runs the command as it is, and says at its end what the lock would have changed.
fn observed(
    environment: &Environment,
    args: &TryArgs,
    given: &[(OsString, OsString)],
    terminal: &mut Terminal<'_>,
) -> Result<u8, Screen> {
    let plan = planned(environment, args, terminal)?;
    say(terminal, "OBSERVED", "the command runs without a lock; what the lock would have denied is told at its end");
    let program = find(&args.command[0], given)?;
    let not_traced = |error: std::io::Error| {
        Screen::failed("cannot-observe", Exit::Os, "this machine does not permit tracing the command")
            .fact("expected", "ptrace of a process of our own")
            .fact("presented", error)
            .hint(FORBIDDEN)
    };
    let mut command = observe::traced(&program, &args.command).map_err(not_traced)?;
    let observed = observe::watch(&mut command, &plan).map_err(not_traced)?;
    let built = plan.env.build(given.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str())));
    if let Some(path) = &args.json {
        write_trace(path, &observed, &built)?;
    }
    for name in &built.removed {
        say(terminal, "would remove variable", &name.to_string_lossy());
    }
    for name in &built.overridden {
        say(terminal, "would set variable", &name.to_string_lossy());
    }
    for ((path, need), count) in &observed.denied {
        say(terminal, &format!("would deny {}", need.word()), &format!("{} ({count} times)", path.display()));
    }
    for program in &observed.not_traced {
        say(terminal, "not traced", &format!("32-bit calls of {}", program.display()));
    }
    say(terminal, "would deny in all", &format!("{} paths", observed.denied.len()));
    Ok(observed.code)
}

/// The trace for `longhorn policy learn`: what the environment would have denied. Paths stand in it as they are; it stays
/// with whoever ran the command.
fn write_trace(path: &std::path::Path, observed: &observe::Observed, built: &Built) -> Result<(), Screen> {
    let names = |list: &[OsString]| list.iter().map(|name| name.to_string_lossy().into_owned()).collect::<Vec<_>>();
    let file = |((path, need), count): (&(PathBuf, Need), &u64)| serde_json::json!({ "need": need.word(), "path": path.to_string_lossy(), "directory": path.is_dir(), "count": count });
    let trace = serde_json::json!({
        "kind": TRACE, "traced": true, "removed": names(&built.removed), "overridden": names(&built.overridden),
        "files": observed.denied.iter().map(file).collect::<Vec<_>>(),
        "not_traced": observed.not_traced.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
    });
    std::fs::write(path, format!("{trace}\n")).map_err(|error| {
        Screen::failed("trace-not-written", Exit::Os, "the trace cannot be written; the command ran to its end")
            .fact("file", path.display())
            .fact("expected", "a file that can be written")
            .fact("presented", error)
            .hint("name a file in a directory that you may write to, with room")
    })
}

fn labels(given: &[String]) -> Result<BTreeSet<Label>, Screen> {
    let label = |text: &String| Label::try_from(text.as_str()).map_err(|error| wrong(text)(error).hint(OPTIONS));
    given.iter().map(label).collect()
}

fn sealed(plan: &Plan, canaries: &canary::Canaries) -> Result<SealedLock, crate::lock::sealed::SealError> {
    let bytes = seal(
        plan,
        &Seal {
            boot: [0; 16],
            receipt: Vec::new(),
            canary: canaries.denied.clone(),
            sibling: canaries.sibling.clone(),
            mount: None,
            ipc: None,
            targets: Vec::new(),
            observes: false,
        },
    );
    SealedLock::parse(&bytes)
}

fn announce(plan: &Plan, below: Option<&PlanError>, terminal: &mut Terminal<'_>) {
    say(terminal, "UNATTESTED", "no identity was proven and nothing is recorded; this is how a policy author tests a lock");
    say(terminal, "strength", plan.strength.word());
    for way in &plan.open {
        say(terminal, "open", way);
    }
    if let Some(PlanError::BelowFloor(below)) = below {
        say(terminal, "floor", &format!("a node like this machine would be refused: {}", below.reason()));
    }
}

fn say(terminal: &mut Terminal<'_>, label: &str, text: &str) {
    // Talk: nobody listening is no reason to stop.
    let _ = writeln!(terminal.err, "longhorn: try: {label}: {}", crate::screen::one_line(text));
}

/// As execvp(3) would: by PATH of the environment that was given, unless the name has a slash.
fn find(command: &OsString, given: &[(OsString, OsString)]) -> Result<PathBuf, Screen> {
    let path = PathBuf::from(command);
    if path.components().count() > 1 || path.is_absolute() {
        return Ok(path);
    }
    let list = given.iter().find(|(name, _)| name == "PATH").map_or_else(|| "/usr/bin:/bin".into(), |(_, value)| value.clone());
    std::env::split_paths(&list).map(|directory| directory.join(command)).find(|candidate| candidate.is_file()).ok_or_else(|| {
        Screen::failed("not-found", Exit::NotFound, "no such command on PATH")
            .fact("expected", "a program in a directory of PATH")
            .fact("presented", command.to_string_lossy())
            .hint("name it by its whole path")
    })
}
