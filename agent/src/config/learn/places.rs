//! Directories, by what granting them would mean.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::super::read_environment::{OWN, RECORD};
use super::evidence::Evidence;
use super::{Place, Verdict};
use crate::decision::access::{Need, personal};
use crate::decision::environment::Environment;

/// Where programs and their configuration lie that run outside of the lock as well: whoever writes there is not held by it.
const SYSTEM: &[&str] = &[
    "/bin",
    "/boot",
    "/databricks/common",
    "/databricks/init_scripts",
    "/databricks/jars",
    "/databricks/python3",
    "/databricks/python_shell",
    "/databricks/spark",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/var/lib",
    "/var/spool",
];

pub(super) fn judged(environment: &Environment, evidence: &Evidence) -> Vec<Place> {
    let mut all: Vec<Place> = (evidence.places.iter())
        .map(|((need, path), (traced, sampled))| Place {
            need: *need,
            path: path.clone(),
            traced: *traced,
            sampled: *sampled,
            verdict: verdict(environment, *need, path),
        })
        .collect();
    // What the covered programs themselves lie in, or the launcher could not become them.
    for target in environment.targets.root.iter().chain(&environment.targets.inside) {
        let Some(path) = target.parent() else { continue };
        let seen = all.iter().any(|place| place.need == Need::Execute && place.path == path);
        let verdict = verdict(environment, Need::Execute, path);
        if !seen && verdict == Verdict::Proposed {
            all.push(Place { need: Need::Execute, path: path.to_owned(), traced: 0, sampled: 0, verdict });
        }
    }
    all.sort_by(|one, other| (one.need, &one.path).cmp(&(other.need, &other.path)));
    smallest(&mut all);
    all
}

/// Whether one of these is the path, or above it.
fn below(path: &Path, sets: &[&BTreeSet<PathBuf>]) -> bool {
    path.ancestors().any(|above| sets.iter().any(|set| set.contains(above)))
}

fn verdict(environment: &Environment, need: Need, path: &Path) -> Verdict {
    let files = &environment.files;
    let granted = match need {
        Need::Read => below(path, &[&files.read, &files.write, &files.execute]),
        Need::Write => below(path, &[&files.write]),
        Need::Execute => below(path, &[&files.execute]),
        Need::Stand => return Verdict::Never("no lock asks where a process stands".into()),
    };
    let touches = |own: &&&str| Path::new(own).starts_with(path) || path.starts_with(own);
    if below(path, &[&files.mask]) {
        return Verdict::Never("the policy masks it".into());
    }
    if need == Need::Write && below(path, &[&files.protect]) {
        return Verdict::Never("the policy protects it: it stays read-only".into());
    }
    if granted {
        return Verdict::There;
    }
    if let Some(label) = files.labelled.iter().find(|rule| below(path, &[&rule.read])) {
        return Verdict::Never(format!("it carries the label {}: clearance opens it", label.label));
    }
    if let Some(own) = OWN.iter().find(touches).filter(|own| need == Need::Write || **own == RECORD) {
        return Verdict::Never(format!("it would undo the lock: {own} is Longhorn's own"));
    }
    if need != Need::Write {
        let writes = need == Need::Execute && below(path, &[&files.write]);
        return match (personal(path), writes) {
            (true, _) => Verdict::Review("every person's own lies there: name the one directory".into()),
            (_, true) => Verdict::Review("a job that may write there could execute what it wrote".into()),
            _ => Verdict::Proposed,
        };
    }
    match SYSTEM.iter().find(|system| path.starts_with(system)) {
        Some(_) => Verdict::Never("it would undo the lock: what lies there runs outside of it too".into()),
        None if personal(path) => Verdict::Review("every person's own lies there: name the one directory".into()),
        None => Verdict::Proposed,
    }
}

/// What another proposed directory grants already is not proposed once more.
fn smallest(all: &mut [Place]) {
    let mut proposed: BTreeMap<PathBuf, Vec<Need>> = BTreeMap::new();
    for place in all.iter().filter(|place| place.verdict == Verdict::Proposed) {
        proposed.entry(place.path.clone()).or_default().push(place.need);
    }
    let grants =
        |path: &Path, needs: &[Need]| proposed.get(path).is_some_and(|found| found.iter().any(|need| needs.contains(need)));
    for place in all.iter_mut().filter(|place| place.verdict == Verdict::Proposed) {
        let wider = place.path.ancestors().skip(1).any(|above| grants(above, &[place.need]));
        // What is written or executed is read as well.
        let reads = place.need == Need::Read && place.path.ancestors().any(|above| grants(above, &[Need::Write, Need::Execute]));
        if wider || reads {
            place.verdict = Verdict::There;
        }
    }
    // A directory that is written and executed lets a job execute what it wrote: one of the two is a person's decision.
    let written: BTreeSet<PathBuf> = (all.iter())
        .filter(|place| place.need == Need::Write && place.verdict == Verdict::Proposed)
        .map(|place| place.path.clone())
        .collect();
    for place in all.iter_mut().filter(|place| place.need == Need::Execute && place.verdict == Verdict::Proposed) {
        if below(&place.path, &[&written]) {
            place.verdict = Verdict::Review("a job that may write there could execute what it wrote".into());
        }
    }
}
