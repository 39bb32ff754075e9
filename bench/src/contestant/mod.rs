//! Who is measured: how each is found, configured from its template, and started.

mod cargo;
mod template;

pub mod certs;

pub mod configuration;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use self::configuration::Place;
use crate::options::Options;
use crate::process::folder::Folder;
use crate::work::scenario::{Variant, workspace};

/// One proxy under measurement, or the lack of one.
#[derive(Debug, Clone)]
pub struct Contestant {
    /// Its name in the table.
    pub name: &'static str,
    kind: Kind,
    binary: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tombolo,
    Envoy,
    Nginx,
    Haproxy,
    Floor,
    Direct,
}

impl Contestant {
    /// Whether it is a proxy at all: the load of `direct` goes to the backend.
    pub fn is_proxy(&self) -> bool {
        self.kind != Kind::Direct
    }

    /// Whether it reads HTTP, so that its work can be compared.
    pub fn reads_http(&self) -> bool {
        !matches!(self.kind, Kind::Floor | Kind::Direct)
    }

    /// Why it does not take part in a variant, if it does not.
    pub fn cannot(&self, variant: &Variant, dir: &Folder) -> Result<Option<String>, String> {
        if let Some(reason) = variant.cannot.get(self.name) {
            return Ok(Some(reason.clone()));
        }
        if self.kind != Kind::Tombolo {
            return Ok(None);
        }
        let (listen, admin, endpoints) = (1, 1, vec![1, 2]);
        for ends in variant.setup.proxies() {
            let conditions = variant.setup.conditions.clone();
            let place = Place { listen, admin, endpoints: endpoints.clone(), ends, conditions };
            let refused = self.refuses(&place, dir)?;
            if refused.is_some() {
                return Ok(refused);
            }
        }
        Ok(None)
    }

    /// What our own proxy does not accept of a configuration that Envoy runs with.
    fn refuses(&self, place: &Place, dir: &Folder) -> Result<Option<String>, String> {
        let mut command = self.command(place, dir)?;
        command.args(["--mode", "validate"]).stdin(Stdio::null());
        let output = command.output().map_err(|e| format!("cannot start {}: {e}", self.name))?;
        if output.status.success() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("").trim();
        // The path of the file tells nothing: it is gone when the table is read.
        let reason = last.split_once(".yaml: ").map_or(last, |(_, reason)| reason);
        Ok(Some(format!("refuses the configuration: {reason}")))
    }

    /// The command that starts it, with its configuration written into the folder.
    pub fn command(&self, place: &Place, dir: &Folder) -> Result<Command, String> {
        let mut command = Command::new(&self.binary);
        match self.kind {
            Kind::Tombolo => {
                command.arg("-c").arg(configuration::write("envoy.yaml", place, dir)?);
                command.args(["--concurrency", "1", "-l", "warn"]);
            }
            Kind::Envoy => {
                command.arg("-c").arg(configuration::write("envoy.yaml", place, dir)?);
                command.args(["--concurrency", "1", "-l", "warn", "--disable-hot-restart"]);
            }
            Kind::Nginx => {
                command.arg("-p").arg(dir.path());
                command.arg("-c").arg(configuration::write("nginx.conf", place, dir)?);
            }
            Kind::Haproxy => {
                command.arg("-db").arg("-f").arg(configuration::write("haproxy.cfg", place, dir)?);
            }
            Kind::Floor => {
                command.args(["floor", "--listen", &place.listen.to_string(), "--backends"]);
                let ports: Vec<String> = place.endpoints.iter().map(u16::to_string).collect();
                command.arg(ports.join(","));
            }
            Kind::Direct => return Err("there is nothing to start between load and backend".to_owned()),
        }
        Ok(command)
    }

    /// The program.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// Our `tombolo`, which starts a whole mesh; it lies beside the proxy.
    pub fn mesh(&self) -> Result<Command, String> {
        let binary = self.binary.with_file_name("tombolo");
        if self.kind != Kind::Tombolo || !binary.exists() {
            return Err(format!(
                "{} is missing: build the package cli with the same profile",
                binary.display()
            ));
        }
        Ok(Command::new(binary))
    }

    /// What it says of its version.
    pub fn version(&self) -> Option<String> {
        let flag = match self.kind {
            Kind::Tombolo | Kind::Envoy => "--version",
            Kind::Nginx | Kind::Haproxy => "-v",
            Kind::Floor | Kind::Direct => return None,
        };
        let output = Command::new(&self.binary).arg(flag).stdin(Stdio::null()).output().ok()?;
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        text.lines().find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned())
    }
}

/// Our own proxy, built with the profile asked for unless a binary was named.
pub fn tombolo(binary: Option<&PathBuf>, profile: &str) -> Result<Contestant, String> {
    let binary = match binary {
        Some(path) => path.clone(),
        None => cargo::build("proxy", "tombolo-proxy", profile)?,
    };
    Ok(Contestant { name: "tombolo", kind: Kind::Tombolo, binary })
}

/// The contestants asked for. A peer that is not installed is an error: a table with a gap proves nothing.
pub fn choose(options: &Options) -> Result<Vec<Contestant>, String> {
    let mut chosen = Vec::new();
    if options.wants("tombolo") {
        chosen.push(tombolo(options.binary.as_ref(), &options.profile)?);
        if options.binary.is_none() && options.scenarios().contains(&"idle-10k") {
            cargo::build("cli", "tombolo", &options.profile)?;
        }
    }
    let peers = [("envoy", Kind::Envoy), ("nginx", Kind::Nginx), ("haproxy", Kind::Haproxy)];
    for (name, kind) in peers.into_iter().filter(|(name, _)| options.peers.iter().any(|peer| peer == name)) {
        let binary = workspace().join(".peers/bin").join(name);
        if !binary.exists() {
            return Err(format!("{name} is missing, run tests/setup"));
        }
        if options.wants(name) {
            chosen.push(Contestant { name, kind, binary });
        }
    }
    for (name, kind) in [("floor", Kind::Floor), ("direct", Kind::Direct)] {
        let binary = std::env::current_exe().map_err(|e| e.to_string())?;
        chosen.push(Contestant { name, kind, binary });
    }
    Ok(chosen)
}
