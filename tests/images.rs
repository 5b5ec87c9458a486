//! Promises of the images, built without a daemon over a root file system of this machine's own distribution: the build
//! image gives the bytes that were built here, and a node of the runtime image locks itself from what was baked in.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::{Stage, longhorn, root_or_skip, run, text, tree};

mod support;

/// The root file system that `cargo xtask test` makes.
const BASE: &str = "localhost/longhorn-base";
/// Stands in for the base image that the runtime's Dockerfile is told to build on.
const STANDARD: &str = "localhost/standard:16.4-LTS";

/// buildah with a store of its own, and no network for what it runs.
fn buildah() -> Command {
    let mut command = Command::new("buildah");
    command.env("BUILDAH_ISOLATION", "chroot").arg("--root").arg(tree().join("target/images/store"));
    command.args(["--runroot", "/run/longhorn-images", "--storage-driver", "overlay"]);
    command
}

fn build(dockerfile: &str, context: &Path, name: &str, options: &[String]) -> Output {
    let mut command = buildah();
    command.args(["bud", "--pull-never", "--network", "none", "--tag", name, "--file"]).arg(tree().join(dockerfile));
    command.args(options).arg(context).output().expect("buildah starts")
}

/// A container of an image, whose files are in sight until it is dropped.
struct Container {
    name: String,
    files: PathBuf,
}

impl Container {
    fn of(image: &str) -> Self {
        let name = run(buildah().args(["from", "--pull-never", image])).trim().to_owned();
        let files = run(buildah().args(["mount", &name])).trim().into();
        Self { name, files }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // Another run makes its own; what is left costs room, and the message says why.
        if let Ok(output) = buildah().args(["rm", &self.name]).output() {
            assert!(output.status.success() || std::thread::panicking(), "{}", text(&output));
        }
    }
}

/// Directories of this machine, by which nobody else should have to know it.
fn places() -> Vec<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| value.len() > 5);
    let mut places =
        vec![tree().display().to_string(), "/registry/src/".to_owned(), "/.cargo/".to_owned(), "/.rustup/".to_owned()];
    places.extend(["CARGO_HOME", "RUSTUP_HOME", "HOME"].into_iter().filter_map(variable).filter(|place| place != "/root"));
    places
}

#[test]
fn no_place_of_the_building_machine_stands_in_the_binary() {
    let bytes = fs::read(longhorn()).expect("the binary is there");
    let within = |word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    for place in places() {
        assert!(!within(&place), "the binary names {place}");
    }
    // What stands there instead, or the search finds nothing that is there.
    assert!(within("registry/") && within("agent/src/"), "the binary names no source at all");
}

/// What decides the bytes besides the source: versions of compiler, linker and C library, as Debian's packages.
const TOOLS: &str = "dpkg-query --show --showformat '${Package} ${Version}\\n' gcc-[0-9]* binutils musl-dev musl-tools 2> /dev/null | grep ' [0-9]' | sort";

#[test]
#[expect(clippy::print_stdout, reason = "a named skip is what the run reports")]
fn the_build_image_gives_the_very_bytes_that_were_built_here_from_another_place_and_nothing_that_was_built_before() {
    if !root_or_skip("the build image") {
        return;
    }
    let (sysroot, cargo) = (run(Command::new("rustc").args(["--print", "sysroot"]).current_dir(tree())), cargo_home());
    let rust = build("tests/suites/images/rust.Dockerfile", &tree().join("tests/suites/images"), "localhost/longhorn-rust", &[]);
    assert!(rust.status.success(), "{}", text(&rust));
    // Toolchain and sources of dependencies are this machine's, read-only and under other names than here.
    let options = [
        format!("--volume={}:/usr/local/rust:ro", sysroot.trim()),
        format!("--volume={}:/usr/local/cargo/registry:ro", cargo.join("registry").display()),
        "--build-arg=BASE=localhost/longhorn-rust".to_owned(),
        format!("--ignorefile={}", tree().join("images/build/Dockerfile.dockerignore").display()),
    ];
    let output = build("images/build/Dockerfile", tree(), "localhost/longhorn-build", &options);
    assert!(output.status.success(), "{}", text(&output));

    let image = Container::of("localhost/longhorn-build");
    let found: Vec<String> = names_in(&image.files);
    assert_eq!(found, ["longhorn"], "the image is the binary and nothing else");
    let entry = run(buildah().args([
        "inspect",
        "--type",
        "image",
        "--format",
        "{{.OCIv1.Config.Entrypoint}}",
        "localhost/longhorn-build",
    ]));
    assert_eq!(entry.trim(), "[/longhorn]");
    let said = run(buildah().args(["run", &image.name, "--", "/longhorn", "--version"]));
    assert!(said.starts_with("longhorn "), "{said}");
    let sum = run(Command::new("sha256sum").arg(image.files.join("longhorn")));
    assert!(text(&output).contains(&sum[..64]), "the build did not print the digest {sum}");

    let (here, there) = (run(Command::new("sh").args(["-c", TOOLS])), Container::of(BASE));
    let there = run(buildah().args(["run", &there.name, "--", "sh", "-c", TOOLS]));
    if here != there {
        println!("SKIP byte for byte: other tools build here than in the image; here:\n{here}there:\n{there}");
        return;
    }
    same(&fs::read(longhorn()).expect("the binary is there"), &fs::read(image.files.join("longhorn")).expect("it is there"));
}

