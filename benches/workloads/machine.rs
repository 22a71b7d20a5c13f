//! What it was measured on.

use std::fmt;
use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

use tegata::base::clock::Clock;

/// A line to stand above the tables.
#[derive(Debug)]
pub(crate) struct Machine {
    cores: usize,
    processor: String,
    kernel: String,
    file_system: String,
    postgres: Option<String>,
    load: String,
    date: String,
}

impl Machine {
    pub(crate) fn this(postgres: Option<&str>) -> Self {
        let processors = read("/proc/cpuinfo");
        let model = processors.lines().find(|line| line.starts_with("model name"));
        Self {
            cores: available_parallelism().map_or(0, usize::from),
            processor: model
                .and_then(|line| line.split_once(": "))
                .map_or_else(|| "unknown processor".to_owned(), |(_, name)| name.to_owned()),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            file_system: file_system(&std::env::temp_dir()),
            postgres: postgres.map(str::to_owned),
            load: read("/proc/loadavg")
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_owned(),
            date: Clock::System.now().date().to_string(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cores ({}), Linux {}, {}",
            self.cores, self.processor, self.kernel, self.file_system
        )?;
        if let Some(version) = &self.postgres {
            write!(f, ", PostgreSQL {version} (fsync and synchronous_commit on)")?;
        }
        write!(f, ", {}. Load average before: {}.", self.date, self.load)?;
        if cfg!(debug_assertions) {
            write!(f, " **A build without optimisation: the numbers mean nothing.**")?;
        }
        Ok(())
    }
}

/// The kind of file system that holds `path`: on one in memory, durability costs nothing.
fn file_system(path: &Path) -> String {
    let mounts = read("/proc/self/mounts");
    let of_line = |line: &str| {
        let mut fields = line.split(' ').skip(1).map(str::to_owned);
        Some((fields.next()?, fields.next()?))
    };
    let holding = mounts
        .lines()
        .filter_map(of_line)
        .filter(|(folder, _)| path.starts_with(folder));
    holding
        .max_by_key(|(folder, _)| folder.len())
        .map_or_else(|| "unknown file system".to_owned(), |(_, kind)| kind)
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
