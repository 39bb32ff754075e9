//! Stores that a control API must not take: damaged, cut off, of a newer version, of another mesh.
//!
//! One rule: the file is left for whoever can mend it, and the proxies go on without the control API.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::binaries::binary;
use harness::load::Load;
use harness::process::Process;
use harness::{wait, workspace};
use redb::{Database, TableDefinition};

use super::control::{Control, apply, mesh};
use super::refusal::{refusal_of, refused, says};
use crate::mesh::{Mesh, control_dir, end_control, route};

/// Bytes that are no whole store, and what must be said about them.
fn damaged(good: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let mut random = fastrand::Rng::with_seed(11);
    let garbage = std::iter::repeat_with(|| random.u8(..)).take(100_000).collect();
    let mut zeroed = good.to_vec();
    zeroed[..4096].fill(0);
    vec![
        ("garbage", garbage, "corrupt: Not a redb database"),
        ("text", b"dear diary\n".repeat(1000), "corrupt: Not a redb database"),
        ("no beginning", zeroed, "corrupt: Not a redb database"),
        ("half", good[..good.len() / 2].to_vec(), "corrupt: "),
        ("a few bytes", good[..100].to_vec(), "corrupt: "),
        ("nothing", Vec::new(), "corrupt: it is empty"),
    ]
}

#[test]
fn a_damaged_store_is_named_and_left_as_it_is_and_the_good_one_works_again() {
    let dir = workspace::temp_dir();
    let control = Control::new(&dir.path().join("control"));
    let token = control.dir.join("admin-token");
    let running = control.start();
    apply(&control, &token, dir.path(), &mesh(10, 11, 12)).expect("a good mesh is taken");
    let before = control.everything(&token);
    end(running);
    let store = control.dir.join("store.redb");
    let good = std::fs::read(&store).expect("the store is a file");
    for (name, bytes, said) in damaged(&good) {
        std::fs::write(&store, &bytes).expect("it can be damaged");
        let line = refusal_of(&mut command(&control), 1);
        says(&line, &["the store \"", &store.to_string_lossy(), said, "restore it from a backup"]);
        assert!(std::fs::read(&store).is_ok_and(|left| left == bytes), "{name}: the file was touched");
    }
    std::fs::write(&store, &good).expect("the backup is put back");
    let _running = control.start();
    assert_eq!(control.everything(&token), before);
}

#[test]
fn a_store_of_a_newer_version_or_of_another_mesh_is_refused_by_what_it_says() {
    let dir = workspace::temp_dir();
    let control = Control::new(&dir.path().join("control"));
    end(control.start());
    let other = [control.arguments(), vec!["--trust-domain".to_owned(), "other.example".to_owned()]].concat();
    let other: Vec<_> = other.iter().map(String::as_str).collect();
    says(&refused("tombolo", &other, 1), &["trust domain \"tombolo.local\", not \"other.example\""]);

    let store = control.dir.join("store.redb");
    let written = set_schema(&store, 2);
    let line = refusal_of(&mut command(&control), 1);
    says(&line, &[&store.to_string_lossy(), "schema version 2", "knows up to 1", "run the newer program"]);
    assert_eq!(schema(&store), 2, "the store was changed");
    set_schema(&store, written);
    let _running = control.start();
}

#[test]
fn a_control_api_that_cannot_start_again_leaves_the_proxies_serving() {
    let mesh = Mesh::start();
    let load = Load { pause: Duration::from_millis(5), ..Load::get(mesh.gateway(2), "any", "/") };
    let load = Load { time_max: Duration::from_secs(120), ..load }.start();
    let context = std::fs::read_to_string(mesh.dir.path().join("state/context.json")).expect("up leaves one");
    let context: serde_json::Value = serde_json::from_str(&context).expect("it is JSON");
    let server = context["server"].as_str().expect("a URL").trim_start_matches("http://").to_owned();
    let rest: std::net::SocketAddr = server.parse().expect("an address");
    let discovery = std::net::SocketAddr::new(rest.ip(), rest.port() + 1);
    end_control(&server);
    let control = Control { rest, discovery, dir: control_dir(&mesh) };
    let store = control.dir.join("store.redb");
    let good = std::fs::read(&store).expect("the store is a file");
    std::fs::write(&store, &good[..good.len() / 3]).expect("it can be damaged");
    let line = wait::until("the port to be free again", Duration::from_secs(10), || {
        let line = refusal_of(&mut command(&control), 1);
        if line.contains("in use") { Err(line) } else { Ok(line) }
    });
    says(&line, &["corrupt", "restore it from a backup"]);
    std::fs::write(&store, &good).expect("the backup is put back");
    let _running = control.start();
    mesh.apply(&route("restored"));
    let report = load.finish();
    println!("corrupt store: {} requests meanwhile, {} not answered 2xx", report.requests(), report.not_ok());
    assert_eq!(report.not_ok(), 0, "{:?} {:?}", report.statuses, report.reasons);
}

#[test]
fn up_says_in_one_line_why_its_control_api_does_not_start() {
    let dir = workspace::temp_dir();
    let state = dir.path().join("state");
    std::fs::create_dir_all(state.join("control")).expect("a folder can be made");
    std::fs::write(state.join("control/store.redb"), "not a store").expect("a file can be written");
    let base = crate::mesh::free_base().to_string();
    let line = refused("tombolo", &["--data-dir", &state.to_string_lossy(), "up", "--base-port", &base], 1);
    says(
        &line,
        &["control has ended", "store.redb", "corrupt", "restore it from a backup", "logs/control.log"],
    );
}

fn command(control: &Control) -> Command {
    let mut command = Command::new(binary("tombolo"));
    command.args(control.arguments());
    command
}

/// Ends it as an operator does, so that its store is closed.
fn end(mut running: Process) {
    running.signal("TERM");
    assert!(running.wait_exit(Duration::from_secs(20)).success(), "{}", running.log());
}

const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

/// Writes another schema version; gives the one before.
fn set_schema(store: &Path, version: u32) -> u32 {
    let before = schema(store);
    let database = Database::open(store).expect("the store is closed and whole");
    let transaction = database.begin_write().expect("it can be written");
    let mut table = transaction.open_table(META).expect("it has this table");
    table.insert("schema", version.to_be_bytes().as_slice()).expect("it can be written");
    drop(table);
    transaction.commit().expect("it can be written");
    before
}

fn schema(store: &Path) -> u32 {
    use redb::ReadableDatabase;
    let database = Database::open(store).expect("the store is closed and whole");
    let transaction = database.begin_read().expect("it can be read");
    let table = transaction.open_table(META).expect("it has this table");
    let value = table.get("schema").expect("it can be read").expect("it has a schema version");
    u32::from_be_bytes(value.value().try_into().expect("four bytes"))
}
