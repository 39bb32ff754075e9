//! How busy a core is, with everybody who runs on it: from `/proc/stat`.

use std::fs;

/// Ticks of one core since the machine started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ticks {
    busy: u64,
    all: u64,
}

/// The ticks of a core; none when the kernel does not tell.
pub fn ticks(core: usize) -> Ticks {
    parse(&fs::read_to_string("/proc/stat").unwrap_or_default(), core)
}

fn parse(stat: &str, core: usize) -> Ticks {
    let name = format!("cpu{core} ");
    let line = stat.lines().find_map(|line| line.strip_prefix(&name)).unwrap_or("");
    let numbers: Vec<u64> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal; guest time is part of user.
    let idle: u64 = numbers.iter().skip(3).take(2).sum();
    let all: u64 = numbers.iter().take(8).sum();
    Ticks { busy: all - idle, all }
}

impl Ticks {
    /// The share of the time since `before` in which the core was busy, from 0 to 1.
    pub fn busy_since(self, before: Ticks) -> f64 {
        let all = self.all.saturating_sub(before.all);
        if all == 0 { 0.0 } else { self.busy.saturating_sub(before.busy) as f64 / all as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_is_what_is_not_idle_and_the_core_is_the_one_asked_for() {
        let before = parse("cpu  9 9 9 9\ncpu1 10 0 10 100 0 0 0 0 0 0\ncpu10 5 5 5 5\n", 1);
        let after = parse("cpu1 20 0 20 110 10 5 4 1 0 0\n", 1);
        assert_eq!(after.busy_since(before), 0.6);
        assert_eq!(parse("", 1).busy_since(Ticks::default()), 0.0);
    }
}
