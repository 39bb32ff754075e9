//! The rounds: everybody in turn, again and again, each time in a fresh process on the same core.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::child::{Folder, Running, free_port};
use crate::contestant::{Contestant, Ports, choose};
use crate::load::Counts;
use crate::measurement::Measurement;
use crate::options::Options;
use crate::scenario::Scenario;
use crate::{cpu, pin, probe, table};

const START_DEADLINE: Duration = Duration::from_secs(20);

/// Measures a scenario, prints the table, and writes the JSON if asked to.
pub fn run(name: &str, options: &Options) -> Result<(), String> {
    let scenario = Scenario::read(name)?;
    let contestants = choose(options)?;
    let folder = Folder::new()?;
    let mut measurements = Vec::new();
    for round in 1..=options.rounds {
        // Each round begins with another one, so that nobody is always first after a pause.
        let mut order: Vec<&Contestant> = contestants.iter().collect();
        order.rotate_left((round - 1) % contestants.len());
        for contestant in order {
            let measurement = measure(contestant, round, &scenario, options, &folder)?;
            eprintln!("round {round}: {:10} {:6.2} µs", measurement.contestant, measurement.cpu_micros);
            measurements.push(measurement);
        }
    }
    let names: Vec<&str> = contestants.iter().map(|contestant| contestant.name).collect();
    println!("{name}: {}", scenario.about);
    println!("{}", table::render(&names, &measurements));
    if let Some(path) = &options.json {
        let json =
            serde_json::json!({ "scenario": name, "settings": scenario, "measurements": measurements });
        let text = serde_json::to_string_pretty(&json).map_err(|e| e.to_string())?;
        std::fs::write(path, text + "\n").map_err(|e| format!("{}: {e}", path.display()))?;
    }
    let failures: u64 = measurements.iter().map(|measurement| measurement.failures).sum();
    if failures == 0 { Ok(()) } else { Err(format!("{failures} requests failed: the numbers do not count")) }
}

fn measure(
    contestant: &Contestant,
    round: usize,
    scenario: &Scenario,
    options: &Options,
    folder: &Folder,
) -> Result<Measurement, String> {
    let ports = Ports { listen: free_port()?, admin: free_port()?, backends: [free_port()?, free_port()?] };
    let addr = SocketAddr::from(([127, 0, 0, 1], ports.listen));
    pin::to_core(options.load_core)?;
    let mut backend = Running::start("backend", &mut backend_command(scenario, ports)?, folder)?;
    for port in ports.backends {
        backend.wait_accepts(SocketAddr::from(([127, 0, 0, 1], port)), START_DEADLINE)?;
    }
    pin::to_core(options.proxy_core)?;
    let mut proxy = Running::start(contestant.name, &mut contestant.command(ports, folder)?, folder)?;
    pin::to_core(options.load_core)?;
    proxy.wait_accepts(addr, START_DEADLINE)?;
    if contestant.reads_http() {
        probe::check(contestant.name, addr)?;
    }
    let (counts, cpu_nanos) = load(scenario, addr, proxy.pid())?;
    if counts.requests == 0 {
        return Err(format!("{}: no request was answered", contestant.name));
    }
    Ok(Measurement {
        contestant: contestant.name,
        round,
        cpu_micros: cpu_nanos as f64 / counts.requests as f64 / 1000.0,
        requests_per_second: counts.requests as f64 / counts.seconds,
        failures: counts.failures,
        resident_bytes: cpu::resident_bytes(proxy.pid()),
    })
}

fn own_command(subcommand: &str) -> Result<Command, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(own);
    command.arg(subcommand);
    Ok(command)
}

fn backend_command(scenario: &Scenario, ports: Ports) -> Result<Command, String> {
    let [a, b] = ports.backends;
    let mut command = own_command("backend")?;
    command.args(["--ports", &format!("{a},{b}"), "--response-bytes", &scenario.response_bytes.to_string()]);
    Ok(command)
}

/// Runs the load generator; reads the proxy's clocks when it says `begin` and `end`.
fn load(scenario: &Scenario, addr: SocketAddr, proxy: u32) -> Result<(Counts, u64), String> {
    let mut child = own_command("load")?
        .args(["--addr", &addr.to_string(), "--connections", &scenario.connections.to_string()])
        .args(["--warm-up-millis", &scenario.warm_up_millis.to_string()])
        .args(["--measured-millis", &scenario.measured_millis.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start the load generator: {e}"))?;
    let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
    let mut clocks = [0, 0];
    let mut counts = None;
    for line in output.lines() {
        match line.map_err(|e| e.to_string())?.as_str() {
            "begin" => clocks[0] = cpu::nanos(proxy),
            "end" => clocks[1] = cpu::nanos(proxy),
            json => counts = Some(serde_json::from_str(json).map_err(|e| format!("load: {e}: {json}"))?),
        }
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    match counts {
        Some(counts) if status.success() => Ok((counts, clocks[1] - clocks[0])),
        _ => Err(format!("the load generator failed: {status}")),
    }
}
