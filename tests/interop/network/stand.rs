//! One side: a proxy with a bootstrap, and the backends that the bootstrap names.
//!
//! In a bootstrap `@word@` is a port: of a backend if the word begins as one's kind does (`raw_`, `http_`), of nobody
//! if it begins with `dead`, else the proxy's own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::message::{Request, Response};
use harness::peers::peer;
use harness::ports::free_addr;
use harness::process::Process;
use harness::{binaries, client, workspace};

use super::backends;

const START_DEADLINE: Duration = Duration::from_secs(30);

/// A running proxy and what stands behind it.
pub struct Stand {
    _process: Process,
    addrs: BTreeMap<String, SocketAddr>,
    _dir: tempfile::TempDir,
}

impl Stand {
    /// Real Envoy, or nothing when it is missing (which was said).
    pub fn envoy(bootstrap: &str) -> Option<Self> {
        let binary = peer("envoy")?;
        Some(Self::start("envoy", bootstrap, |config| binaries::proxy(&binary, config)))
    }

    /// Our proxy.
    pub fn tombolo(bootstrap: &str) -> Self {
        let binary = binaries::binary("tombolo-proxy");
        Self::start("tombolo-proxy", bootstrap, |config| binaries::proxy(&binary, config))
    }

    /// Where a word of the bootstrap is.
    pub fn addr(&self, word: &str) -> SocketAddr {
        *self.addrs.get(word).unwrap_or_else(|| panic!("the bootstrap has no @{word}@"))
    }

    /// What a port is called.
    pub fn word(&self, port: u16) -> Option<&str> {
        self.addrs.iter().find(|(_, addr)| addr.port() == port).map(|(word, _)| word.as_str())
    }

    /// Bytes in which `@word@` is a port.
    pub fn filled(&self, bytes: &[u8]) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(bytes) else { return bytes.to_vec() };
        fill(text, &self.addrs).into_bytes()
    }

    /// The admin server's answer.
    pub fn admin(&self, method: &str, target: &str) -> Response {
        ask_admin(self.addr("admin"), method, target).expect("the admin server answers")
    }

    fn start(name: &str, bootstrap: &str, command: impl FnOnce(&Path) -> Command) -> Self {
        let place = |word: &str| (word.to_owned(), backends::start(word).unwrap_or_else(free_addr));
        let addrs: BTreeMap<String, SocketAddr> = words(bootstrap).map(place).collect();
        let dir = workspace::temp_dir();
        let config = workspace::write(dir.path(), "bootstrap.yaml", &fill(bootstrap, &addrs));
        let mut process = Process::spawn(name, &mut command(&config));
        let admin = addrs["admin"];
        process.wait_until("ready", START_DEADLINE, |_| match ask_admin(admin, "GET", "/ready") {
            Ok(answer) if answer.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        });
        Self { _process: process, addrs, _dir: dir }
    }
}

fn ask_admin(addr: SocketAddr, method: &str, target: &str) -> std::io::Result<Response> {
    client::send(addr, &Request::new(method, "admin", target))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |part: &&str| {
        !part.is_empty()
            && part.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_')
    };
    text.split('@').skip(1).filter(is_word)
}

fn fill(text: &str, addrs: &BTreeMap<String, SocketAddr>) -> String {
    addrs.iter().fold(text.to_owned(), |text, (word, addr)| {
        text.replace(&format!("@{word}@"), &addr.port().to_string())
    })
}
