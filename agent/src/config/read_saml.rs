//! `[[trust.saml]]`: a provider, its certificates, and how its assertions name a principal. Nothing here has a default.

use super::read_trust::{equals, mutable, not_databricks};
use super::reader::{At, Section};
use crate::identity::certificate::{CertificateError, SigningCertificate};
use crate::identity::ids::LocalName;
use crate::identity::trust::{NameIdFormat, SamlSubject, SamlSubjectRule, SamlTrust};

/// One that signs, one that will, and one that a provider keeps in reserve.
const MOST_CERTIFICATES: usize = 3;

pub(super) fn provider(section: Section<'_>) -> Option<SamlTrust> {
    let name = section.need_parsed::<LocalName>("name");
    not_databricks(&section, name.as_ref());
    let entity_id = section.need_parsed("entity-id");
    let audience = section.need_parsed("audience");
    let recipient = section.need_text("recipient").filter(|text| {
        let fits = (1..=1024).contains(&text.value.len()) && text.value.bytes().all(|byte| (0x21..0x7f).contains(&byte));
        if !fits {
            section.reader().error(
                text.span.clone(),
                "`recipient` must be the address that assertions are delivered to",
                "1 to 1024 printable ASCII bytes, as the provider writes it",
            );
        }
        fits
    });
    let certificates = certificates(&section);
    let groups = section.text("groups").map(|text| text.value);
    let subject = section.need_table("subject").and_then(subject);
    section.finish();
    Some(SamlTrust {
        name: name?.value,
        entity_id: entity_id?.value,
        audience: audience?.value,
        recipient: recipient?.value,
        certificates: certificates?,
        groups,
        subject: subject?,
    })
}

fn certificates(section: &Section<'_>) -> Option<Vec<SigningCertificate>> {
    let texts = section.need_texts("certificates");
    if let Some(At { span, .. }) = texts.get(MOST_CERTIFICATES) {
        section.reader().error(
            span.clone(),
            format!("more than {MOST_CERTIFICATES} certificates"),
            "each may sign for the provider: keep those alone that it signs with now, or will next",
        );
    }
    let mut found: Vec<SigningCertificate> = Vec::new();
    let count = texts.len();
    for text in texts {
        match SigningCertificate::from_pem(&text.value) {
            Ok(certificate) if found.contains(&certificate) => {
                section.reader().error(text.span, "this certificate stands here already", "");
            }
            Ok(certificate) => found.push(certificate),
            Err(error) => {
                section.reader().hide(&text.span);
                let hint = match error {
                    CertificateError::NotPem => {
                        "the signature covers this file alone, so no file is named here: write the certificate itself, as \
                         `longhorn policy saml-metadata` prints it"
                    }
                    CertificateError::PrivateKey => "whoever holds it can sign for the provider: take it away and make a new one",
                    CertificateError::Several => "write each as a text of its own",
                    CertificateError::Malformed | CertificateError::Key => "is it the provider's certificate for signatures?",
                };
                section.reader().error(text.span, error.to_string(), hint);
            }
        }
    }
    (!found.is_empty() && found.len() == count).then_some(found)
}

fn subject(section: Section<'_>) -> Option<SamlSubjectRule> {
    #[derive(Clone, Copy)]
    enum Kind {
        Of(NameIdFormat),
        Transient,
    }
    let formats = [
        ("persistent", Kind::Of(NameIdFormat::Persistent)),
        ("email", Kind::Of(NameIdFormat::Email)),
        ("unspecified", Kind::Of(NameIdFormat::Unspecified)),
        ("transient", Kind::Transient),
    ];
    let name_id = section.word("name-id", &formats);
    let attribute = section.text("attribute");
    let from = match (name_id, attribute) {
        (Some(At { value: Kind::Of(format), span }), None) => {
            if format == NameIdFormat::Email {
                mutable(&section, span, "email");
            }
            Some(SamlSubject::NameId(format))
        }
        (Some(At { value: Kind::Transient, span }), None) => {
            section.reader().error(span, "a transient name is another one each time", "name one that stays with its bearer");
            None
        }
        (None, Some(At { value, span })) => {
            if value.is_empty() {
                section.reader().error(span, "`attribute` is empty", "the Name of an attribute of the assertion");
            } else if MUTABLE.contains(&value.as_str()) {
                mutable(&section, span, &value);
            }
            Some(SamlSubject::Attribute(value))
        }
        (Some(At { span, .. }), Some(_)) => {
            section.reader().error(span, "`name-id` stands beside `attribute`", "one of them names the subject");
            None
        }
        (None, None) => {
            if section.place("name-id").is_none() && section.place("attribute").is_none() {
                section.reader().error(
                    section.span.clone(),
                    "`name-id` or `attribute` is missing",
                    "nothing that decides trust has a default",
                );
            }
            None
        }
    };
    let equals = equals(&section);
    section.finish();
    Some(SamlSubjectRule { from: from?, equals: equals? })
}

/// Attributes that a directory lets people change, or hands on.
const MUTABLE: [&str; 4] = [
    "email",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
];
