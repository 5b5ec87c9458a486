//! `longhorn doctor`: what this node allows, before anything is attached. Looks, and changes nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;

use super::args::DoctorArgs;
use super::doctor_authority::{read, voucher};
use super::policy::load;
use super::terminal::{Terminal, closed};
use crate::config::read_preset::{Entry, as_environment, entries, names};
use crate::config::{BindingRefusal, bind, scopes_left_open};
use crate::decision::IMDS_OPEN;
use crate::decision::environment::{Environment, paths};
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::survey;
use crate::lock::{NodeFacts, Strength, meet, open_ways};
use crate::screen::{Screen, one_line};

/// The Databricks runtime's version, such as `16.4`.
const RUNTIME: &str = "/databricks/DBR_VERSION";

/// All that is found.
#[derive(Serialize)]
struct Diagnosis {
    findings: Vec<Finding>,
    /// How strong a lock can be here.
    strength: &'static str,
    /// Ways that stay open here.
    open: Vec<&'static str>,
    environments: Vec<Fit>,
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    area: &'static str,
    what: &'static str,
    found: String,
}

/// How an environment of the policy, or a preset, fits this node.
#[derive(Serialize)]
struct Fit {
    of: String,
    /// What its floor demands and is missing here: the reasons by which `init` would refuse.
    below_floor: Vec<&'static str>,
    /// Paths that it names and that are not here, with how sure the preset is of each.
    not_seen: BTreeSet<String>,
}

/// Runs `longhorn doctor`.
pub fn run(args: &DoctorArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Exit {
    diagnose(args, clock, terminal).unwrap_or_else(|screen| terminal.show(&screen))
}

fn diagnose(args: &DoctorArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let facts = NodeFacts::probe();
    let policy = args.policy.as_ref().map(|path| load(path, terminal)).transpose()?;
    let settings = args.settings.as_ref().map(|path| read(path, terminal)).transpose()?;
    let mut findings = findings(&facts, clock);
    if let Some(settings) = &settings {
        let (what, found) = voucher(settings);
        findings.push(Finding { area: "authority", what, found: one_line(&found) });
    }
    if let Some(settings) = settings.as_ref().filter(|_| args.mlflow) {
        let found = super::doctor_mlflow::registry(settings);
        findings.extend(found.into_iter().map(|(what, found)| Finding { area: "mlflow", what, found: one_line(&found) }));
    }
    // Both documents together say whose jobs could get the cloud's token that the agent gets.
    let mut open_to_jobs = None;
    if let (Some(settings), Some(policy)) = (&settings, &policy) {
        let scopes = scopes_left_open(settings, policy);
        if !scopes.is_empty() {
            let scopes = scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            findings.push(Finding {
                area: "policy",
                what: "cloud's tokens",
                found: format!("REFUSED: {IMDS_OPEN}, scopes {scopes}"),
            });
        }
        open_to_jobs = bind(settings, policy).err().filter(|refusal| matches!(refusal, BindingRefusal::MetadataOpen(_)));
    }
    let environments: Vec<(String, Environment)> = match policy {
        Some(policy) => {
            policy.environments.into_iter().map(|(name, environment)| (format!("environment {name}"), environment)).collect()
        }
        None => fitting().filter_map(|name| Some((format!("preset {name}"), as_environment(name)?))).collect(),
    };
    let found = Diagnosis {
        findings,
        strength: Strength::of(&facts).word(),
        open: open_ways(&facts),
        environments: environments.iter().map(|(of, environment)| fit(of, environment, &facts)).collect(),
    };
    let text = if args.json { serde_json::json!(found).to_string() + "\n" } else { table(&found) };
    terminal.out.write_all(text.as_bytes()).map_err(closed)?;
    if let Some(refusal) = open_to_jobs {
        return Ok(terminal.show(&refusal.screen()));
    }
    // A preset is only offered; what a policy demands, `init` will demand.
    let demanded = environments.iter().filter(|_| args.policy.is_some());
    let below = demanded.filter_map(|(_, environment)| meet(&environment.kernel.floor, &facts).err()).next();
    Ok(below.map_or(Exit::Ok, |below| terminal.show(&below.screen())))
}

/// The presets of this node's runtime; where it has none, those of no runtime.
fn fitting() -> impl Iterator<Item = &'static str> {
    let version = survey::line(RUNTIME).unwrap_or_default();
    let own = move |name: &str| name.strip_prefix("databricks-").map(|of| of == version);
    let known = names().any(|name| own(name) == Some(true));
    names().filter(move |name| if known { own(name) == Some(true) } else { own(name).is_none() })
}

