//! Where things lie on a node (design 3). Every path that Longhorn owns, once.

/// The one binary: agent, launcher, auditor's tool.
pub const BINARY: &str = "/opt/longhorn/bin/longhorn";
/// Settings and policy as verified (root, 0644).
pub const ETC: &str = "/etc/longhorn";
/// The settings as verified.
pub const SETTINGS: &str = "/etc/longhorn/longhorn.toml";
/// The policy as verified; its signature lies beside it with `.sig` appended.
pub const POLICY: &str = "/etc/longhorn/policy.toml";
/// SHA-256 (hex) of the binary, as `init` placed it.
pub const BINARY_DIGEST: &str = "/etc/longhorn/longhorn.sha256";
/// Everything that lives as long as the boot.
pub const RUN: &str = "/run/longhorn";
/// The sealed lock (root, 0444): flat, immutable, written once by `init`.
pub const LOCK: &str = "/run/longhorn/lock";
/// The lease (root, 0444): 64 bytes, renewed by the keeper.
pub const LEASE: &str = "/run/longhorn/lease";
/// The verified context for programs (0444).
pub const CONTEXT_JSON: &str = "/run/longhorn/context.json";
/// The verified context, signed (0444).
pub const CONTEXT_JWT: &str = "/run/longhorn/context.jwt";
/// Sockets, in a directory of their own.
pub const SOCKETS: &str = "/run/longhorn/sock";
/// The sidecar's HTTP socket (stream).
pub const SOCKET_API: &str = "/run/longhorn/sock/api";
/// Where the gateway listens besides its port (stream).
pub const SOCKET_REGISTRY: &str = "/run/longhorn/sock/mlflow";
/// Who that socket is, where a client has to name a host: a name that no resolver answers for (RFC 6761 §6.4).
pub const HOST_REGISTRY: &str = "longhorn.invalid";
/// Where launchers report (datagram).
pub const SOCKET_LAUNCH: &str = "/run/longhorn/sock/launch";
/// The directory of the pins; a private mount, because pinning a mount namespace demands one.
pub const NAMESPACES: &str = "/run/longhorn/ns";
/// The mount and IPC namespaces that `init` built once and pinned.
pub const NAMESPACE_MOUNT: &str = "/run/longhorn/ns/mnt";
/// See [`NAMESPACE_MOUNT`].
pub const NAMESPACE_IPC: &str = "/run/longhorn/ns/ipc";
/// Pairs of canary files, one pair per profile.
pub const CANARIES: &str = "/var/lib/longhorn/canary";
/// Bind mounts through which the launcher reaches covered files.
pub const REAL: &str = "/var/lib/longhorn/real";
/// Copies of the launcher, one per covered program.
pub const LAUNCHERS: &str = "/opt/longhorn/cover";
/// The journal of covers: each line is written before the change it names.
pub const COVERS: &str = "/var/lib/longhorn/covers";
/// The journal of MLflow's plugin: what was placed where.
pub const PLUGIN: &str = "/var/lib/longhorn/plugin";
/// Locked by the keeper for as long as it lives; holds its process id.
pub const KEEPER: &str = "/run/longhorn/keeper";
/// Record segments: `<log id>/seg-<first seq>.jsonl` (0700, the sidecar's).
pub const LOG: &str = "/var/lib/longhorn/log";
