//! The stage of a trial: the contestant's processes on their core, the backend on the other.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::contestant::Contestant;
use crate::contestant::configuration::Place;
use crate::process::child::Running;
use crate::process::folder::Folder;
use crate::process::pin;
use crate::process::ports::{addr, free_port};
use crate::work::load::Load;
use crate::work::scenario::Variant;

const START_DEADLINE: Duration = Duration::from_secs(60);

/// The cores of a trial.
#[derive(Debug, Clone, Copy)]
pub struct Pins {
    /// Of the contestant.
    pub proxy: usize,
    /// Of load generator and backend.
    pub load: usize,
}

/// A contestant that runs.
pub struct Started {
    /// Its processes, the one nearest to the client first; none for `direct`.
    pub processes: Vec<Running>,
    /// Where the client goes.
    pub front: SocketAddr,
}

impl Started {
    /// Starts a contestant between clients and these backends, pinned to its core. The command may be changed
    /// before it runs.
    pub fn start(
        contestant: &Contestant,
        variant: &Variant,
        backends: [u16; 2],
        pins: Pins,
        folder: &Folder,
        wrap: &dyn Fn(Command) -> Command,
    ) -> Result<Self, String> {
        if !contestant.is_proxy() {
            return Ok(Self { processes: Vec::new(), front: addr(backends[0]) });
        }
        let mut processes = Vec::new();
        let mut endpoints = backends.to_vec();
        // From the backend towards the client, because each needs to know the next.
        for ends in variant.setup.proxies().into_iter().rev() {
            let conditions = variant.setup.conditions.clone();
            let place = Place { listen: free_port()?, admin: free_port()?, endpoints, ends, conditions };
            let mut command = wrap(contestant.command(&place, folder)?);
            pin::to_core(pins.proxy)?;
            let started =
                Running::start(&format!("{}-{}", contestant.name, place.listen), &mut command, folder);
            pin::to_core(pins.load)?;
            let mut running = started?;
            running.wait_accepts(addr(place.listen), START_DEADLINE)?;
            processes.insert(0, running);
            endpoints = vec![place.listen];
        }
        Ok(Self { processes, front: addr(endpoints[0]) })
    }

    /// Its process ids.
    pub fn pids(&self) -> Vec<u32> {
        self.processes.iter().map(Running::pid).collect()
    }
}

/// Starts the backend on the load's core.
pub fn backend(load: &Load, ports: [u16; 2], pins: Pins, folder: &Folder) -> Result<Running, String> {
    pin::to_core(pins.load)?;
    let load = serde_json::to_string(load).map_err(|e| e.to_string())?;
    let [a, b] = ports;
    let mut command = own_command("backend")?;
    command.args(["--ports", &format!("{a},{b}"), "--load", &load]);
    let mut running = Running::start("backend", &mut command, folder)?;
    for port in ports {
        running.wait_accepts(addr(port), START_DEADLINE)?;
    }
    Ok(running)
}

/// The command of a load on a contestant.
pub fn load_command(variant: &Variant, front: SocketAddr, folder: &Path) -> Result<Command, String> {
    let json = serde_json::to_string(variant).map_err(|e| e.to_string())?;
    let mut command = own_command("load")?;
    command.args(["--addr", &front.to_string(), "--variant", &json]).arg("--folder").arg(folder);
    Ok(command)
}

fn own_command(subcommand: &str) -> Result<Command, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(own);
    command.arg(subcommand);
    Ok(command)
}
