//! `[compute]`: what compute policies fix. Combinations that the platform refuses are refused here, with its reason.

use std::collections::{BTreeMap, BTreeSet};

use super::reader::{At, Section};
use crate::decision::compute::{Access, ClusterKind, Compute, Language, Logs, Script};
use crate::identity::ids::LocalName;

pub(super) fn compute(section: Section<'_>) -> BTreeMap<LocalName, Compute> {
    let one = |(name, body): (At<String>, Section<'_>)| {
        let name = body.convert::<LocalName>(&name);
        let read = compute_policy(body);
        Some((name?.value, read?))
    };
    section.named().into_iter().filter_map(one).collect()
}

fn compute_policy(section: Section<'_>) -> Option<Compute> {
    let script = section.need_text("script");
    let place = script.as_ref().and_then(|text| script_place(&section, text));
    let clusters = section.need_word("clusters", &[ClusterKind::Job, ClusterKind::AllPurpose].map(|one| (one.word(), one)));
    let access = section.need_word("access", &[("dedicated", Access::Dedicated), ("standard", Access::Standard)]);
    let versions = spark_versions(&section);
    let image = section.text("image");
    let languages = languages(&section);
    let logs = logs(&section);
    let tags = section.table("tags").map(tags).unwrap_or_default();
    if let (Some(script), Some(place)) = (&script, &place) {
        together(&section, (script, place), access.as_ref(), &versions, image.as_ref());
    }
    section.finish();
    Some(Compute {
        script: place?,
        clusters: clusters?.value,
        access: access?.value,
        spark_versions: versions.into_iter().map(|version| version.value).collect(),
        image: image.map(|image| image.value),
        languages,
        logs,
        tags,
    })
}

fn script_place(section: &Section<'_>, text: &At<String>) -> Option<Script> {
    let path = text.value.strip_prefix("file:").unwrap_or(&text.value);
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let plain = path.starts_with('/') && parts.iter().all(|part| !["", ".", ".."].contains(part));
    let deep = |least: usize| plain && parts.len() >= least;
    let found = match (text.value.strip_prefix("file:"), parts.first()) {
        (Some(_), _) if deep(1) => Some(Script::Image(text.value.clone())),
        // /Volumes/<catalog>/<schema>/<volume>/<path>
        (None, Some(&"Volumes")) if deep(5) => Some(Script::Volume(text.value.clone())),
        (None, Some(&"Workspace")) if deep(3) => Some(Script::Workspace(text.value.clone())),
        _ => None,
    };
    if found.is_none() {
        section.reader().error(
            text.span.clone(),
            "`script` must be a file in a volume, in a workspace folder, or in the image",
            "such as \"/Volumes/platform/longhorn/bundle/longhorn-init.sh\", \"/Workspace/Shared/…\" or \"file:/opt/…\"",
        );
    }
    found
}

/// What the platform does not run together (access-mode limitations; custom containers).
fn together(
    section: &Section<'_>,
    (script, place): (&At<String>, &Script),
    access: Option<&At<Access>>,
    versions: &[At<String>],
    image: Option<&At<String>>,
) {
    let error = |span: &std::ops::Range<usize>, what: &str, hint: &str| section.reader().error(span.clone(), what, hint);
    if access.is_some_and(|access| access.value == Access::Standard) {
        if let Script::Workspace(_) = place {
            error(&script.span, "standard access mode runs no init script from a workspace folder", "put it into a volume");
        }
        if let Some(image) = image {
            error(&image.span, "standard access mode runs no container images", "");
        }
        for version in versions.iter().filter(|version| version.value.contains("-ml-")) {
            error(&version.span, "standard access mode does not run Databricks Runtime ML", "");
        }
    }
    match (place, image) {
        (Script::Image(_), None) => error(&script.span, "a script in the image needs `image`", ""),
        (_, Some(_)) => {
            for version in versions.iter().filter(|version| version.value.contains("-ml-")) {
                error(&version.span, "container images do not run Databricks Runtime ML", "");
            }
        }
        (_, None) => {}
    }
}

fn spark_versions(section: &Section<'_>) -> Vec<At<String>> {
    let known = |version: &At<String>| {
        let digits =
            |part: Option<&str>| part.is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        let mut parts = version.value.splitn(3, '.');
        let form = digits(parts.next()) && digits(parts.next()) && parts.next().is_some_and(|rest| rest.starts_with("x-"));
        if !form {
            section.reader().error(
                version.span.clone(),
                "it is not a runtime's key",
                "such as \"16.4.x-scala2.12\"; a name like `auto:latest-lts` means another runtime tomorrow",
            );
        }
        form
    };
    section.need_texts("spark-versions").into_iter().filter(known).collect()
}

fn languages(section: &Section<'_>) -> BTreeSet<Language> {
    let known = |text: At<String>| {
        let found = Language::ALL.iter().find(|(word, _)| *word == text.value).map(|(_, language)| *language);
        if found.is_none() {
            section.reader().error(text.span, "it is not a language of notebooks", "known: python, sql, r, scala");
        }
        found
    };
    section.need_texts("languages").into_iter().filter_map(known).collect()
}

fn logs(section: &Section<'_>) -> Option<Logs> {
    let path = section.text("logs")?;
    let region = section.text("logs-region");
    let kinds = [("/Volumes/", "VOLUMES"), ("dbfs:/", "DBFS"), ("s3://", "S3")];
    let Some((_, kind)) = kinds.into_iter().find(|(start, _)| path.value.starts_with(start)) else {
        section.reader().error(path.span, "`logs` must begin with /Volumes/, dbfs:/ or s3://", "");
        return None;
    };
    if (kind == "S3") != region.is_some() {
        section.reader().error(path.span, "`logs-region` belongs to logs on s3://, and only there", "");
        return None;
    }
    Some(Logs { kind, path: path.value, region: region.map(|region| region.value) })
}

fn tags(section: Section<'_>) -> BTreeMap<String, String> {
    section.named_texts().into_iter().map(|(name, value)| (name.value, value.value)).collect()
}
