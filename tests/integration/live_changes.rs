//! Changes under load, and a control API that goes and comes back: nothing is dropped, nothing is restarted.

use std::process::Command;
use std::time::Duration;

use harness::binaries::binary;
use harness::client::Connection;
use harness::load::Load;
use harness::message::Request;
use harness::process::Process;
use harness::wait;

use crate::mesh::{Mesh, SITES, control_dir, end_control, route};

fn mark(mesh: &Mesh, site: usize) -> Result<String, String> {
    let mut connection = Connection::open(mesh.gateway(site)).map_err(|error| error.to_string())?;
    let response = connection.send(&Request::new("GET", "any", "/")).map_err(|error| error.to_string())?;
    Ok(response.header("x-mark").unwrap_or("").to_owned())
}

#[test]
fn a_change_is_live_at_every_site_with_no_connection_dropped_and_no_request_failed() {
    let mesh = Mesh::start();
    let loads: Vec<_> = (0..SITES.len())
        .map(|site| {
            let load = Load::get(mesh.gateway(site), "any", "/");
            Load {
                connections: 4,
                pause: Duration::from_millis(2),
                time_max: Duration::from_secs(60),
                ..load
            }
            .start()
        })
        .collect();
    for change in 1..=5 {
        let value = format!("change-{change}");
        let took = mesh.apply(&route(&value));
        println!("change {change}: acknowledged by all proxies after {took:?}");
        for (site, name) in SITES.iter().enumerate() {
            assert_eq!(mark(&mesh, site).as_deref(), Ok(value.as_str()), "{name} serves an old version");
        }
    }
    for (load, site) in loads.into_iter().zip(SITES) {
        let report = load.finish();
        assert!(report.requests() > 100, "{site}: too little load to tell");
        assert_eq!(report.not_ok(), 0, "{site}: {:?} {:?}", report.statuses, report.reasons);
        assert_eq!(report.reconnects, 0, "{site}: connections were dropped");
    }
}

#[test]
fn traffic_goes_on_without_the_control_api_and_changes_flow_again_when_it_is_back() {
    let mesh = Mesh::start();
    let load = Load { pause: Duration::from_millis(2), ..Load::get(mesh.gateway(1), "any", "/") };
    let load = Load { time_max: Duration::from_secs(60), ..load }.start();
    let target =
        std::fs::read_to_string(mesh.dir.path().join("state/context.json")).expect("up leaves a context");
    let target: serde_json::Value = serde_json::from_str(&target).expect("the context is JSON");
    let rest =
        target["server"].as_str().and_then(|url| url.strip_prefix("http://")).expect("a URL").to_owned();
    let (host, port) = rest.rsplit_once(':').expect("an address");
    let discovery = format!("{host}:{}", port.parse::<u16>().expect("a port") + 1);

    end_control(&rest);
    wait::until("the control API to be gone", Duration::from_secs(10), || {
        if std::net::TcpStream::connect(&rest).is_err() { Ok(()) } else { Err("it answers".to_owned()) }
    });
    std::thread::sleep(Duration::from_secs(2));
    for (site, name) in SITES.iter().enumerate() {
        assert_eq!(mark(&mesh, site).as_deref(), Ok("shop"), "{name} stopped serving");
    }

    let mut command = Command::new(binary("tombolo"));
    command.arg("control").arg("--control-dir").arg(control_dir(&mesh));
    command.args(["--rest", &rest, "--discovery", &discovery]);
    let _control = Process::spawn("tombolo control", &mut command);
    wait::until("the control API to answer", Duration::from_secs(20), || mesh.status().map(drop));
    let took = mesh.apply(&route("after"));
    println!("control API back: a change is acknowledged by all proxies after {took:?}");
    for site in 0..SITES.len() {
        assert_eq!(mark(&mesh, site).as_deref(), Ok("after"));
    }
    let report = load.finish();
    assert_eq!(report.not_ok(), 0, "{:?} {:?}", report.statuses, report.reasons);
}
