//! Promises of the simulated workspace: the official SDK, old and new, accepts its answers. What the agent is tested against
//! is then no shape of our own making.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use simulator::Simulator;
use simulator::scenario::{JOB, RUN, Scenario};

const STEPS: &[&str] = &[
    "login",
    "cluster",
    "listed",
    "late",
    "job",
    "run",
    "principals",
    "file",
    "policies",
    "secrets",
    "tokens",
    "metastore",
    "throttled",
    "given_up",
    "stranger",
    "federated",
];

/// The honest workspace, and 24 clusters of notebooks that are not running: more than one page.
fn workspace() -> Simulator {
    let mut scenario = Scenario::honest();
    scenario.metastore.seen.insert(format!("{JOB}/{RUN}"), vec!["main.gold.orders".to_owned()]);
    for number in 0..24 {
        let name = format!("notebooks-{number:02}");
        let mut cluster = json!({
            "cluster_id": name, "cluster_name": name, "cluster_source": "UI", "state": "TERMINATED", "policy_id": "DEF456",
            "workload_type": { "clients": { "notebooks": true, "jobs": false } },
        });
        if number == 7 {
            cluster["pinned_by_user_name"] = "ada@example.com".into();
        }
        scenario.clusters.insert(name, cluster);
    }
    simulator::start(scenario).expect("the simulator starts")
}

/// What `longhorn policy render` prints for each compute policy, as a platform engineer has it before pasting it.
fn rendered(environment: &str) -> PathBuf {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rendered-{environment}"));
    std::fs::create_dir_all(&place).expect("a directory can be made");
    let longhorn = std::env::var_os("LONGHORN_BIN").map_or_else(|| env!("CARGO_BIN_EXE_longhorn").into(), PathBuf::from);
    for compute in ["jobs", "interactive", "baked"] {
        let policy = tree.join("tests/fixtures/compute/policy.toml");
        let output = Command::new(&longhorn).args(["policy", "render", "--compute", compute]).arg(policy).output();
        let output = output.expect("longhorn starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::write(place.join(format!("{compute}.json")), output.stdout).expect("it can be written");
    }
    place
}

/// Runs `tests/suites/sdk/probe.py` with an SDK, which lacks exactly these calls; returns which paths it asked for.
fn probe(environment: &str, version: &str, lacks: &[&str]) -> BTreeMap<String, u32> {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = tree.join("target").join(environment).join("bin/python");
    assert!(python.is_file(), "no databricks-sdk {version} in target/{environment}: `cargo xtask test` installs it");
    let (workspace, rendered) = (workspace(), rendered(environment));
    let run = |more: &[&str]| {
        // Nothing of this machine's own: neither profiles nor proxies.
        let output = Command::new(&python)
            .arg("-B")
            .arg(tree.join("tests/suites/sdk/probe.py"))
            .args([workspace.url(), version])
            .arg(&rendered)
            .args(more)
            .env_clear()
            .env("HOME", tree.join("target").join(environment))
            .stdin(Stdio::null())
            .output()
            .expect("python starts");
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{said}");
        said
    };
    let said = run(&[]);
    let lines =
        |word: &str| -> Vec<String> { said.lines().filter_map(|line| line.strip_prefix(word)).map(str::to_owned).collect() };
    assert_eq!(lines("ok "), STEPS, "{said}");
    assert_eq!(lines("lacks "), lacks, "{said}");
    assert_eq!(workspace.files()["/api/2.0/fs/files/Volumes/main/longhorn/keys/node.pub"], b"a key");
    let asked = workspace.requests();

    // The same workspace under another principal, who knows the id of a token that is not its own.
    workspace.edit(|scenario| scenario.client = ("another".into(), "another-secret".into()));
    let said = run(&["another", &lines("left ").concat()]);
    assert!(said.contains("ok another\n"), "{said}");
    asked
}

fn assert_asked(asked: &BTreeMap<String, u32>, paths: &[&str]) {
    let other = ["/oidc/v1/token", "/api/2.0/policies/clusters/create", "/api/2.0/secrets/put", "/api/2.0/token/create"];
    for path in paths.iter().chain(&other) {
        assert!(asked.contains_key(*path), "{path} is not among {asked:?}");
    }
}

#[test]
fn an_old_sdk_accepts_every_answer_of_the_simulated_workspace() {
    let lacks = [
        "ClustersAPI.list page_size",
        "ClustersAPI.list filter_by",
        "ClustersAPI.list sort_by",
        "WorkspaceClient.entity_tag_assignments",
        "Config.oidc_token_filepath",
    ];
    let asked = probe("sdk-old", "0.20.0", &lacks);
    assert_asked(&asked, &["/api/2.0/clusters/get", "/api/2.1/jobs/get", "/api/2.1/jobs/runs/get"]);
    // Whole each time: for everything, for notebooks, for jobs.
    assert_eq!(asked["/api/2.0/clusters/list"], 3);
}

#[test]
fn the_newest_sdk_accepts_every_answer_of_the_simulated_workspace() {
    let asked = probe("sdk-new", "0.156.0", &["ClustersAPI.list can_use_client"]);
    // The very paths that the agent asks.
    assert_asked(&asked, &["/api/2.1/clusters/get", "/api/2.2/jobs/get", "/api/2.2/jobs/runs/get"]);
    // Everything by twenties, which is two pages, and by tens, which is three; a page that is none; four pages by hand; of
    // the filters one has three pages and five have one, two are two pages long, as are both orders.
    assert_eq!(asked["/api/2.1/clusters/list"], 2 + 3 + 1 + 4 + 3 + 4 + 2 * 2 + 2 * 2);
}
