//! Whether a job may write to a run or to a logged model: it is its own, and has not ended.

use super::run::Run;
use super::shown::{LoggedModel, Version};
use super::statements::{
    CONTEXT, MODEL_BINDING, MODEL_SEAL, ModelBinding, RUN_BINDING, RUN_SEAL, RunBinding, VERSION_BINDING, VersionBinding,
};
use crate::context::seal::Voucher;
use crate::context::statement::hear;
use crate::host::digest::sha256_hex;
use crate::unverified::Unverified;

/// Something in the registry that a job made.
#[derive(Clone, Debug, PartialEq)]
pub enum Made {
    /// A run.
    Run(Run),
    /// A logged model.
    Model(LoggedModel),
    /// A version in Unity Catalog, whose files come after it.
    Version(Version),
}

/// Why a job may not write there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotWritable {
    /// No node says which job made it.
    Unbound,
    /// Another job made it.
    OfAnother,
    /// It has ended, or is whole.
    Ended,
}

impl Made {
    /// The statement that says which job made it, where it has one.
    pub fn binding(&self) -> Option<&str> {
        match self {
            Self::Run(run) => run.tag(RUN_BINDING),
            Self::Model(model) => model.tag(MODEL_BINDING),
            Self::Version(version) => version.tag(VERSION_BINDING),
        }
    }

    /// The job that made it, where its statement is of this very thing and the voucher stands behind it.
    pub fn maker(&self, voucher: &Voucher<'_>) -> Option<String> {
        let token = Unverified::new(self.binding()?.as_bytes());
        match self {
            Self::Run(run) => {
                let (binding, _) = hear::<RunBinding>(&token, voucher).ok()?;
                let context = run.tag(CONTEXT).map(|context| sha256_hex(context.as_bytes()));
                (binding.run_id == run.id && context == Some(binding.context)).then_some(binding.sub)
            }
            Self::Model(model) => {
                let (binding, _) = hear::<ModelBinding>(&token, voucher).ok()?;
                (binding.model_id == model.id && binding.run_id == model.run).then_some(binding.sub)
            }
            Self::Version(version) => {
                let (binding, _) = hear::<VersionBinding>(&token, voucher).ok()?;
                (binding.name == version.name && binding.version == version.version).then_some(binding.sub)
            }
        }
    }

    /// Whether it has ended.
    pub fn ended(&self) -> bool {
        match self {
            Self::Run(run) => run.tag(RUN_SEAL).is_some() || !matches!(run.status.as_str(), "RUNNING" | "SCHEDULED"),
            Self::Model(model) => model.tag(MODEL_SEAL).is_some() || model.status == "LOGGED_MODEL_READY",
            Self::Version(version) => version.status != "PENDING_REGISTRATION",
        }
    }

    /// Whether a node has sealed it.
    pub fn sealed(&self) -> bool {
        match self {
            Self::Run(run) => run.tag(RUN_SEAL).is_some(),
            Self::Model(model) => model.tag(MODEL_SEAL).is_some(),
            // Whoever could not be bound to its files is made anew.
            Self::Version(_) => self.ended(),
        }
    }

    /// Where its files are.
    pub fn artifacts(&self) -> &str {
        match self {
            Self::Run(run) => &run.artifacts,
            Self::Model(model) => &model.artifacts,
            // Those of a version lie by its name.
            Self::Version(_) => "",
        }
    }

