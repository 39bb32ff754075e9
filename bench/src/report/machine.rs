//! Where and when a run was made: numbers without that are not reproducible.

use serde::Serialize;

/// The machine and the day.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// The day, UTC.
    pub date: String,
    /// The processor's own name.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// The kernel.
    pub kernel: String,
}

impl Machine {
    /// This one, now. What the kernel does not tell stays empty.
    pub fn here() -> Self {
        let cpu_text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = cpu_text.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("");
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            date: time::OffsetDateTime::now_utc().date().to_string(),
            cpu: cpu.trim_start_matches([' ', '\t', ':']).to_owned(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            kernel: kernel.trim().to_owned(),
        }
    }

    /// In one line.
    pub fn line(&self) -> String {
        format!("{}, {} cores, {}, Linux {}", self.date, self.cores, self.cpu, self.kernel)
    }
}
