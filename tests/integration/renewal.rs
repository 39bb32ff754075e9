//! SVIDs are renewed at half their life while traffic crosses between sites.

use std::time::Duration;

use harness::load::Load;
use harness::wait;

use crate::mesh::{Mesh, SITES};

/// When the proxy's own certificate ends.
fn expiry(mesh: &Mesh, site: usize) -> Result<u64, String> {
    let certs = mesh.admin(site, "/certs")?;
    let secrets = certs["certificates"].as_array().cloned().unwrap_or_default();
    let svid = secrets.iter().find(|secret| secret["name"] == "tombolo_svid").ok_or("no SVID yet")?;
    svid["certificates"][0]["expiration_time_unix"].as_u64().ok_or_else(|| certs.to_string())
}

#[test]
fn identities_are_renewed_at_half_life_without_a_failed_request() {
    let mut mesh = Mesh::start_with(&["--svid-ttl-s", "10"]);
    // Without instances of its own, every request of the first site crosses to another one over mTLS.
    mesh.stop_backends(0);
    let before: Vec<_> = (0..SITES.len()).map(|site| expiry(&mesh, site).expect("an SVID")).collect();
    let load = Load { pause: Duration::from_millis(5), ..Load::get(mesh.gateway(0), "any", "/") };
    let load = Load { time_max: Duration::from_secs(60), ..load }.start();
    for (site, before) in before.into_iter().enumerate() {
        wait::until("the SVID to have been renewed twice", Duration::from_secs(30), || {
            let now = expiry(&mesh, site)?;
            if now >= before + 9 { Ok(()) } else { Err(format!("ends at {now}, was {before}")) }
        });
    }
    let report = load.finish();
    println!("renewal: {} requests across sites, {} not answered 2xx", report.requests(), report.not_ok());
    assert_eq!(report.not_ok(), 0, "{:?} {:?}", report.statuses, report.reasons);
    let own = report.backends.iter().filter(|(name, _)| name.starts_with(SITES[0])).count();
    assert!(report.backends.len() > own, "nothing crossed: {:?}", report.backends);
}
