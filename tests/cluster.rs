//! Promises of a whole cluster: nodes of their own network, real Spark, the binary that ships as the init script brings it.

#[path = "support/bed.rs"]
mod bed;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use std::time::Duration;

use bed::Bed;
use serde_json::Value;
use simulator::scenario::CLUSTER;
use support::{root_or_skip, run, text, tree};

/// A cluster with Spark and the suite's jobs; with Longhorn, or without.
fn cluster(name: &str, workers: u8, locked: bool) -> Bed {
    let mut bed = Bed::new(name, workers);
    if locked {
        bed.with_longhorn(bed::preset());
    }
    bed.with_spark();
    bed.suite();
    bed.up(0..=workers);
    bed
}

/// The lines of JSON that a job printed.
fn told(output: &std::process::Output) -> Vec<Value> {
    let lines = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>();
    lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn the_python_of_every_executor_is_locked_under_the_same_job_run_scope_policy_and_environment_as_the_driver() {
    if !root_or_skip("a cluster") {
        return;
    }
    let bed = cluster("cluster-job", 2, true);
    let output = bed.submit(&[], &[], "digests.py");
    assert!(output.status.success(), "{}", text(&output));
    let [found] = &told(&output)[..] else { panic!("{}", text(&output)) };
    let executors = found["executors"].as_array().expect("a list");
    let hosts: BTreeSet<&str> = executors.iter().filter_map(|one| one["host"].as_str()).collect();
    assert_eq!(hosts, ["node-1", "node-2"].into(), "not every worker had a task");
    let locked = serde_json::json!({ "NoNewPrivs": "1", "Seccomp": "2", "CapBnd": "0000000000000000", "Uid": "0\t0\t0\t0" });
    let of = |one: &Value, claims: &[&str]| claims.iter().map(|claim| one["context"][claim].clone()).collect::<Vec<_>>();
    let agreed =
        ["sub", "job", "cluster", "run_as", "scope", "roles", "permissions", "policy", "environment_digest", "enforcement"];
    for one in executors.iter().chain([&found["driver"]]) {
        assert_eq!(one["status"], locked);
        assert_eq!(of(one, &agreed), of(&found["driver"], &agreed));
        assert_eq!(one["context"]["lock"]["strength"], "full", "{one}");
    }
    // A node's own: where it is, and tokens that no other node has. It may have renewed meanwhile.
    let own = |claim: &str| -> BTreeMap<String, BTreeSet<String>> {
        let mut hosts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for one in executors.iter().chain([&found["driver"]]) {
            hosts.entry(one["context"][claim].to_string()).or_default().insert(one["host"].to_string());
        }
        hosts
    };
    assert_eq!(own("node").len(), 3);
    // The engine began the tree, its interpreters are within; each node's own record says so.
    for node in 0..=2 {
        for outcome in ["locked", "inherited"] {
            until_recorded(&bed, node, &format!("\"corroborated\":true,\"full\":true,\"outcome\":\"{outcome}\""));
        }
    }
    assert!(own("jti").values().all(|hosts| hosts.len() == 1), "{:?}", own("jti"));
}

/// How an application is started: its name, variables of the cluster, options.
type Application = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

const APPLICATIONS: &[Application] = &[
    ("plain", &[], &[]),
    (
        "configured",
        &[("JAVA_TOOL_OPTIONS", "-Dsmuggled=1")],
        &[
            "spark.executorEnv.SMUGGLED=1",
            "spark.executorEnv.LONGHORN_ROLES=admin",
            "spark.executorEnv.LD_PRELOAD=/local_disk0/hook.so",
            "spark.executorEnv.JAVA_TOOL_OPTIONS=-Dsmuggled=1",
            "spark.executorEnv._JAVA_OPTIONS=-Dsmuggled=1",
            "spark.python.daemon.module=attack_daemon",
            "spark.executorEnv.PYTHONPATH=/mnt/host/code",
        ],
    ),
    (
        "interpreter",
        &[],
        &[
            "spark.archives=/mnt/host/code/env.tar.gz#env",
            "spark.pyspark.python=/local_disk0/interpreter",
            "spark.pyspark.driver.python=/databricks/python/bin/python",
        ],
    ),
    // The driver's own interpreter: no worker has a part in it.
    ("variable", &[("PYSPARK_PYTHON", "/local_disk0/interpreter")], &["spark.master=local[1]"]),
];

/// Every attack of the suite on a cluster: whether it reached what it was after, and what it met.
fn attack(bed: &Bed) -> BTreeMap<String, (bool, String)> {
    let mut met = BTreeMap::new();
    for (name, variables, options) in APPLICATIONS {
        let options: Vec<&str> = options.iter().flat_map(|option| ["--conf", option]).collect();
        let output = bed.submit(variables, &options, &format!("attempts.py {name}"));
        let lines = told(&output);
        for line in &lines {
            let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
            met.insert(text("attack"), (line["reached"] == true, text("met")));
        }
        // An application that could not even start reached nothing; that decides only where it says what stopped it.
        if lines.is_empty() {
            for (attack, application) in attacks()
                .into_iter()
                .filter(|attack| attack.expect.starts_with("stopped by "))
                .map(|attack| (attack.name, attack.application))
            {
                if application == *name {
                    met.insert(attack, (false, text(&output)));
                }
            }
        }
    }
    met
}

struct Attack {
    name: String,
    application: String,
    /// `stopped`, `stopped by WORDS`, `open`.
    expect: String,
}

fn attacks() -> Vec<Attack> {
    let files = fs::read_dir(tree().join("tests/suites/cluster/attacks")).expect("the attacks are there");
    let mut attacks: Vec<Attack> = files
        .map(|file| {
            let path = file.expect("the directory can be read").path();
            let text = fs::read_to_string(&path).expect("an attack can be read");
            let after = |mark: &str, end: &str| {
                let rest = &text[text.find(mark).unwrap_or_else(|| panic!("{} has no {mark}", path.display())) + mark.len()..];
                rest[..rest.find(end).expect("it ends")].to_owned()
            };
            Attack {
                name: path.file_stem().expect("a file has a name").to_string_lossy().into_owned(),
                application: after("APPLICATION = \"", "\""),
                expect: after("\"\"\"expect: ", "\n"),
            }
        })
        .collect();
    attacks.sort_by(|one, other| one.name.cmp(&other.name));
    attacks
}

#[test]
fn every_way_past_the_lock_that_spark_offers_works_on_an_open_cluster_and_is_stopped_on_a_locked_one() {
    if !root_or_skip("attacks on a cluster") {
        return;
    }
    let attacked = |name, locked| attack(&archived(cluster(name, 1, locked)));
    // Side by side: most of an application's start is waiting.
    let (open, locked) = std::thread::scope(|scope| {
        let open = scope.spawn(|| attacked("cluster-open", false));
        let locked = attacked("cluster-locked", true);
        (open.join().expect("the open cluster was attacked"), locked)
    });
    let mut wrong = Vec::new();
    for Attack { name, expect, .. } in attacks() {
        let (reached, said) = open.get(&name).cloned().unwrap_or_default();
        if !reached {
            wrong.push(format!("{name} does not work where nothing is locked: {said}"));
        }
        let (reached, said) = locked.get(&name).cloned().unwrap_or_else(|| (true, "it was not tried".into()));
        let words = expect.strip_prefix("stopped by ").unwrap_or_default();
        let named = words.split('|').any(|word| said.contains(word));
        match expect.as_str() {
            "open" if !reached => wrong.push(format!("{name} is stopped, though it is said to be open: {said}")),
            "open" => {}
            _ if reached => wrong.push(format!("{name} is not stopped: {said}")),
            "stopped" if !said.is_empty() => wrong.push(format!("{name} broke, which is no proof that it is stopped: {said}")),
            _ if !named => wrong.push(format!("{name} is stopped, but not by {words}: {said}")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// With an archive that holds an interpreter of its own.
fn archived(bed: Bed) -> Bed {
    let code = bed.share.join("code");
    fs::create_dir_all(code.join("env/bin")).expect("a directory can be made");
    let interpreter = fs::canonicalize("/usr/bin/python3").expect("the system has Python");
    fs::copy(&interpreter, code.join("env/bin/python")).expect("it can be copied");
    let home = "home = /usr/bin\ninclude-system-site-packages = true\n";
    fs::write(code.join("env/pyvenv.cfg"), home).expect("a file can be written");
    run(Command::new("tar").arg("-C").arg(code.join("env")).arg("-czf").arg(code.join("env.tar.gz")).arg("."));
    bed
}

/// What `longhorn status` says on the driver, row by row.
fn status(bed: &Bed) -> BTreeMap<String, String> {
    // On a machine that is busy enough a lease of seconds lapses between two renewals; that is not what is asked here.
    let output = bed.command(0, "/opt/longhorn/bin/longhorn").args(["status", "--json"]).output().expect("it starts");
    let rows: BTreeMap<String, Value> = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)));
    rows.into_iter().map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned))).collect()
}

