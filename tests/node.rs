//! Promises of a whole node, each on a node of its own: the binary that ships, real namespaces, real Landlock.

#[macro_use]
#[path = "support/promises.rs"]
mod promises;
mod support;

#[path = "support/fixtures.rs"]
mod fixtures;

use std::fs;
use std::process::Command;
use std::time::Duration;

use simulator::scenario::{CLUSTER, JOB, PRINCIPAL};
use support::{Stage, long, now, root_or_skip, text};

/// The script succeeds, and every screen that it kept is what a person should read.
fn holds(script: &str, stage: &Stage) {
    let output = stage.node(script);
    assert!(output.status.success(), "{}", text(&output));
    fixtures::screens(&stage.share.join("screens"), stage.workspace.url());
}

fn holds_on_an_honest_node(name: &str, script: &str) {
    holds(script, &Stage::new(name));
}

promises! {
    holds_on_an_honest_node;
    an_honest_node_is_locked_told_and_recorded: "locked.sh";
    doctor_says_what_a_node_allows_and_refuses_a_policy_whose_floor_is_not_met: "doctor.sh";
    twenty_nested_interpreters_work_and_the_innermost_is_locked_and_scrubbed: "nested.sh";
    a_killed_sidecar_is_back_with_the_same_key_lock_and_job: "sidecar_back.sh";
    a_dead_keeper_means_refused_launches_once_the_lease_has_ended: "keeper_dead.sh";
    a_tampered_lock_or_lease_refuses_every_launch_by_name: "tampered.sh";
    init_can_be_run_twice_and_uninstall_restores_everything: "twice.sh";
    environments_and_subprocesses_of_python_work_under_the_lock: "workloads.sh";
    only_the_locked_job_reads_the_context_from_the_socket: "peer.sh";
    a_renewal_is_a_new_context_and_the_first_record_names_the_agent_that_runs: "renewed.sh";
    an_uninstall_beside_an_init_waits_and_never_removes_what_shows_through_a_bind: "uninstall_waits.sh";
    a_job_that_outlives_its_lock_has_no_hold_on_the_next_one: "old_tree.sh";
    a_job_that_waits_for_the_keepers_file_does_not_become_the_keeper: "posed.sh";
    a_launch_that_cannot_enforce_what_is_sealed_is_refused_and_the_record_says_what_was: "enforced.sh";
    an_uninstall_from_another_mount_namespace_than_the_covers_refuses_and_changes_nothing: "elsewhere.sh";
    a_program_gets_its_name_and_its_arguments_byte_for_byte: "arguments.sh";
    a_bad_document_or_secret_is_refused_by_name_before_the_node_is_touched: "documents.sh";
}

#[test]
fn pip_virtualenv_uv_console_scripts_and_copied_interpreters_work_under_the_lock() {
    if root_or_skip("installing packages") {
        let stage = Stage::new("packages");
        stage.bundle(|text| {
            text.replace("read = [\"/mnt/host/code\"]", "read = [\"/mnt/host\"]\nexecute = [\"/local_disk0/.ephemeral_nfs\"]")
        });
        stage.wheels();
        holds("packages.sh", &stage);
    }
}

#[test]
fn a_program_inside_a_locked_tree_has_its_environment_and_outside_it_is_untouched() {
    if root_or_skip("inside targets") {
        let stage = Stage::new("inside");
        stage.bundle(|text| {
            text.replace("root = [\"/usr/bin/python3\"]", "root = [\"/usr/bin/python3\"]\ninside = [\"/usr/bin/perl\"]")
        });
        fs::copy(support::tree().join("tests/suites/node/slip.py"), stage.share.join("code/slip.py")).expect("it is there");
        holds("inside.sh", &stage);
    }
}

#[test]
fn a_file_system_whose_server_hangs_keeps_neither_init_nor_a_launch_waiting() {
    if root_or_skip("a file system that hangs") {
        let stage = Stage::new("hung");
        fs::copy(support::tree().join("tests/suites/node/hung.py"), stage.share.join("code/hung.py")).expect("it is there");
        holds("hung.sh", &stage);
    }
}

