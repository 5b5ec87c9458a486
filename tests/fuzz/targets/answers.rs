//! What token services answer, whole or cut.

use longhorn::evidence::answers::{access_token, azure_error, element, error, granted, role};

use super::{MOST, Take, timed};

pub fn answers() -> Take {
    Box::new(|bytes| {
        timed(bytes.len(), || {
            (granted(bytes).is_some(), error(bytes), access_token(bytes).is_some(), azure_error(bytes), role(bytes).is_some())
        });
        if let Ok(text) = std::str::from_utf8(bytes) {
            for name in ["WebIdentityToken", "Code"] {
                let found = timed(text.len(), || element(text, name));
                assert!(found.is_none_or(|found| !found.contains(['<', '&'])), "{found:?}");
            }
        }
    })
}

pub fn seeds() -> Vec<Vec<u8>> {
    [
        r#"{"access_token":"a.b.c","token_type":"Bearer","expires_in":3600,"scope":"all"}"#,
        r#"{"access_token":"a.b.c","expires_in":"3599","expires_on":"1700000000","resource":"x","token_type":"Bearer"}"#,
        r#"{"error":"invalid_client","error_description":"no such client"}"#,
        r#"{"error":"invalid_request","error_description":"Identity not found"}"#,
        r#"{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"A","SecretAccessKey":"b","Token":"c","Expiration":"2026-01-01T00:00:00Z"}"#,
        r#"{"Code":"AssumeRoleUnauthorizedAccess"}"#,
        "<GetWebIdentityTokenResponse><GetWebIdentityTokenResult><WebIdentityToken>a.b.c</WebIdentityToken></GetWebIdentityTokenResult></GetWebIdentityTokenResponse>",
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDeniedException</Code></Error></ErrorResponse>",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

pub fn worst() -> Vec<Vec<u8>> {
    let fill = |part: &str| part.repeat((MOST - 100) / part.len());
    [
        fill("["),
        format!("{{\"access_token\":\"{}\"}}", fill("a")),
        format!("{{{}\"Code\":\"Success\"}}", fill("\"a\":1,")),
        fill("<Code>"),
        format!("<Code>{}", fill("</Cod")),
        format!("<WebIdentityToken>{}</WebIdentityToken>", fill("a.")),
    ]
    .map(String::into_bytes)
    .to_vec()
}
