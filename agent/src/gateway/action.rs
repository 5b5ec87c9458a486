//! What a request asks for, in the words of the endpoint table.

/// The class of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Tells what the server is, and nothing of anybody's: for every locked process.
    Open,
    /// Whoever has this permission, by its word in the policy.
    Needs(&'static str),
    /// Nobody through the gateway: administration of the server, raw forwarders, what runs programs there.
    Never(&'static str),
}

/// The class that is open.
const OPEN: &str = "server.info";
/// The classes that no policy can give.
pub const NEVER: &[&str] =
    &["deny", "graphql", "admin.identity", "admin.webhook", "admin.workspace", "cloud.credentials", "llm.admin", "server.admin"];

impl Action {
    /// By its word in the table.
    pub fn of(word: &'static str) -> Self {
        if word == OPEN {
            Self::Open
        } else if NEVER.contains(&word) {
            Self::Never(word)
        } else {
            Self::Needs(word)
        }
    }

    /// The word in the table, in policies and in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => OPEN,
            Self::Needs(word) | Self::Never(word) => word,
        }
    }
}
