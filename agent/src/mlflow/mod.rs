//! MLflow on the node: the plugin that tells runs and requests which attested job they belong to. Files only, in the
//! site-packages of each covered Python; no program is run to find or to place them.
//!
//! A convenience and no boundary: a job may skip it or overwrite what it says, and where its lock lets it write to such a
//! directory it may change the plugin as well. What is true is the signed token, and the gateway goes by that. So a plugin that
//! cannot be placed is a line, and never a refusal.

mod enter;
mod journal;
mod place;
mod sites;

pub use place::{place, remove};
pub use sites::{Sites, sites};

/// One file of the plugin.
#[derive(Clone, Copy, Debug)]
struct PluginFile {
    folder: &'static str,
    name: &'static str,
    text: &'static str,
}

const PACKAGE: &str = "longhorn_mlflow";
const DIST_INFO: &str = concat!("longhorn_mlflow-", env!("CARGO_PKG_VERSION"), ".dist-info");

/// In the order in which they are placed: MLflow finds the plugin by the last, and by then the rest is there. Without a RECORD no
/// installer takes the plugin for its own, and without that and a top_level.txt no model's requirements name it; without METADATA
/// pip, without WHEEL uv would call it broken.
const FILES: [PluginFile; 5] = [
    PluginFile { folder: PACKAGE, name: "__init__.py", text: include_str!("plugin/longhorn_mlflow/__init__.py") },
    PluginFile { folder: PACKAGE, name: "_socket.py", text: include_str!("plugin/longhorn_mlflow/_socket.py") },
    PluginFile { folder: DIST_INFO, name: "WHEEL", text: include_str!("plugin/longhorn_mlflow.dist-info/WHEEL") },
    PluginFile { folder: DIST_INFO, name: "METADATA", text: include_str!("plugin/longhorn_mlflow.dist-info/METADATA") },
    PluginFile {
        folder: DIST_INFO,
        name: "entry_points.txt",
        text: include_str!("plugin/longhorn_mlflow.dist-info/entry_points.txt"),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::paths;

    #[test]
    fn the_plugin_names_its_version_and_the_places_where_the_keeper_publishes_and_listens() {
        let text = |name: &str| FILES.iter().find(|file| file.name == name).map(|file| file.text).unwrap();
        assert_eq!(
            text("METADATA"),
            format!("Metadata-Version: 2.1\nName: longhorn-mlflow\nVersion: {}\n", env!("CARGO_PKG_VERSION"))
        );
        assert!(text("__init__.py").contains(&format!("\nTOKEN = \"{}\"\n", paths::CONTEXT_JWT)));
        assert!(text("__init__.py").contains(&format!("\nSOCKET = \"{}\"\n", paths::SOCKET_REGISTRY)));
        assert!(text("_socket.py").contains(&format!("\nHOST = \"{}\"\n", paths::HOST_REGISTRY)));
    }
}
