//! What is signed after the registry has done what it was asked: what was made and how it ended, a node says under its key, in tags that
//! are Longhorn's.

use std::collections::BTreeSet;
use std::time::Duration;

use hyper::Method;
use serde_json::json;

use super::exchange::{Exchange, Stop};
use super::hashing::Found;
use super::known::Thing;
use crate::context::Context;
use crate::context::seal::carried;
use crate::context::statement::{Statement, say};
use crate::gateway::Promotion;
use crate::host::digest::sha256_hex;
use crate::model::place::kept;
use crate::model::statements::{
    LABELS, MODEL_BINDING, MODEL_SEAL, ModelBinding, ModelSeal, RUN_BINDING, RUN_SEAL, RunBinding, RunSeal, VERSION_BINDING,
    VersionBinding,
};
use crate::model::{Digests, Made, Run, Shelf, made_model, made_run, made_version};
use crate::record::Event;
use crate::unverified::Unverified;

/// What is signed once the registry has done what it was asked.
pub(super) enum Due {
    RunBinding,
    RunSeal {
        run: String,
        status: String,
    },
    ModelBinding {
        run: Option<String>,
    },
    ModelSeal {
        model: String,
    },
    VersionBinding {
        shelf: Shelf,
        name: String,
        run: Option<String>,
        model: Option<String>,
        files: Option<String>,
        labels: BTreeSet<String>,
    },
    WholeVersion {
        name: String,
        version: String,
    },
    Promotion {
        shelf: Shelf,
        promotion: Promotion,
        previous: Option<String>,
        decision: u64,
        files: Option<String>,
    },
    File {
        path: String,
        found: Option<Found>,
    },
}

impl Exchange {
    /// After the registry did what it was asked, with what it answered.
    pub(super) async fn after(&self, due: Due, answer: &Unverified<Vec<u8>>, context: &Context) -> Result<(), Stop> {
        let (sub, iat) = (context.claims().sub.clone(), self.now());
        let digest = || sha256_hex(context.token().as_bytes());
        match due {
            Due::RunBinding => {
                let run_id = made_run(answer)?;
                let binding = RunBinding { run_id: run_id.clone(), context: digest(), sub, iat };
                let token = self.signed(RUN_BINDING, &run_id, self.said(&binding, context)).await?;
                self.tag_run(&run_id, RUN_BINDING, &token).await
            }
            Due::RunSeal { run, status } => {
                let thing = Thing::Run(run.clone());
                let seen = self.look(&thing, Duration::ZERO).await?;
                let Made::Run(Run { digests, .. }) = &seen.made else { return Err(Stop::unreachable()) };
                let Digests { params, metrics, inputs, outputs, tags } = digests.clone();
                let seal = RunSeal { run_id: run.clone(), status, params, metrics, inputs, outputs, tags, sub, iat };
                let token = self.signed(RUN_SEAL, &run, self.said(&seal, context)).await?;
                self.tag_run(&run, RUN_SEAL, &token).await?;
                self.shared.known.forget(&thing);
                Ok(())
            }
            Due::ModelBinding { run } => {
                let model_id = made_model(answer)?;
                let binding = ModelBinding { model_id: model_id.clone(), run_id: run, context: digest(), sub, iat };
                let token = self.signed(MODEL_BINDING, &model_id, self.said(&binding, context)).await?;
                self.tag_model(&model_id, MODEL_BINDING, &token).await
            }
            Due::ModelSeal { model } => {
                let thing = Thing::Model(model.clone());
                let seen = self.look(&thing, Duration::ZERO).await?;
                let files = match kept(seen.made.artifacts()) {
                    Some(directory) => {
                        self.gather(Shelf::Workspace).manifest(&directory, |path| self.shared.known.file(path)).await?
                    }
                    None => None,
                };
                let seal = ModelSeal { model_id: model.clone(), files, sub, iat };
                let token = self.signed(MODEL_SEAL, &model, self.said(&seal, context)).await?;
                self.tag_model(&model, MODEL_SEAL, &token).await?;
                self.shared.known.forget(&thing);
                Ok(())
            }
            Due::VersionBinding { shelf, name, run, model, files, labels } => {
                let (version, source) = made_version(answer)?;
                let binding = VersionBinding {
                    name: name.clone(),
                    version: version.clone(),
                    source,
                    run_id: run,
                    model_id: model,
                    files,
                    sub,
                    iat,
                };
                self.bind(binding, shelf, context).await?;
                let labels: Vec<String> = labels.into_iter().collect();
                // A tag without a value is no tag everywhere; no label is a hyphen.
                let labels = if labels.is_empty() { "-".to_owned() } else { labels.join(",") };
                self.tag_version(shelf, &name, &version, LABELS, &labels).await
            }
            Due::WholeVersion { name, version } => {
                let thing = Thing::Version(name, version);
                let seen = self.look(&thing, Duration::ZERO).await?;
                self.shared.known.forget(&thing);
                let Made::Version(shown) = &seen.made else { return Err(Stop::unreachable()) };
                let vouching = match seen.made.binding() {
                    Some(token) => self.shared.keys.of(token).await,
                    None => None,
                };
                // It was there when the request came, and nobody but the gateway sets it.
                let said = vouching.and_then(|vouching| shown.binding(&|_| Some(vouching.voucher())));
                let said = said.ok_or_else(Stop::unreachable)?;
                let files = match Shelf::Catalog.files(&shown.name, &shown.version) {
                    Some(root) => self.gather(Shelf::Catalog).manifest(&root, |path| self.shared.known.file(path)).await?,
                    None => None,
                };
                self.bind(VersionBinding { files, sub, iat, ..said }, Shelf::Catalog, context).await
            }
            Due::Promotion { shelf, promotion, previous, decision, files } => {
                self.promoted(shelf, promotion, previous, decision, files, context).await
            }
            Due::File { path, found } => {
                self.shared.known.passed(&path, found.and_then(|found| found.take()));
                Ok(())
            }
        }
    }

