//! RFC 8725, JSON Web Token Best Current Practices: each practice of its section 3 by a token or a key set that departs from it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::simulator;
use super::support::evidence::Case;

/// Each case, and the name that it is refused with.
fn refused(rows: &[(&str, &str)]) {
    let simulator = simulator();
    assert_eq!(Case::read("").walk(&simulator, |way| way.reason()), "granted", "the honest token is good");
    for (case, reason) in rows {
        assert_eq!(Case::read(case).walk(&simulator, |way| way.reason()), *reason, "{case}");
    }
}

/// The key set with this key alone, and a token that names it.
fn key(members: &str, header: &str, signer: &str) -> String {
    format!(
        "[token]\nkey = \"{signer}\"\n[token.header]\n{header}\n[[fault]]\npath = \"/keys\"\nbody = '{{\"keys\":[{{{members}}}]}}'\n"
    )
}

fn encoded(byte: u8, length: usize) -> String {
    URL_SAFE_NO_PAD.encode(vec![byte; length])
}

#[test]
fn section_3_1_the_algorithm_is_one_of_the_policys_and_the_one_that_the_key_is_for() {
    refused(&[
        ("token = { header = { alg = \"RS384\" } }", "algorithm-not-allowed"),
        ("token = { header = { alg = \"rs256\" } }", "algorithm-not-allowed"),
        ("token = { header = { alg = \"ES256\" } }", "key-unfit"),
        ("token = { header = { kid = \"ec-1\" } }", "key-unfit"),
        ("token = { header = { alg = \"HS256\" }, key = \"public\" }", "algorithm-not-allowed"),
    ]);
}

#[test]
fn section_3_2_no_signature_is_no_algorithm() {
    refused(&[
        ("token = { header = { alg = \"none\" }, key = \"none\" }", "algorithm-none"),
        ("token = { header = { alg = \"nOnE\" }, key = \"none\" }", "algorithm-none"),
        ("token = { header = { alg = \"\" }, key = \"none\" }", "algorithm-not-allowed"),
    ]);
}

#[test]
fn section_3_3_a_token_of_which_one_check_fails_is_no_token() {
    refused(&[
        ("token = { key = \"other\" }", "signature-invalid"),
        ("token = { key = \"none\" }", "signature-invalid"),
        ("token = { lost = 2 }", "signature-invalid"),
        ("token = { header = { enc = \"A128GCM\" } }", "token-malformed"),
    ]);
}

#[test]
fn section_3_4_a_point_that_is_not_on_its_curve_checks_nothing() {
    let (x, y) = (encoded(1, 32), encoded(2, 32));
    let members = format!("\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"ec-1\",\"x\":\"{x}\",\"y\":\"{y}\"");
    let nowhere = members.replace(&x, &encoded(0, 32)).replace(&y, &encoded(0, 32));
    let short = members.replace(&x, &encoded(1, 31));
    let header = "alg = \"ES256\"\nkid = \"ec-1\"";
    refused(&[
        (&key(&members, header, "ec"), "signature-invalid"),
        (&key(&nowhere, header, "ec"), "signature-invalid"),
        (&key(&short, header, "ec"), "key-unknown"),
    ]);
}

#[test]
fn section_3_5_a_key_that_can_be_guessed_is_no_key() {
    let rsa = |length: usize, exponent: &str| {
        let modulus = encoded(0xff, length);
        format!("\"kty\":\"RSA\",\"kid\":\"rsa-1\",\"n\":\"{modulus}\",\"e\":\"{exponent}\"")
    };
    refused(&[
        (&key(&rsa(128, "AQAB"), "", "rsa"), "key-unknown"),
        (&key(&rsa(256, "Aw"), "", "rsa"), "key-unknown"),
        (&key(&rsa(256, "AQ"), "", "rsa"), "key-unknown"),
        (&key("\"kty\":\"oct\",\"kid\":\"rsa-1\",\"k\":\"c2VjcmV0\"", "", "rsa"), "key-unknown"),
    ]);
}

#[test]
fn section_3_6_what_is_compressed_is_not_unpacked() {
    refused(&[("token = { header = { zip = \"DEF\" } }", "token-malformed")]);
}

#[test]
fn section_3_7_what_is_not_unicode_is_no_text() {
    refused(&[
        ("[token]\ninserted = '\"x\":\"\\ud800\",'", "token-malformed"),
        ("[token]\nbytes = [0xff, 0x2e, 0xfe, 0x2e, 0xfd]", "token-malformed"),
    ]);
}

#[test]
fn section_3_8_issuer_and_subject_are_those_that_the_policy_and_the_workspace_name() {
    refused(&[
        ("token = { claims = { iss = \"https://elsewhere.example\" } }", "issuer-mismatch"),
        ("token = { without = [\"iss\"] }", "claim-missing"),
        ("token = { claims = { sub = \"00000000-0000-4000-8000-000000000000\" } }", "subject-mismatch"),
        ("token = { without = [\"sub\"] }", "claim-missing"),
        (
            "[[fault]]\npath = \"/.well-known/openid-configuration\"\nbody = '{\"issuer\":\"https://elsewhere.example\",\"jwks_uri\":\"https://elsewhere.example/keys\"}'",
            "keys-elsewhere",
        ),
    ]);
}

#[test]
fn section_3_9_a_token_for_another_audience_is_for_nobody_here() {
    refused(&[
        ("token = { claims = { aud = \"elsewhere\" } }", "audience-mismatch"),
        ("token = { claims = { aud = \"LONGHORN\" } }", "audience-mismatch"),
        ("token = { claims = { aud = [] } }", "audience-mismatch"),
        ("token = { without = [\"aud\"] }", "claim-missing"),
        ("token = { claims = { aud = [\"longhorn\", \"elsewhere\"] } }", "authorized-party-mismatch"),
    ]);
}

#[test]
fn section_3_10_what_a_token_says_of_keys_leads_nowhere() {
    refused(&[
        ("token = { header = { kid = \"../../etc/passwd\" } }", "key-unknown"),
        ("token = { header = { kid = \"' OR 1=1 --\" } }", "key-unknown"),
        ("token = { header = { jku = \"https://elsewhere.example/keys\" } }", "embedded-key"),
        ("token = { header = { x5u = \"https://elsewhere.example/chain\" } }", "embedded-key"),
    ]);
}

#[test]
fn section_3_11_a_token_of_another_type_is_another_thing() {
    refused(&[
        ("token = { header = { typ = \"logout+jwt\" } }", "type-mismatch"),
        ("token = { header = { typ = \"application/secevent+jwt\" } }", "type-mismatch"),
        ("token = { header = { typ = \"\" } }", "type-mismatch"),
        ("token = { header = { typ = 1 } }", "claim-malformed"),
    ]);
}

#[test]
fn section_3_12_a_token_of_one_kind_passes_for_no_other() {
    // Of the same issuer, signed by the same key: a proof of possession, an authorisation request, our own context.
    refused(&[
        ("token = { header = { typ = \"dpop+jwt\" } }", "type-mismatch"),
        ("token = { header = { typ = \"oauth-authz-req+jwt\" } }", "type-mismatch"),
        ("token = { header = { typ = \"longhorn-context+jwt\" } }", "type-mismatch"),
        ("token = { claims = { aud = \"another-client\" } }", "audience-mismatch"),
    ]);
}
