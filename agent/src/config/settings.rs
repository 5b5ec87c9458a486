//! `longhorn.toml`: one per workspace; its digest is pinned by the init script.

use std::path::PathBuf;
use std::time::Duration;

use crate::context::AuthorityPublicKey;
use crate::identity::client_assertion::AssertionRule;
use crate::identity::cloud_token::CloudToken;
use crate::identity::ids::{LocalName, RegistryOrigin, WorkspaceHost};
use crate::identity::node_trust::Cloud;

/// The settings as parsed. Nothing that decides trust has a default.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `[workspace]`.
    pub workspace: Workspace,
    /// `[policy]`.
    pub policy: PolicyPin,
    /// `[authority]`: who vouches for the node key.
    pub authority: Authority,
    /// `[[oidc]]`: where the tokens come from, by the local name of their issuer in the policy.
    pub tokens: Vec<TokenSource>,
    /// `[[saml]]`: where the assertions come from, by the local name of their provider in the policy.
    pub assertions: Vec<AssertionSource>,
    /// `[node-document]`: the cloud's metadata service, where it is asked.
    pub node_document: Option<NodeDocumentSettings>,
    /// `[registry]`: the MLflow that jobs reach through the gateway; absent: there is no gateway.
    pub registry: Option<RegistrySettings>,
    /// `[record]`.
    pub record: RecordSettings,
    /// `[node]`: comfort.
    pub node: NodeSettings,
    /// `[mlflow]`: comfort.
    pub mlflow: MlflowSettings,
    /// SHA-256 (hex) over the file's bytes.
    pub digest: String,
}

/// `[workspace]`.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// `host`.
    pub host: WorkspaceHost,
    /// `auth`.
    pub auth: WorkspaceAuth,
    /// `membership`.
    pub membership: MembershipRule,
    /// `ca-file`: PEM roots to trust for the workspace and the issuers instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// How the agent authenticates to the workspace.
#[derive(Clone, Debug)]
pub enum WorkspaceAuth {
    /// OAuth machine to machine: `{ kind = "m2m", client-id, secret = { kind = "file", path } }`.
    MachineToMachine {
        /// The service principal's application id.
        client_id: String,
        /// Where the client secret lies.
        secret: SecretSource,
    },
    /// A token that was handed in: `{ kind = "token", secret = { kind = "file", path } }`.
    Token {
        /// Where it lies.
        secret: SecretSource,
    },
    /// Another issuer's token, exchanged for one of the workspace's: `{ kind = "token-exchange", client-id, subject-token = {
    /// kind = "file", path } }`, or a cloud's kind.
    TokenExchange {
        /// The service principal whose federation policy it is; without one the account's policy decides.
        client_id: Option<String>,
        /// Where the subject token comes from.
        subject: SubjectFrom,
    },
}

/// `subject-token`.
#[derive(Clone, Debug)]
pub enum SubjectFrom {
    /// `{ kind = "file", path }`.
    File(SecretSource),
    /// `{ kind = "azure-imds", … }`, `"gcp-metadata"`, `"aws-web-identity"`.
    Cloud(CloudToken),
}

impl WorkspaceAuth {
    /// Where what the agent proves itself with lies; a cloud's token lies nowhere.
    pub fn source(&self) -> Option<&SecretSource> {
        match self {
            Self::MachineToMachine { secret, .. }
            | Self::Token { secret }
            | Self::TokenExchange { subject: SubjectFrom::File(secret), .. } => Some(secret),
            Self::TokenExchange { subject: SubjectFrom::Cloud(_), .. } => None,
        }
    }
}

impl Settings {
    /// What the agent gets with a cloud's token, by its place in this file.
    pub fn by_cloud_token(&self) -> Vec<String> {
        let workspace = match &self.workspace.auth {
            WorkspaceAuth::TokenExchange { subject: SubjectFrom::Cloud(token), .. } => {
                Some(format!("workspace.auth ({})", token.word()))
            }
            WorkspaceAuth::TokenExchange { .. } | WorkspaceAuth::MachineToMachine { .. } | WorkspaceAuth::Token { .. } => None,
        };
        let proofs = self.tokens.iter().filter_map(|source| match &source.token {
            TokenFrom::Cloud(token) => Some(format!("[[oidc]] {} ({})", source.name, token.word())),
            TokenFrom::File(_) | TokenFrom::Client { .. } => None,
        });
        workspace.into_iter().chain(proofs).collect()
    }
}

/// Where a secret lies. Never in the settings themselves.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// A file that only root can read.
    File(PathBuf),
}

/// Whether clusters/get must already list this node when `init` runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MembershipRule {
    /// It must.
    AtInit,
    /// It may follow within the provisional lease.
    WithinLease,
}

/// `[policy]`.
#[derive(Clone, Debug)]
pub struct PolicyPin {
    /// `file`; the signature lies beside it with `.sig` appended.
    pub file: PathBuf,
    /// `signer`: the Ed25519 public key, `ed25519:` and base64.
    pub signer: [u8; 32],
    /// `min-serial`.
    pub min_serial: u64,
}

/// `[authority]`.
#[derive(Clone, Debug)]
pub enum Authority {
    /// The node key is published write-once by the agent's own principal: `{ kind = "published", directory }`.
    Published {
        /// A directory in a volume (`/Volumes/…`, through the Files API) or on a mounted file system.
        directory: PathBuf,
    },
    /// An HTTP issuer certifies the node key against the machine's evidence: `{ kind = "issuer", url, keys }`.
    Issuer {
        /// Where it is, and its name.
        url: String,
        /// `keys`: those of which one must have signed; absent where `keys-through-tls = true`: those that it publishes.
        keys: Option<Vec<AuthorityPublicKey>>,
    },
    /// The authority's key reaches `init` as a secret: laboratory and demo only.
    Key {
        /// Where the authority's signing key lies.
        secret: SecretSource,
        /// `accept-on-cluster = true`: the settings accept it in so many words although DB_CLUSTER_ID is set.
        accept_on_cluster: bool,
    },
}

