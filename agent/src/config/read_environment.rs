//! `[environments.NAME]` and presets, which are written the same way.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::env_names::DANGEROUS;
use super::reader::{At, Reader, Section};
use crate::decision::environment::{Environment, Files, Floor, Kernel, Labelled, NamePattern, Targets, Variables};
use crate::identity::ids::{EnvName, LocalName};

/// Presets that this build carries.
const PRESETS: &[(&str, &str)] = &[("linux", include_str!("../decision/presets/linux.toml"))];

/// Reads one environment; its preset, where it names one, is merged in: lists are united, single values override.
pub(super) fn environment(name: LocalName, section: Section<'_>) -> Option<Environment> {
    let preset = section.text("preset");
    let base = match &preset {
        None => None,
        Some(named) => match PRESETS.iter().find(|(known, _)| *known == named.value) {
            Some((known, text)) => Some(read_preset(known, text)),
            None => {
                let known: Vec<&str> = PRESETS.iter().map(|(known, _)| *known).collect();
                section.reader().error(
                    named.span.clone(),
                    format!("unknown preset `{}`", named.value),
                    format!("known presets: {}", known.join(", ")),
                );
                return None;
            }
        },
    };
    let mut found = body(name, section, base.is_none())?;
    if let Some(base) = base {
        found.preset = preset.map(|named| named.value);
        found.variables.allow.extend(base.variables.allow);
        for (name, value) in base.variables.pin {
            found.variables.pin.entry(name).or_insert(value);
        }
        found.files.read.extend(base.files.read);
        found.files.write.extend(base.files.write);
        found.files.execute.extend(base.files.execute);
        found.files.protect.extend(base.files.protect);
        found.files.mask.extend(base.files.mask);
        if found.targets.root.is_empty() && found.targets.inside.is_empty() {
            found.targets = base.targets;
        }
    }
    Some(found)
}

/// # Panics
/// When a preset of this build does not read: a test reads every one.
fn read_preset(name: &str, text: &'static str) -> Environment {
    let reader = Reader::new(name, text);
    let table = reader.parse(text);
    let found = LocalName::try_from("preset").ok().and_then(|name| body(name, reader.section(&table), false));
    let problems = reader.finish();
    assert!(!problems.any_error(), "a preset of this build does not read:\n{problems}");
    found.expect("a preset without problems reads")
}

fn body(name: LocalName, section: Section<'_>, floor_needed: bool) -> Option<Environment> {
    let variables = section.table("variables").map(variables).unwrap_or_default();
    let files = section.table("files").map(files).unwrap_or_default();
    let kernel = match section.table("kernel") {
        Some(kernel_section) => kernel(kernel_section),
        None => {
            if floor_needed {
                section.reader().error(
                    section.span.clone(),
                    "`kernel.floor` is missing",
                    "nothing that decides trust has a default",
                );
            }
            Some(Kernel { floor: FULL, keep_capabilities: BTreeSet::new() })
        }
    };
    let targets = section.table("targets").map(targets).unwrap_or_default();
    let open = section.texts("open").into_iter().filter_map(|way| {
        let known = way.value == "jvm";
        if !known {
            section.reader().error(way.span, format!("unknown open way `{}`", way.value), "known: jvm");
        }
        known.then_some(way.value)
    });
    let open = open.collect();
    // Data about the preset itself.
    let _ = (section.text("source"), section.text("certainty"));
    section.finish();
    Some(Environment { name, preset: None, variables, files, kernel: kernel?, targets, open })
}

/// The floor of an environment that takes a preset's.
const FULL: Floor = Floor { landlock: 3, mount: true, capabilities: true, seccomp: true };

fn variables(section: Section<'_>) -> Variables {
    let mut found = Variables::default();
    for text in section.texts("allow") {
        if let Some(pattern) = pattern(&section, &text) {
            found.allow.insert(pattern);
        }
    }
    if let Some(pins) = section.table("pin") {
        for (name, value) in pins.named_texts() {
            let Some(checked) = pins.convert::<EnvName>(&name) else { continue };
            if name.value.starts_with("LONGHORN_") {
                pins.reader().error(
                    name.span,
                    "LONGHORN_ variables are the context's own",
                    "they are injected; a policy cannot pin them",
                );
            } else if value.value.contains('\0') {
                pins.reader().error(value.span, "a value cannot hold a zero byte", "");
            } else {
                found.pin.insert(checked.value, value.value);
            }
        }
    }
    section.finish();
    found
}

