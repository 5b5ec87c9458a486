//! What Unity Catalog answers: tags of tables, grants, owners, and which tables a run was seen reading.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use longhorn::decision::grants::{Kind, Securable};
use longhorn::identity::ids::{ObjectName, TagPrefix, WarehouseId};
use longhorn::model::catalog::{Above, Answer, Question, UnityCatalog, governed, held, owner, seen_reading, tagged};
use longhorn::unverified::Unverified;

use super::{MOST, Take, choice, chosen, shapes, timed};

/// A workspace that answers every question alike.
struct Alike<'b>(&'b [u8]);

impl UnityCatalog for Alike<'_> {
    fn ask<'a>(&'a self, _: &'a Question) -> Pin<Box<dyn Future<Output = Answer> + 'a>> {
        let answer = Ok(Some(Unverified::new(self.0.to_vec())));
        Box::pin(std::future::ready(answer))
    }
}

/// Nothing here waits for anybody.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("an answer that is there is waited for"),
    }
}

pub fn catalog() -> Take {
    let prefix = TagPrefix::try_from("longhorn_label_").expect("it is the beginning of a key");
    let table = ObjectName::try_from("main.gold.orders").expect("it is a table's name");
    let warehouse = WarehouseId::try_from("abc1").expect("it is a warehouse's id");
    let model = Securable::new(Kind::Model, "main.ml.fraud");
    Box::new(move |bytes| {
        let (which, rest) = choice(bytes);
        let alike = Alike(rest);
        match which % 5 {
            0 => _ = timed(bytes.len(), || at_once(tagged(&alike, &prefix, &table, &mut Above::new())).is_ok()),
            1 => _ = timed(bytes.len(), || at_once(governed(&alike, "longhorn_label_pii"))),
            2 => _ = timed(bytes.len(), || at_once(held(&alike, &model)).is_ok()),
            3 => {
                if let Ok(Some(owner)) = timed(bytes.len(), || at_once(owner(&alike, &model))) {
                    assert!(!owner.is_empty());
                }
            }
            _ => _ = timed(bytes.len(), || at_once(seen_reading(&alike, &warehouse, "7", "8"))),
        }
    })
}

pub fn seeds() -> Vec<Vec<u8>> {
    vec![
        chosen(
            0,
            r#"{"tag_assignments":[{"entity_type":"tables","entity_name":"main.gold.orders","tag_key":"longhorn_label_pii","tag_value":""}]}"#,
        ),
        chosen(1, r#"{"tag_key":"longhorn_label_pii","values":[]}"#),
        chosen(
            2,
            r#"{"privilege_assignments":[{"principal":"ml-eng","privileges":[{"privilege":"EXECUTE","inherited_from_name":"main"}]}]}"#,
        ),
        chosen(3, r#"{"full_name":"main.ml.fraud","owner":"platform"}"#),
        chosen(
            4,
            r#"{"status":{"state":"SUCCEEDED"},"manifest":{"schema":{"columns":[{"name":"source_table_full_name"}]},"total_row_count":1,"truncated":false},"result":{"data_array":[["main.gold.orders"]]}}"#,
        ),
    ]
}

pub fn worst() -> Vec<Vec<u8>> {
    let fill = |part: &str| part.repeat((MOST - 300) / part.len());
    let mut found: Vec<Vec<u8>> = shapes::json_of(MOST - 1).into_iter().map(|shape| chosen(0, shape)).collect();
    let tag = r#"{"entity_type":"tables","entity_name":"main.gold.orders","tag_key":"longhorn_label_a"},"#;
    found.push(chosen(0, format!(r#"{{"tag_assignments":[{}{{}}]}}"#, fill(tag))));
    // A page that announces itself.
    found.push(chosen(0, format!(r#"{{"next_page_token":"x","tag_assignments":[{}]}}"#, fill(tag).trim_end_matches(','))));
    let grant = r#"{"principal":"a","privileges":[{"privilege":"EXECUTE"}]},"#;
    found.push(chosen(2, format!(r#"{{"privilege_assignments":[{}{{}}]}}"#, fill(grant))));
    let rows = fill(r#"["a.b.c"],"#);
    found.push(chosen(
        4,
        format!(
            r#"{{"status":{{"state":"SUCCEEDED"}},"manifest":{{"schema":{{"columns":[{{"name":"source_table_full_name"}}]}},"total_row_count":1}},"result":{{"data_array":[{}]}}}}"#,
            rows.trim_end_matches(',')
        ),
    ));
    found
}
