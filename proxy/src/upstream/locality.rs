//! How load is shared among priorities and localities: Envoy's arithmetic, as pure functions.
//!
//! A priority's availability is its share of healthy endpoints times the overprovisioning factor, at most 100;
//! load goes to the preferred priority as far as that reaches, the rest to the next.

/// The endpoints of one priority (or locality), counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// All, those not yet counted included.
    pub members: u64,
    /// Endpoints for judging panic.
    pub hosts: Tally,
    /// Endpoints, or their weights (`weighted_priority_health`), for sharing load.
    pub counted: Tally,
}

/// How many, and of them how many healthy and degraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// All, without those waiting for their first check.
    pub total: u64,
    /// Healthy ones.
    pub healthy: u64,
    /// Degraded ones.
    pub degraded: u64,
}

/// How much of the load each priority gets, percent; healthy and degraded together are 100.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loads {
    /// For healthy endpoints.
    pub healthy: Vec<u32>,
    /// For degraded endpoints.
    pub degraded: Vec<u32>,
    /// Whether the priority ignores health.
    pub panic: Vec<bool>,
    availability: Availability,
}

/// Percent of each priority that may be used, overprovisioning included, at most 100 each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Availability {
    healthy: Vec<u32>,
    degraded: Vec<u32>,
}

/// Which endpoints of the chosen priority are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The healthy ones.
    Healthy,
    /// The degraded ones.
    Degraded,
}

impl Loads {
    /// The loads of `priorities`, 0 first. `panic_threshold` is percent; 0 turns panic off.
    #[must_use]
    pub fn of(priorities: &[Census], overprovisioning_factor: u32, panic_threshold: f64) -> Self {
        let availability = Availability::of(priorities, overprovisioning_factor);
        let total = availability.total();
        let mut loads = Self { panic: vec![false; priorities.len()], ..Self::default() };
        if total > 0 {
            (loads.healthy, loads.degraded) = availability.distribute(total);
        } else {
            loads.healthy = vec![0; priorities.len()];
            loads.degraded = vec![0; priorities.len()];
        }
        if total < 100 {
            for (panic, census) in loads.panic.iter_mut().zip(priorities) {
                *panic = in_panic(census.hosts, panic_threshold);
            }
        }
        if panic_threshold <= 0.0 && total == 0 {
            // Nobody can be chosen; the sum of the loads is 100 all the same.
            if let Some(first) = loads.healthy.first_mut() {
                *first = 100;
            }
        } else if !priorities.is_empty() && loads.panic.iter().all(|panic| *panic) {
            loads.healthy = total_panic(priorities);
            loads.degraded = vec![0; priorities.len()];
        }
        loads.availability = availability;
        loads
    }

    /// The loads when the priorities in `avoided` were tried before (`previous_priorities`): those left share
    /// the load by their availability. When none is left, the loads are as before.
    #[must_use]
    pub fn avoiding(&self, avoided: &[u32]) -> Self {
        let mut left = self.availability.clone();
        for priority in avoided {
            for tier in [&mut left.healthy, &mut left.degraded] {
                if let Some(available) = tier.get_mut(*priority as usize) {
                    *available = 0;
                }
            }
        }
        let total = left.total();
        if total == 0 {
            return self.clone();
        }
        let (healthy, degraded) = left.distribute(total);
        Self { healthy, degraded, panic: self.panic.clone(), availability: self.availability.clone() }
    }

    /// The priority that `hash` falls into, and which of its endpoints.
    #[must_use]
    pub fn choose(&self, hash: u64) -> (usize, Group) {
        let target = u32::try_from(hash % 100).unwrap_or(0) + 1;
        let mut reached = 0;
        for (loads, group) in [(&self.healthy, Group::Healthy), (&self.degraded, Group::Degraded)] {
            for (priority, load) in loads.iter().enumerate() {
                reached += load;
                if target <= reached {
                    return (priority, group);
                }
            }
        }
        (0, Group::Healthy)
    }
}

impl Availability {
    fn of(priorities: &[Census], factor: u32) -> Self {
        let percent = |part: u64, census: &Census| match census.counted.total {
            0 => 0,
            total => u32::try_from((u64::from(factor) * part / total).min(100)).unwrap_or(100),
        };
        Self {
            healthy: priorities.iter().map(|census| percent(census.counted.healthy, census)).collect(),
            degraded: priorities.iter().map(|census| percent(census.counted.degraded, census)).collect(),
        }
    }

    fn total(&self) -> u32 {
        self.healthy.iter().chain(&self.degraded).sum::<u32>().min(100)
    }

    fn distribute(&self, total: u32) -> (Vec<u32>, Vec<u32>) {
        let mut left = 100;
        let mut share = |available: &[u32]| -> Vec<u32> {
            available
                .iter()
                .map(|available| {
                    let load = left.min(available * 100 / total);
                    left -= load;
                    load
                })
                .collect()
        };
        let mut healthy = share(&self.healthy);
        let mut degraded = share(&self.degraded);
        // What is left is rounding: to the first priority that has any endpoint.
        let first = |available: &[u32]| available.iter().position(|available| *available > 0);
        if let Some(first) = first(&self.healthy) {
            healthy[first] += left;
        } else if let Some(first) = first(&self.degraded) {
            degraded[first] += left;
        }
        (healthy, degraded)
    }
}

fn in_panic(hosts: Tally, threshold: f64) -> bool {
    let percent = match hosts.total {
        0 => 0.0,
        total => 100.0 * (hosts.healthy + hosts.degraded) as f64 / total as f64,
    };
    percent < threshold.min(100.0)
}

/// Every priority ignores health: load by number of endpoints.
fn total_panic(priorities: &[Census]) -> Vec<u32> {
    let all: u64 = priorities.iter().map(|census| census.members).sum();
    let mut loads: Vec<u32> = priorities
        .iter()
        .map(|census| u32::try_from((100 * census.members).checked_div(all).unwrap_or(0)).unwrap_or(0))
        .collect();
    let rest = 100 - loads.iter().sum::<u32>();
    let first = priorities.iter().position(|census| census.members > 0).unwrap_or(0);
    loads[first] += rest;
    loads
}

/// A locality's weight in a choice among its `eligible` endpoints of `hosts`: the configured weight, less when
/// the eligible ones, overprovisioning included, are not enough for it.
#[must_use]
pub fn locality_weight(weight: u32, eligible: u64, hosts: u64, overprovisioning_factor: u32) -> f64 {
    if hosts == 0 {
        return 0.0;
    }
    let available = eligible as f64 / hosts as f64 * f64::from(overprovisioning_factor) / 100.0;
    f64::from(weight) * available.min(1.0)
}

#[cfg(test)]
mod tests;
