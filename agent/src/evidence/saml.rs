//! A SAML assertion that was handed in, as XML or as the base64 of it, which is what a browser posts (bindings §3.5.4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::claim::SamlClaim;
use super::source::SamlSource;

/// Frames it. What is neither XML nor base64 is left as it is: why it is refused, whoever verifies it says.
pub fn frame(source: &SamlSource) -> SamlClaim {
    let given = source.assertion.trim_ascii();
    let document = if given.starts_with(b"<") {
        given.to_vec()
    } else {
        let packed: Vec<u8> = given.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        STANDARD.decode(packed).unwrap_or_else(|_| given.to_vec())
    };
    SamlClaim { name: source.name.clone(), document }
}
