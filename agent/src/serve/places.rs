//! Places at the API socket: how many connections are open at once, and which one ends when there is no room. Nobody is made
//! to wait: a caller that sends its request is answered at once, so whoever holds a place longest for nothing gives it up.
//!
//! Process trees cannot be told apart for certain - whoever forks twice has left his - so places are counted by process, and
//! a job that spreads over many processes only ever takes places from itself: the oldest goes first.

use tokio::task::AbortHandle;

/// Connections of the job, and of whoever else is not root outside of the lock.
const OF_JOB: usize = 64;
/// Connections of root outside of the lock: no job takes them.
const OF_ROOT: usize = 16;
/// Connections of one process: enough for threads that all ask at once.
const OF_PROCESS: usize = 32;

/// Whose a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whose {
    /// The process that connected; 0 where the kernel does not say.
    pub pid: i32,
    /// Whether it is root outside of the lock.
    pub root: bool,
}

/// The open connections, oldest first.
#[derive(Debug, Default)]
pub struct Places(Vec<(Whose, AbortHandle)>);

impl Places {
    /// Gives the newest connection its place, and ends another one where there is none left.
    pub fn take(&mut self, whose: Whose, task: AbortHandle) {
        self.0.retain(|(_, task)| !task.is_finished());
        let taken: Vec<Whose> = self.0.iter().map(|(whose, _)| *whose).collect();
        if let Some(at) = gives_way(&taken, whose) {
            self.0.remove(at).1.abort();
        }
        self.0.push((whose, task));
    }
}

/// Which of the connections, oldest first, ends for a new one: the oldest of the same process where that has its share, else
/// the oldest of the process that holds the most.
fn gives_way(taken: &[Whose], new: Whose) -> Option<usize> {
    let of_process = |pid: i32| taken.iter().filter(|one| one.pid == pid).count();
    if of_process(new.pid) >= OF_PROCESS {
        return taken.iter().position(|one| one.pid == new.pid);
    }
    let alike: Vec<(usize, &Whose)> = taken.iter().enumerate().filter(|(_, one)| one.root == new.root).collect();
    if alike.len() < if new.root { OF_ROOT } else { OF_JOB } {
        return None;
    }
    // Of several that hold as much, the last one found: from the newest to the oldest.
    alike.into_iter().rev().max_by_key(|(_, one)| of_process(one.pid)).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(rows: &[(i32, bool, usize)]) -> Vec<Whose> {
        rows.iter().flat_map(|(pid, root, count)| std::iter::repeat_n(Whose { pid: *pid, root: *root }, *count)).collect()
    }

    #[test]
    fn a_new_connection_ends_the_oldest_of_its_process_or_of_the_greediest_and_never_one_of_root_outside() {
        let rows = [
            (held(&[]), (1, false), None, "there is room"),
            (held(&[(9, false, 1), (1, false, OF_PROCESS)]), (1, false), Some(1), "its own oldest"),
            (held(&[(9, true, OF_PROCESS), (1, false, 10)]), (9, true), Some(0), "root's own oldest as well"),
            (held(&[(9, true, 2), (1, false, 1), (2, false, 7), (3, false, 56)]), (4, false), Some(10), "the greediest's oldest"),
            (held(&[(9, true, 2), (1, false, 63)]), (4, false), None, "root's places are not the job's"),
            (held(&[(1, false, 64), (9, true, 2)]), (8, true), None, "nor the job's root's"),
        ];
        for (taken, (pid, root), expected, what) in rows {
            assert_eq!(gives_way(&taken, Whose { pid, root }), expected, "{what}");
        }
        let many: Vec<Whose> = (1..=64).map(|pid| Whose { pid, root: false }).collect();
        assert_eq!(gives_way(&many, Whose { pid: 99, root: false }), Some(0), "of equals the oldest");
    }
}
