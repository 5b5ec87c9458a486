//! The target of a request (RFC 9112 §3.2.1, origin form) in the one form that the gateway decides about and sends on. Servers decode
//! paths more than once, merge slashes and resolve dots: what could be read in two ways is refused, the rest is written anew.

/// A path and its query, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    path: String,
    /// Whether it came by the user interface's prefix: some servers have an endpoint under that one alone.
    twin: bool,
    /// Names and values, in the order in which they came.
    pub query: Vec<(String, String)>,
}

/// Why a target is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnfitTarget(pub &'static str);

/// No target is longer, in bytes.
const LONGEST: usize = 8 * 1024;
const PLAIN: &str = "/api/";
/// What the user interface calls the same.
const TWIN: &str = "/ajax-api/";

impl Target {
    /// Reads a target as it stands on the wire.
    ///
    /// # Errors
    /// Why it could be read in two ways.
    pub fn parse(wire: &str) -> Result<Self, UnfitTarget> {
        if wire.len() > LONGEST {
            return Err(UnfitTarget("it is longer than 8 KiB"));
        }
        let (path, query) = wire.split_once('?').map_or((wire, None), |(path, query)| (path, Some(query)));
        if !path.starts_with('/') {
            return Err(UnfitTarget("it does not begin with a slash"));
        }
        for segment in path[1..].split('/') {
            match segment {
                // The root alone has none.
                "" if path != "/" => return Err(UnfitTarget("an empty segment: some servers merge slashes")),
                "." | ".." => return Err(UnfitTarget("a segment of dots: some servers resolve it")),
                _ => {}
            }
        }
        let path = decode(path, &PATH)?;
        let (path, twin) = match path.strip_prefix(TWIN) {
            Some(rest) => (format!("{PLAIN}{rest}"), true),
            None => (path, false),
        };
        let query = query.into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // A form's blank (application/x-www-form-urlencoded); a plus sign itself comes as %2B.
            Ok((decode(&name.replace('+', "%20"), &QUERY)?, decode(&value.replace('+', "%20"), &QUERY)?))
        };
        Ok(Self { path, twin, query: query.map(pair).collect::<Result<_, _>>()? })
    }

    /// A target of our own.
    pub fn of(path: String, query: &[(&str, &str)]) -> Self {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self { path, twin: false, query: query.iter().map(pair).collect() }
    }

    /// The decoded path: `/api/…`. No segment holds a slash.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// As it goes on: everything encoded that RFC 3986 does not leave as it is in a path or a query.
    pub fn wire(&self) -> String {
        let mut wire = String::with_capacity(self.path.len() + 16);
        let path = match self.path.strip_prefix(PLAIN).filter(|_| self.twin) {
            Some(rest) => {
                wire.push_str(TWIN);
                rest
            }
            None => &self.path,
        };
        encode(path, |byte| unreserved(byte) || b"/:@,=".contains(&byte), &mut wire);
        for (number, (name, value)) in self.query.iter().enumerate() {
            wire.push(if number == 0 { '?' } else { '&' });
            encode(name, unreserved, &mut wire);
            wire.push('=');
            encode(value, unreserved, &mut wire);
        }
        wire
    }
}

/// RFC 3986 §2.3.
fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// What a part of a target may hold.
struct Part {
    /// What stands there as it is.
    plain: fn(u8) -> bool,
    /// What nothing honest escapes there: it is for somebody who decodes twice.
    never_escaped: fn(u8) -> bool,
}

/// RFC 3986's pchar, without the semicolon that some servers cut at.
const PATH: Part = Part {
    plain: |byte| unreserved(byte) || b"/:@!$&'()*+,=".contains(&byte),
    never_escaped: |byte| unreserved(byte) || byte.is_ascii_control() || b"/%\\;".contains(&byte),
};
/// Within a name or a value: more than RFC 3986 allows, since nothing there is taken for anything else.
const QUERY: Part =
    Part { plain: |byte| matches!(byte, b'!'..=b'~') && !b"#%&+".contains(&byte), never_escaped: |byte| byte == 0 };

