//! Where a covered Python looks for packages, from the file system alone: a program that is not locked yet is not run for it.
//!
//! Every name on the way from the covered path to the program counts, so that an environment's own directory is found beside its
//! base's. `pyvenv.cfg` need not be asked: an environment's own directory is on its path whether or not the base's is.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::enter::{Links, enter};

/// What was found.
#[derive(Debug, Default)]
pub struct Sites {
    /// Directories of packages, each once; no part of their paths is a link.
    pub directories: Vec<PathBuf>,
    /// What a person should know about the others: which, and why.
    pub without: Vec<(PathBuf, String)>,
}

/// The links from a name to a program cannot be more (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// The directories of every Python among `programs`, as the policy names them, and of those `environments` whose interpreter is
/// one of them. What is absent has none.
pub fn sites(programs: &[PathBuf], environments: &[PathBuf]) -> Sites {
    let mut found = Sites::default();
    let programs: Vec<&PathBuf> = programs.iter().filter(|program| python(program).is_some() && program.exists()).collect();
    let covered: Vec<PathBuf> = programs.iter().filter_map(|program| fs::canonicalize(program).ok()).collect();
    for program in &programs {
        add(&mut found, program, program);
    }
    for environment in environments {
        let interpreter = environment.join("bin/python3");
        match fs::canonicalize(&interpreter) {
            Ok(program) if covered.contains(&program) => add(&mut found, environment, &interpreter),
            Ok(_) => found.without.push((environment.clone(), "the policy does not cover its interpreter".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => found.without.push((environment.clone(), error.to_string())),
        }
    }
    found
}

fn add(found: &mut Sites, named: &Path, program: &Path) {
    match of(program) {
        Ok(directories) if directories.is_empty() => {
            found.without.push((named.to_owned(), "no directory of packages was found".to_owned()));
        }
        Ok(directories) => {
            for directory in directories {
                if !found.directories.contains(&directory) {
                    found.directories.push(directory);
                }
            }
        }
        Err(error) => found.without.push((named.to_owned(), error.to_string())),
    }
}

/// The version that a name of Python says, which is empty for `python` and `python3`; `None` for other programs.
fn python(program: &Path) -> Option<&str> {
    let version = program.file_name()?.to_str()?.strip_prefix("python")?;
    let minor =
        version.strip_prefix("3.").is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()));
    match version {
        "" | "3" => Some(""),
        version if minor => Some(version),
        _ => None,
    }
}

fn of(program: &Path) -> io::Result<Vec<PathBuf>> {
    let names = names(program)?;
    let version = names.iter().rev().find_map(|(_, name)| python(Path::new(name)).filter(|version| !version.is_empty()));
    let prefixes = names.iter().filter_map(|(directory, _)| prefix(directory));
    let mut found = Vec::new();
    for prefix in prefixes {
        let versions = match version {
            Some(version) => vec![version.to_owned()],
            None => versions(prefix)?,
        };
        for version in versions {
            let Some(site) = site(prefix, &version)? else { continue };
            if !found.contains(&site) {
                found.push(site);
            }
        }
    }
    Ok(found)
}

/// Each name on the way to the program: the directory that it is in, and the name in there.
fn names(program: &Path) -> io::Result<Vec<(PathBuf, OsString)>> {
    let mut found: Vec<(PathBuf, OsString)> = Vec::new();
    let mut at = program.to_owned();
    while found.len() <= MOST_LINKS {
        let (Some(directory), Some(name)) = (at.parent(), at.file_name()) else { break };
        let directory = enter(directory, Links::Guarded)?;
        let leads = directory.link(name, Links::Guarded);
        found.push((directory.path.clone(), name.to_owned()));
        match leads {
            Ok(target) => at = directory.path.join(target),
            // The program itself.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Ok(found),
            Err(error) => return Err(error),
        }
    }
    Err(nix::errno::Errno::ELOOP.into())
}

/// `X` of `X/bin`.
fn prefix(directory: &Path) -> Option<&Path> {
    directory.parent().filter(|_| directory.file_name() == Some(OsStr::new("bin")))
}

