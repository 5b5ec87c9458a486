//! `[unity-catalog]`: labels as governed tags, what the gate asks, and who holds data and models for others.

use super::reader::{At, Section};
use crate::decision::catalog::Catalog;
use crate::identity::ids::Label;

/// `labels` are those of `[labels.tables]`: each must fit into a tag's key.
pub(super) fn catalog(section: Section<'_>, labels: &[At<Label>]) -> Catalog {
    let label_tags = section.parsed("label-tags").map(|At { value, .. }| value);
    let read_labels = section.boolean("read-labels").unwrap_or(false);
    if read_labels
        && section.place("label-tags").is_none()
        && let Some(span) = section.place("read-labels")
    {
        section.reader().error(
            span,
            "the gate cannot read labels without `label-tags`",
            "how the keys of those tags begin, such as \"longhorn_label_\"",
        );
    }
    let warehouse = section.parsed("lineage-warehouse").map(|At { value, .. }| value);
    section.refuse_empty("custodians");
    let custodians = section.list("custodians").into_iter().map(|At { value, .. }| value).collect();
    if label_tags.is_some() {
        // docs.databricks.com, "Apply tags": no key has one of `. , - = / :`.
        for label in labels.iter().filter(|label| label.value.as_str().contains('-')) {
            section.reader().error(
                label.span.clone(),
                format!("no tag of Unity Catalog can say the label `{}`: their keys have no `-`", label.value),
                "write `_` instead, or leave `label-tags` out",
            );
        }
    }
    section.finish();
    Catalog { label_tags, read_labels, warehouse, custodians }
}
