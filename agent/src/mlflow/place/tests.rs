//! Placing and taking away, against directories that others have been in before.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::super::{DIST_INFO, PACKAGE};
use super::*;

struct Stage {
    base: PathBuf,
    sites: Sites,
}

impl Stage {
    fn new(name: &str) -> Self {
        let base = fs::canonicalize(std::env::temp_dir()).unwrap().join(format!("longhorn-{name}-{}", std::process::id()));
        let site = base.join("site");
        fs::create_dir_all(&site).unwrap();
        Self { base, sites: Sites { directories: vec![site], without: Vec::new() } }
    }
    fn path(&self, name: &str) -> PathBuf {
        self.base.join("site").join(name)
    }
    fn module(&self) -> PathBuf {
        self.path(PACKAGE).join("__init__.py")
    }
    fn journal(&self) -> PathBuf {
        self.base.join("journal")
    }
    fn place(&self) -> Vec<String> {
        self.short(place(&self.sites, &self.journal()))
    }
    fn remove(&self) -> Vec<String> {
        self.short(remove(&self.journal()))
    }
    fn short(&self, lines: Vec<String>) -> Vec<String> {
        lines.iter().map(|line| line.replace(&format!("{}/", self.base.display()), "")).collect()
    }
    /// Everything below, directories with a slash.
    fn all(&self) -> Vec<String> {
        fn walk(place: &Path, base: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(place).unwrap() {
                let path = entry.unwrap().path();
                let (directory, name) = (path.is_dir() && !path.is_symlink(), path.strip_prefix(base).unwrap().display());
                found.push(format!("{name}{}", if directory { "/" } else { "" }));
                if directory {
                    walk(&path, base, found);
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.base, &self.base, &mut found);
        found.sort();
        found
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.base);
    }
}

const NOTHING: [&str; 1] = ["site/"];
const NO: &[String] = &[];

#[test]
fn the_plugin_is_placed_whole_and_goes_with_all_that_was_compiled_of_it() {
    let stage = Stage::new("plugin-whole");
    for _ in 0..2 {
        assert_eq!(stage.place(), NO);
    }
    for file in &FILES {
        let path = stage.path(file.folder).join(file.name);
        let found = fs::metadata(&path).unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), found.mode() & 0o7777), (file.text, 0o644));
        assert_eq!(fs::metadata(stage.path(file.folder)).unwrap().mode() & 0o7777, 0o755);
    }
    assert_eq!(stage.all().len(), 9, "{:?}", stage.all());
    let cache = stage.path(PACKAGE).join("__pycache__");
    fs::create_dir(&cache).unwrap();
    for name in [
        "__init__.cpython-312.pyc",
        "__init__.cpython-38.opt-1.pyc",
        "__init__.cpython-312.pyc.139872",
        "_socket.cpython-312.pyc",
    ] {
        fs::write(cache.join(name), b"compiled").unwrap();
    }
    // What a run that was killed left.
    fs::write(stage.path(DIST_INFO).join(format!("METADATA{UNFINISHED}")), b"Meta").unwrap();
    assert_eq!(stage.remove(), NO);
    assert_eq!(stage.all(), NOTHING);
    assert_eq!(stage.remove(), NO, "there is nothing to do");
}

#[test]
fn what_is_not_ours_is_neither_replaced_nor_passed_through_and_then_nothing_of_the_plugin_is_there() {
    type Put = fn(&Stage);
    let rows: [(&str, Put, &str); 6] = [
        ("a module of somebody's", |stage| fs::write(stage.module(), b"print('mine')").unwrap(), "__init__.py"),
        ("a longer one", |stage| fs::write(stage.module(), vec![b'#'; 2 << 20]).unwrap(), "__init__.py"),
        ("a link to a file", |stage| symlink("/etc/passwd", stage.module()).unwrap(), "__init__.py"),
        ("a directory", |stage| fs::create_dir(stage.module()).unwrap(), "__init__.py"),
        ("a FIFO", |stage| nix::unistd::mkfifo(&stage.module(), Mode::S_IRWXU).unwrap(), "__init__.py"),
        (
            "a link to a directory",
            |stage| {
                fs::remove_dir(stage.path(PACKAGE)).unwrap();
                symlink(&stage.base, stage.path(PACKAGE)).unwrap();
            },
            "__init__.py",
        ),
    ];
    for (what, put, name) in rows {
        let stage = Stage::new("plugin-foreign");
        fs::create_dir(stage.path(PACKAGE)).unwrap();
        put(&stage);
        let before = stage.all();
        let line = format!("longhorn: no MLflow plugin in site: site/{PACKAGE}/{name} is there already and is not ours");
        assert_eq!(stage.place(), [line], "{what}");
        assert_eq!(stage.remove(), NO, "{what}");
        assert_eq!(stage.all(), before, "{what}");
    }
}

#[test]
fn what_somebody_changed_stays_and_is_named_and_what_is_gone_is_no_matter() {
    let stage = Stage::new("plugin-changed");
    assert_eq!(stage.place(), NO);
    fs::write(stage.module(), b"# edited").unwrap();
    fs::write(stage.path(PACKAGE).join("more.py"), b"").unwrap();
    fs::remove_dir_all(stage.path(DIST_INFO)).unwrap();
    let module = format!("longhorn: left as it is: site/{PACKAGE}/__init__.py was changed since it was placed");
    let folder = format!("longhorn: left as it is: site/{PACKAGE} holds what is not ours");
    assert_eq!(stage.remove(), [module, folder]);
    let left = ["site/", "site/longhorn_mlflow/", "site/longhorn_mlflow/__init__.py", "site/longhorn_mlflow/more.py"];
    assert_eq!(stage.all(), left);
    assert_eq!(stage.remove(), NO, "and it is not looked at again");
}

