//! Text to [`Settings`].

use std::path::PathBuf;
use std::time::Duration;

use super::defaults::{
    DEADLINE, DEADLINE_MOST, JOURNAL, METADATA_TIMEOUT, METADATA_TIMEOUT_MOST, MLFLOW_ENVIRONMENTS, MLFLOW_PLUGIN, SIDECAR_UID,
};
use super::problem::Problems;
use super::public_key::public_key;
use super::read_client::token_source;
use super::read_cloud_token::{KINDS, Use, cloud_token};
use super::read_registry::registry;
use super::reader::{At, Reader, Section};
use super::settings::{
    AssertionSource, Authority, MembershipRule, MlflowSettings, NodeDocumentSettings, NodeSettings, PolicyPin, RecordSettings,
    SecretSource, Settings, SubjectFrom, TokenSource, Workspace, WorkspaceAuth,
};
use crate::context::AuthorityPublicKey;
use crate::host::digest::sha256_hex;
use crate::identity::ids::LocalName;
use crate::identity::node_trust::Cloud;

/// Reads settings.
///
/// # Errors
/// Every problem, when there is one that stops them from being used.
pub fn read_settings(file: &str, text: &str) -> Result<Settings, Problems> {
    let reader = Reader::new(file, text);
    let table = reader.parse(text);
    let settings = table.as_ref().and_then(|table| root(reader.section(table), text));
    let problems = reader.finish();
    match settings {
        Some(settings) if !problems.any_error() => Ok(settings),
        Some(_) | None => Err(problems),
    }
}

fn root(root: Section<'_>, text: &str) -> Option<Settings> {
    let workspace = root.need_table("workspace").and_then(workspace);
    let policy = root.need_table("policy").and_then(policy);
    let authority = root.need_table("authority").and_then(authority);
    let tokens = named(root.tables("oidc"), "token", "one token for each issuer", token_source);
    let assertions = named(root.tables("saml"), "assertion", "one assertion for each provider", |section| {
        section.need_table("assertion").and_then(secret)
    });
    let node_document = root.table("node-document").map(node_document);
    let host = workspace.as_ref().map(|workspace| &workspace.host);
    let registry = root.table("registry").map(|section| registry(section, host));
    let record = root.table("record").map_or(Some(RecordSettings { journal: JOURNAL, pseudonym_key: None }), record);
    let node =
        root.table("node").map_or(Some(NodeSettings { deadline: DEADLINE, sidecar_uid: SIDECAR_UID, spark_conf: None }), node);
    let mlflow = root.table("mlflow").map_or_else(|| Some(no_mlflow()), mlflow);
    root.finish();
    Some(Settings {
        workspace: workspace?,
        policy: policy?,
        authority: authority?,
        tokens: tokens?.into_iter().map(|(name, (token, graph))| TokenSource { name, token, graph }).collect(),
        assertions: assertions?.into_iter().map(|(name, assertion)| AssertionSource { name, assertion }).collect(),
        node_document: match node_document {
            None => None,
            Some(found) => Some(found?),
        },
        registry: match registry {
            None => None,
            Some(found) => Some(found?),
        },
        record: record?,
        node: node?,
        mlflow: mlflow?,
        digest: sha256_hex(text.as_bytes()),
    })
}

fn workspace(section: Section<'_>) -> Option<Workspace> {
    let host = section.need_parsed("host");
    let auth = section.need_table("auth").and_then(auth);
    let rules = [("at-init", MembershipRule::AtInit), ("within-lease", MembershipRule::WithinLease)];
    let membership = section.need_word("membership", &rules);
    let ca_file = section.text("ca-file").and_then(|text| absolute(&section, &text));
    section.finish();
    Some(Workspace { host: host?.value, auth: auth?, membership: membership?.value, ca_file })
}

fn auth(section: Section<'_>) -> Option<WorkspaceAuth> {
    #[derive(Clone, Copy)]
    enum Kind {
        MachineToMachine,
        Token,
        TokenExchange,
    }
    let words = [("m2m", Kind::MachineToMachine), ("token", Kind::Token), ("token-exchange", Kind::TokenExchange)];
    let kind = section.need_word("kind", &words)?;
    let found = match kind.value {
        Kind::MachineToMachine => {
            let client_id = section.need_text("client-id");
            let secret = section.need_table("secret").and_then(secret);
            Some(WorkspaceAuth::MachineToMachine { client_id: client_id?.value, secret: secret? })
        }
        Kind::Token => section.need_table("secret").and_then(secret).map(|secret| WorkspaceAuth::Token { secret }),
        Kind::TokenExchange => {
            let client_id = section.text("client-id").map(|text| text.value);
            let subject = section.need_table("subject-token").and_then(subject_token);
            subject.map(|subject| WorkspaceAuth::TokenExchange { client_id, subject })
        }
    };
    section.finish();
    found
}