    /// Whether the job `sub` may write to it, where `maker` made it.
    ///
    /// # Errors
    /// Why it may not.
    pub fn writable(&self, maker: Option<&str>, sub: &str) -> Result<(), NotWritable> {
        match maker {
            None => Err(NotWritable::Unbound),
            Some(maker) if maker != sub => Err(NotWritable::OfAnother),
            Some(_) if self.ended() => Err(NotWritable::Ended),
            Some(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::NodeKey;
    use crate::context::statement::say;

    const SUB: &str = "spiffe://a.example/workspace/a.example/job/1/run/2";

    fn run(status: &str, tags: &[(&str, &str)]) -> Made {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Made::Run(Run { id: "0a1b".into(), status: status.into(), artifacts: String::new(), tags, ..Run::default() })
    }

    #[test]
    fn a_job_writes_to_a_run_that_a_vouched_node_says_it_made_until_it_has_ended() {
        let (key, other) = (NodeKey::from_seed(&[1; 32]).unwrap(), NodeKey::from_seed(&[2; 32]).unwrap());
        let binding = |run_id: &str, context: &str, key: &NodeKey| {
            say(
                &RunBinding { run_id: run_id.into(), context: sha256_hex(context.as_bytes()), sub: SUB.into(), iat: 1 },
                key,
                None,
            )
        };
        let judged = |made: &Made, sub: &str| made.writable(made.maker(&Voucher::NodeKey(key.public())).as_deref(), sub);
        let honest = binding("0a1b", "token", &key);
        let bound = [(CONTEXT, "token"), (RUN_BINDING, honest.as_str())];
        assert_eq!(judged(&run("RUNNING", &bound), SUB), Ok(()));
        assert_eq!(
            judged(&run("RUNNING", &bound), "spiffe://a.example/workspace/a.example/job/1/run/3"),
            Err(NotWritable::OfAnother)
        );
        for status in ["FINISHED", "FAILED", "KILLED", ""] {
            assert_eq!(judged(&run(status, &bound), SUB), Err(NotWritable::Ended), "{status}");
        }
        assert_eq!(judged(&run("RUNNING", &[bound[0], bound[1], (RUN_SEAL, "x")]), SUB), Err(NotWritable::Ended));
        for (what, tags) in [
            ("nothing", vec![]),
            ("no context", vec![bound[1]]),
            ("another context", vec![(CONTEXT, "other"), bound[1]]),
            ("another run's", vec![bound[0], (RUN_BINDING, &*binding("ffff", "token", &key).leak())]),
            ("another key's", vec![bound[0], (RUN_BINDING, &*binding("0a1b", "token", &other).leak())]),
            ("no statement", vec![bound[0], (RUN_BINDING, "e30.e30.e30")]),
        ] {
            assert_eq!(judged(&run("RUNNING", &tags), SUB), Err(NotWritable::Unbound), "{what}");
        }
    }

    #[test]
    fn a_logged_model_is_of_the_job_that_made_it_in_that_very_run() {
        let key = NodeKey::from_seed(&[1; 32]).unwrap();
        let made = |id: &str, run: Option<&str>, status: &str| {
            let binding = ModelBinding {
                model_id: "m-1".into(),
                run_id: Some("0a1b".into()),
                context: String::new(),
                sub: SUB.into(),
                iat: 1,
            };
            Made::Model(LoggedModel {
                id: id.into(),
                run: run.map(str::to_owned),
                status: status.into(),
                artifacts: String::new(),
                tags: vec![(MODEL_BINDING.into(), say(&binding, &key, None))],
            })
        };
        let judged = |made: Made| made.writable(made.maker(&Voucher::NodeKey(key.public())).as_deref(), SUB);
        assert_eq!(judged(made("m-1", Some("0a1b"), "LOGGED_MODEL_PENDING")), Ok(()));
        assert_eq!(judged(made("m-1", Some("0a1b"), "LOGGED_MODEL_READY")), Err(NotWritable::Ended));
        assert_eq!(judged(made("m-2", Some("0a1b"), "LOGGED_MODEL_PENDING")), Err(NotWritable::Unbound));
        assert_eq!(judged(made("m-1", Some("ffff"), "LOGGED_MODEL_PENDING")), Err(NotWritable::Unbound));
        assert_eq!(judged(made("m-1", None, "LOGGED_MODEL_PENDING")), Err(NotWritable::Unbound));
    }

    #[test]
    fn a_version_in_the_catalog_takes_files_from_the_job_that_made_it_until_it_has_all_of_them() {
        let key = NodeKey::from_seed(&[1; 32]).unwrap();
        let made = |name: &str, number: &str, status: &str, bound: bool| {
            let binding = VersionBinding {
                name: "a.b.c".into(),
                version: "3".into(),
                source: "models:/m-1".into(),
                run_id: None,
                model_id: None,
                files: None,
                sub: SUB.into(),
                iat: 1,
            };
            Made::Version(Version {
                name: name.into(),
                version: number.into(),
                status: status.into(),
                source: "models:/m-1".into(),
                run: None,
                stage: String::new(),
                tags: bound.then(|| (VERSION_BINDING.into(), say(&binding, &key, None))).into_iter().collect(),
            })
        };
        let judged = |made: Made| made.writable(made.maker(&Voucher::NodeKey(key.public())).as_deref(), SUB);
        assert_eq!(judged(made("a.b.c", "3", "PENDING_REGISTRATION", true)), Ok(()));
        assert_eq!(judged(made("a.b.c", "3", "PENDING_REGISTRATION", false)), Err(NotWritable::Unbound));
        for status in ["READY", "FAILED_REGISTRATION", ""] {
            assert_eq!(judged(made("a.b.c", "3", status, true)), Err(NotWritable::Ended), "{status}");
        }
        assert_eq!(judged(made("a.b.c", "4", "PENDING_REGISTRATION", true)), Err(NotWritable::Unbound));
        assert_eq!(judged(made("a.b.d", "3", "PENDING_REGISTRATION", true)), Err(NotWritable::Unbound));
    }
}
