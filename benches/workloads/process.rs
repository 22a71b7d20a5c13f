//! What a process has used, from Linux's `/proc`.

use std::fs;
use std::time::Duration;

use super::error::{Failure, Result};

/// The unit of the times in `/proc/PID/stat`: the same on every Linux a program can run on.
const TICK: Duration = Duration::from_millis(10);

/// A process and everything it has started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tree {
    pub(crate) root: u32,
}

/// One line of `/proc/PID/stat`.
#[derive(Clone, Debug)]
struct Stat {
    pid: u32,
    name: String,
    parent: u32,
    /// User and system time, in ticks.
    own: u64,
    /// The same of the children that have ended.
    reaped: u64,
}

impl Tree {
    /// This process.
    pub(crate) fn own() -> Self {
        Self {
            root: std::process::id(),
        }
    }

    /// User and system time of the whole tree since it began, children that have ended included.
    pub(crate) fn cpu(self) -> Result<Duration> {
        let all = all()?;
        let ticks = all
            .iter()
            .filter(|stat| self.holds(stat, &all))
            .map(|stat| stat.own + if stat.pid == self.root { stat.reaped } else { 0 })
            .sum::<u64>();
        Ok(in_time(ticks))
    }

    /// User and system time of the root without its children.
    pub(crate) fn cpu_alone(self) -> Result<Duration> {
        let stat = read(self.root).ok_or("the process has ended")?;
        Ok(in_time(stat.own))
    }

    fn holds(self, stat: &Stat, all: &[Stat]) -> bool {
        let mut current = Some(stat);
        while let Some(stat) = current {
            if stat.pid == self.root {
                return true;
            }
            current = all.iter().find(|known| known.pid == stat.parent);
        }
        false
    }

    /// The proportional set size of the root alone, in bytes: what would be free without it.
    pub(crate) fn pss(self) -> Result<u64> {
        let path = format!("/proc/{}/smaps_rollup", self.root);
        let text = fs::read_to_string(&path).map_err(|error| Failure::when(&path, error))?;
        let kilobytes = text.lines().find_map(|line| {
            line.strip_prefix("Pss:")?
                .split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
        });
        kilobytes
            .map(|kilobytes| kilobytes * 1024)
            .ok_or_else(|| Failure::when(path, "says nothing of Pss"))
    }
}

/// The parent of a process, when that parent runs on this machine under the name `name`.
pub(crate) fn parent_named(pid: u32, name: &str) -> Option<Tree> {
    let all = all().ok()?;
    let child = all.iter().find(|stat| stat.pid == pid && stat.name == name)?;
    let parent = all
        .iter()
        .find(|stat| stat.pid == child.parent && stat.name == name)?;
    Some(Tree { root: parent.pid })
}

fn in_time(ticks: u64) -> Duration {
    TICK * u32::try_from(ticks).unwrap_or(u32::MAX)
}

fn all() -> Result<Vec<Stat>> {
    let folders = fs::read_dir("/proc").map_err(|error| Failure::when("/proc (this needs Linux)", error))?;
    let pids = folders.filter_map(|folder| folder.ok()?.file_name().to_str()?.parse().ok());
    Ok(pids.filter_map(read).collect())
}

/// `None` where the process has ended meanwhile.
fn read(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // the name is in brackets and may itself hold anything
    let (name, rest) = text.split_once('(')?.1.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        pid,
        name: name.to_owned(),
        parent: u32::try_from(number(1)?).ok()?,
        own: number(11)? + number(12)?,
        reaped: number(13)? + number(14)?,
    })
}
