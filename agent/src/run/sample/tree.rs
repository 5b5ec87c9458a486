//! Which processes are of a covered tree: those that run a covered `root` program, and what comes from them. Pure.

use std::collections::{BTreeMap, BTreeSet};

/// A process as `/proc` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: i32,
    /// When it began (proc_pid_stat(5), field 22): whoever has the id later began later.
    pub(super) began: u64,
    pub(super) parent: i32,
    /// Whether it runs a covered program that starts a tree.
    pub(super) root: bool,
}

impl Process {
    /// From `/proc/<pid>/stat`. The name in it may hold anything, brackets and line feeds too.
    pub(super) fn parse(stat: &str, root: bool) -> Option<Self> {
        let (pid, rest) = stat.split_once(' ')?;
        let (_, rest) = rest.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace().skip(1);
        let parent = fields.next()?.parse().ok()?;
        Some(Self { pid: pid.parse().ok()?, began: fields.nth(17)?.parse().ok()?, parent, root })
    }
}

/// What was of the tree at the last look. A process stays of it when its parent has ended, until it ends itself.
#[derive(Default)]
pub(super) struct Tree {
    known: BTreeSet<(i32, u64)>,
}

impl Tree {
    /// The processes of the tree among all that live now.
    pub(super) fn grow(&mut self, living: &[Process]) -> Vec<i32> {
        let id = |process: &Process| (process.pid, process.began);
        let by_pid: BTreeMap<i32, (i32, u64)> = living.iter().map(|process| (process.pid, id(process))).collect();
        self.known.retain(|known| by_pid.get(&known.0) == Some(known));
        self.known.extend(living.iter().filter(|process| process.root).map(id));
        loop {
            let of_the_tree = |process: &&Process| by_pid.get(&process.parent).is_some_and(|parent| self.known.contains(parent));
            let new: Vec<_> = living.iter().filter(of_the_tree).map(id).filter(|id| !self.known.contains(id)).collect();
            if new.is_empty() {
                return self.known.iter().map(|(pid, _)| *pid).collect();
            }
            self.known.extend(new);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, began: u64, parent: i32, root: bool) -> Process {
        Process { pid, began, parent, root }
    }

    #[test]
    fn a_tree_is_what_a_covered_program_started_and_outlives_its_root_but_not_its_ids() {
        let mut tree = Tree::default();
        let all = [process(1, 0, 0, false), process(9, 5, 7, false), process(7, 4, 3, false), process(3, 2, 1, true)];
        assert_eq!(tree.grow(&all), [3, 7, 9], "children of children, in whatever order they are listed");
        assert_eq!(tree.grow(&[process(1, 0, 0, false), process(9, 5, 1, false)]), [9], "its parents ended");
        assert_eq!(tree.grow(&[process(9, 6, 1, false)]), [] as [i32; 0], "the id of another process");
    }

    #[test]
    fn a_process_is_read_whatever_its_name_is() {
        let stat = "12 (a) R 1 (b\n) S 3 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9";
        assert_eq!(Process::parse(stat, true), Some(process(12, 4711, 3, true)));
        for cut in 0..stat.rfind("4711").unwrap() {
            assert_eq!(Process::parse(&stat[..cut], true), None, "{cut}");
        }
    }
}
