//! Faults on purpose.

use harness::message::Request;

use super::at::case;
use crate::case::Case;

pub fn cases() -> Vec<Case> {
    let paths = [
        "/",
        "/abort",
        "/text",
        "/grpc",
        "/never",
        "/unsaid",
        "/header",
        "/only-header",
        "/only-node",
        "/only-cluster",
        "/other-cluster",
        "/delay",
        "/late-abort",
        "/none-at-once",
        "/weighted",
        "/direct",
    ];
    let to = |path: &str| Request::new("GET", "fault.example", path);
    let mut cases = Vec::new();
    for path in paths {
        cases.push(case(format!("fault: GET {path}"), to(path)));
        let grpc = Request::new("POST", "fault.example", path).header("content-type", "application/grpc");
        cases.push(case(format!("fault: gRPC {path}"), grpc));
        cases.push(case(format!("fault: HEAD {path}"), Request::new("HEAD", "fault.example", path)));
    }
    let fields: [&[(&str, &str)]; 17] = [
        &[("x-envoy-fault-abort-request", "404")],
        &[("x-envoy-fault-abort-request", "199")],
        &[("x-envoy-fault-abort-request", "600")],
        &[("x-envoy-fault-abort-request", "x")],
        &[("x-envoy-fault-abort-grpc-request", "5")],
        &[("x-envoy-fault-abort-grpc-request", "16")],
        &[("x-envoy-fault-abort-grpc-request", "x")],
        &[("x-envoy-fault-abort-request", "404"), ("x-envoy-fault-abort-grpc-request", "5")],
        &[("x-envoy-fault-abort-request", "404"), ("x-envoy-fault-abort-request-percentage", "0")],
        &[("x-envoy-fault-abort-request", "404"), ("x-envoy-fault-abort-request-percentage", "100")],
        &[("x-envoy-fault-abort-request", "404"), ("x-envoy-fault-abort-request-percentage", "200")],
        &[("x-envoy-fault-abort-request", "404"), ("x-envoy-fault-abort-request-percentage", "x")],
        &[("x-envoy-fault-delay-request", "20")],
        &[("x-envoy-fault-delay-request", "20"), ("x-envoy-fault-abort-request", "404")],
        &[("x-envoy-fault-delay-request", "20"), ("x-envoy-fault-delay-request-percentage", "0")],
        &[("x-envoy-fault-delay-request", "x")],
        &[("x-envoy-fault-delay-request", "0")],
    ];
    for path in ["/header", "/abort"] {
        for fields in fields {
            let request = fields.iter().fold(to(path), |request, (name, value)| request.header(name, value));
            cases.push(case(format!("fault: {path} {fields:?}"), request));
        }
    }
    cases.push(case("fault: the header is there", to("/only-header").header("x-fault", "yes")));
    cases.push(case("fault: the header is another", to("/only-header").header("x-fault", "no")));
    for node in ["one", "two", "three", ""] {
        let request = to("/only-node").header("x-envoy-downstream-service-node", node);
        cases.push(case(format!("fault: the node {node:?}"), request));
    }
    for bytes in [0, 100, 10_000, 30_000] {
        let request = to("/slow").header("x-backend-do", &format!("bytes/{bytes}"));
        cases.push(case(format!("fault: {bytes} bytes, slowly"), request));
    }
    cases.push(case("fault: trailers, slowly", to("/slow").header("x-backend-do", "trailers")));
    let body = Request::new("POST", "fault.example", "/delay").body(vec![b'd'; 100_000]);
    cases.push(case("fault: a body waits", body));
    let body = Request::new("POST", "fault.example", "/abort").body(vec![b'd'; 100_000]);
    cases.push(case("fault: a body is refused", body));
    cases
}
