//! What is known of runs and model versions, and by whose word: statements that nodes sign, what the registry shows, and whether the
//! two agree. Pure; `serve::gateway` asks and writes.
//!
//! ```text
//! runs/create        RunBinding      which attested job made the run
//! run ends           RunSeal         what it held at its end; from then on nobody writes to it
//! logged-models      ModelBinding    which run made the logged model
//! model READY        ModelSeal       which files it is made of
//! versions/create    VersionBinding  from which run and files the version was made
//! people             Approval        that this version may have an alias
//! alias, stage       Candidate -> Verdict -> Promoted
//! ```

mod approval;
mod bundle;
mod candidate;
pub mod catalog;
mod catalogued;
mod gate;
mod gather;
mod labels;
mod lineage;
mod manifest;
pub mod place;
mod promoter;
mod registry;
mod run;
mod shelf;
mod shown;
mod source;
pub mod statements;
mod writing;

pub use approval::{APPROVAL, Approval, MOST_VALID, approval, approval_tag};
pub use bundle::{BundleKey, NotABundleKey};
pub use candidate::{Candidate, Part, Vouchers};
pub use catalogued::Catalogued;
pub use gate::{Check, Gate, Verdict, evidence};
pub use gather::{Gather, Origin};
pub use lineage::{LINEAGE, lineage};
pub use manifest::{Digest, Manifest};
pub use registry::{FACTS, Facts, Noted, Noting, Registry};
pub use run::{Dataset, Digests, Run};
pub use shelf::Shelf;
pub use shown::{LoggedModel, Registered, Unread, Version, directory, made_model, made_run, made_version};
pub use source::Source;
pub use writing::{Made, NotWritable};
