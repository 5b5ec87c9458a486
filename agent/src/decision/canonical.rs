//! One text for one environment, whatever the order in which it was written: the input of its digest.

use super::environment::{Environment, MetadataService, NamePattern};
use crate::host::digest::sha256_hex;

impl Environment {
    /// SHA-256 (hex) over everything that the policy says of this environment. Dev, staging and production agree on it
    /// exactly when they agree on the environment.
    pub fn digest(&self) -> String {
        sha256_hex(self.canonical().as_bytes())
    }

    /// One line per statement, each with its key, in a fixed order. Values of pins are part of the digest; they never
    /// leave this function in any other form.
    fn canonical(&self) -> String {
        let mut lines = vec!["longhorn-environment-v1".to_owned()];
        let mut say = |key: &str, value: &dyn std::fmt::Display| {
            lines.push(format!("{key} {}", serde_json::Value::String(value.to_string())))
        };
        for pattern in &self.variables.allow {
            match pattern {
                NamePattern::Exact(name) => say("variables.allow.exact", name),
                NamePattern::Prefix(prefix) => say("variables.allow.prefix", prefix),
            }
        }
        for (name, value) in &self.variables.pin {
            say("variables.pin", &format!("{name}={value}"));
        }
        let paths = [
            ("files.read", &self.files.read),
            ("files.write", &self.files.write),
            ("files.execute", &self.files.execute),
            ("files.protect", &self.files.protect),
            ("files.mask", &self.files.mask),
            ("targets.root", &self.targets.root),
            ("targets.inside", &self.targets.inside),
        ];
        for (key, set) in paths {
            for path in set {
                say(key, &path.display());
            }
        }
        let mut labelled: Vec<String> = (self.files.labelled.iter())
            .flat_map(|rule| rule.read.iter().map(|path| format!("{} {}", rule.label, path.display())))
            .collect();
        labelled.sort();
        for rule in &labelled {
            say("files.labelled", rule);
        }
        let floor = self.kernel.floor;
        say("kernel.floor.landlock", &floor.landlock);
        say("kernel.floor.mount", &floor.mount);
        say("kernel.floor.capabilities", &floor.capabilities);
        say("kernel.floor.seccomp", &floor.seccomp);
        for capability in &self.kernel.keep_capabilities {
            say("kernel.keep-capabilities", capability);
        }
        if self.kernel.metadata_service != MetadataService::Open {
            say("kernel.metadata-service", &self.kernel.metadata_service.word());
        }
        for way in &self.open {
            say("open", way);
        }
        lines.join("\n")
    }
}
