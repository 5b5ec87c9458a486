//! AWS Signature Version 4, for the one kind of request that is signed here: a POST of a form to the root of a service. Pure:
//! `AWS Signature Version 4 signing process` in the IAM user guide, with AWS's own published examples as tests.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use zeroize::Zeroizing;

use crate::host::clock::Timestamp;
use crate::host::digest::{hex, sha256_hex};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Who signs, and for which service of which region.
pub(super) struct Signer<'a> {
    pub(super) access_key: &'a str,
    pub(super) secret_key: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

/// The value of `x-amz-date`: ISO 8601 without marks between its parts.
pub(super) fn date(now: Timestamp) -> String {
    now.to_string().replace(['-', ':'], "")
}

/// The value of `authorization`. `headers` are all that are signed: lower-case names in the order of the alphabet, values
/// without blanks around them; `host` and `x-amz-date` are among them.
pub(super) fn authorization(signer: &Signer<'_>, date: &str, headers: &[(&str, &str)], body: &str) -> String {
    let day = date.split('T').next().unwrap_or_default();
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: Zeroizing<String> = Zeroizing::new(headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect());
    // Task 1: method, path, an empty query, headers, their names, the digest of the body.
    let request = Zeroizing::new(format!("POST\n/\n\n{}\n{names}\n{}", *lines, sha256_hex(body.as_bytes())));
    // Task 2.
    let scope = format!("{day}/{}/{}/aws4_request", signer.region, signer.service);
    let text = format!("{ALGORITHM}\n{date}\n{scope}\n{}", sha256_hex(request.as_bytes()));
    // Task 3: a key for this day, region and service alone.
    let first = Zeroizing::new(format!("AWS4{}", signer.secret_key));
    let mut key = Key::new(HMAC_SHA256, first.as_bytes());
    for part in [day, signer.region, signer.service, "aws4_request"] {
        key = Key::new(HMAC_SHA256, sign(&key, part.as_bytes()).as_ref());
    }
    let signature = hex(sign(&key, text.as_bytes()).as_ref());
    format!("{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}", signer.access_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_without_marks() {
        assert_eq!(date(Timestamp::from_seconds(1_440_938_160)), "20150830T123600Z");
    }

    #[test]
    fn the_published_examples_of_aws_have_the_published_signatures() {
        // aws-sig-v4-test-suite: the POSTs to the root without a query.
        let host = ("host", "example.amazonaws.com");
        let time = ("x-amz-date", "20150830T123600Z");
        let session = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
        let form = ("content-type", "application/x-www-form-urlencoded");
        let utf8 = ("content-type", "application/x-www-form-urlencoded; charset=utf8");
        let signer = Signer {
            access_key: "AKIDEXAMPLE",
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            region: "us-east-1",
            service: "service",
        };
        for (example, headers, body, signature) in [
            ("post-vanilla", vec![host, time], "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            (
                "post-sts-header-before",
                vec![host, time, ("x-amz-security-token", session)],
                "",
                "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
            ),
            (
                "post-x-www-form-urlencoded",
                vec![form, host, time],
                "Param1=value1",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
            (
                "post-x-www-form-urlencoded-parameters",
                vec![utf8, host, time],
                "Param1=value1",
                "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
            ),
        ] {
            let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={names}, \
                 Signature={signature}"
            );
            assert_eq!(authorization(&signer, time.1, &headers, body), expected, "{example}");
        }
    }
}