/// Decodes once.
fn decode(wire: &str, part: &Part) -> Result<String, UnfitTarget> {
    let mut bytes = Vec::with_capacity(wire.len());
    let mut rest = wire.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            if !(part.plain)(*byte) {
                return Err(UnfitTarget("a character that must be percent-encoded"));
            }
            bytes.push(*byte);
            continue;
        }
        let digit = |at: usize| rest.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return Err(UnfitTarget("a percent sign without two digits"));
        };
        rest = &rest[2..];
        let byte = u8::try_from(high * 16 + low).expect("two hexadecimal digits are a byte");
        if (part.never_escaped)(byte) {
            return Err(UnfitTarget("an escape that nothing honest has there: some servers decode twice"));
        }
        bytes.push(byte);
    }
    String::from_utf8(bytes).map_err(|_| UnfitTarget("an escape that is no UTF-8"))
}

fn encode(text: &str, plain: fn(u8) -> bool, wire: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if plain(byte) {
            wire.push(char::from(byte));
        } else {
            wire.push('%');
            wire.push(char::from(DIGITS[usize::from(byte >> 4)]));
            wire.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_one_form_on_its_way_out() {
        for (wire, path, out) in [
            ("/", "/", "/"),
            ("/api/2.0/mlflow/runs/get?run_id=a", "/api/2.0/mlflow/runs/get", "/api/2.0/mlflow/runs/get?run_id=a"),
            ("/ajax-api/2.0/mlflow/runs/get", "/api/2.0/mlflow/runs/get", "/ajax-api/2.0/mlflow/runs/get"),
            ("/a/my%20model%3f.pkl", "/a/my model?.pkl", "/a/my%20model%3F.pkl"),
            ("/a/%c3%a9", "/a/é", "/a/%C3%A9"),
            ("/a/x+y:z", "/a/x+y:z", "/a/x%2By:z"),
            ("/a?f=x+y%2Bz&g=%25&h", "/a", "/a?f=x%20y%2Bz&g=%25&h="),
            ("/a/x%2By%3d", "/a/x+y=", "/a/x%2By="),
            ("/a?filter=tags.`k`=%20'v'", "/a", "/a?filter=tags.%60k%60%3D%20%27v%27"),
            ("/a?&x=1&", "/a", "/a?x=1"),
        ] {
            let target = Target::parse(wire).unwrap_or_else(|error| panic!("{wire}: {error}"));
            assert_eq!((target.path(), target.wire().as_str()), (path, out), "{wire}");
            assert_eq!(Target::parse(&target.wire()), Ok(target), "{wire}");
        }
    }

    #[test]
    fn what_servers_read_differently_is_refused() {
        for wire in [
            "//api/2.0/mlflow/runs/get",
            "/api//2.0/mlflow/runs/get",
            "/api/2.0/mlflow/runs/get/",
            "/api/2.0/mlflow/runs/%67et",
            "/api/2.0/mlflow/runs%2Fget",
            "/api/2.0/mlflow/runs%2fget",
            "/api/2.0/mlflow/runs%5cget",
            "/api/2.0/mlflow/runs%252Fget",
            "/api/2.0/mlflow/./runs/get",
            "/api/2.0/mlflow/x/../runs/get",
            "/api/2.0/mlflow/x/%2e%2e/runs/get",
            "/api/2.0/mlflow/runs/get;x=1",
            "/api/2.0/mlflow/runs/get%3Bx",
            "/api\\2.0",
            "/api/%00",
            "/api/%0d%0aX:%20y",
            "/api/%ff",
            "/api/%c0%af",
            "/api/%",
            "/api/%4",
            "/api/%zz",
            "/api/é",
            "/api/a b",
            "/a?x=%00",
            "/a?x=%ff",
            "/a?x=a#b",
            "http://elsewhere.example/api/2.0/mlflow/runs/get",
            "*",
            "",
        ] {
            assert!(Target::parse(wire).is_err(), "{wire}");
        }
        assert!(Target::parse(&format!("/{}", "a".repeat(LONGEST))).is_err());
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_read_is_sent_on_as_what_was_decided_about(wire in "[/a-c.%0-9A-F;?=&+ \\\\é]{0,24}") {
            if let Ok(target) = Target::parse(&wire) {
                proptest::prop_assert_eq!(Target::parse(&target.wire()), Ok(target.clone()));
                proptest::prop_assert!(!target.path().contains("//") && !target.path().contains('%') && !target.path().contains("/../"));
            }
        }
    }
}
