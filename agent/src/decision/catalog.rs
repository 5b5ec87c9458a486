//! `[unity-catalog]`: how labels stand in Unity Catalog, what the gate asks of it, and who holds data and models there for others.

use std::collections::BTreeSet;

use crate::identity::ids::{Label, PrincipalName, TagPrefix, WarehouseId};

/// `[unity-catalog]`; without it nothing is asked there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// `label-tags`: keys of governed tags that begin so are labels; what follows is the label.
    pub label_tags: Option<TagPrefix>,
    /// `read-labels`: whether the gate reads those tags besides `[labels.tables]`.
    pub read_labels: bool,
    /// `lineage-warehouse`: the SQL warehouse through which the gate asks which tables a run was seen reading.
    pub warehouse: Option<WarehouseId>,
    /// `custodians`: principals that own or manage data, models and lineage for others.
    pub custodians: BTreeSet<PrincipalName>,
}

impl Catalog {
    /// Whether the gate asks for anything.
    pub fn asks(&self) -> bool {
        self.read_labels || self.warehouse.is_some()
    }
}

impl TagPrefix {
    /// The key of the tag that says a label.
    pub fn key(&self, label: &Label) -> String {
        format!("{self}{label}")
    }

    /// What a key says: the label, or text that is none and so is cleared nowhere. `None`: it is no tag of ours.
    pub fn label<'k>(&self, key: &'k str) -> Option<&'k str> {
        key.strip_prefix(self.as_str())
    }
}
