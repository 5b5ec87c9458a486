//! Promises of MLflow's plugin, kept with the real MLflow: its newest version and three that runtimes ship, as `init` places it.
//! tests/node.rs has the same on a node.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use longhorn::mlflow::{Sites, place, remove, sites};

#[path = "support/honest.rs"]
mod honest;

/// Environments under `target`, and the version that each has.
const ENVIRONMENTS: [(&str, &str); 4] =
    [("mlflow-2.13.1", "2.13.1"), ("mlflow-2.22.0", "2.22.0"), ("mlflow-3.0.1", "3.0.1"), (NEWEST, "3.17.2")];
const NEWEST: &str = "mlflow-new";
const STEPS: [&str; 9] = ["tagged", "header", "renewed", "withdrawn", "large", "limits", "variables", "twice", "databricks"];
const DAMAGES: usize = 45;

fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A directory for one test: tokens that a node key signed, and the plugin, placed as `init` places it.
struct Stage(PathBuf);

impl Stage {
    fn new(name: &str) -> Self {
        let place_of_all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mlflow-plugin").join(name);
        if place_of_all.exists() {
            fs::remove_dir_all(&place_of_all).expect("an old stage can be removed");
        }
        let stage = Self(place_of_all);
        for name in ["site", "scratch"] {
            fs::create_dir_all(stage.0.join(name)).expect("a directory can be made");
        }
        honest::lay_out(&stage.0.join("tokens"));
        stage.place(vec![stage.0.join("site")]);
        stage
    }

    fn place(&self, directories: Vec<PathBuf>) {
        let directories = directories.iter().map(|path| fs::canonicalize(path).expect("it is there")).collect();
        let lines = place(&Sites { directories, without: Vec::new() }, &self.0.join("journal"));
        assert_eq!(lines, Vec::<String>::new());
    }

    /// Runs a script of the suite in an environment, with the plugin on its path.
    fn python(&self, environment: &str, script: &str) -> Command {
        let mut command = self.interpreter(environment);
        command.arg(tree().join("tests/suites/mlflow/plugin").join(script));
        command
    }

    fn interpreter(&self, environment: &str) -> Command {
        let suite = tree().join("tests/suites/mlflow/plugin");
        let python = tree().join("target").join(environment).join("bin/python");
        assert!(python.is_file(), "no MLflow in target/{environment}: `cargo xtask test` installs it");
        let mut command = Command::new(python);
        command.arg("-B");
        // Nothing of this machine's own, and nothing to the internet.
        command
            .env_clear()
            .env("HOME", self.0.join("scratch"))
            .env("PATH", "/usr/bin:/bin")
            .env("MLFLOW_DISABLE_TELEMETRY", "true");
        let path = std::env::join_paths([self.0.join("site"), suite]).expect("no path has a colon");
        command.env("PYTHONPATH", path).stdin(Stdio::null());
        command
    }

    /// A directory that one run of a script may fill.
    fn scratch(&self, name: &str) -> PathBuf {
        let scratch = self.0.join("scratch").join(name);
        fs::create_dir(&scratch).expect("a directory can be made");
        scratch
    }
}

