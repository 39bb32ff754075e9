//! Any endpoint, evenly; weights of endpoints do not count, as in Envoy.

#[derive(Debug)]
pub(super) struct Random;

impl Random {
    #[allow(clippy::unused_self, reason = "all balancers are asked alike")]
    pub(super) fn choose(&self, hosts: usize, random: u64) -> usize {
        usize::try_from(random % hosts as u64).unwrap_or(0)
    }
}
