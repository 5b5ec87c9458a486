//! Names and numbers of the platform, each parsed in one place: bounded length, exact alphabet.

use std::fmt;

/// Why a text is not an identifier of a kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind}: {rule}")]
pub struct IdError {
    /// Which kind of identifier was expected.
    pub kind: &'static str,
    /// The grammar that the text breaks.
    pub rule: &'static str,
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $accept:expr) => {
        $(#[$doc])*
        #[doc = concat!("\n\nGrammar: ", $rule, ".")]
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text, as it was accepted.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdError;

            fn try_from(text: &str) -> Result<Self, IdError> {
                let accept: fn(&str) -> bool = $accept;
                if accept(text) { Ok(Self(text.to_owned())) } else { Err(IdError { kind: $kind, rule: $rule }) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{}({:?})", stringify!($name), self.0)
            }
        }
    };
}

fn all(text: &str, least: usize, most: usize, byte: impl Fn(u8) -> bool) -> bool {
    (least..=most).contains(&text.len()) && text.bytes().all(byte)
}

fn decimal(text: &str) -> bool {
    all(text, 1, 19, |byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'))
}

/// `scheme://host[:port]`, lower case, nothing behind it.
fn origin(text: &str) -> bool {
    let (loopback_only, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (false, rest),
        (None, Some(rest)) => (true, rest),
        (None, None) => return false,
    };
    let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    let host_fits = all(host, 1, 253, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.')
        && host
            .split('.')
            .all(|label| !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-'));
    let port_fits = port.is_none_or(|port| decimal(port) && port.parse::<u16>().is_ok_and(|port| port > 0));
    host_fits && port_fits && (!loopback_only || host == "127.0.0.1" || host == "localhost")
}

identifier!(
    /// The origin of an MLflow server, or of a workspace as one.
    RegistryOrigin, "registry's origin",
    "https:// and a lower-case DNS name with an optional port, at most 253 bytes, nothing behind it (http:// only for loopback)",
    origin
);
identifier!(
    /// The origin of a Databricks workspace.
    WorkspaceHost, "workspace host",
    "https:// and a lower-case DNS name with an optional port, at most 253 bytes, nothing behind it (http:// only for loopback)",
    origin
);
identifier!(
    /// A cluster, e.g. `1001-234039-abcde739`.
    ClusterId, "cluster id", "1 to 64 of a-z, 0-9 and -",
    |text| all(text, 1, 64, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
);
identifier!(
    /// A job.
    JobId, "job id", "1 to 19 decimal digits without leading zeros", decimal
);
identifier!(
    /// One run of a job.
    RunId, "run id", "1 to 19 decimal digits without leading zeros", decimal
);
identifier!(
    /// A compute policy of the workspace.
    ComputePolicyId, "compute policy id", "1 to 64 of A-Z, a-z, 0-9, - and _",
    |text| all(text, 1, 64, |byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
);
identifier!(
    /// An address of a node as the cluster knows it (`DB_CONTAINER_IP`, `private_ip`).
    NodeAddress, "node address", "an IPv4 or IPv6 address in its canonical text",
    |text| text.parse::<std::net::IpAddr>().is_ok_and(|parsed| parsed.to_string() == text)
);
identifier!(
    /// A token issuer, compared byte for byte (RFC 8414 §3.3).
    Issuer, "token issuer", "an https:// URL of at most 512 printable ASCII bytes without user information, query and fragment (http:// only for loopback)",
    |text| all(text, 9, 512, |byte| (0x21..0x7f).contains(&byte) && byte != b'?' && byte != b'#' && byte != b'"' && byte != b'\\')
        && crate::host::http::secure(text)
);
identifier!(
    /// A SAML provider, compared byte for byte (SAML 2.0 core §8.3.6).
    EntityId, "SAML entity id", "1 to 1024 printable ASCII bytes without blanks, quotes and backslashes",
    |text| all(text, 1, 1024, |byte| (0x21..0x7f).contains(&byte) && byte != b'"' && byte != b'\\')
);
identifier!(
    /// A tenant, user, application or group of Microsoft Entra ID. It becomes part of a path.
    DirectoryId, "directory id", "a GUID in lower case: 8, 4, 4, 4 and 12 of 0-9 and a-f with - between them",
    |text| all(text, 36, 36, |byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte) || byte == b'-')
        && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
);
identifier!(
    /// Where Microsoft Graph is.
    GraphOrigin, "origin of Microsoft Graph",
    "https:// and a lower-case DNS name with an optional port, at most 253 bytes, nothing behind it (http:// only for loopback)",
    origin
);
identifier!(
    /// An audience.
    Audience, "token audience", "1 to 512 printable ASCII bytes",
    |text| all(text, 1, 512, |byte| (0x21..0x7f).contains(&byte))
);
identifier!(
    /// A principal as its provider names it: a user name, an application id, a subject.
    PrincipalName, "principal name", "1 to 256 bytes without control characters",
    |text| (1..=256).contains(&text.len()) && !text.chars().any(char::is_control)
);
identifier!(
    /// The name that a policy gives a thing of its own: a role, a scope, an environment, an issuer.
    LocalName, "name", "1 to 64 of a-z, 0-9 and -, beginning with a letter",
    |text| all(text, 1, 64, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && text.as_bytes()[0].is_ascii_lowercase()
);
identifier!(
    /// A group with the provider that vouches for it: `okta:ml-engineers`, `databricks:ml-eng`.
    GroupName, "group", "a provider's name, a colon, and 1 to 256 bytes without control characters",
    |text| text.split_once(':').is_some_and(|(provider, group)| {
        LocalName::try_from(provider).is_ok() && (1..=256).contains(&group.len()) && !group.chars().any(char::is_control)
    })
);
identifier!(
    /// A label of data, e.g. `pii`.
    Label, "label", "1 to 64 of a-z, 0-9, - and _, beginning with a letter",
    |text| all(text, 1, 64, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_')
        && text.as_bytes()[0].is_ascii_lowercase()
);
identifier!(
    /// A table or a registered model of Unity Catalog by its whole name. It becomes part of a path.
    ObjectName, "name in Unity Catalog",
    "catalog, schema and name with a dot between them, each 1 to 255 bytes without dots, slashes, blanks and control characters",
    |text| text.split('.').count() == 3 && text.split('.').all(|part| {
        (1..=255).contains(&part.len()) && !part.chars().any(|letter| letter == '/' || letter.is_whitespace() || letter.is_control())
    })
);
identifier!(
    /// How keys of governed tags begin that say a label.
    TagPrefix, "beginning of a tag's key", "longhorn_, or that and more of A-Z, a-z, 0-9 and _ with _ at the end, up to 64",
    // Tags that begin so no job sets or takes away through the gateway.
    |text| {
        all(text, 1, 64, |byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && text.starts_with("longhorn_")
            && text.ends_with('_')
    }
);
identifier!(
    /// A SQL warehouse of the workspace.
    WarehouseId, "SQL warehouse id", "1 to 64 of 0-9 and a-f",
    |text| all(text, 1, 64, |byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
);
identifier!(
    /// The name of an environment variable.
    EnvName, "variable name", "1 to 256 of A-Z, a-z, 0-9 and _, not beginning with a digit (POSIX XBD 8.1)",
    |text| all(text, 1, 256, |byte| byte.is_ascii_alphanumeric() || byte == b'_') && !text.as_bytes()[0].is_ascii_digit()
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_identifier_accepts_its_grammar_and_refuses_each_edge() {
        let good = ["https://dbc-1111.cloud.databricks.com", "https://a.b:8443", "http://127.0.0.1:39001"];
        let bad = [
            "",
            "https://",
            "https://A.b",
            "https://a.b/",
            "https://a..b",
            "http://a.b",
            "https://a.b:0",
            "https://a.b:65536",
            "https://u@a.b",
            "ftp://a",
        ];
        for text in good {
            assert!(WorkspaceHost::try_from(text).is_ok(), "{text}");
        }
        for text in bad {
            assert!(WorkspaceHost::try_from(text).is_err(), "{text}");
        }
        assert!(JobId::try_from("605777310657626").is_ok());
        for text in ["", "01", "-1", "1 ", "99999999999999999999"] {
            assert!(JobId::try_from(text).is_err(), "{text}");
        }
        assert!(NodeAddress::try_from("10.88.0.10").is_ok());
        for text in ["10.88.0.010", "10.88.0", "::0001", "node"] {
            assert!(NodeAddress::try_from(text).is_err(), "{text}");
        }
        assert!(GroupName::try_from("okta:ML Engineers").is_ok());
        for text in ["okta", "okta:", ":x", "Okta:x", "okta:a\nb"] {
            assert!(GroupName::try_from(text).is_err(), "{text:?}");
        }
        for text in ["main.gold.orders", "main.gold.orders-2026", "m.g.ü"] {
            assert!(ObjectName::try_from(text).is_ok(), "{text}");
        }
        for text in
            ["gold.orders", "a.b.c.d", "a..c", "a.b.c/../d", "a.b.c d", "a.b.c\n", "", "..", &format!("a.b.{}", "c".repeat(256))]
        {
            assert!(ObjectName::try_from(text).is_err(), "{text}");
        }
        assert!(TagPrefix::try_from("longhorn_label_").is_ok());
        for text in ["", "longhorn_label", "longhorn-label_", "label_", "LONGHORN_", "a.b_", "_ "] {
            assert!(TagPrefix::try_from(text).is_err(), "{text}");
        }
        for (text, fits) in [("0123456789abcdef", true), ("", false), ("ABC", false), ("a/b", false)] {
            assert_eq!(WarehouseId::try_from(text).is_ok(), fits, "{text}");
        }
        assert!(EnvName::try_from("_A9").is_ok());
        for text in ["", "9A", "A-B", "A=B", "A B"] {
            assert!(EnvName::try_from(text).is_err(), "{text}");
        }
    }
}
