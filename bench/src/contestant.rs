//! Who is measured: how each is found, configured from its template, and started.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::child::Folder;
use crate::options::Options;
use crate::scenario::{folder, workspace};

/// One proxy under measurement.
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
}

/// The ports of one measurement.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// Where the contestant listens.
    pub listen: u16,
    /// Where its admin interface listens, if it has one.
    pub admin: u16,
    /// Where the backends listen.
    pub backends: [u16; 2],
}

impl Contestant {
    /// Whether it reads HTTP, so that its work can be compared.
    pub fn reads_http(&self) -> bool {
        self.kind != Kind::Floor
    }

    /// The command that starts it, with its configuration written into the folder.
    pub fn command(&self, ports: Ports, dir: &Folder) -> Result<Command, String> {
        let mut command = Command::new(&self.binary);
        let [a, b] = ports.backends;
        match self.kind {
            Kind::Tombolo => {
                command.arg("-c").arg(render("envoy.yaml", ports, dir)?).args([
                    "--concurrency",
                    "1",
                    "-l",
                    "warn",
                ]);
            }
            Kind::Envoy => {
                command.arg("-c").arg(render("envoy.yaml", ports, dir)?).args([
                    "--concurrency",
                    "1",
                    "-l",
                    "warn",
                ]);
                command.arg("--disable-hot-restart");
            }
            Kind::Nginx => {
                command.arg("-p").arg(dir.path()).arg("-c").arg(render("nginx.conf", ports, dir)?);
            }
            Kind::Haproxy => {
                command.arg("-db").arg("-f").arg(render("haproxy.cfg", ports, dir)?);
            }
            Kind::Floor => {
                command.args(["floor", "--listen", &format!("127.0.0.1:{}", ports.listen)]);
                command.args(["--backends", &format!("{a},{b}")]);
            }
        }
        Ok(command)
    }
}

/// The contestants asked for. A peer that is not installed is an error: a table with a gap proves nothing.
pub fn choose(options: &Options) -> Result<Vec<Contestant>, String> {
    let named = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    let mut chosen = Vec::new();
    if named("tombolo") {
        let binary = match &options.binary {
            Some(path) => path.clone(),
            None => build(&options.profile)?,
        };
        chosen.push(Contestant { name: "tombolo", kind: Kind::Tombolo, binary });
    }
    let peers = [("envoy", Kind::Envoy), ("nginx", Kind::Nginx), ("haproxy", Kind::Haproxy)];
    for (name, kind) in peers.into_iter().filter(|(name, _)| options.peers && named(name)) {
        let binary = workspace().join(".peers/bin").join(name);
        if !binary.exists() {
            return Err(format!("{name} is missing, run tests/setup"));
        }
        chosen.push(Contestant { name, kind, binary });
    }
    if named("floor") {
        let binary = std::env::current_exe().map_err(|e| e.to_string())?;
        chosen.push(Contestant { name: "floor", kind: Kind::Floor, binary });
    }
    if chosen.is_empty() {
        return Err(
            "nobody to measure: --only takes tombolo, floor, and with --peers envoy, nginx, haproxy".into()
        );
    }
    Ok(chosen)
}

/// Builds tombolo-proxy with the cargo that is at hand and returns its path.
fn build(profile: &str) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    eprintln!("bench: building tombolo-proxy with profile {profile}");
    let output = Command::new(cargo)
        .args(["build", "-p", "proxy", "--bin", "tombolo-proxy", "--profile", profile])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(workspace())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cannot start cargo: {e}"))?;
    if !output.status.success() {
        return Err(format!("tombolo-proxy does not build: {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut executables = text.lines().rev().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    executables.next().ok_or_else(|| "cargo named no executable".to_owned())
}

/// Fills in a template of `bench/peers/` and writes it into the folder.
fn render(template: &str, ports: Ports, dir: &Folder) -> Result<PathBuf, String> {
    let source = folder().join("peers").join(template);
    let text = std::fs::read_to_string(&source).map_err(|e| format!("{}: {e}", source.display()))?;
    let filled = text
        .replace("@LISTEN_PORT@", &ports.listen.to_string())
        .replace("@ADMIN_PORT@", &ports.admin.to_string())
        .replace("@BACKEND_A@", &ports.backends[0].to_string())
        .replace("@BACKEND_B@", &ports.backends[1].to_string())
        .replace("@DIR@", &dir.path().display().to_string())
        .replace("@NGINX_USER@", if is_root() { "user root;" } else { "" });
    let path = dir.path().join(template);
    std::fs::write(&path, filled).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(path)
}

/// nginx started by root changes its user unless told not to, and then cannot write into our folder.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    Path::new("/proc/self").metadata().is_ok_and(|own| own.uid() == 0)
}
