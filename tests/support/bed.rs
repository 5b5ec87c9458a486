//! A cluster on this machine: nodes with network, mount, pid, uts and ipc namespaces of their own on a bridge in a network
//! of their own, a simulated workspace that speaks TLS beside them, and real Spark on the nodes where it is asked for.
//! The machine's own network is never touched, and everything ends with the test.

#![allow(dead_code, reason = "each test file uses its own part")]

#[path = "fabric.rs"]
mod fabric;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use fabric::{first_child, group, listener_in, sweep};
use serde_json::json;
use simulator::scenario::{CLUSTER, JOB, PRINCIPAL, RUN, Scenario};
use simulator::{Simulator, start_with_tls};

use crate::support::bundle::{Filling, signer};
use crate::support::{longhorn, now, pin, run, tree};

/// Where nodes find the bundle.
const BUNDLE: &str = "/Volumes/platform/longhorn/bundle";
/// The preset that knows Spark and nothing of the runtime's layout, and what it has to be told of it.
pub const STANDALONE: &str = "spark-standalone";
const LAYOUT: &str = r#"
[[environments.spark-ml.also]]
source = "the layout of the runtime"
[environments.spark-ml.also.files]
execute = ["/databricks", "/local_disk0/.ephemeral_nfs"]
write = ["/local_disk0", "/databricks/driver", "/databricks/kernel-connections", "/root"]
"#;
/// The name that the workspace's certificate is for.
pub const WORKSPACE: &str = "workspace.test";
/// The driver's address; a worker's last part is the next number.
pub const DRIVER: &str = "10.88.0.10";

/// The address of node `number`: 0 is the driver.
pub fn address(number: u8) -> String {
    format!("10.88.0.{}", 10 + number)
}

/// One cluster. Dropped, it is gone.
pub struct Bed {
    /// What every node sees as /mnt/host.
    pub share: PathBuf,
    /// The workspace.
    pub workspace: Simulator,
    /// The root that its callers trust, PEM.
    pub root: String,
    fabric: String,
    group: Option<PathBuf>,
    nodes: Vec<Node>,
}

struct Node {
    number: u8,
    network: String,
    directory: PathBuf,
    process: Child,
    first: u32,
}

impl Bed {
    /// A network with a workspace in it, and no node yet. `scenario` has the driver and `workers` workers listed.
    pub fn new(name: &str, workers: u8) -> Self {
        let share = tree().join("target/stage").join(name);
        if share.exists() {
            fs::remove_dir_all(&share).expect("the old stage can be removed");
        }
        for directory in ["state", "runtime", "secrets", "code", "workspace", "volumes/platform/longhorn/bundle"] {
            fs::create_dir_all(share.join(directory)).expect("the stage can be made");
        }
        sweep();
        let fabric = format!("lh-{}-{name}", std::process::id());
        let ip = |arguments: &str| run(Command::new("ip").args(arguments.split(' ')));
        ip(&format!("netns add {fabric}"));
        ip(&format!("-n {fabric} link set lo up"));
        // With an address of its own: else it takes the lowest of its ports', and every node that comes or goes may change it
        // under the others, who then wait for the neighbour that they knew.
        ip(&format!("-n {fabric} link add bridge address 02:00:00:00:00:01 type bridge"));
        ip(&format!("-n {fabric} addr add 10.88.0.1/24 dev bridge"));
        ip(&format!("-n {fabric} link set bridge up"));
        let listener = listener_in(&fabric);
        let (workspace, root) = start_with_tls(scenario(workers), listener, WORKSPACE).expect("the workspace starts");
        fs::write(share.join("roots.pem"), &root).expect("a root can be written");
        let group = group(&fabric);
        let bed = Self { share, workspace, root, fabric, group, nodes: Vec::new() };
        let names: String = (0..=workers + 4).map(|number| format!("{} node-{number}\n", address(number))).collect();
        bed.write("hosts", &format!("127.0.0.1 localhost\n10.88.0.1 {WORKSPACE}\n{names}"));
        bed.write("variables", "");
        bed.write("init_scripts", "");
        bed.write("java", "/usr/lib/jvm/zulu17-ca-amd64\n");
        bed.cluster(&format!("job-{JOB}-run-{RUN}-main"), true);
        bed
    }

