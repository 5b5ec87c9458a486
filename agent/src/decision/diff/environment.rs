//! Environments: variables, files, kernel and targets. A path is compared as it is written, for a rule sits on what lies
//! there: below a directory that is granted already there may be a link, or a mount that comes later.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::super::environment::{Environment, Files, Floor, Kernel, Labelled, MetadataService, NamePattern, Targets, Variables};
use super::scopes::exists;
use super::{Change, Effect, Line, Lines, Subject, texts};
use crate::identity::ids::LocalName;

pub(super) fn environment(name: &LocalName, old: Option<&Environment>, new: Option<&Environment>) -> Vec<Line> {
    let Some(known) = new.or(old) else { return Vec::new() };
    let mut lines = Lines::of(Subject::Environment(name.clone()));
    exists(&mut lines, "environment", old.is_some(), new.is_some());
    // One that says nothing, but has the floor of the other: a floor holds nobody back where nobody was.
    let empty = Environment {
        name: known.name.clone(),
        preset: None,
        variables: Variables::default(),
        files: Files::default(),
        kernel: Kernel { floor: known.kernel.floor, keep_capabilities: BTreeSet::new(), metadata_service: MetadataService::Open },
        targets: Targets::default(),
        open: BTreeSet::new(),
    };
    lines.found.extend(content(lines.subject.clone(), old.unwrap_or(&empty), new.unwrap_or(&empty)));
    if old.is_none() != new.is_none() {
        let floor = texts([floor_words(known.kernel.floor)]);
        let none = BTreeSet::new();
        let (one, other) = if new.is_some() { (&none, &floor) } else { (&floor, &none) };
        lines.set("kernel.floor", one, other, Effect::Changed);
    }
    lines.of_both(old.is_some(), new.is_some())
}

/// What two environments say differently.
pub(super) fn content(subject: Subject, old: &Environment, new: &Environment) -> Vec<Line> {
    let Environment { name: _, preset, variables, files, kernel, targets, open } = new;
    let mut lines = Lines::of(subject);
    lines.set("preset", &texts(&old.preset), &texts(preset), Effect::Changed);
    lines.set("open", &texts(&old.open), &texts(open), Effect::Weaker);
    said_of_variables(&mut lines, &old.variables, variables);
    said_of_files(&mut lines, &old.files, files);
    let Kernel { floor, keep_capabilities, metadata_service } = kernel;
    said_of_floor(&mut lines, old.kernel.floor, *floor);
    let kept = &old.kernel.keep_capabilities;
    lines.set("kernel.keep-capabilities", &texts(kept), &texts(keep_capabilities), Effect::Gains);
    let was = old.kernel.metadata_service;
    lines.ordered("kernel.metadata-service", was, *metadata_service, |one| one.word().to_owned(), Effect::Stronger);
    let Targets { root, inside } = targets;
    lines.set("targets.root", &shown(&old.targets.root), &shown(root), Effect::Stronger);
    lines.set("targets.inside", &shown(&old.targets.inside), &shown(inside), Effect::Stronger);
    lines.found
}

/// A variable is gone, pinned, or its own: a pin wins over a pattern that lets the name through.
fn said_of_variables(lines: &mut Lines, old: &Variables, new: &Variables) {
    let Variables { allow, pin } = new;
    let patterns = |set: &BTreeSet<NamePattern>| set.iter().map(written).collect::<BTreeSet<String>>();
    let pinned = |variables: &Variables, name: &str| variables.pin.keys().any(|one| one.as_str() == name);
    lines.set_unless(
        "variables.allow",
        &patterns(&old.allow),
        &patterns(allow),
        Effect::Gains,
        |pattern| covered(&old.allow, pattern) || pinned(new, pattern),
        |pattern| covered(allow, pattern) || pinned(old, pattern),
    );
    let names: BTreeSet<_> = old.pin.keys().chain(pin.keys()).collect();
    for name in names {
        let text = name.to_string();
        match (old.pin.get(name), pin.get(name)) {
            (Some(was), Some(is)) if was != is => lines.say("variables.pin", Effect::Changed, Change::Value(text)),
            // Where it was free, a pin takes its value; where it was gone, a pin brings it.
            (None, Some(_)) => {
                let effect = if covered(&old.allow, &text) { Effect::Loses } else { Effect::Gains };
                lines.say("variables.pin", effect, Change::Added(text));
            }
            (Some(_), None) => {
                let effect = if covered(allow, &text) { Effect::Gains } else { Effect::Loses };
                lines.say("variables.pin", effect, Change::Removed(text));
            }
            _ => {}
        }
    }
}