#[test]
fn what_is_masked_is_masked_where_a_covered_programs_tree_shows_again_and_deep_programs_run() {
    if root_or_skip("trees that show twice") {
        let stage = Stage::new("shown");
        stage.bundle(|text| {
            text.replace("root = [\"/usr/bin/python3\"]", "root = [\"/usr/bin/python3\", \"/opt/engine/deep/bin/engine\"]")
                .replace(
                    "write = [\"/local_disk0\"]",
                    "write = [\"/local_disk0\"]\nexecute = [\"/opt/engine\"]\nmask = [\"/usr/share/masked\"]",
                )
        });
        holds("shown.sh", &stage);
    }
}

#[test]
fn mlflows_plugin_is_placed_by_init_used_by_the_locked_job_out_of_its_hands_and_gone_after_uninstall() {
    if root_or_skip("MLflow's plugin on a node") {
        let stage = Stage::new("plugin");
        let mlflow = support::tree().join("target/mlflow-2.13.1");
        assert!(mlflow.is_dir(), "no MLflow in target/mlflow-2.13.1: `cargo xtask test` installs it");
        support::run(Command::new("cp").arg("-a").arg(mlflow.join(".")).arg(stage.share.join("mlflow")));
        stage.bundle(|text| {
            let execute = "read = [\"/mnt/host/code\"]\nexecute = [\"/mnt/host/mlflow\", \"/databricks\"]";
            // Long leases: the token of a run is the one that is read beside it.
            let text = text.replace("read = [\"/mnt/host/code\"]", execute).replace("\"3s\"", "\"600s\"");
            let environments = "[\"/databricks/python3\", \"/mnt/host/mlflow\", \"/local_disk0/planted\", \"/opt/absent\"]";
            let more = format!("\n[mlflow]\nplugin = true\nenvironments = {environments}\n");
            if text.contains("[workspace]") { text + &more } else { text }
        });
        for name in ["plugin_job.py", "plugin_hostile.py"] {
            fs::copy(support::tree().join("tests/suites/node").join(name), stage.share.join("code").join(name))
                .expect("it is there");
        }
        holds("plugin.sh", &stage);
    }
}

#[test]
fn sockets_of_services_are_out_of_sight_though_they_come_and_go() {
    if root_or_skip("sockets of services") {
        let stage = Stage::new("deputies");
        fs::copy(support::tree().join("tests/suites/node/deputy.py"), stage.share.join("code/deputy.py")).expect("it is there");
        holds("deputies.sh", &stage);
    }
}

#[test]
fn a_job_that_holds_every_connection_of_the_sidecar_keeps_nobody_else_waiting() {
    if root_or_skip("a crowd at the socket") {
        let stage = Stage::new("crowd");
        fs::copy(support::tree().join("tests/suites/node/crowd.py"), stage.share.join("code/crowd.py")).expect("it is there");
        holds("crowd.sh", &stage);
    }
}

#[test]
fn what_runs_beside_us_is_on_record_by_digest_and_nothing_among_it_makes_a_node_wait() {
    if root_or_skip("the inventory") {
        let stage = Stage::new("inventory");
        fs::copy(support::tree().join("tests/suites/node/inventory.py"), stage.share.join("code/inventory.py"))
            .expect("it is there");
        holds("inventory.sh", &stage);
    }
}

#[test]
fn the_agents_secrets_are_out_of_reach_for_a_job_that_may_read_their_directory_and_for_the_sidecars_uid() {
    if root_or_skip("the agent's secrets") {
        let stage = Stage::new("secrets");
        stage.bundle(|text| text.replace("read = [\"/mnt/host/code\"]", "read = [\"/mnt/host\"]"));
        stage.secret("neighbour", "not a secret\n");
        holds("secrets.sh", &stage);
    }
}