fn pattern(section: &Section<'_>, text: &At<String>) -> Option<NamePattern> {
    let found = match text.value.strip_suffix('*') {
        Some(prefix) => {
            let stem = section.convert::<EnvName>(&At { value: prefix.to_owned(), span: text.span.clone() })?;
            NamePattern::Prefix(stem.value.as_str().to_owned())
        }
        None => NamePattern::Exact(section.convert::<EnvName>(text)?.value),
    };
    let matches = |dangerous: &str| match (dangerous.strip_suffix('*'), &found) {
        (Some(stem), NamePattern::Exact(name)) => name.as_str().starts_with(stem),
        (None, NamePattern::Exact(name)) => name.as_str() == dangerous,
        (stem, NamePattern::Prefix(prefix)) => {
            let stem = stem.unwrap_or(dangerous);
            stem.starts_with(prefix.as_str()) || (dangerous.ends_with('*') && prefix.starts_with(stem))
        }
    };
    if let Some((name, why)) = DANGEROUS.iter().find(|(name, _)| matches(name)) {
        section.reader().warning(
            text.span.clone(),
            format!("`{}` lets {name} through: {why}", text.value),
            "pin the exact value instead where the job needs one",
        );
    }
    Some(found)
}

fn files(section: Section<'_>) -> Files {
    let set = |key| paths(&section, key);
    let mut found = Files {
        read: set("read"),
        write: set("write"),
        execute: set("execute"),
        protect: set("protect"),
        mask: set("mask"),
        labelled: Vec::new(),
    };
    for labelled in section.tables("labelled") {
        let label = labelled.need_parsed("label");
        let read = paths(&labelled, "read");
        if let Some(label) = label {
            found.labelled.push(Labelled { label: label.value, read });
        }
        labelled.finish();
    }
    section.finish();
    found
}

/// Absolute, without `.`, `..` and empty parts, so that what is written is what is granted.
fn paths(section: &Section<'_>, key: &'static str) -> BTreeSet<PathBuf> {
    let check = |text: At<String>| {
        let plain = text.value.starts_with('/') && text.value.len() <= 4096 && !text.value.contains('\0');
        let parts = text.value.split('/').skip(1);
        if plain && (text.value == "/" || parts.clone().all(|part| !part.is_empty() && part != "." && part != "..")) {
            return Some(PathBuf::from(text.value));
        }
        section.reader().error(text.span, "the path must be absolute, without `.`, `..` and doubled or trailing slashes", "");
        None
    };
    section.texts(key).into_iter().filter_map(check).collect()
}

fn kernel(section: Section<'_>) -> Option<Kernel> {
    let floor = section.need_table("floor").and_then(|floor| {
        let landlock = floor.need_number("landlock");
        let flag = |key| {
            let value = floor.boolean(key);
            if value.is_none() {
                floor.reader().error(floor.span.clone(), format!("`{key}` is missing"), "a floor names every mechanism");
            }
            value
        };
        let (mount, capabilities, seccomp) = (flag("mount"), flag("capabilities"), flag("seccomp"));
        floor.finish();
        Some(Floor {
            landlock: u32::try_from(landlock?.value).unwrap_or(u32::MAX),
            mount: mount?,
            capabilities: capabilities?,
            seccomp: seccomp?,
        })
    });
    let mut keep_capabilities = BTreeSet::new();
    for name in section.texts("keep-capabilities") {
        if matches!(name.value.as_str(), "SYS_ADMIN" | "PERFMON") {
            section.reader().error(
                name.span,
                format!("{} is never kept", name.value),
                "with it every process's environment can be read (Linux 6.15)",
            );
        } else {
            keep_capabilities.insert(name.value);
        }
    }
    section.finish();
    Some(Kernel { floor: floor?, keep_capabilities })
}

fn targets(section: Section<'_>) -> Targets {
    let found = Targets { root: paths(&section, "root"), inside: paths(&section, "inside") };
    section.finish();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_of_this_build_reads_without_a_problem() {
        for (name, text) in PRESETS {
            assert!(!read_preset(name, text).files.execute.is_empty(), "{name}");
        }
    }
}