    /// Says what a version is, in its tag.
    async fn bind(&self, binding: VersionBinding, shelf: Shelf, context: &Context) -> Result<(), Stop> {
        let about = format!("{} {}", binding.name, binding.version);
        let token = self.signed(VERSION_BINDING, &about, self.said(&binding, context)).await?;
        self.tag_version(shelf, &binding.name, &binding.version, VERSION_BINDING, &token).await
    }

    /// A statement is on record before anybody sees it.
    pub(super) async fn signed(&self, tag: &str, about: &str, token: String) -> Result<String, Stop> {
        let event = Event::StatementSigned {
            process: self.process(),
            statement: tag.to_owned(),
            about: about.to_owned(),
            sha256: sha256_hex(token.as_bytes()),
        };
        let recorder = self.shared.session.borrow().recorder.clone();
        match recorder.record(event).await {
            Ok(_) => Ok(token),
            Err(_) => Err(Stop::Failed("what was signed could not be recorded; nobody is shown it")),
        }
    }

    /// What this node says, with its certificate where it has one.
    pub(super) fn said(&self, statement: &impl Statement, context: &Context) -> String {
        say(statement, &self.shared.key, carried(&Unverified::new(context.token().as_bytes())))
    }

    pub(super) async fn tag_run(&self, run: &str, key: &str, value: &str) -> Result<(), Stop> {
        let tag = json!({ "run_id": run, "key": key, "value": value });
        Ok(self.line.put(Method::POST, "/api/2.0/mlflow/runs/set-tag".into(), &tag).await?)
    }

    async fn tag_version(&self, shelf: Shelf, name: &str, version: &str, key: &str, value: &str) -> Result<(), Stop> {
        let tag = json!({ "name": name, "version": version, "key": key, "value": value });
        Ok(self.line.put(Method::POST, shelf.set_tag().into(), &tag).await?)
    }

    async fn tag_model(&self, model: &str, key: &str, value: &str) -> Result<(), Stop> {
        let tags = json!({ "tags": [{ "key": key, "value": value }] });
        Ok(self.line.put(Method::PATCH, format!("/api/2.0/mlflow/logged-models/{model}/tags"), &tags).await?)
    }
}