#[test]
fn without_a_mask_a_policy_that_reaches_a_secret_of_the_agent_is_refused_before_the_node_is_touched() {
    if root_or_skip("secrets within reach") {
        let stage = Stage::new("reach");
        stage.bundle(|text| {
            text.replace("mount = true", "mount = false").replace("read = [\"/mnt/host/code\"]", "read = [\"/mnt/host\"]")
        });
        holds("reach.sh", &stage);
    }
}

/// A policy that covers `/opt/runtime/bin/program` and asks for the private mount namespace, or not.
fn origin(stage: &Stage, mount: bool) {
    stage.bundle(|text| {
        text.replace("root = [\"/usr/bin/python3\"]", "root = [\"/usr/bin/python3\", \"/opt/runtime/bin/program\"]")
            .replace("write = [\"/local_disk0\"]", "write = [\"/local_disk0\"]\nexecute = [\"/opt/runtime\"]")
            .replace("mount = true", &format!("mount = {mount}"))
    });
}

#[test]
fn a_program_that_finds_its_library_by_origin_works_under_a_bind_cover() {
    if root_or_skip("covers by bind mount") {
        let stage = Stage::new("origin-bind");
        origin(&stage, true);
        let output = stage.command("origin.sh").env("STRENGTH", "locked (full)").output().expect("a node starts");
        assert!(output.status.success(), "{}", text(&output));
    }
}

#[test]
fn a_node_without_mounts_is_covered_by_rename_and_says_that_it_is_degraded() {
    if root_or_skip("covers by rename") {
        let stage = Stage::new("origin-rename");
        origin(&stage, false);
        let mut command = stage.command("origin.sh");
        command.env("STRENGTH", "locked (degraded)").env("LIMIT", "setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin");
        let output = command.output().expect("a node starts");
        assert!(output.status.success(), "{}", text(&output));
    }
}

#[test]
fn a_program_that_was_upgraded_while_it_was_covered_by_rename_is_left_as_it_is() {
    if root_or_skip("upgrades under covers") {
        let stage = Stage::new("upgraded");
        origin(&stage, false);
        holds("upgraded.sh", &stage);
    }
}

#[test]
fn an_uninstall_without_the_journal_changes_nothing_says_so_and_what_it_says_to_do_works() {
    if root_or_skip("a lost journal") {
        for mount in [true, false] {
            let stage = Stage::new("journal-lost");
            origin(&stage, mount);
            let limit = if mount { "" } else { "setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin" };
            let output = stage.command("journal_lost.sh").env("LIMIT", limit).output().expect("a node starts");
            assert!(output.status.success(), "{}", text(&output));
        }
    }
}

#[test]
fn a_node_below_the_floor_is_refused_by_name_and_nothing_is_left_behind() {
    if root_or_skip("floors") {
        holds("below_floor.sh", &Stage::new("floor"));
    }
}

#[test]
fn a_full_disk_at_any_place_is_a_clear_error_and_nothing_half_done_is_left() {
    if root_or_skip("full disks") {
        holds("disk_full.sh", &Stage::new("disk"));
    }
}

/// A bundle whose policy observes; perl is an `inside` target of it.
fn observing(stage: &Stage) {
    stage.bundle(|text| {
        text.replace("enforcement = \"enforce\"", "enforcement = \"observe\"")
            .replace("root = [\"/usr/bin/python3\"]", "root = [\"/usr/bin/python3\"]\ninside = [\"/usr/bin/perl\"]")
    });
}

#[test]
fn observe_changes_nothing_but_the_context_and_records_what_enforcing_would_change() {
    if root_or_skip("observe") {
        let stage = Stage::new("observe");
        observing(&stage);
        holds("observe.sh", &stage);
    }
}

#[test]
fn a_node_that_observes_samples_what_the_job_uses_as_directories_and_never_calls_that_complete() {
    if root_or_skip("sampling") {
        let stage = Stage::new("sampled");
        observing(&stage);
        holds("sampled.sh", &stage);
    }
}