/// A token about the agent that is exchanged.
fn subject_token(section: Section<'_>) -> Option<SubjectFrom> {
    let [azure, gcp, aws] = KINDS.map(|(word, cloud)| (word, Some(cloud)));
    let kind = section.need_word("kind", &[("file", None), azure, gcp, aws])?;
    let Some(cloud) = kind.value else { return secret(section).map(SubjectFrom::File) };
    let found = cloud_token(&section, cloud, Use::Exchange).map(SubjectFrom::Cloud);
    section.finish();
    found
}

/// Where a secret lies. What stands here instead of a path may be the secret itself and is never shown.
pub(super) fn secret(section: Section<'_>) -> Option<SecretSource> {
    section.need_word("kind", &[("file", ())])?;
    let path = section.need_text("path");
    let found = path.and_then(|path| absolute(&section, &path)).map(SecretSource::File);
    section.finish();
    found
}

pub(super) fn absolute(section: &Section<'_>, path: &At<String>) -> Option<PathBuf> {
    let found = PathBuf::from(&path.value);
    if found.is_absolute() && !path.value.contains('\0') {
        return Some(found);
    }
    section.reader().hide(&path.span);
    section.reader().error(path.span.clone(), "the path must be absolute", "");
    None
}

pub(super) fn policy(section: Section<'_>) -> Option<PolicyPin> {
    let file = section.need_text("file").filter(|file| {
        let named = !file.value.is_empty() && !file.value.contains('\0');
        if !named {
            section.reader().error(file.span.clone(), "`file` names no file", "");
        }
        named
    });
    let signer = section.need_text("signer").and_then(|text| public_key(&section, "signer", text));
    let min_serial = section.need_number("min-serial");
    section.finish();
    Some(PolicyPin { file: PathBuf::from(file?.value), signer: signer?, min_serial: min_serial?.value })
}

fn authority(section: Section<'_>) -> Option<Authority> {
    #[derive(Clone, Copy)]
    enum Kind {
        Published,
        Issuer,
        Key,
    }
    let words = [("published", Kind::Published), ("issuer", Kind::Issuer), ("key", Kind::Key)];
    let kind = section.need_word("kind", &words)?;
    let found = match kind.value {
        Kind::Published => {
            let directory = section.need_text("directory");
            directory.and_then(|path| absolute(&section, &path)).map(|directory| Authority::Published { directory })
        }
        Kind::Issuer => issuer(&section),
        Kind::Key => {
            let secret = section.need_table("secret").and_then(secret);
            let accept_on_cluster = section.boolean("accept-on-cluster").unwrap_or(false);
            secret.map(|secret| Authority::Key { secret, accept_on_cluster })
        }
    };
    section.finish();
    found
}

/// Which keys count is said one way or the other: pinned, or as the issuer publishes them through TLS.
fn issuer(section: &Section<'_>) -> Option<Authority> {
    let url = section.need_text("url").and_then(|url| issuer_url(section, &url, "url"));
    let through_tls = section.boolean("keys-through-tls").unwrap_or(false);
    let pinned = section.place("keys");
    if through_tls && let Some(span) = pinned {
        let _ = section.texts("keys");
        section.reader().error(span, "`keys` and `keys-through-tls` contradict each other", "leave one of them out");
        return None;
    }
    if through_tls {
        return url.map(|url| Authority::Issuer { url, keys: None });
    }
    let keys: Vec<Option<AuthorityPublicKey>> = section
        .need_texts("keys")
        .iter()
        .map(|text| {
            let key = AuthorityPublicKey::parse(&text.value).ok();
            if key.is_none() {
                // It may be the private half, pasted into the wrong place.
                section.reader().hide(&text.span);
                let message = "each of `keys` must be `ed25519:` and the base64 of a public key";
                section.reader().error(text.span.clone(), message, "`longhorn issue --check` prints them");
            }
            key
        })
        .collect();
    let keys: Option<Vec<AuthorityPublicKey>> = keys.into_iter().collect();
    Some(Authority::Issuer { url: url?, keys: Some(keys?) })
}