fn findings(facts: &NodeFacts, clock: &dyn Clock) -> Vec<Finding> {
    let mut list = Vec::new();
    let mut add = |area, what, found: String| list.push(Finding { area, what, found: one_line(&found) });
    let held = |there: bool, name: &str| if there { format!("{name} held") } else { format!("{name} not held") };
    let line = |path: &str| survey::line(path).unwrap_or_else(|| "not here".into());
    let tried = |outcome: std::io::Result<()>, good: &str| outcome.map_or_else(|error| error.to_string(), |()| good.to_owned());
    add("kernel", "release", survey::kernel());
    add("kernel", "security modules", line("/sys/kernel/security/lsm"));
    let landlock = match facts.landlock {
        0 => "none".to_owned(),
        abi => format!("ABI {abi}, errata {:#x}", facts.errata),
    };
    add("kernel", "Landlock", landlock);
    add("kernel", "seccomp", if facts.seccomp { "filters" } else { "none" }.into());
    add("container", "first process", line("/proc/1/comm"));
    add("container", "mount namespaces", held(facts.mount, "CAP_SYS_ADMIN"));
    add("container", "capability cut", if facts.capabilities { "possible" } else { "CAP_SETPCAP not held" }.into());
    add("runtime", "Databricks", line(RUNTIME));
    add("runtime", "systemd", if survey::systemd() { "runs" } else { "does not run" }.into());
    add("runtime", "journal", tried(survey::journal(), "takes entries"));
    let kept = longhorn_sys::clock::kept().map(|kept| if kept { "somebody keeps it right" } else { "nobody keeps it right" });
    let kept = kept.map_or_else(|error| error.to_string(), str::to_owned);
    add("runtime", "clock", format!("{}, {kept}", clock.now()));
    // No rule of ours restricts the network, so a job reaches what this process reaches.
    add("network", "metadata service", tried(survey::metadata(), "reachable from here, and so from every job"));
    for path in survey::interpreters() {
        add("interpreters", "found", path.display().to_string());
    }
    list
}

fn fit(of: &str, environment: &Environment, facts: &NodeFacts) -> Fit {
    let missing = meet(&environment.kernel.floor, facts).map_or_else(|below| below.missing, |()| Vec::new());
    let presets: Vec<Entry> = environment.preset.as_deref().and_then(entries).unwrap_or_default();
    let unseen = |path: &&PathBuf| !path.exists();
    let said = |path: &PathBuf| {
        let by = presets.iter().find(|entry| entry.names(path)).map_or("the policy", |entry| entry.certainty.word());
        one_line(&format!("{} ({by})", path.display()))
    };
    let not_seen: BTreeSet<String> = paths(&environment.files, &environment.targets).filter(unseen).map(said).collect();
    Fit { of: of.to_owned(), below_floor: missing.iter().map(|one| one.reason()).collect(), not_seen }
}

fn table(found: &Diagnosis) -> String {
    let mut text = String::new();
    let mut row = |area: &str, what: &str, found: &str| text.push_str(&format!("{area:13} {what:18} {}\n", one_line(found)));
    for finding in &found.findings {
        row(finding.area, finding.what, &finding.found);
    }
    row("lock", "strength", found.strength);
    row("lock", "stays open", &found.open.join(", "));
    for fit in &found.environments {
        let floor = if fit.below_floor.is_empty() { "met".into() } else { format!("REFUSED: {}", fit.below_floor.join(", ")) };
        text.push_str(&format!("{}: floor {floor}\n", one_line(&fit.of)));
        fit.not_seen.iter().for_each(|path| text.push_str(&format!("  not seen here {path}\n")));
    }
    text
}