    /// Names the cluster, as the platform's own variables do.
    pub fn cluster(&self, name: &str, job: bool) {
        let job = if job { "TRUE" } else { "FALSE" };
        let rows =
            format!("DB_CLUSTER_ID={CLUSTER}\nDB_CLUSTER_NAME={name}\nDB_IS_JOB_CLUSTER={job}\nDB_INSTANCE_TYPE=i3.xlarge\n");
        self.write("cluster", &rows);
    }

    /// Writes a file that every node sees.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.share.join(name), text).expect("a file can be written");
    }

    /// Has every node run Longhorn's init script out of a volume, as a compute policy fixes it. Leases are short, so that what
    /// changes is seen soon.
    pub fn with_longhorn(&self, preset: &str) {
        self.with_longhorn_and_lease(preset, "6s");
    }

    /// The same with leases of this length.
    pub fn with_longhorn_and_lease(&self, preset: &str, lease: &str) {
        let bundle = self.share.join("volumes").join(BUNDLE.trim_start_matches("/Volumes/"));
        let key = self.share.join("secrets/signer");
        if key.exists() {
            fs::remove_file(&key).expect("the old key can be removed");
        }
        let filling = Filling {
            suite: "cluster",
            workspace: self.workspace.url(),
            issuer: self.workspace.url(),
            kind: "jwt",
            token: "token",
            lease,
            code: "/mnt/host/code",
            signer: &signer(&longhorn(), &key).expect("a key can be made"),
        };
        let layout = if preset == STANDALONE { LAYOUT } else { "" };
        let fill = |text: String| text.replace("@PRESET@", preset).replace("@ALSO@", layout);
        filling.bundle(tree(), &bundle, &longhorn(), &key, fill).expect("a bundle can be made");
        pin(&bundle, BUNDLE).expect("it can be pinned");
        let now = now();
        let claims = format!(
            r#"{{"iss":"{}","aud":"longhorn","sub":"{PRINCIPAL}","iat":{now},"exp":{},"groups":["ml-engineers"]}}"#,
            self.workspace.url(),
            now + 3600
        );
        let token = self.workspace.mint(r#"{"alg":"RS256","kid":"rsa-1","typ":"JWT"}"#, &claims, "rsa");
        for (name, text) in [("workspace", "agent-secret"), ("token", &token)] {
            let path = self.share.join("secrets").join(name);
            fs::write(&path, text).expect("a secret can be written");
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("its mode can be set");
        }
        self.write("init_scripts", &format!("{BUNDLE}/longhorn-init.sh\n"));
    }

    /// Puts real Spark and its Python where the runtime has them, as `cargo xtask test` fetched them.
    pub fn with_spark(&self) {
        let python = tree().join("target/spark");
        let packages = glob(&python.join("lib"), "python3").join("site-packages/pyspark");
        assert!(packages.is_dir(), "no Spark in target/spark: `cargo xtask test` installs it");
        for (name, target) in [("python3", python), ("spark", packages)] {
            std::os::unix::fs::symlink(target, self.share.join("runtime").join(name)).expect("a link can be made");
        }
        let fast = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";
        self.write(
            "spark-defaults.conf",
            &format!(
                "spark.master spark://{DRIVER}:7077\nspark.driver.host {DRIVER}\nspark.driver.bindAddress {DRIVER}\n\
                 spark.driver.memory 512m\nspark.executor.memory 512m\nspark.executor.cores 2\nspark.ui.enabled false\n\
                 spark.sql.shuffle.partitions 4\nspark.driver.extraJavaOptions {fast}\nspark.executor.extraJavaOptions {fast}\n\
                 spark.scheduler.minRegisteredResourcesRatio 1.0\n"
            ),
        );
    }

    /// Starts node `number` and comes back at once.
    pub fn start(&mut self, number: u8) {
        let (name, network) = (format!("node-{number}"), format!("{}-{number}", self.fabric));
        let (fabric, link) = (&self.fabric, format!("v{number}"));
        let ip = |arguments: &str| run(Command::new("ip").args(arguments.split(' ')));
        ip(&format!("netns add {network}"));
        // A node that is started again keeps its hardware address, as its interface does where machines are real.
        let hardware = format!("02:00:00:00:01:{number:02x}");
        ip(&format!("-n {fabric} link add {link} type veth peer name eth0 address {hardware} netns {network}"));
        ip(&format!("-n {fabric} link set {link} master bridge up"));
        ip(&format!("-n {network} addr add {}/24 dev eth0", address(number)));
        ip(&format!("-n {network} link set eth0 up"));
        ip(&format!("-n {network} link set lo up"));
        let directory = std::env::temp_dir().join(&network);
        fs::create_dir_all(&directory).expect("a directory can be made");
        let _ = fs::remove_file(self.share.join("state").join(&name));
        // A node is root of this machine's user namespace: what would reach the machine itself is taken away.
        let never = "--bounding-set=-sys_time,-sys_module,-sys_rawio,-sys_boot,-mac_admin,-mac_override,-audit_control";
        let process = self
            .accounted("nsenter")
            .arg(format!("--net=/run/netns/{network}"))
            // Should this process be killed, unshare goes with it, and with unshare the node.
            .args(["setpriv", "--pdeathsig", "KILL", never])
            .args([
                "unshare",
                "--mount",
                "--pid",
                "--uts",
                "--ipc",
                "--cgroup",
                "--fork",
                "--kill-child",
                "--propagation",
                "private",
            ])
            .arg(tree().join("tests/suites/cluster/machine.sh"))
            .arg(&directory)
            .arg(&self.share)
            .args([&name, &address(number), DRIVER])
            .stdin(Stdio::null())
            .stdout(File::create(self.share.join("state").join(format!("{name}.console"))).expect("a file can be made"))
            .stderr(Stdio::inherit())
            .spawn()
            .expect("a node starts");
        let first = first_child(process.id());
        self.nodes.push(Node { number, network, directory, process, first });
    }

    /// The state of a node, as its first process says: `ready`, or `failed` with the script and its exit code.
    pub fn settled(&self, number: u8) -> String {
        let path = self.share.join("state").join(format!("node-{number}"));
        for _ in 0..1200 {
            match fs::read_to_string(&path).unwrap_or_default().trim() {
                "" | "starting" => std::thread::sleep(Duration::from_millis(50)),
                state => return state.to_owned(),
            }
        }
        panic!("node-{number} does not settle: {}", self.said(number));
    }

    /// What the last init script of a node printed.
    pub fn said(&self, number: u8) -> String {
        ["stdout", "stderr"]
            .map(|stream| {
                fs::read_to_string(self.share.join("state").join(format!("node-{number}.{stream}"))).unwrap_or_default()
            })
            .concat()
    }

    /// Starts nodes and waits until each is ready.
    pub fn up(&mut self, numbers: impl IntoIterator<Item = u8>) {
        let numbers: Vec<u8> = numbers.into_iter().collect();
        numbers.iter().for_each(|number| self.start(*number));
        for number in numbers {
            assert_eq!(self.settled(number), "ready", "node-{number}: {}", self.said(number));
        }
    }

    /// CPU time of every process of every node until now, those that ended among them.
    pub fn cpu(&self) -> Duration {
        let group = self.group.as_ref().expect("root may make control groups here");
        let read = |name: &str| fs::read_to_string(group.join(name)).ok();
        // Of the first version nanoseconds, of the second microseconds (cgroup-v1/cpuacct, cgroup-v2).
        let first = read("cpuacct.usage").and_then(|text| text.trim().parse().ok()).map(Duration::from_nanos);
        let second = || {
            read("cpu.stat")?.lines().find_map(|line| line.strip_prefix("usage_usec ")?.parse().ok()).map(Duration::from_micros)
        };
        first.or_else(second).expect("the kernel accounts for CPU time")
    }

    /// A program in this cluster's control group, where it has one.
    fn accounted(&self, program: &str) -> Command {
        let Some(group) = &self.group else { return Command::new(program) };
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$ > \"$0/cgroup.procs\" && exec \"$@\""]).arg(group).arg(program);
        command
    }

    /// Ends a node as a lost machine ends.
    pub fn down(&mut self, number: u8) {
        let at = self.nodes.iter().position(|node| node.number == number).expect("the node is up");
        self.nodes.remove(at).end(&self.fabric);
    }

    /// A command on a node, as the platform's root there: outside of every locked tree.
    pub fn command(&self, number: u8, program: &str) -> Command {
        let node = self.nodes.iter().find(|node| node.number == number).expect("the node is up");
        let mut command = self.accounted("nsenter");
        command.args(["-t", &node.first.to_string(), "-m", "-p", "-n", "-u", "-i", "-C", "-r", "-w"]);
        command.args(["env", "-i", "sh", "-c", ". /run/platform.env; cd /databricks/driver; exec \"$@\"", "sh", program]);
        command.stdin(Stdio::null());
        command
    }

    /// The same, which must succeed; what it printed.
    pub fn run(&self, number: u8, words: &[&str]) -> String {
        run(self.command(number, words[0]).args(&words[1..]))
    }

    /// Runs a job from `code/` on the driver, as the platform submits it: with these variables of the cluster.
    pub fn submit(&self, variables: &[(&str, &str)], options: &[&str], job: &str) -> Output {
        let assigned = variables.iter().map(|(name, value)| format!("{name}={value}"));
        let mut command = self.command(0, "env");
        command.args(assigned).arg("/databricks/spark/bin/spark-submit").args(options);
        let (program, arguments) = job.split_once(' ').unwrap_or((job, ""));
        command.arg(format!("/mnt/host/code/{program}")).args(arguments.split_whitespace());
        command.output().expect("a job can be submitted")
    }

    /// Packages that notebooks can install from, as `cargo xtask test` fetched them.
    pub fn wheels(&self) {
        run(Command::new("cp").arg("-r").arg(tree().join("target/wheels")).arg(self.share.join("code/wheels")));
    }

    /// Copies the suite to where jobs are.
    pub fn suite(&self) {
        let from = tree().join("tests/suites/cluster").join(".");
        run(Command::new("cp").arg("-r").arg(from).arg(self.share.join("code")));
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        for node in self.nodes.drain(..) {
            node.end(&self.fabric);
        }
        let _ = Command::new("ip").args(["netns", "del", &self.fabric]).status();
        let _ = self.group.as_ref().map(fs::remove_dir);
    }
}

