//! Looks at a contestant's work before it is measured: whoever does less would be cheaper for nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PROBES: usize = 6;
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: bench.example\r\nx-probe: 1\r\nconnection: close\r\n\r\n";
const EXPECTED: &[&str] = &["x-request-id:", "x-forwarded-for:", "x-forwarded-proto:", "host: bench.example"];

/// Fails unless requests arrive with the same additions and at both endpoints.
pub fn check(name: &str, addr: SocketAddr) -> Result<(), String> {
    let mut endpoints = std::collections::BTreeSet::new();
    for _ in 0..PROBES {
        let head = ask(addr).map_err(|e| format!("{name}: probe: {e}"))?.to_ascii_lowercase();
        if let Some(missing) = EXPECTED.iter().find(|field| !head.contains(**field)) {
            return Err(format!(
                "{name} does less than the others: no `{missing}` in what the backend saw:\n{head}"
            ));
        }
        let seen = head.split_once("endpoint: ").map_or("", |(_, seen)| seen);
        if seen.contains("connection: close") {
            return Err(format!("{name} does not keep upstream connections alive:\n{head}"));
        }
        endpoints.extend(head.lines().find_map(|line| line.strip_prefix("endpoint: ")).map(str::to_owned));
    }
    if endpoints.len() == 2 { Ok(()) } else { Err(format!("{name} uses {endpoints:?}, not both endpoints")) }
}

fn ask(addr: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&addr, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(REQUEST)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
