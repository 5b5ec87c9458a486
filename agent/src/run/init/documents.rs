//! The bundle's documents: settings, policy and signature, verified before anything on the node is touched.

use std::io;

use crate::cli::args::InitArgs;
use crate::config::document::{as_text, read_bytes};
use crate::config::settings::{Authority, Settings};
use crate::config::{bind, env_names, read_settings, signature};
use crate::decision::policy::Policy;
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::paths;
use crate::screen::Screen;

/// Documents as read and verified.
pub(super) struct Verified {
    pub(super) settings: Settings,
    pub(super) policy: Policy,
    pub(super) files: Vec<(String, Vec<u8>)>,
}

/// Reads and verifies them.
pub(super) fn verify(args: &InitArgs, clock: &dyn Clock, talk: &mut dyn io::Write) -> Result<Verified, Screen> {
    let path = &args.settings;
    let bytes = read_bytes(path)?;
    let settings = read_settings(&path.display().to_string(), as_text(path, &bytes)?).map_err(|problems| {
        // Talk: nobody listening is no reason to go on.
        let _ = write!(talk, "{problems}");
        problems.screen("settings-problems", "the settings have problems")
    })?;
    if let Authority::Key { accept_on_cluster: false, .. } = settings.authority
        && std::env::var_os(env_names::CLUSTER_ID).is_some()
    {
        return Err(Screen::refused(
            "authority-key-on-cluster",
            Exit::Config,
            "an authority key on a cluster is for laboratories",
        )
        .fact("expected", "authority.kind = \"published\"")
        .fact("presented", "authority.kind = \"key\"")
        .hint("whoever may attach to the cluster may read that key; `accept-on-cluster = true` accepts it in so many words"));
    }
    let policy_path = if settings.policy.file.is_absolute() {
        settings.policy.file.clone()
    } else {
        path.with_file_name(&settings.policy.file)
    };
    let policy_bytes = read_bytes(&policy_path)?;
    let signature_bytes = read_bytes(&signature::beside(&policy_path))?;
    let policy =
        signature::verify(&policy_path, &policy_bytes, &signature_bytes, &settings.policy, &settings.workspace.host, clock.now())
            .map_err(|refusal| refusal.screen())?;
    bind(&settings, &policy).map_err(|refusal| refusal.screen())?;
    let files = vec![
        (paths::SETTINGS.to_owned(), bytes),
        (paths::POLICY.to_owned(), policy_bytes),
        (format!("{}.sig", paths::POLICY), signature_bytes),
    ];
    Ok(Verified { settings, policy, files })
}