fn cargo_home() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").expect("there is a home")).join(".cargo");
    std::env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

/// The top of a root file system, without the empty places that a container needs.
fn names_in(root: &Path) -> Vec<String> {
    let empty = |path: &Path| path.is_dir() && fs::read_dir(path).is_ok_and(|mut files| files.next().is_none());
    let entries = fs::read_dir(root).expect("it can be read").map(|entry| entry.expect("it can be read"));
    entries.filter(|entry| !empty(&entry.path())).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Equal, or where they begin to differ and what stands there.
fn same(here: &[u8], there: &[u8]) {
    let Some(at) = here.iter().zip(there).position(|(one, other)| one != other) else {
        assert_eq!(here.len(), there.len(), "one is the beginning of the other");
        return;
    };
    let count = here.iter().zip(there).filter(|(one, other)| one != other).count();
    let around = |bytes: &[u8]| String::from_utf8_lossy(&bytes[at.saturating_sub(32)..bytes.len().min(at + 64)]).into_owned();
    panic!(
        "the two builds are {} and {} bytes and differ in {count} places, first at {at:#x}:\nhere:  {:?}\nthere: {:?}",
        here.len(),
        there.len(),
        around(here),
        around(there)
    );
}

/// A runtime image over the stand-in; the bundle is pinned, then changed by `change`.
fn runtime(name: &str, change: impl Fn(&Path)) -> (Stage, Output) {
    let standard = build("tests/suites/images/standard.Dockerfile", &tree().join("tests/suites/images"), STANDARD, &[]);
    assert!(standard.status.success(), "{}", text(&standard));
    runtime_on(STANDARD, name, change)
}

fn runtime_on(base: &str, name: &str, change: impl Fn(&Path)) -> (Stage, Output) {
    let stage = Stage::new(name);
    let bundle = stage.share.join("bundle");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo).args(["run", "--quiet", "--package", "xtask", "--", "pin"]).arg(&bundle).current_dir(tree()));
    change(&bundle);
    let image = format!("localhost/{name}");
    let output = build("images/runtime/Dockerfile", &bundle, &image, &[format!("--build-arg=BASE={base}")]);
    (stage, output)
}

