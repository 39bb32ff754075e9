//! One load with its way through the proxy.

use std::time::Duration;

use crate::process::ports::free_port;
use crate::work::load::Load;
use crate::work::scenario::{Scenario, Variant};

/// After this the load's connections are closed and others opened.
const EPISODE: Duration = Duration::from_secs(10);

/// A scenario's first variant, with the ports it goes through.
pub struct Lane {
    /// The scenario.
    pub scenario: &'static str,
    /// What is asked in each episode.
    pub variant: Variant,
    /// Where the proxy listens for it.
    pub listen: u16,
    /// Where its backend listens.
    pub backends: [u16; 2],
}

impl Lane {
    /// The lane of a scenario.
    pub fn of(scenario: &'static str) -> Result<Self, String> {
        let mut variant = Scenario::read(scenario)?.variants.swap_remove(0);
        variant.warm_up_millis = 0;
        variant.measured_millis = EPISODE.as_secs() * 1000;
        // So that ten loads at a time leave each other room.
        if let Load::Streams { connections, streams, .. } = &mut variant.load {
            (*connections, *streams) = (8, 8);
        }
        Ok(Self { scenario, variant, listen: free_port()?, backends: [free_port()?, free_port()?] })
    }
}