#[test]
fn a_journal_of_another_version_or_one_that_was_cut_or_lost_is_enough() {
    let stage = Stage::new("plugin-versions");
    fs::create_dir(stage.path("longhorn_mlflow-0.0.1.dist-info")).unwrap();
    let old = stage.path("longhorn_mlflow-0.0.1.dist-info").join("METADATA");
    fs::write(&old, b"old").unwrap();
    let mut journal = Journal::open(&stage.journal()).unwrap();
    let folder = old.parent().unwrap().to_owned();
    journal.note(&[Change::Directory(folder), Change::File(old.clone(), sha256_hex(b"old"))]).unwrap();
    drop(journal);
    let mut bytes = fs::read(stage.journal()).unwrap();
    bytes.extend(b"directory /usr");
    fs::write(stage.journal(), bytes).unwrap();
    assert_eq!(stage.remove(), NO);
    assert_eq!(stage.all(), NOTHING);
    assert_eq!(stage.place(), NO);
    fs::remove_file(stage.journal()).unwrap();
    assert_eq!(stage.place(), NO, "what is there is ours");
    assert_eq!(stage.remove(), NO);
    assert_eq!(stage.all(), NOTHING);
}

#[test]
fn a_directory_that_the_journal_cannot_name_has_no_plugin() {
    let mut stage = Stage::new("plugin-lines");
    let site = stage.base.join("site\nfile 0");
    fs::create_dir(&site).unwrap();
    stage.sites.directories = vec![site.clone()];
    let lines = stage.place();
    assert!(lines.len() == 1 && lines[0].ends_with(": invalid filename"), "{lines:?}");
    assert_eq!(fs::read_dir(&site).unwrap().count(), 0);
    assert_eq!(stage.remove(), NO);
}

#[test]
fn a_directory_that_became_a_link_is_left_alone() {
    let stage = Stage::new("plugin-moved");
    assert_eq!(stage.place(), NO);
    fs::rename(stage.path(""), stage.base.join("moved")).unwrap();
    symlink(stage.base.join("moved"), stage.base.join("site")).unwrap();
    let lines = stage.remove();
    assert!(lines.len() == 7 && lines.iter().all(|line| line.ends_with("site is a symbolic link now")), "{lines:?}");
    assert!(stage.base.join("moved").join(PACKAGE).join("__init__.py").exists());
    fs::remove_file(stage.base.join("site")).unwrap();
    fs::rename(stage.base.join("moved"), stage.base.join("site")).unwrap();
    assert_eq!(stage.remove(), NO, "the journal stayed for this");
    assert_eq!(stage.all(), NOTHING);
}

#[test]
#[expect(clippy::print_stdout, reason = "a named skip is what the run reports")]
fn a_file_system_that_is_full_or_read_only_is_one_line_and_holds_nothing_of_the_plugin() {
    if !geteuid().is_root() {
        println!("SKIP full and read-only file systems: needs root");
        return;
    }
    let stage = Stage::new("plugin-full");
    // This thread's own view, seen by nobody else.
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).unwrap();
    mount(Some("small"), &stage.path(""), Some("tmpfs"), MsFlags::empty(), Some("size=4k,mode=0755")).unwrap();
    let no = "longhorn: no MLflow plugin in site: cannot";
    let full = format!("{no} write site/{PACKAGE}/__init__.py: No space left on device (os error 28)");
    assert_eq!(stage.place(), [full]);
    assert_eq!(fs::read_dir(stage.path("")).unwrap().count(), 0);
    let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(None::<&str>, &stage.path(""), None::<&str>, read_only, None::<&str>).unwrap();
    assert_eq!(stage.place(), [format!("{no} write site/{PACKAGE}/__init__.py: Read-only file system (os error 30)")]);
    // Nor can it be taken away there, and that is told.
    mount(None::<&str>, &stage.path(""), None::<&str>, MsFlags::MS_REMOUNT, Some("size=1m")).unwrap();
    assert_eq!(stage.place(), NO);
    mount(None::<&str>, &stage.path(""), None::<&str>, read_only, None::<&str>).unwrap();
    let lines = stage.remove();
    assert!(lines.iter().all(|line| line.starts_with("longhorn: the MLflow plugin is left: cannot remove")), "{lines:?}");
    mount(None::<&str>, &stage.path(""), None::<&str>, MsFlags::MS_REMOUNT, None::<&str>).unwrap();
    assert_eq!(stage.remove(), NO);
    nix::mount::umount(&stage.path("")).unwrap();
    // Without a journal nothing is placed that could not be taken away.
    fs::create_dir(stage.journal()).unwrap();
    assert_eq!(stage.place(), ["longhorn: no MLflow plugin in site: cannot open journal: Is a directory (os error 21)"]);
    assert_eq!(stage.all(), ["journal/", "site/"]);
    fs::set_permissions(stage.path(""), fs::Permissions::from_mode(0o755)).unwrap();
}
