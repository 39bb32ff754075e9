//! A run: the scenarios asked for, one after the other, each printed as soon as it is done.

use serde_json::{Value, json};

use crate::contestant::{self, Contestant, certs};
use crate::options::Options;
use crate::process::folder::Folder;
use crate::process::guard;
use crate::report::machine::Machine;
use crate::report::overview::Overview;
use crate::report::summary::Row;
use crate::report::verdict::Verdict;
use crate::report::{summary, table, verdict};
use crate::trial::rounds;
use crate::trial::stage::Pins;
use crate::work::scenario::{Scenario, Variant};

/// Measures, prints the tables, and writes the JSON if asked to. A scenario that fails does not keep the others
/// from being measured.
pub fn run(options: &Options) -> Result<(), String> {
    let contestants = contestant::choose(options)?;
    let folder = Folder::new()?;
    guard::watch_folder(folder.path());
    certs::write(&folder)?;
    let machine = Machine::here();
    println!("{}; tombolo: {}", machine.line(), options.built());
    let versions: Vec<(&str, String)> =
        contestants.iter().filter_map(|one| Some((one.name, one.version()?))).collect();
    let (mut scenarios, mut verdicts, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    let mut overview = Overview::new();
    for name in options.scenarios() {
        let scenario = Scenario::read(name)?;
        println!("\n## {name}\n\n{}", scenario.about);
        let mut variants = Vec::new();
        for variant in &scenario.variants {
            if options.variant.as_ref().is_some_and(|wanted| !variant.name.contains(wanted)) {
                continue;
            }
            eprintln!("{name}, {}", variant.name);
            let done = measure(name, &scenario, variant, &contestants, options, &folder)?;
            overview.add(name, variant, &done.rows, &done.verdicts);
            variants.push(done.json);
            verdicts.extend(done.verdicts);
            failed.extend(done.failed.then(|| format!("{name} ({})", variant.name)));
        }
        scenarios.push(json!({ "scenario": name, "about": scenario.about, "variants": variants }));
        // After each scenario, so that a run that is broken off leaves what it has measured.
        let report = json!({
            "machine": machine, "tombolo": options.built(), "rounds": options.rounds,
            "versions": versions.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "scenarios": scenarios,
        });
        write(options, &report)?;
    }
    if let Some(table) = overview.render() {
        println!("\n## All of it\n\n{table}");
    }
    let met = verdicts.iter().filter(|verdict| verdict.met == Some(true)).count();
    let missed = verdicts.iter().filter(|verdict| verdict.met == Some(false)).count();
    println!("\ntargets: {met} met, {missed} missed, {} not judged", verdicts.len() - met - missed);
    if failed.is_empty() { Ok(()) } else { Err(format!("there were failures in {}", failed.join(", "))) }
}

struct Done {
    json: Value,
    rows: Vec<Row>,
    verdicts: Vec<Verdict>,
    failed: bool,
}

fn measure(
    name: &str,
    scenario: &Scenario,
    variant: &Variant,
    contestants: &[Contestant],
    options: &Options,
    folder: &Folder,
) -> Result<Done, String> {
    let is_extra = |name: &str| name == "floor" || name == "direct";
    let takes_part = |one: &&Contestant| {
        // `direct` is what latency is counted from, so it cannot be left out.
        let wanted = options.wants(one.name) || one.name == "direct";
        wanted && (!is_extra(one.name) || variant.beside.iter().any(|beside| beside == one.name))
    };
    let taking_part: Vec<Contestant> = contestants.iter().filter(takes_part).cloned().collect();
    let pins = Pins { proxy: options.proxy_core, load: options.load_core };
    let rounds = options.rounds.min(scenario.rounds_max);
    let outcome = rounds::run(&taking_part, variant, rounds, pins, folder)?;
    let names: Vec<&'static str> = taking_part.iter().map(|one| one.name).collect();
    let rows = summary::rows(&names, &outcome.measurements, &outcome.absent);
    let verdicts = verdict::judge(variant, &rows);
    let others = summary::others(&outcome.measurements);
    println!("\n### {name}, {}\n\n{}", variant.name, table::render(variant, &rows, &verdicts, others));
    let json = json!({
        "variant": variant, "rounds": rounds, "rows": rows, "targets": verdicts,
        "measurements": outcome.measurements,
    });
    Ok(Done { json, rows, verdicts, failed: outcome.failed })
}

fn write(options: &Options, report: &Value) -> Result<(), String> {
    let Some(path) = &options.json else { return Ok(()) };
    let text = serde_json::to_string_pretty(report).map_err(|e| e.to_string())?;
    std::fs::write(path, text + "\n").map_err(|e| format!("{}: {e}", path.display()))
}