/// An address to which a path is added: TLS, or loopback.
pub(super) fn issuer_url(section: &Section<'_>, url: &At<String>, key: &str) -> Option<String> {
    let text = &url.value;
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(['?', '#', '"', '\\']);
    let bare = text.splitn(3, '/').nth(2).is_some_and(|rest| !rest.contains('/'));
    if plain && bare && text.len() <= 256 && crate::host::http::secure(text) {
        return Some(text.clone());
    }
    let message = format!("`{key}` must be https:// with a host and perhaps a port, and nothing behind");
    section.reader().error(url.span.clone(), message, "http is for 127.0.0.1 and localhost alone");
    None
}

/// What is got for each issuer or provider, by its local name in the policy.
fn named<T>(
    sections: Vec<Section<'_>>,
    what: &'static str,
    hint: &str,
    read: impl Fn(&Section<'_>) -> Option<T>,
) -> Option<Vec<(LocalName, T)>> {
    let mut found: Vec<Option<(LocalName, T)>> = Vec::new();
    for section in sections {
        let name = section.need_parsed::<LocalName>("name");
        if let Some(name) = &name
            && found.iter().flatten().any(|(other, _)| *other == name.value)
        {
            section.reader().error(name.span.clone(), format!("`{}` has its {what} already", name.value), hint);
        }
        let source = read(&section);
        section.finish();
        found.push(name.zip(source).map(|(name, source)| (name.value, source)));
    }
    found.into_iter().collect()
}

fn node_document(section: Section<'_>) -> Option<NodeDocumentSettings> {
    let kind = section.need_word("kind", &Cloud::WORDS);
    let timeout = section.duration("timeout").map_or(METADATA_TIMEOUT, |At { value, span }| {
        if value < Duration::from_millis(100) || value > METADATA_TIMEOUT_MOST {
            let message = format!("`timeout` must be from 100ms to {}s", METADATA_TIMEOUT_MOST.as_secs());
            section.reader().error(span, message, "the service is on this machine's own link; it is asked up to three times");
        }
        value
    });
    section.finish();
    Some(NodeDocumentSettings { cloud: kind?.value, timeout })
}

fn record(section: Section<'_>) -> Option<RecordSettings> {
    let journal = section.boolean("journal").unwrap_or(JOURNAL);
    let pseudonym_key = section.table("pseudonym-key").map(secret);
    section.finish();
    Some(RecordSettings {
        journal,
        pseudonym_key: match pseudonym_key {
            None => None,
            Some(found) => Some(found?),
        },
    })
}

fn node(section: Section<'_>) -> Option<NodeSettings> {
    let deadline = section.duration("deadline").map_or(DEADLINE, |At { value, span }| {
        if value < Duration::from_secs(1) || value > DEADLINE_MOST {
            let message = format!("`deadline` must be from 1s to {}s", DEADLINE_MOST.as_secs());
            section.reader().error(span, message, "a cluster that hangs tells nobody why");
        }
        value
    });
    let sidecar_uid = section.number("sidecar-uid").map_or(Some(SIDECAR_UID), |At { value, span }| {
        // 4294967295 means 'no change' to setuid(2), 65534 is everybody's nobody.
        let own = u32::try_from(value).ok().filter(|uid| (1000..u32::MAX - 1).contains(uid) && *uid != 65_534);
        if own.is_none() {
            section.reader().error(
                span,
                "`sidecar-uid` must be an id of its own, from 1000",
                "one that nothing else on the node uses",
            );
        }
        own
    });
    let spark_conf = section.text("spark-conf").map(|text| absolute(&section, &text));
    section.finish();
    let spark_conf = match spark_conf {
        None => None,
        Some(directory) => Some(directory?),
    };
    Some(NodeSettings { deadline, sidecar_uid: sidecar_uid?, spark_conf })
}

fn no_mlflow() -> MlflowSettings {
    MlflowSettings { plugin: MLFLOW_PLUGIN, environments: MLFLOW_ENVIRONMENTS.iter().map(PathBuf::from).collect() }
}

fn mlflow(section: Section<'_>) -> Option<MlflowSettings> {
    let silent = no_mlflow();
    let plugin = section.boolean("plugin").unwrap_or(silent.plugin);
    let named = section.place("environments").is_some();
    let environments: Option<Vec<PathBuf>> = section.texts("environments").iter().map(|text| absolute(&section, text)).collect();
    section.finish();
    let environments = environments?;
    Some(MlflowSettings { plugin, environments: if named { environments } else { silent.environments } })
}
