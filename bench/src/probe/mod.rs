//! Looks at a contestant's work before it is measured: whoever does less would be cheaper for nothing.
//!
//! The backend of a probe is not the measured one: it decodes what arrives and sends it back as text.

mod ask;
mod mirror;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use crate::work::scenario::Variant;
use crate::work::setup::Protocol;

const PROBES: usize = 6;
const DEADLINE: Duration = Duration::from_secs(20);
const EXPECTED: &[&str] = &["x-request-id: ", "x-forwarded-for: ", "x-forwarded-proto: "];

/// Fails unless requests arrive as the variant says, with the same additions, at both endpoints, and with TLS only
/// from clients that present a certificate.
pub fn check(
    name: &str,
    addr: SocketAddr,
    backends: [u16; 2],
    variant: &Variant,
    folder: &Path,
) -> Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let local = tokio::task::LocalSet::new();
    let looking = async {
        for port in backends {
            mirror::listen(port).await?;
        }
        tokio::time::timeout(DEADLINE, look(addr, variant, folder))
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {DEADLINE:?}")))
    };
    local.block_on(&runtime, looking).map_err(|reason| format!("{name}: probe: {reason}"))
}

async fn look(addr: SocketAddr, variant: &Variant, folder: &Path) -> Result<(), String> {
    let asked = ask::Ask::new(addr, variant, folder);
    let mut endpoints = BTreeSet::new();
    for _ in 0..PROBES {
        let seen = asked.once(true).await?.to_ascii_lowercase();
        judge(&seen, variant)?;
        endpoints.extend(seen.lines().find_map(|line| line.strip_prefix("endpoint: ")).map(str::to_owned));
    }
    if endpoints.len() != 2 {
        return Err(format!("uses {endpoints:?}, not both endpoints"));
    }
    if variant.setup.mtls && asked.once(false).await.is_ok() {
        return Err("answers a client that presents no certificate".to_owned());
    }
    Ok(())
}

fn judge(seen: &str, variant: &Variant) -> Result<(), String> {
    let less =
        |what: &str| Err(format!("does less than the others: {what} in what the backend saw:\n{seen}"));
    if let Some(missing) = EXPECTED.iter().find(|field| !seen.contains(**field)) {
        return less(&format!("no `{}`", missing.trim()));
    }
    if !["host: ", ":authority: "].iter().any(|name| seen.contains(&format!("\n{name}bench.example\n"))) {
        return less("no host bench.example");
    }
    if seen.contains("\nconnection: close\n") {
        return less("no connection kept alive");
    }
    let version = if variant.setup.back == Protocol::Http2 { "version: 2\n" } else { "version: 1\n" };
    if seen.contains(version) { Ok(()) } else { less(&format!("no `{}`", version.trim())) }
}