#[test]
fn what_was_learned_by_observing_lets_the_same_job_run_where_it_is_enforced_and_no_secret_or_hook_with_it() {
    if !root_or_skip("learning") {
        return;
    }
    let stage = Stage::new("learn");
    for name in ["learn_prelude.sh", "learn_job.py"] {
        let from = support::tree().join("tests/suites/node").join(name);
        fs::copy(from, stage.share.join("code").join(name)).expect("it is there");
    }
    // Without what is learned the job cannot do its work.
    let before = stage.node("learn_enforce.sh");
    assert!(!before.status.success() && text(&before).contains("PermissionError"), "{}", text(&before));
    observing(&stage);
    holds("learn_observe.sh", &stage);
    let proposal = fs::read_to_string(stage.share.join("proposal.toml")).expect("there is a proposal");
    for told in [
        "\"SPARK_LOCAL_DIRS\", # ",
        "# \"MY_SETTING\", # 1 launches",
        "#   FRAUD_API_KEY: 1 launches; a secret by its name",
        "#   PYTHONSTARTUP: ",
        "#   DISPLAY: ",
        "sampled in 1 logs",
        "traced ",
        "never all that a job uses",
    ] {
        assert!(proposal.contains(told), "{told} is not in\n{proposal}");
    }
    let json = fs::read_to_string(stage.share.join("proposal.json")).expect("it is there as JSON");
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    let key = json["variables"].as_array().into_iter().flatten().find(|one| one["name"] == "FRAUD_API_KEY");
    assert!(key.is_some_and(|key| key["group"] == "credential" && key["proposed"] == false), "{json}");
    // Reviewed: the one unknown name is taken in, and the rest stays as it was proposed.
    let reviewed = proposal.replace("  # \"MY_SETTING\"", "  \"MY_SETTING\"");
    stage.bundle(|text| if text.contains("[environments.python-ml]") { format!("{text}\n{reviewed}") } else { text });
    let after = stage.node("learn_enforce.sh");
    assert!(after.status.success(), "{}\n{reviewed}", text(&after));
    let said = String::from_utf8_lossy(&after.stdout).into_owned();
    assert_eq!(said.trim(), "model /local_disk0 1 None None fraud-training", "{reviewed}");
}

#[test]
fn observed_launches_go_on_without_lock_lease_and_keeper_and_a_copy_from_then_is_nothing_where_it_is_enforced() {
    if root_or_skip("the ends of observing") {
        let stage = Stage::new("observe-ends");
        let kept = stage.share.join("code/enforce");
        fs::create_dir(&kept).expect("a directory can be made");
        for name in ["longhorn.toml", "policy.toml", "policy.toml.sig"] {
            fs::copy(stage.share.join("bundle").join(name), kept.join(name)).expect("the honest bundle is there");
        }
        observing(&stage);
        holds("observe_ends.sh", &stage);
    }
}