fn written(pattern: &NamePattern) -> String {
    match pattern {
        NamePattern::Exact(name) => name.to_string(),
        NamePattern::Prefix(prefix) => format!("{prefix}*"),
    }
}

/// Whether everything that this pattern lets through passes already.
fn covered(allow: &BTreeSet<NamePattern>, pattern: &str) -> bool {
    let (stem, exact) = pattern.strip_suffix('*').map_or((pattern, true), |stem| (stem, false));
    allow.iter().any(|known| match known {
        NamePattern::Exact(name) => exact && name.as_str() == stem,
        NamePattern::Prefix(prefix) => stem.starts_with(prefix.as_str()),
    })
}

fn said_of_files(lines: &mut Lines, old: &Files, new: &Files) {
    let Files { read, write, execute, labelled, protect, mask } = new;
    // What may be written or executed may be read.
    let reads = |files: &Files, path: &str| [&files.write, &files.execute].iter().any(|set| shown(set).contains(path));
    lines.set_unless(
        "files.read",
        &shown(&old.read),
        &shown(read),
        Effect::Gains,
        |path| reads(old, path),
        |path| reads(new, path),
    );
    lines.set("files.write", &shown(&old.write), &shown(write), Effect::Gains);
    lines.set("files.execute", &shown(&old.execute), &shown(execute), Effect::Gains);
    lines.set("files.labelled", &labels(&old.labelled), &labels(labelled), Effect::Gains);
    lines.set("files.protect", &shown(&old.protect), &shown(protect), Effect::Loses);
    lines.set("files.mask", &shown(&old.mask), &shown(mask), Effect::Loses);
}

/// Every path with its label: neither their order nor how they are grouped means anything.
fn labels(labelled: &[Labelled]) -> BTreeSet<String> {
    let of =
        |Labelled { label, read }: &Labelled| read.iter().map(|path| format!("{label} {}", path.display())).collect::<Vec<_>>();
    labelled.iter().flat_map(of).collect()
}

fn said_of_floor(lines: &mut Lines, old: Floor, new: Floor) {
    let Floor { landlock, mount, capabilities, seccomp } = new;
    lines.ordered("kernel.floor.landlock", old.landlock, landlock, ToString::to_string, Effect::Stronger);
    lines.ordered("kernel.floor.mount", old.mount, mount, ToString::to_string, Effect::Stronger);
    lines.ordered("kernel.floor.capabilities", old.capabilities, capabilities, ToString::to_string, Effect::Stronger);
    lines.ordered("kernel.floor.seccomp", old.seccomp, seccomp, ToString::to_string, Effect::Stronger);
}

fn floor_words(floor: Floor) -> String {
    let Floor { landlock, mount, capabilities, seccomp } = floor;
    let parts = [("mount", mount), ("capabilities", capabilities), ("seccomp", seccomp)];
    let parts: String = parts.iter().filter(|(_, on)| *on).map(|(word, _)| format!(", {word}")).collect();
    format!("landlock {landlock}{parts}")
}

fn shown(paths: &BTreeSet<PathBuf>) -> BTreeSet<String> {
    paths.iter().map(|path| path.display().to_string()).collect()
}
