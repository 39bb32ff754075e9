//! gRPC's own libraries on both sides, through both gateways: grpcio and grpc-js, each as client and as server of each.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use harness::grpc::{self, GrpcBackend};
use harness::ports::free_addr;
use serde_json::{Value, json};

use super::script::{differences, script, serve, told};
use crate::gateways::Gateways;

#[derive(Debug, Clone, Copy)]
enum Library {
    Grpcio,
    GrpcJs,
}

const LIBRARIES: [Library; 2] = [Library::Grpcio, Library::GrpcJs];

impl Library {
    fn command(self, role: &str, addr: SocketAddr) -> Option<Command> {
        let mut command = match self {
            Library::Grpcio => script("python", "grpc_cases.py")?,
            Library::GrpcJs => script("node", "grpc_cases.js")?,
        };
        command.arg(role).arg(addr.to_string());
        Some(command)
    }

    fn call(self, addr: SocketAddr, root: Option<&Path>) -> Value {
        let mut command = self.command("call", addr).expect("it was there for the server");
        if let Some(root) = root {
            command.env("GRPC_ROOT", root);
        }
        told(&mut command)
    }
}

#[test]
fn grpc_clients_see_the_same_direct_and_through_the_gateways() {
    for library in LIBRARIES {
        if library.command("call", free_addr()).is_none() {
            return;
        }
    }
    let pairs = LIBRARIES.map(|server| std::thread::spawn(move || server_is_called(server)));
    for pair in pairs {
        pair.join().expect("every call ends alike");
    }
}

fn server_is_called(server: Library) {
    let addr = free_addr();
    let name = format!("server by {server:?}");
    let _server = serve(&name, &mut server.command("serve", addr).expect("the test looked for it"));
    let gateways = Gateways::start(addr);
    let root = gateways.dir.path().join("root.crt");
    for client in LIBRARIES {
        let direct = client.call(addr, None);
        is_as_asked(&direct);
        for (entry, root) in [(gateways.plain, None), (gateways.tls, Some(root.as_path()))] {
            let found = differences(&direct, &client.call(entry, root));
            let way = format!("{client:?} to {server:?}, over TLS: {}", root.is_some());
            assert!(found.is_empty(), "{way}\n{}", found.join("\n"));
        }
    }
}

/// What is the same on both ways is also what was asked for.
fn is_as_asked(direct: &Value) {
    let text = "as asked: 100 % ü\n漢";
    for (case, wanted) in [
        ("fails_later", json!([["one", "two"], [15, text, []]])),
        ("unknown", json!([12, 12])),
        ("server_streams", json!([[0, 0, 0], [1, 0, 0], [1000, 10_000, 0], [100, 10_000_000, 0]])),
        ("answered_early", json!([3, "10 bytes are enough", []])),
        ("client_ends_first", json!(["a", "b", "you have ended"])),
        ("server_ends_first", json!([["a", "end"], 0])),
        ("deadlines", json!([["begun"], 4, true, 4, ["30", "300", "none"]])),
        ("many_at_once", json!(300)),
        ("too_large", json!(8)),
    ] {
        assert_eq!(direct[case], wanted, "{case}");
    }
    assert_eq!(direct["client_streams"][3], "100 messages of 10000000 bytes");
    assert_eq!(direct["in_turns"].as_array().map(Vec::len), Some(101));
    assert_eq!(direct["sizes"][4][0], 4_000_000);
    assert_eq!(direct["compressed"][0], 1_000_000);
    // grpc-js takes two values of a name that is text for one, with a comma between.
    let pairs = direct["pairs"][0][0].as_array().map_or(0, Vec::len);
    assert!(pairs >= 7, "{}", direct["pairs"]);
    assert_eq!(direct["statuses"].as_array().map(Vec::len), Some(48));
    assert_eq!((&direct["statuses"][47][0], &direct["statuses"][46][1]), (&json!(16), &json!(text)));
    assert_eq!((&direct["cancelled"][1], &direct["cancelled"][2]), (&json!(1), &json!(true)));
}

#[test]
fn grpcio_calls_grpcio() {
    let Some(backend) = GrpcBackend::start("b") else { return };
    let gateways = Gateways::start(backend.addr());
    let root = gateways.dir.path().join("root.crt");
    let (cert, key) = gateways.authority.dns(&["client.test"]).write_to(gateways.dir.path(), "client");
    let tls = grpc::Tls { root: &root, cert: &cert, key: &key };
    for (addr, tls) in [(gateways.plain, None), (gateways.tls, Some(tls))] {
        let call = |name: &str, argument: &str| {
            grpc::call(addr, "grpc.test", name, argument, tls).expect("python is there")
        };
        let direct = |name: &str, argument: &str| {
            grpc::call(backend.addr(), "grpc.test", name, argument, None).expect("python is there")
        };
        calls_are_answered(&call);
        for (name, argument) in [("details", "why"), ("fail", "UNAVAILABLE"), ("fail", "DATA_LOSS")] {
            assert_eq!(call(name, argument), direct(name, argument), "{name} {argument}");
        }
        // Its text is grpcio's own and depends on whether its timer or the server's reset comes first.
        assert_eq!(call("deadline", "0.3")["code"], direct("deadline", "0.3")["code"]);
    }
}

fn calls_are_answered(call: &dyn Fn(&str, &str) -> Value) {
    let unary = call("unary", "hello");
    assert_eq!((&unary["code"], &unary["answer"]), (&json!("OK"), &json!("b:hello")), "{unary}");
    assert_eq!(unary["headers"]["x-backend"], "b", "{unary}");
    assert_eq!(unary["trailers"]["x-trailer"], "t-one", "{unary}");

    let many = call("server-stream", "200");
    assert_eq!(many["answers"].as_array().map(Vec::len), Some(200), "{many}");
    assert_eq!(many["answers"][199], "b:199");
    let bidi = call("bidi", "50");
    assert_eq!(bidi["answers"].as_array().map(Vec::len), Some(50), "{bidi}");
    let sum = call("client-stream", "100");
    assert_eq!(
        (&sum["code"], &sum["answer"]),
        (&json!("OK"), &json!("100 messages, 6553600 bytes")),
        "{sum}"
    );
    assert_eq!(call("health", "echo.Echo")["answer"], 1);

    let details = call("details", "why");
    assert_eq!(details["code"], "FAILED_PRECONDITION", "{details}");
    assert_eq!((&details["details"], &details["status"]), (&json!("as asked: % and ü"), &json!("776879")));
    assert_eq!(call("deadline", "0.3")["code"], "DEADLINE_EXCEEDED");
    let cancelled = call("cancel", "");
    assert_eq!(cancelled["code"], "CANCELLED", "{cancelled}");
    assert_eq!(cancelled["seen"], true, "the server did not hear of it: {cancelled}");
}
