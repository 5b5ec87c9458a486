//! `kernel` of an environment or preset: the floor, capabilities that are kept, and whether jobs reach the metadata service.

use std::collections::BTreeSet;
use std::ops::Range;

use super::reader::{At, Reader, Section};
use crate::decision::capability::{Capability, NeverKept};
use crate::decision::environment::{Floor, Kernel, MetadataService};

/// What is said; what is not comes from the preset, or is missing.
#[derive(Default)]
pub(super) struct KernelPart {
    landlock: Option<u32>,
    mount: Option<bool>,
    capabilities: Option<bool>,
    seccomp: Option<bool>,
    keep: BTreeSet<Capability>,
    metadata: Option<At<MetadataService>>,
}

impl KernelPart {
    /// This over another: lists are united, single values override. A floor below the preset's is the signed policy's
    /// own word.
    pub(super) fn over(mut self, base: Self) -> Self {
        self.keep.extend(base.keep);
        Self {
            landlock: self.landlock.or(base.landlock),
            mount: self.mount.or(base.mount),
            capabilities: self.capabilities.or(base.capabilities),
            seccomp: self.seccomp.or(base.seccomp),
            keep: self.keep,
            metadata: self.metadata.or(base.metadata),
        }
    }

    /// A floor names every mechanism; what is still missing is a problem of the environment at `span`.
    pub(super) fn complete(self, reader: &Reader, span: &Range<usize>) -> Option<Kernel> {
        let said = [
            ("landlock", self.landlock.is_some()),
            ("mount", self.mount.is_some()),
            ("capabilities", self.capabilities.is_some()),
            ("seccomp", self.seccomp.is_some()),
        ];
        let missing: Vec<&str> = said.iter().filter(|(_, there)| !there).map(|(key, _)| *key).collect();
        if !missing.is_empty() {
            reader.error(
                span.clone(),
                format!("`kernel.floor` does not say {}", missing.join(", ")),
                "nothing that decides trust has a default; a preset may say it",
            );
        }
        let floor =
            Floor { landlock: self.landlock?, mount: self.mount?, capabilities: self.capabilities?, seccomp: self.seccomp? };
        if let Some(said) = self.metadata.as_ref().filter(|said| said.value == MetadataService::Closed) {
            self.closable(reader, &said.span, floor);
        }
        let metadata_service = self.metadata.map_or(MetadataService::Open, |said| said.value);
        Some(Kernel { floor, keep_capabilities: self.keep, metadata_service })
    }

    /// What closes the service must be part of the floor, or a node that lacks it would start with it open; and nothing that
    /// is kept may lead around it.
    fn closable(&self, reader: &Reader, span: &Range<usize>, floor: Floor) {
        if floor.landlock < MetadataService::LANDLOCK || !floor.seccomp || !floor.capabilities {
            let hint = "Landlock closes ports from ABI 4 on (Linux 6.7), with the filter's and the capability cut's help; or \
                        write \"closed-elsewhere\", and let a firewall of the platform's close it";
            let message = "`metadata-service = \"closed\"` needs a floor of landlock 4, seccomp and capabilities";
            reader.error(span.clone(), message, hint);
        }
        for kept in self.keep.iter().filter(|kept| kept.leads_past_ports()) {
            let message = format!("{kept} leads past a closed metadata service");
            reader.error(span.clone(), message, "with it a job sends packets, or redirects connections, of its own");
        }
    }
}

pub(super) fn kernel(section: Section<'_>) -> KernelPart {
    let mut found = KernelPart::default();
    if let Some(floor) = section.table("floor") {
        found.landlock = floor.number("landlock").and_then(|number| abi(&floor, &number));
        found.mount = floor.boolean("mount");
        found.capabilities = floor.boolean("capabilities");
        found.seccomp = floor.boolean("seccomp");
        floor.finish();
    }
    let names = section.texts("keep-capabilities");
    found.keep = names.iter().filter_map(|name| keepable(&section, name)).collect();
    found.metadata = section.word("metadata-service", &MetadataService::WORDS);
    section.finish();
    found
}

/// No kernel has an ABI near this; a floor that nothing meets would refuse every node.
const ABI_MOST: u64 = 99;

fn abi(floor: &Section<'_>, number: &At<u64>) -> Option<u32> {
    let found = u32::try_from(number.value).ok().filter(|_| number.value <= ABI_MOST);
    if found.is_none() {
        floor.reader().error(number.span.clone(), format!("`landlock` is an ABI from 0 to {ABI_MOST}"), "Linux 6.2 has ABI 3");
    }
    found
}

/// However it is spelt, a capability that is never kept is called so.
fn keepable(section: &Section<'_>, name: &At<String>) -> Option<Capability> {
    let upper = name.value.to_ascii_uppercase();
    let plain = upper.strip_prefix("CAP_").unwrap_or(&upper);
    let error = |message: String, hint: &str| section.reader().error(name.span.clone(), message, hint);
    match Capability::keepable(plain) {
        Ok(capability) if plain == name.value => return Some(capability),
        Ok(capability) => error(format!("write `{capability}`"), "upper case, without CAP_"),
        Err(NeverKept::ShowsEnvironments) => {
            error(format!("{plain} is never kept"), "with it the environment of every process can be read (Linux 6.15)")
        }
        Err(NeverKept::Undoes) => error(format!("{plain} is never kept"), "it undoes the lock by itself"),
        Err(NeverKept::Unknown) => error(format!("there is no capability `{}`", name.value), "see capabilities(7)"),
    }
    None
}
