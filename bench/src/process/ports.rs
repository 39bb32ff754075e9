//! Ports to listen on, below those that the kernel gives to clients.
//!
//! One rule: never one of the kernel's range: with thousands of client connections about, a port that was free when
//! it was looked for is taken when it is wanted.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 18_000;
const COUNT: u16 = 14_000;

/// A port of 127.0.0.1 on which nobody listens now; never the same twice in a row.
pub fn free_port() -> Result<u16, String> {
    static TURN: AtomicU16 = AtomicU16::new(0);
    // Two runs at the same time begin at different places.
    let start = (std::process::id() % u32::from(COUNT / 100)) as u16 * 100;
    for _ in 0..COUNT {
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + start.wrapping_add(turn % COUNT) % COUNT;
        if TcpListener::bind(addr(port)).is_ok() {
            return Ok(port);
        }
    }
    Err(format!("no free port from {FIRST} to {}", FIRST + COUNT - 1))
}

/// The address of a port of this machine.
pub fn addr(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