#[test]
fn a_node_of_the_runtime_image_locks_itself_by_the_script_that_was_baked_in() {
    if !root_or_skip("the runtime image") {
        return;
    }
    let (stage, output) = runtime("images-node", |_| {});
    assert!(output.status.success(), "{}", text(&output));
    let image = Container::of("localhost/images-node");
    let output = stage.command_of("images", "baked.sh").env("NODE_ROOT", &image.files).output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn the_runtime_image_adds_five_files_that_root_alone_reads_and_no_secret() {
    if !root_or_skip("the runtime image") {
        return;
    }
    // Somebody keeps the signer's key beside the bundle.
    let (stage, output) =
        runtime("images-layout", |bundle| fs::write(bundle.join("signer.key"), "stray-secret").expect("it can be written"));
    assert!(output.status.success(), "{}", text(&output));
    let (base, image) = (Container::of(STANDARD), Container::of("localhost/images-layout"));
    let added: Vec<String> = listed(&image.files).difference(&listed(&base.files)).cloned().collect();
    let expected = [
        "d 700 0:0 opt/longhorn/bundle",
        "d 755 0:0 opt/longhorn",
        "f 400 0:0 opt/longhorn/bundle/longhorn.toml",
        "f 400 0:0 opt/longhorn/bundle/policy.toml",
        "f 400 0:0 opt/longhorn/bundle/policy.toml.sig",
        "f 500 0:0 opt/longhorn/bundle/longhorn",
        "f 500 0:0 opt/longhorn/bundle/longhorn-init.sh",
    ];
    assert_eq!(added, expected);
    assert!(listed(&base.files).is_subset(&listed(&image.files)), "the image lacks files of its base");

    let mut secrets = vec![b"stray-secret".to_vec(), b"agent-secret".to_vec()];
    for file in fs::read_dir(stage.share.join("secrets")).expect("there are secrets") {
        secrets.push(fs::read(file.expect("it can be read").path()).expect("it can be read").trim_ascii().to_vec());
    }
    assert!(secrets.len() > 3, "no secret was looked for");
    for file in fs::read_dir(image.files.join("opt/longhorn/bundle")).expect("it is there") {
        let path = file.expect("it can be read").path();
        let bytes = fs::read(&path).expect("it can be read");
        for secret in &secrets {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret), "a secret stands in {}", path.display());
        }
    }
    let user =
        run(buildah().args(["inspect", "--type", "image", "--format", "{{.OCIv1.Config.User}}", "localhost/images-layout"]));
    assert_eq!(user.trim(), "root", "the platform starts no image of another user");
}

/// Every file below a root: kind, mode, owner and path. What a container brings with it is left out.
fn listed(root: &Path) -> BTreeSet<String> {
    let mut find = Command::new("find");
    find.arg(root).args(["-xdev", "-mindepth", "1", "-printf", "%y %m %U:%G %P\n"]);
    run(&mut find).lines().map(str::to_owned).collect()
}

#[test]
fn what_would_not_become_a_locked_node_is_not_built() {
    if !root_or_skip("the runtime image") {
        return;
    }
    let unpinned = |bundle: &Path| {
        let path = bundle.join("longhorn.toml");
        let text = fs::read_to_string(&path).expect("it is there") + "\n";
        fs::write(path, text).expect("it can be written");
    };
    let unsigned = |bundle: &Path| fs::remove_file(bundle.join("policy.toml.sig")).expect("it is there");
    let closed =
        |bundle: &Path| fs::set_permissions(bundle.join("longhorn"), fs::Permissions::from_mode(0o400)).expect("it is there");
    type Change<'a> = &'a dyn Fn(&Path);
    let rows: &[(&str, Change<'_>, Option<&str>)] = &[
        ("images-unpinned", &unpinned, Some("longhorn.toml is not the pinned one")),
        ("images-unsigned", &unsigned, Some("policy.toml.sig")),
        ("images-closed", &closed, None),
    ];
    for (name, change, expected) in rows {
        let (_, output) = runtime(name, change);
        assert_eq!(output.status.success(), expected.is_none(), "{name}: {}", text(&output));
        assert!(text(&output).contains(expected.unwrap_or_default()), "{name}: {}", text(&output));
    }
    for (lacking, expected) in
        [("rm /usr/bin/sudo", "this base has no sudo"), ("userdel libraries", "this base has no user libraries")]
    {
        let directory = tree().join("target/stage/images-lacking");
        fs::create_dir_all(&directory).expect("the stage can be made");
        fs::write(directory.join("Dockerfile"), format!("FROM {STANDARD}\nRUN {lacking}\n")).expect("it can be written");
        let base = build("target/stage/images-lacking/Dockerfile", &directory, "localhost/longhorn-lacking", &[]);
        assert!(base.status.success(), "{}", text(&base));
        let (_, output) = runtime_on("localhost/longhorn-lacking", "images-without", |_| {});
        assert!(!output.status.success() && text(&output).contains(expected), "{lacking}: {}", text(&output));
    }
}