/// What a script printed; it must have succeeded.
fn said(command: &mut Command) -> String {
    let output = command.output().expect("python starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// The steps that it says were right.
fn right(said: &str) -> Vec<&str> {
    said.lines().filter_map(|line| line.strip_prefix("ok ")).collect()
}

/// A running MLflow server; it ends when its standard input closes.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(stage: &Stage) -> Self {
        let mut command = stage.python(NEWEST, "serve.py");
        // The server has no plugin.
        command.env_remove("PYTHONPATH").arg(stage.scratch("server")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("python starts");
        let mut line = String::new();
        let out = process.stdout.take().expect("it is a pipe");
        BufReader::new(out).read_line(&mut line).expect("it can be read");
        let url = line.trim().strip_prefix("READY ").unwrap_or_else(|| panic!("the server does not start: {line:?}")).to_owned();
        Self { process, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // An end that fails has nobody to tell.
        let _ = self.process.wait();
    }
}

#[test]
fn every_run_has_our_tags_and_every_request_our_header_as_the_token_says_at_that_time() {
    let stage = Stage::new("client");
    let server = Server::start(&stage);
    for (environment, version) in ENVIRONMENTS {
        let mut command = stage.python(environment, "client.py");
        command.args([version, &server.url]).args([stage.0.join("tokens"), stage.scratch(environment)]);
        assert_eq!(right(&said(&mut command)), STEPS, "{environment}");
    }
}

#[test]
fn mlflow_is_imported_and_works_in_silence_whatever_became_of_the_context() {
    let stage = Stage::new("damaged");
    for (environment, _) in ENVIRONMENTS {
        let mut command = stage.python(environment, "damaged.py");
        command.env("PYTHONWARNINGS", "default").args([stage.0.join("tokens"), stage.scratch(environment)]);
        assert_eq!(right(&said(&mut command)).len(), DAMAGES, "{environment}");
    }
}

#[test]
fn mlflow_is_imported_whatever_is_missing_of_the_plugin() {
    let stage = Stage::new("missing");
    let site = stage.0.join("site");
    let dist_info = site.join(format!("longhorn_mlflow-{}.dist-info", env!("CARGO_PKG_VERSION")));
    for (environment, _) in ENVIRONMENTS {
        // In the order in which `uninstall` takes them away, and then what a failed one might leave.
        let (points, metadata) = (dist_info.join("entry_points.txt"), dist_info.join("METADATA"));
        let (module, socket) = (site.join("longhorn_mlflow/__init__.py"), site.join("longhorn_mlflow/_socket.py"));
        let whole: Vec<(PathBuf, Vec<u8>)> =
            [&points, &metadata, &module, &socket].map(|path| (path.clone(), fs::read(path).expect("it is placed"))).into();
        for gone in [
            vec![&points],
            vec![&points, &metadata],
            vec![&points, &metadata, &module],
            vec![&points, &metadata, &module, &socket],
            vec![&module],
            vec![&metadata],
            vec![&socket],
        ] {
            for path in &gone {
                fs::remove_file(path).expect("it can be removed");
            }
            let mut command = stage.interpreter(environment);
            command.args(["-c", "import mlflow; print('ok', bool(mlflow.start_run))"]);
            assert_eq!(right(&said(&mut command)), ["True"], "{environment} without {gone:?}");
            for (path, bytes) in &whole {
                fs::write(path, bytes).expect("it can be written");
            }
        }
    }
}

#[test]
fn the_plugin_needs_nothing_claims_nothing_and_leaves_an_interrupt_to_the_user() {
    let stage = Stage::new("alone");
    for (environment, _) in ENVIRONMENTS {
        let mut command = stage.python(environment, "alone.py");
        command.args([stage.0.join("tokens"), stage.scratch(environment)]);
        assert_eq!(right(&said(&mut command)), ["readable", "light", "found", "unclaimed", "interrupted"], "{environment}");
    }
}

#[test]
fn the_plugin_carries_tokens_as_long_as_a_verifier_opens() {
    let module = fs::read_to_string(tree().join("agent/src/mlflow/plugin/longhorn_mlflow/__init__.py")).expect("it is there");
    assert!(module.contains(&format!("\nMOST = {}\n", longhorn::context::seal::MOST)));
}

/// Even where the model's own code imports the plugin. The twin has what installers leave and the plugin lacks, and is named.
#[test]
fn what_mlflow_infers_that_a_model_needs_does_not_name_the_plugin() {
    let stage = Stage::new("inferred");
    let server = Server::start(&stage);
    let infer = |name: &str| {
        let mut command = stage.python(NEWEST, "inferred.py");
        said(command.arg(&server.url).args([stage.0.join("tokens"), stage.scratch(name)]))
    };
    let found = infer("ours");
    assert!(found.contains("\ncloudpickle==") && !found.contains("longhorn"), "{found}");
    let dist_info = stage.0.join(format!("site/longhorn_mlflow-{}.dist-info", env!("CARGO_PKG_VERSION")));
    fs::write(dist_info.join("top_level.txt"), "longhorn_mlflow\n").expect("it can be written");
    let found = infer("twin");
    assert!(found.contains(&format!("\nlonghorn-mlflow=={}\n", env!("CARGO_PKG_VERSION"))), "{found}");
}

#[test]
fn installers_leave_the_plugin_alone_and_work_as_before_and_it_goes_without_a_trace() {
    let stage = Stage::new("packages");
    let venv = stage.0.join("venv");
    let made = Command::new("/usr/bin/python3").args(["-m", "venv", "--without-pip"]).arg(&venv).status().expect("python starts");
    assert!(made.success());
    let found = sites(&[venv.join("bin/python3")], &[]);
    // The interpreter's own directory is this machine's.
    let own: Vec<PathBuf> = found.directories.iter().filter(|path| path.starts_with(&stage.0)).cloned().collect();
    assert_eq!((own.len(), found.without), (1, vec![]), "{:?}", found.directories);
    // Beside it uv leaves a lock file.
    let lib = venv.join("lib");
    let before = listing(&lib);
    stage.place(own);
    assert_eq!(listing(&lib).len(), before.len() + 7);
    let mut command = stage.python(NEWEST, "packages.py");
    command.env_remove("PYTHONPATH").arg(&venv).args([tree().join("target/wheels"), stage.scratch("uv")]);
    assert_eq!(right(&said(&mut command)), ["packages"]);
    // With what an import leaves.
    let imported = Command::new(venv.join("bin/python3")).args(["-c", "import longhorn_mlflow"]).env_clear().status();
    assert!(imported.expect("python starts").success());
    let compiled = |path: &PathBuf| path.ends_with("longhorn_mlflow/__pycache__");
    assert!(listing(&lib).iter().any(compiled), "python compiled nothing");
    assert_eq!(remove(&stage.0.join("journal")), Vec::<String>::new());
    assert_eq!(listing(&lib), before);
}

fn listing(place: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(place).expect("it can be read") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(listing(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}