/// Runs a script and does something to the workspace each time that it asks for it with a file.
fn while_it_runs(stage: &Stage, script: &str, steps: &[(&str, &dyn Fn())]) {
    let mut node = stage
        .command(script)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("a node starts");
    for (asked, step) in steps {
        for _ in 0..200 {
            if stage.share.join(asked).exists() || node.try_wait().expect("it can be asked").is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        step();
    }
    let output = node.wait_with_output().expect("the node ends");
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn an_identity_that_is_withdrawn_ends_new_launches_within_one_period() {
    if root_or_skip("withdrawal") {
        let stage = Stage::new("withdrawn");
        let withdraw = || {
            stage.workspace.edit(|scenario| {
                scenario.principals.get_mut(PRINCIPAL).expect("the principal is there")["active"] = false.into();
            });
        };
        while_it_runs(&stage, "withdrawn.sh", &[("ready", &withdraw)]);
    }
}

#[test]
fn a_node_that_has_none_of_the_programs_that_start_a_locked_tree_is_refused_and_its_interpreters_are_left_alone() {
    if root_or_skip("a node without an engine") {
        let stage = Stage::new("rootless");
        let targets = "root = [\"/opt/absent/bin/java\"]\ninside = [\"/usr/bin/python3\"]";
        stage.bundle(|text| text.replace("root = [\"/usr/bin/python3\"]", targets));
        holds("rootless.sh", &stage);
    }
}

#[test]
fn r_under_a_locked_engine_has_the_policys_environment_and_no_profile_of_the_jobs_own() {
    if root_or_skip("R") {
        let stage = Stage::new("r");
        stage.bundle(|text| {
            text.replace("preset = \"linux\"", "preset = \"spark-standalone\"")
                .replace("root = [\"/usr/bin/python3\"]", "root = [\"/opt/engine/bin/engine\"]")
                .replace("write = [\"/local_disk0\"]", "write = [\"/local_disk0\"]\nexecute = [\"/opt/engine\"]")
        });
        holds("r.sh", &stage);
    }
}

#[test]
fn what_the_platform_calls_is_untouched_and_on_record_before_and_after_the_lease_ends() {
    if root_or_skip("the platform's own callers") {
        let stage = Stage::new("callers");
        let targets = "root = [\"/opt/engine/bin/engine\"]\ninside = [\"/usr/bin/python3\"]";
        stage.bundle(|text| {
            text.replace("root = [\"/usr/bin/python3\"]", targets)
                .replace("write = [\"/local_disk0\"]", "write = [\"/local_disk0\"]\nexecute = [\"/opt/engine\"]")
        });
        stage.wheels();
        let withdraw = || {
            stage.workspace.edit(|scenario| {
                scenario.principals.get_mut(PRINCIPAL).expect("the principal is there")["active"] = false.into();
            });
        };
        while_it_runs(&stage, "callers.sh", &[("ready", &withdraw)]);
    }
}

#[test]
fn launches_are_allowed_no_longer_than_the_evidence_is_good_for() {
    if root_or_skip("evidence that ends") {
        let stage = Stage::new("evidence-ends");
        // Clocks may differ by half a minute: it is good for 8 seconds more.
        let (full, cut) = (format!("\"exp\":{}", now() + 3600), now() - 22);
        let claims = stage.claims().replace(&full, &format!("\"exp\":{cut}"));
        assert!(claims.contains(&cut.to_string()), "the second of the claims was another one: {claims}");
        stage.secret("token", &stage.token(&claims));
        fs::write(stage.share.join("ends"), (cut + 30).to_string()).expect("the stage can be written");
        holds("evidence_ends.sh", &stage);
    }
}

#[test]
fn a_node_that_is_not_listed_yet_is_locked_for_the_provisional_period_and_longer_once_it_is() {
    if root_or_skip("a provisional lease") {
        let stage = Stage::new("provisional");
        stage.bundle(|text| {
            text.replace("membership = \"at-init\"", "membership = \"within-lease\"")
                .replace("duration = \"3s\"", "duration = \"3s\"\nprovisional = \"5s\"")
        });
        let cluster = |driver: Option<serde_json::Value>| {
            stage.workspace.edit(|scenario| {
                let cluster = scenario.clusters.get_mut(CLUSTER).expect("the cluster is there");
                cluster["driver"] = driver.clone().unwrap_or_default();
            });
        };
        let known = std::cell::RefCell::new(serde_json::Value::Null);
        stage.workspace.edit(|scenario| *known.borrow_mut() = scenario.clusters[CLUSTER]["driver"].clone());
        cluster(None);
        while_it_runs(&stage, "provisional.sh", &[("ready", &|| cluster(Some(known.borrow().clone())))]);
    }
}

#[test]
fn a_job_that_is_edited_into_another_scope_while_it_runs_is_withdrawn() {
    if root_or_skip("a changed job") {
        let stage = Stage::new("changed");
        stage.bundle(|text| {
            text.replace("jobs = { ids = [\"605777310657626\"] }", "jobs = { ids = [\"605777310657626\"], names = [\"fraud-training\"] }").replace(
                "[lease]",
                "[scopes.promotion]\njobs = { ids = [\"605777310657626\"], names = [\"gold\"] }\nrun-by = [\"ml-engineer\"]\nmay = [\"run\", \"model.promote\"]\nenvironment = \"python-ml\"\n\n[lease]",
            )
        });
        let rename = || {
            stage.workspace.edit(|scenario| {
                scenario.jobs.get_mut(JOB).expect("the job is there")["settings"]["name"] = "gold".into();
            });
        };
        while_it_runs(&stage, "changed.sh", &[("ready", &rename)]);
    }
}

#[test]
fn a_sidecar_that_starts_again_while_the_workspace_cannot_be_asked_serves_and_recovers() {
    if root_or_skip("a workspace that is down") {
        let stage = Stage::new("unasked");
        stage.bundle(|text| text.replace("\"3s\"", "\"30s\""));
        let down = || {
            stage.workspace.edit(|scenario| scenario.client.1 = "another".into());
            fs::write(stage.share.join("down"), "").expect("the stage can be written");
        };
        let again = || stage.workspace.edit(|scenario| scenario.client.1 = "agent-secret".into());
        while_it_runs(&stage, "unasked.sh", &[("ready", &down), ("again", &again)]);
    }
}

#[test]
fn each_false_token_is_refused_for_its_own_reason_and_leaves_nothing_behind() {
    if !root_or_skip("false tokens on a node") {
        return;
    }
    let stage = Stage::new("false-tokens");
    let claims = stage.claims();
    let with = |from: &str, to: &str| claims.replace(from, to);
    let rows = [
        (with("\"aud\":\"longhorn\"", "\"aud\":\"elsewhere\""), "audience-mismatch"),
        (with(PRINCIPAL, "00000000-0000-4000-8000-000000000000"), "subject-mismatch"),
        (with(&format!("\"exp\":{}", now() + 3600), "\"exp\":1000000000"), "token-expired"),
        (claims.replace("ml-engineers", "interns"), "role-missing"),
    ];
    for (claims, reason) in rows {
        stage.secret("token", &stage.token(&claims));
        let output = stage.node("refused.sh");
        let shown = text(&output);
        let exit = if reason == "role-missing" { 79 } else { 77 };
        assert_eq!(output.status.code(), Some(exit), "{reason}: {shown}");
        assert!(shown.contains(&format!("reason: {reason}")) && shown.contains("record: entry "), "{reason}: {shown}");
    }
}

#[test]
fn an_edited_or_rolled_back_policy_is_refused_before_the_node_is_touched() {
    if !root_or_skip("edited policies on a node") {
        return;
    }
    let stage = Stage::new("edited-policy");
    let policy = stage.share.join("bundle/policy.toml");
    let honest = fs::read_to_string(&policy).expect("the policy is there");
    fs::write(&policy, honest.replace("run.write", "model.promote")).expect("it can be edited");
    let output = stage.node("refused.sh");
    assert!(output.status.code() == Some(78) && text(&output).contains("reason: policy-signature-invalid"), "{}", text(&output));
    stage.bundle(|text| text.replace("serial = 14\n", "serial = 13\n").replace("min-serial = 13", "min-serial = 14"));
    let output = stage.node("refused.sh");
    assert!(output.status.code() == Some(78) && text(&output).contains("reason: policy-rolled-back"), "{}", text(&output));
}

#[test]
#[expect(clippy::print_stdout, reason = "how many points were tried is part of the result")]
fn init_killed_at_any_system_call_and_run_again_comes_to_the_same_result() {
    if !root_or_skip("the crash map") {
        return;
    }
    let stage = Stage::new("crash");
    let mut command = stage.command("crash.sh");
    if long() {
        command.env("CRASH_ALL", "1");
    }
    let output = command.output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
    println!("{}", String::from_utf8_lossy(&output.stdout));
}