impl Node {
    fn end(mut self, fabric: &str) {
        // With it, by --kill-child, every process of the node.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = Command::new("ip").args(["netns", "del", &self.network]).status();
        let _ =
            Command::new("ip").args(["-n", fabric, "link", "del", &format!("v{}", self.number)]).stderr(Stdio::null()).status();
        let _ = fs::remove_dir(&self.directory);
    }
}

/// The entry of a directory that begins with `prefix`.
fn glob(directory: &Path, prefix: &str) -> PathBuf {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let found = entries
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)));
    found.unwrap_or_else(|| directory.join(prefix))
}

/// The honest workspace with the nodes of this bed.
fn scenario(workers: u8) -> Scenario {
    let mut scenario = Scenario::honest();
    scenario.clusters.get_mut(CLUSTER).expect("the honest scenario has its cluster")["driver"]["private_ip"] = DRIVER.into();
    list(&mut scenario, 1..=workers);
    scenario
}

/// Has the workspace list exactly these workers.
pub fn list(scenario: &mut Scenario, workers: impl IntoIterator<Item = u8>) {
    let cluster = scenario.clusters.get_mut(CLUSTER).expect("the scenario has its cluster");
    let node = |number: u8| json!({ "node_id": format!("e{number}"), "instance_id": format!("i-{number}"), "private_ip": address(number), "host_private_ip": format!("10.0.0.{number}") });
    cluster["executors"] = workers.into_iter().map(node).collect();
}

/// The preset of the runtime that has this machine's Python.
pub fn preset() -> &'static str {
    match version().as_str() {
        "3.10" => "databricks-14.3",
        "3.11" => "databricks-15.4",
        _ => "databricks-16.4",
    }
}

/// This machine's Python, in two numbers.
pub fn version() -> String {
    let version = run(Command::new("/usr/bin/python3").args(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]));
    version.trim().to_owned()
}