/// The versions that have something below a prefix, where no name says one: an environment with a copy of the interpreter.
fn versions(prefix: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(prefix.join("lib")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        found.extend(python(&path).filter(|version| !version.is_empty()).map(str::to_owned));
    }
    found.sort();
    Ok(found)
}

/// The one directory below a prefix that this version takes packages from and that root keeps. Debian has names of its own for
/// those of its base: the administrator's before the distribution's, which all versions share.
fn site(prefix: &Path, version: &str) -> io::Result<Option<PathBuf>> {
    let debian = prefix.join("lib/python3/dist-packages");
    let candidates = if debian.is_dir() {
        vec![prefix.join(format!("local/lib/python{version}/dist-packages")), debian]
    } else {
        vec![prefix.join(format!("lib/python{version}/site-packages"))]
    };
    for candidate in candidates {
        match enter(&candidate, Links::Guarded) {
            Ok(directory) => return Ok(Some(directory.path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str) -> Self {
            let base = fs::canonicalize(std::env::temp_dir()).unwrap().join(format!("longhorn-{name}-{}", std::process::id()));
            fs::create_dir_all(&base).unwrap();
            Self(base)
        }

        fn directory(&self, path: &str) -> PathBuf {
            fs::create_dir_all(self.0.join(path)).unwrap();
            self.0.join(path)
        }

        fn program(&self, path: &str) {
            fs::create_dir_all(self.0.join(path).parent().unwrap()).unwrap();
            fs::write(self.0.join(path), b"never run").unwrap();
        }

        fn link(&self, target: &Path, path: &str) {
            fs::create_dir_all(self.0.join(path).parent().unwrap()).unwrap();
            symlink(target, self.0.join(path)).unwrap();
        }

        /// Relative to the tree: directories, then those without, each with why.
        fn found(&self, programs: &[&str], environments: &[&str]) -> (Vec<String>, Vec<(String, String)>) {
            let all = |paths: &[&str]| paths.iter().map(|path| self.0.join(path)).collect::<Vec<_>>();
            let found = sites(&all(programs), &all(environments));
            let short = |path: &Path| path.strip_prefix(&self.0).unwrap().display().to_string();
            let why = |text: &str| text.replace(&format!("{}/", self.0.display()), "");
            (
                found.directories.iter().map(|path| short(path)).collect(),
                found.without.iter().map(|(path, text)| (short(path), why(text))).collect(),
            )
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn each_layout_of_python_has_its_directory_and_other_programs_have_none() {
        let tree = Tree::new("layouts");
        let (usr, local) = (tree.0.join("usr"), tree.0.join("opt"));
        tree.program("usr/bin/python3.12");
        tree.link(Path::new("python3.12"), "usr/bin/python3");
        tree.link(&usr.join("bin"), "bin");
        tree.directory("usr/lib/python3/dist-packages");
        tree.directory("usr/lib/python3.12/site-packages");
        // Debian's, with nothing of the administrator's.
        let debian = (vec!["usr/lib/python3/dist-packages".to_owned()], vec![]);
        for name in ["usr/bin/python3", "usr/bin/python3.12", "bin/python3"] {
            assert_eq!(tree.found(&[name], &[]), debian, "{name}");
        }
        tree.directory("usr/local/lib/python3.11/dist-packages");
        assert_eq!(tree.found(&["usr/bin/python3"], &[]), debian, "another version's does not count");
        tree.directory("usr/local/lib/python3.12/dist-packages");
        let administrators = (vec!["usr/local/lib/python3.12/dist-packages".to_owned()], vec![]);
        assert_eq!(tree.found(&["usr/bin/python3", "bin/python3"], &[]), administrators, "each once");
        // As everybody else has it.
        tree.program("opt/bin/python3.9");
        assert_eq!(local.join("bin/python3.9").parent().unwrap(), tree.0.join("opt/bin"));
        let nothing = (vec![], vec![("opt/bin/python3.9".to_owned(), "no directory of packages was found".to_owned())]);
        assert_eq!(tree.found(&["opt/bin/python3.9"], &[]), nothing);
        tree.directory("opt/lib/python3.9/site-packages");
        assert_eq!(tree.found(&["opt/bin/python3.9"], &[]), (vec!["opt/lib/python3.9/site-packages".to_owned()], vec![]));
        // Neither what is absent, nor what is no Python.
        for name in ["java", "python2", "python2.7", "python3.", "python3.x", "pythonic", "python3-config", "ipython3"] {
            tree.program(&format!("opt/bin/{name}"));
            assert_eq!(tree.found(&[&format!("opt/bin/{name}")], &[]), (vec![], vec![]), "{name}");
        }
        assert_eq!(tree.found(&["opt/bin/python3.10"], &[]), (vec![], vec![]));
    }

    #[test]
    fn an_environment_has_its_own_directory_beside_its_bases_and_counts_only_with_a_covered_interpreter() {
        let tree = Tree::new("environments");
        tree.program("usr/bin/python3.12");
        tree.directory("usr/lib/python3.12/site-packages");
        let interpreter = tree.0.join("usr/bin/python3.12");
        for name in ["venv", "notebook"] {
            tree.link(&interpreter, &format!("{name}/bin/python3"));
            tree.link(Path::new("python3"), &format!("{name}/bin/python"));
            tree.directory(&format!("{name}/lib/python3.12/site-packages"));
        }
        let (base, venv) = ("usr/lib/python3.12/site-packages".to_owned(), "venv/lib/python3.12/site-packages".to_owned());
        assert_eq!(tree.found(&["venv/bin/python"], &[]), (vec![venv.clone(), base.clone()], vec![]));
        assert_eq!(tree.found(&["usr/bin/python3.12"], &["venv", "absent"]), (vec![base.clone(), venv], vec![]));
        // A copy of the interpreter says its version by its directories alone.
        tree.program("copies/bin/python3");
        tree.directory("copies/lib/python3.12/site-packages");
        let copies = vec!["copies/lib/python3.12/site-packages".to_owned()];
        assert_eq!(tree.found(&["copies/bin/python3"], &[]), (copies, vec![]));
        let why = vec![("copies".to_owned(), "the policy does not cover its interpreter".to_owned())];
        assert_eq!(tree.found(&["usr/bin/python3.12"], &["copies"]), (vec![base], why));
    }

    #[test]
    fn no_link_that_others_than_root_may_have_made_leads_anywhere() {
        use std::os::unix::fs::PermissionsExt;
        let tree = Tree::new("planted");
        let elsewhere = tree.directory("elsewhere");
        tree.program("venv/bin/python3.12");
        let lib = tree.directory("venv/lib/python3.12");
        tree.link(&elsewhere, "venv/lib/python3.12/site-packages");
        assert_eq!(tree.found(&["venv/bin/python3.12"], &[]), (vec!["elsewhere".to_owned()], vec![]));
        fs::set_permissions(&lib, fs::Permissions::from_mode(0o777)).unwrap();
        let planted = "venv/lib/python3.12/site-packages is a symbolic link that others than root may have made".to_owned();
        assert_eq!(tree.found(&["venv/bin/python3.12"], &[]), (vec![], vec![("venv/bin/python3.12".to_owned(), planted)]));
        // Nor the way to the program.
        tree.directory("usr/lib/python3.12/site-packages");
        tree.program("usr/bin/python3.12");
        tree.link(&tree.0.join("usr/bin/python3.12"), "other/bin/python3");
        tree.directory("other/lib/python3.12/site-packages");
        fs::set_permissions(tree.0.join("other/bin"), fs::Permissions::from_mode(0o777)).unwrap();
        let planted = "other/bin/python3 is a symbolic link that others than root may have made".to_owned();
        assert_eq!(tree.found(&["other/bin/python3"], &[]), (vec![], vec![("other/bin/python3".to_owned(), planted)]));
    }
}
