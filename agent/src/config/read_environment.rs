//! `[environments.NAME]`, and the parts of presets, which are written the same way.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::env_names::{DANGEROUS, OWN_PREFIX};
use super::read_kernel::{KernelPart, kernel};
use super::read_preset::{names, preset as preset_part};
use super::reader::{At, Section};
use crate::decision::environment::{Environment, Files, Labelled, NamePattern, Targets, Variables};
use crate::identity::ids::{EnvName, LocalName};

/// What an environment or a preset says, before the one is laid over the other.
#[derive(Default)]
pub(super) struct Part {
    pub(super) variables: Variables,
    pub(super) files: Files,
    pub(super) kernel: KernelPart,
    pub(super) targets: Targets,
    pub(super) open: BTreeSet<String>,
}

/// Reads one environment; its preset, where it names one, is merged in: lists are united, single values override.
pub(super) fn environment(name: LocalName, section: Section<'_>) -> Option<Environment> {
    let reader = section.reader();
    let span = section.span.clone();
    let preset = section.text("preset");
    let base = match &preset {
        None => None,
        Some(named) => match preset_part(&named.value) {
            Some(part) => Some(part),
            None => {
                let known: Vec<&str> = names().collect();
                reader.error(
                    named.span.clone(),
                    format!("unknown preset `{}`", named.value),
                    format!("known presets: {}", known.join(", ")),
                );
                body(&section);
                section.tables("also").into_iter().for_each(|section| drop(also(section)));
                section.finish();
                return None;
            }
        },
    };
    let own = section.tables("also").into_iter().filter_map(also).fold(body(&section), over);
    section.finish();
    let part = match base {
        None => own,
        Some(base) => over(own, base),
    };
    let kernel = part.kernel.complete(reader, &span)?;
    Some(Environment {
        name,
        preset: preset.map(|named| named.value),
        variables: part.variables,
        files: part.files,
        kernel,
        targets: part.targets,
        open: part.open,
    })
}

/// `[[environments.NAME.also]]`: more variables and files, each with where they come from, as `policy learn` proposes them.
fn also(section: Section<'_>) -> Option<Part> {
    let source = section.need_text("source");
    let part = Part {
        variables: section.table("variables").map(variables).unwrap_or_default(),
        files: section.table("files").map(files).unwrap_or_default(),
        ..Part::default()
    };
    section.finish();
    source.map(|_| part)
}

/// What the environment says itself comes first; the preset fills in.
pub(super) fn over(mut own: Part, base: Part) -> Part {
    own.variables.allow.extend(base.variables.allow);
    for (name, value) in base.variables.pin {
        own.variables.pin.entry(name).or_insert(value);
    }
    own.files.read.extend(base.files.read);
    own.files.write.extend(base.files.write);
    own.files.execute.extend(base.files.execute);
    own.files.labelled.extend(base.files.labelled);
    own.files.protect.extend(base.files.protect);
    own.files.mask.extend(base.files.mask);
    // A target has one kind: what the environment says of a path overrides what the preset says of it.
    own.targets.root.extend(base.targets.root.into_iter().filter(|path| !own.targets.inside.contains(path)).collect::<Vec<_>>());
    own.targets
        .inside
        .extend(base.targets.inside.into_iter().filter(|path| !own.targets.root.contains(path)).collect::<Vec<_>>());
    own.open.extend(base.open);
    own.kernel = own.kernel.over(base.kernel);
    own
}

pub(super) fn body(section: &Section<'_>) -> Part {
    let open = section.texts("open").into_iter().filter_map(|way| {
        let known = way.value == "jvm";
        if !known {
            section.reader().error(way.span, format!("unknown open way `{}`", way.value), "known: jvm");
        }
        known.then_some(way.value)
    });
    Part {
        variables: section.table("variables").map(variables).unwrap_or_default(),
        files: section.table("files").map(files).unwrap_or_default(),
        kernel: section.table("kernel").map(kernel).unwrap_or_default(),
        targets: section.table("targets").map(targets).unwrap_or_default(),
        open: open.collect(),
    }
}

fn variables(section: Section<'_>) -> Variables {
    let allow = section.texts("allow").iter().filter_map(|text| pattern(&section, text)).collect();
    let mut found = Variables { allow, ..Variables::default() };
    for (name, value) in section.table("pin").iter().flat_map(Section::named_texts) {
        let Some(checked) = section.convert::<EnvName>(&name) else { continue };
        if name.value.starts_with(OWN_PREFIX) {
            section.reader().error(
                name.span,
                format!("{OWN_PREFIX} variables are the context's own"),
                "they are injected; a policy cannot pin them",
            );
        } else if value.value.contains('\0') {
            section.reader().error(value.span, "a value cannot hold a zero byte", "");
        } else if name.value.len() + value.value.len() + 2 > MOST_BYTES {
            section.reader().error(value.span, "the variable is longer than the kernel takes", "at most 128 KiB (execve(2))");
        } else {
            found.pin.insert(checked.value, value.value);
        }
    }
    section.finish();
    found
}

/// `MAX_ARG_STRLEN`: `name=value` and its zero byte.
const MOST_BYTES: usize = 128 * 1024;

