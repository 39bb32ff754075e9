//! Free ports on loopback, none handed out twice by this process.
//!
//! They lie below the range the kernel takes client ports from, so that no outgoing connection of another
//! test sits on one between the choice and the bind.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Mutex;

const FIRST: u16 = 10_000;
const LAST: u16 = 32_000;

static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port on which nobody listens now.
pub fn free_port() -> u16 {
    let mut taken = TAKEN.lock().expect("nobody panics while choosing a port");
    for _ in 0..10_000 {
        let port = fastrand::u16(FIRST..LAST);
        if !taken.contains(&port) && TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
            taken.insert(port);
            return port;
        }
    }
    panic!("no free port between {FIRST} and {LAST}")
}

/// A loopback address on which nobody listens now.
pub fn free_addr() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()))
}