/// `[[oidc]]`.
#[derive(Clone, Debug)]
pub struct TokenSource {
    /// The issuer's local name in the policy's `[[trust.oidc]]`.
    pub name: LocalName,
    /// Where the token comes from.
    pub token: TokenFrom,
    /// `graph`: the agent as a client of Microsoft Graph, for groups that did not fit into a token.
    pub graph: Option<ClientSettings>,
}

/// `[[oidc]] token`.
#[derive(Clone, Debug)]
pub enum TokenFrom {
    /// `{ kind = "file", path }`.
    File(SecretSource),
    /// The agent is a client of the issuer's, and the token proves the agent: `{ kind = "client-credentials", client-id, secret =
    /// { kind = "file", path } or private-key-jwt = { … }, scope, resource }`.
    Client {
        /// The registration.
        client: ClientSettings,
        /// `scope`: what is asked for.
        scope: Option<String>,
        /// `resource`: for whom (RFC 8707).
        resource: Option<String>,
    },
    /// A cloud's: `{ kind = "azure-imds", … }`, `"gcp-metadata"`, `"aws-web-identity"`.
    Cloud(CloudToken),
}

/// The agent's registration with an issuer.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// `client-id`.
    pub id: String,
    /// `secret` or `private-key-jwt`.
    pub proof: ProofFrom,
}

/// What the agent proves itself with as a client.
#[derive(Clone, Debug)]
pub enum ProofFrom {
    /// `secret = { kind = "file", path }`.
    Secret(SecretSource),
    /// `private-key-jwt = { key = { kind = "file", path }, algorithm, kid or x5t-s256, audience }`.
    PrivateKey {
        /// Where the key lies: PEM, PKCS #8.
        key: SecretSource,
        /// How it signs.
        rule: AssertionRule,
    },
}

impl ProofFrom {
    /// Where it lies.
    pub fn source(&self) -> &SecretSource {
        match self {
            Self::Secret(source) | Self::PrivateKey { key: source, .. } => source,
        }
    }
}

impl TokenFrom {
    /// Where what the agent keeps to itself lies: the token, or the client's secret or key. A cloud's token lies nowhere.
    pub fn source(&self) -> Option<&SecretSource> {
        match self {
            Self::File(source) => Some(source),
            Self::Client { client, .. } => Some(client.proof.source()),
            Self::Cloud(_) => None,
        }
    }
}

/// `[[saml]]`.
#[derive(Clone, Debug)]
pub struct AssertionSource {
    /// The provider's local name in the policy's `[[trust.saml]]`.
    pub name: LocalName,
    /// Where the assertion lies.
    pub assertion: SecretSource,
}

/// `[node-document]`.
#[derive(Clone, Copy, Debug)]
pub struct NodeDocumentSettings {
    /// `kind`: which cloud's metadata service is asked.
    pub cloud: Cloud,
    /// `timeout`: for one try (default 1 s).
    pub timeout: Duration,
}

/// `[registry]`.
#[derive(Clone, Debug)]
pub struct RegistrySettings {
    /// `origin`: where it is; the workspace's `host`, where the gateway logs in there.
    pub origin: RegistryOrigin,
    /// `port`: of loopback, where jobs find the gateway.
    pub port: u16,
    /// `auth`: what the gateway shows it, and no job ever holds.
    pub auth: RegistryAuth,
}

/// How the gateway authenticates to the registry.
#[derive(Clone, Debug)]
pub enum RegistryAuth {
    /// `{ kind = "none" }`: a registry that asks nobody.
    None,
    /// `{ kind = "bearer", secret = { kind = "file", path } }`.
    Bearer(SecretSource),
    /// `{ kind = "basic", user, secret = { kind = "file", path } }`.
    Basic {
        /// The user's name.
        user: String,
        /// Where the password lies.
        secret: SecretSource,
    },
    /// `{ kind = "workspace" }`: the registry is the workspace's own, and the gateway logs in there as the agent does.
    Workspace,
}

impl RegistryAuth {
    /// Where its secret lies.
    pub fn source(&self) -> Option<&SecretSource> {
        match self {
            Self::None | Self::Workspace => None,
            Self::Bearer(secret) | Self::Basic { secret, .. } => Some(secret),
        }
    }
}

/// `[record]`.
#[derive(Clone, Debug)]
pub struct RecordSettings {
    /// `journal`: whether records are mirrored to journald where one is there.
    pub journal: bool,
    /// `pseudonym-key`: where the key of the pseudonyms lies; absent: random per boot.
    pub pseudonym_key: Option<SecretSource>,
}

/// `[node]`: comfort, with defaults.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// `deadline`: for all of `init` (default 60 s).
    pub deadline: Duration,
    /// `sidecar-uid` and gid (default 64222; the gid grants nothing).
    pub sidecar_uid: u32,
    /// `spark-conf`: directory that the Spark conf drop-in is written to, where it exists.
    pub spark_conf: Option<PathBuf>,
}

/// `[mlflow]`: comfort, with defaults.
#[derive(Clone, Debug)]
pub struct MlflowSettings {
    /// `plugin`: whether covered Pythons get it (default true).
    pub plugin: bool,
    /// `environments`: directories of Python environments that get it as well, where the policy covers their interpreter.
    pub environments: Vec<PathBuf>,
}