fn pattern(section: &Section<'_>, text: &At<String>) -> Option<NamePattern> {
    let found = match text.value.strip_suffix('*') {
        Some("") => {
            section.reader().error(text.span.clone(), "`*` would let every variable through", "name them, or their prefix");
            return None;
        }
        Some(prefix) => {
            let stem = section.convert::<EnvName>(&At { value: prefix.to_owned(), span: text.span.clone() })?;
            NamePattern::Prefix(stem.value.as_str().to_owned())
        }
        None => NamePattern::Exact(section.convert::<EnvName>(text)?.value),
    };
    if text.value.starts_with(OWN_PREFIX) {
        let hint = "they are injected; what a caller sets under such a name never passes";
        section.reader().error(text.span.clone(), format!("{OWN_PREFIX} variables are the context's own"), hint);
        return None;
    }
    if let Some((name, why)) = DANGEROUS.iter().find(|(name, _)| lets_through(&found, name)) {
        section.reader().warning(
            text.span.clone(),
            format!("`{}` lets {name} through: {why}", text.value),
            "pin the exact value instead where the job needs one",
        );
    }
    Some(found)
}

/// Whether a pattern and an entry of the table of dangerous names (`NAME`, `PREFIX*`) have a name in common.
pub(super) fn lets_through(pattern: &NamePattern, dangerous: &str) -> bool {
    match (pattern, dangerous.strip_suffix('*')) {
        (NamePattern::Exact(name), Some(stem)) => name.as_str().starts_with(stem),
        (NamePattern::Exact(name), None) => name.as_str() == dangerous,
        (NamePattern::Prefix(prefix), Some(stem)) => stem.starts_with(prefix.as_str()) || prefix.starts_with(stem),
        (NamePattern::Prefix(prefix), None) => dangerous.starts_with(prefix.as_str()),
    }
}

fn files(section: Section<'_>) -> Files {
    let set = |key| paths(&section, key).into_iter().map(|at| at.value).collect::<BTreeSet<_>>();
    let (read, write, execute) = (granted(&section, "read"), granted(&section, "write"), granted(&section, "execute"));
    let mut found = Files { read, write, execute, protect: set("protect"), mask: set("mask"), labelled: Vec::new() };
    for labelled in section.tables("labelled") {
        let label = labelled.need_parsed("label");
        labelled.need_texts("read");
        let read = granted(&labelled, "read");
        if let Some(label) = label {
            found.labelled.push(Labelled { label: label.value, read });
        }
        labelled.finish();
    }
    section.finish();
    found
}

/// What Longhorn is made of on a node. The lock refuses to grant it; said here already, where it can be put right.
pub(super) const OWN: &[&str] = &["/etc/longhorn", "/opt/longhorn", "/run/longhorn", "/var/lib/longhorn"];
pub(super) const RECORD: &str = "/var/lib/longhorn";

fn granted(section: &Section<'_>, key: &'static str) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for At { value, span } in paths(section, key) {
        let refused = OWN.iter().find(|own| {
            let touches = PathBuf::from(own).starts_with(&value) || value.starts_with(own);
            touches && (key == "write" || **own == RECORD)
        });
        match refused {
            Some(own) => section.reader().error(
                span,
                format!("`{key}` would grant Longhorn's own {own}"),
                "name the directories below it that programs need",
            ),
            None => {
                found.insert(value);
            }
        }
    }
    found
}

/// Absolute, without `.`, `..` and empty parts, so that what is written is what is granted.
fn paths(section: &Section<'_>, key: &'static str) -> Vec<At<PathBuf>> {
    let check = |text: At<String>| {
        let plain = text.value.starts_with('/') && text.value.len() <= 4096 && !text.value.contains('\0');
        let mut parts = text.value.split('/').skip(1);
        if plain && (text.value == "/" || parts.all(|part| !part.is_empty() && part != "." && part != "..")) {
            return Some(At { value: PathBuf::from(text.value), span: text.span });
        }
        section.reader().error(text.span, "the path must be absolute, without `.`, `..` and doubled or trailing slashes", "");
        None
    };
    section.texts(key).into_iter().filter_map(check).collect()
}

fn targets(section: Section<'_>) -> Targets {
    let root: BTreeSet<PathBuf> = paths(&section, "root").into_iter().map(|at| at.value).collect();
    let mut inside = BTreeSet::new();
    for At { value, span } in paths(&section, "inside") {
        if root.contains(&value) {
            section.reader().error(
                span,
                "this target is `root` already",
                "a target starts a locked tree, or acts only within one",
            );
        }
        inside.insert(value);
    }
    section.finish();
    Targets { root, inside }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_dangerous_when_any_dangerous_name_fits_it() {
        let exact = |name: &str| NamePattern::Exact(EnvName::try_from(name).unwrap());
        let prefix = |name: &str| NamePattern::Prefix(name.to_owned());
        let rows = [
            (exact("LD_PRELOAD"), "LD_*", true),
            (exact("LDX"), "LD_*", false),
            (exact("ENV"), "ENV", true),
            (exact("ENVOY"), "ENV", false),
            (prefix("L"), "LD_*", true),
            (prefix("LD_PRE"), "LD_*", true),
            (prefix("LC_"), "LD_*", false),
            (prefix("E"), "ENV", true),
            (prefix("ENVOY_"), "ENV", false),
        ];
        for (pattern, dangerous, expected) in rows {
            assert_eq!(lets_through(&pattern, dangerous), expected, "{pattern:?} {dangerous}");
        }
    }
}
