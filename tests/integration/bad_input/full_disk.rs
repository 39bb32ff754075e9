//! The control API on a disk without room: changes are refused as a whole, everything else goes on.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::binaries::binary;
use harness::client::Connection;
use harness::message::Request;
use harness::ports::free_addr;
use harness::process::Process;
use harness::{client, workspace};

use super::control::{Control, apply, ask, mesh};
use super::disk::Disk;
use super::refusal::{refusal_of, says};

fn start(disk: &Disk, control: &Control) -> Process {
    let mut command = disk.command(&binary("tombolo"), &control.arguments());
    control.wait_answers(Process::spawn("control", &mut command))
}

/// More than the room that a new store has to spare.
fn many_services() -> String {
    let instance = |index: usize| format!(", {{ site: here, address: 127.0.0.1, port: {} }}", 9000 + index);
    let instances: String = (0..60).map(instance).collect();
    let service = |index: usize| {
        format!(
            "---\napiVersion: tombolo.dev/v1alpha1\nkind: Service\nmetadata: {{ name: s{index} }}\nspec:\n  \
             protocol: http\n  instances: [{}]\n",
            &instances[2..]
        )
    };
    (0..250).map(service).collect()
}

#[test]
fn a_full_disk_refuses_changes_and_keeps_everything_else_going() {
    let mut disk = Disk::new();
    let dir = workspace::temp_dir();
    let control = Control::new(&disk.path().join("control"));
    let mut running = start(&disk, &control);
    let token = disk.seen("control/admin-token");
    apply(&control, &token, dir.path(), &mesh(10, 11, 12)).expect("there is room for a mesh");
    let before = control.everything(&token);

    disk.fill("control/store.redb", Some(&running));
    for _ in 0..3 {
        let (code, line) =
            apply(&control, &token, dir.path(), &many_services()).expect_err("there is no room");
        assert_eq!(code, Some(3), "{line}");
        says(&line, &["the change was not stored, nothing was changed", disk.complaint()]);
        assert_eq!(control.everything(&token), before);
    }
    let secret = std::fs::read_to_string(&token).expect("it was written at the start");
    let (status, answer) = ask(control.rest, &secret, "POST", "/v1/apply", &body_of(dir.path()));
    assert_eq!((status, &answer["code"]), (503, &serde_json::json!("unavailable")), "{answer}");
    says(&running.log(), &["ERROR", "a change could not be stored", disk.complaint()]);

    // A start needs no room where there is nothing to write.
    running.signal("TERM");
    assert!(running.wait_exit(Duration::from_secs(20)).success(), "{}", running.log());
    drop(running);
    let running = start(&disk, &control);
    assert_eq!(control.everything(&token), before);

    disk.free(Some(&running));
    apply(&control, &token, dir.path(), &many_services()).expect("there is room again");
    let after = control.everything(&token);
    let count = |all: &serde_json::Value| all["items"].as_array().map_or(0, Vec::len);
    assert_eq!(count(&after), count(&before) + 250);
}

/// The documents that were applied last, as the body of a request.
fn body_of(dir: &Path) -> String {
    let text = std::fs::read_to_string(dir.join("applied.yaml")).expect("it was applied");
    let documents = serde_saphyr::from_multiple::<serde_json::Value>(&text).expect("it is YAML");
    serde_json::json!({ "items": documents }).to_string()
}

#[test]
fn a_first_start_without_room_leaves_nothing_half_made() {
    let mut disk = Disk::new();
    let control = Control::new(&disk.path().join("control"));
    disk.fill("nothing", None);
    let line = refusal_of(&mut disk.command(&binary("tombolo"), &control.arguments()), 1);
    says(&line, &["store.redb", disk.complaint()]);
    let left: Vec<_> = std::fs::read_dir(disk.seen("control")).map_or(Vec::new(), Iterator::collect);
    assert!(left.is_empty(), "{left:?}");
    disk.free(None);
    let _running = start(&disk, &control);
}

/// A command with its output, `1` or `2`, into a file that never takes a byte.
fn into_full(stream: &str, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("exec \"$0\" \"$@\" {stream}>/dev/full"));
    command.arg(binary(program)).args(arguments);
    command
}

#[test]
fn output_that_cannot_be_written_is_told_and_output_that_nobody_reads_is_no_failure() {
    let dir = workspace::temp_dir();
    let file = workspace::write(dir.path(), "mesh.yaml", &mesh(10, 11, 12));
    let file = file.to_string_lossy();
    says(
        &refusal_of(&mut into_full("1", "tombolo", &["validate", &file]), 1),
        &["standard output: No space left on device"],
    );
    let validate = ["--config-yaml", "{}", "--mode", "validate"];
    let told = refusal_of(&mut into_full("1", "tombolo-proxy", &validate), 1);
    says(&told, &["standard output: No space left on device"]);
    let mut piped = Command::new("bash");
    piped.args(["-c", "\"$0\" completion bash | head -n 1; echo \"ended ${PIPESTATUS[0]}\""]);
    let output = piped.arg(binary("tombolo")).output().expect("bash starts");
    says(&String::from_utf8_lossy(&output.stdout), &["_tombolo", "ended 0"]);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_log_that_cannot_be_written_ends_nobody() {
    let dir = workspace::temp_dir();
    let control = Control::new(&dir.path().join("control"));
    let arguments = control.arguments();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let command = &mut into_full("2", "tombolo", &arguments);
    let mut running = control.wait_answers(Process::spawn("control without a log", command));
    let token = control.dir.join("admin-token");
    apply(&control, &token, dir.path(), &mesh(10, 11, 12)).expect("a good mesh is taken");
    // It tells of its end, too.
    running.signal("TERM");
    assert!(running.wait_exit(Duration::from_secs(20)).success());

    let (admin, listener) = (free_addr(), free_addr());
    let bootstrap = include_str!("access_log.yaml")
        .replace("@ADMIN@", &admin.port().to_string())
        .replace("@LISTENER@", &listener.port().to_string());
    let command = &mut into_full("2", "tombolo-proxy", &["--config-yaml", &bootstrap, "-l", "trace"]);
    let mut proxy = Process::spawn("a proxy without a log", command);
    proxy.wait_accepts(listener, Duration::from_secs(30));
    let mut connection = Connection::open(listener).expect("it accepts");
    proxy.wait_until("counting what is lost", Duration::from_secs(30), |_| {
        let answer = connection.send(&Request::new("GET", "any", "/")).map_err(|error| error.to_string())?;
        assert_eq!(answer.status, 200);
        let stats = client::get(admin, "admin", "/stats").map_err(|error| error.to_string())?.text();
        let line =
            stats.lines().find(|line| line.starts_with("access_log_file.write_failed: ")).map(str::to_owned);
        line.filter(|line| !line.ends_with(": 0")).map(drop).ok_or(stats)
    });
    proxy.signal("TERM");
    drop(connection);
    assert!(proxy.wait_exit(Duration::from_secs(20)).success());
}