/// Waits until the driver's status says this of a row.
fn until(bed: &Bed, row: &str, expected: &str) {
    let mut last = BTreeMap::new();
    for _ in 0..150 {
        last = status(bed);
        if last.get(row).is_some_and(|said| said == expected) {
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("{row} is never {expected:?}: {last:?}");
}

#[test]
fn a_worker_added_later_attests_itself_a_missing_one_is_named_by_the_driver_and_a_restarted_node_keeps_working() {
    if !root_or_skip("nodes that come and go") {
        return;
    }
    let mut bed = Bed::new("cluster-nodes", 0);
    bed.with_longhorn(bed::STANDALONE);
    // The list of executors fills late: the worker is provisional until the workspace lists it.
    bed.up(0..=1);
    until(&bed, "nodes_listed", "1");
    until(&bed, "nodes_missing", "");
    bed.workspace.edit(|scenario| bed::list(scenario, 1..=1));
    until(&bed, "nodes_listed", "2");
    until(&bed, "nodes_missing", "");
    // A worker is added, and listed at once.
    bed.workspace.edit(|scenario| bed::list(scenario, 1..=2));
    until(&bed, "nodes_missing", &bed::address(2));
    bed.up([2]);
    until(&bed, "nodes_missing", "");
    // One that the workspace lists cannot attest itself: its init script fails, and the driver names it.
    bed.workspace.edit(|scenario| bed::list(scenario, 1..=3));
    let honest = fs::read_to_string(bed.share.join("cluster")).expect("it was written");
    bed.write("cluster", &honest.replace(&format!("DB_CLUSTER_ID={CLUSTER}"), "DB_CLUSTER_ID=1001-000000-another0"));
    bed.start(3);
    assert_eq!(bed.settled(3), "failed longhorn-init.sh 77", "{}", bed.said(3));
    assert!(bed.said(3).contains("reason: cluster-unknown"), "{}", bed.said(3));
    bed.write("cluster", &honest);
    until(&bed, "nodes_missing", &bed::address(3));
    let shown = bed.command(0, "/opt/longhorn/bin/longhorn").arg("status").output().expect("it starts");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains(&format!("nodes missing          {}\n", bed::address(3))), "{shown}");
    until_recorded(&bed, 0, &format!("\"missing\":[\"{}\"]", bed::address(3)));
    // Started again, it is there; so is another one that was lost and comes back.
    bed.down(3);
    bed.down(1);
    bed.up([1, 3]);
    until(&bed, "nodes_missing", "");
    assert_eq!(status(&bed)["nodes_differing"], "");
    let published = bed.workspace.files();
    let of = |number: u8| published.keys().filter(|path| path.contains(&format!("/{}_", bed::address(number)))).count();
    assert_eq!([of(0), of(1), of(2), of(3)], [1, 2, 1, 1], "each start publishes once: {:?}", published.keys());
    // A node that comes back under another policy is told apart.
    bed.down(2);
    bed.with_longhorn(bed::preset());
    bed.up([2]);
    until(&bed, "nodes_differing", &format!("{} environment", bed::address(2)));
}

fn until_recorded(bed: &Bed, node: u8, words: &str) {
    let mut command = vec!["sh", "-c"];
    let script = format!("for try in $(seq 50); do grep -rqF '{words}' /var/lib/longhorn/log && exit; sleep 0.2; done; exit 1");
    command.push(&script);
    bed.run(node, &command);
}

/// Types cells into a notebook; whether each ended well, and what it printed.
fn typed(bed: &Bed, notebook: &str, cells: &str) -> Vec<(bool, String)> {
    let mut command = bed.command(0, "/databricks/python3/bin/python");
    command.args(["/mnt/host/code/notebook.py", notebook]);
    command.stdin(fs::File::open(bed.share.join("code").join(cells)).expect("the suite has it"));
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "notebook {notebook}: {}", text(&output));
    let of = |line: Value| (line["ok"] == true, line["printed"].as_str().unwrap_or_default().trim().to_owned());
    told(&output).into_iter().map(of).collect()
}

#[test]
fn users_of_several_notebooks_on_an_interactive_cluster_notice_nothing() {
    if !root_or_skip("an interactive cluster") {
        return;
    }
    let mut bed = Bed::new("cluster-notebooks", 1);
    bed.workspace.edit(|scenario| {
        let cluster = scenario.clusters.get_mut(CLUSTER).expect("the scenario has its cluster");
        for (name, value) in [("cluster_source", "UI"), ("cluster_name", "exploration"), ("policy_id", "INTERACTIVE1")] {
            cluster[name] = value.into();
        }
    });
    bed.cluster("exploration", false);
    bed.with_longhorn(bed::STANDALONE);
    // Where this machine's own packages have it, as that preset says.
    let java = fs::canonicalize("/usr/bin/java").expect("the system has Java");
    let home = java.ancestors().nth(2).expect("it lies in its home's bin");
    bed.write("java", &format!("{}\n", home.display()));
    bed.with_spark();
    bed.suite();
    bed.wheels();
    bed.up(0..=1);
    // What the platform does for each notebook: an environment, and an interpreter under the engine.
    for notebook in ["1", "2"] {
        let place = format!("/local_disk0/.ephemeral_nfs/envs/pythonEnv-{notebook}");
        bed.run(0, &["/databricks/python3/bin/python", "-m", "venv", "--system-site-packages", &place]);
        let packages = format!("/databricks/python3/lib/python{}/site-packages", bed::version());
        let beside = format!("echo {packages} > {place}/lib/python{}/site-packages/runtime.pth", bed::version());
        let index = format!("printf '[global]\\nno-index = true\\nfind-links = /mnt/host/code/wheels\\n' > {place}/pip.conf");
        bed.run(0, &["sh", "-c", &format!("{beside} && {index}")]);
    }
    let mut engine = bed.command(0, "/databricks/spark/bin/spark-submit");
    let mut engine = engine.args(["/mnt/host/code/engine.py", "1", "2"]).spawn().expect("the engine starts");
    let expected = [
        "328350",
        "exploration False 0",
        "exploration 0 1",
        "",
        "True",
        "True True",
        "a,b",
        "/local_disk0/.ephemeral_nfs/envs/pythonEnv-1/bin/python\nexploration\n/databricks/driver",
    ];
    let mut found = typed(&bed, "1", "cells.txt");
    let (ok, said) = found.pop().expect("there are cells");
    assert!(!ok && (said.contains("Permission denied: '/etc/passwd'") || said.contains("Read-only")), "{said}");
    for ((ok, printed), expected) in found.iter().zip(expected) {
        assert!(*ok && (expected.is_empty() || printed == expected), "{printed:?}, not {expected:?}; all: {found:?}");
    }
    assert_eq!(found.len(), expected.len());
    // The second is beside the first: the same engine and context, packages of its own.
    bed.write("code/second.txt", "import os; print(os.environ['LONGHORN_SCOPE'])\n# ---\nimport distlib\n");
    let second = typed(&bed, "2", "second.txt");
    assert_eq!(second[0], (true, "exploration".to_owned()));
    assert!(!second[1].0 && second[1].1.contains("ModuleNotFoundError"), "{second:?}");
    engine.kill().expect("it still runs");
    engine.wait().expect("it ends");
}
