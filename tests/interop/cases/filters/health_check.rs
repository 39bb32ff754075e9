//! Health checks: which requests are, and who answers them with what. `standing` has those that an operator fails.

use harness::message::Request;

use super::at::case;
use crate::case::Case;

pub fn cases() -> Vec<Case> {
    [answered(), passed_on(), cached()].concat()
}

fn answered() -> Vec<Case> {
    let paths =
        ["/check", "/check?query=1", "/checks", "/clusters", "/empty", "/empty-zero", "/missing", "/other"];
    let mut cases = Vec::new();
    for path in paths {
        for method in ["GET", "HEAD", "OPTIONS"] {
            cases.push(case(format!("check: {method} {path}"), Request::new(method, "check.example", path)));
        }
        let call = Request::new("GET", "check.example", path).header("content-type", "application/grpc");
        cases.push(case(format!("check: gRPC {path}"), call));
        let origin = Request::new("GET", "check.example", path).header("x-envoy-degraded", "1");
        cases.push(case(format!("check: with a field, {path}"), origin));
    }
    cases
}

fn passed_on() -> Vec<Case> {
    let mut cases = Vec::new();
    for check in ["1", "2"] {
        for wish in ["status/200", "status/503", "status/404", "close"] {
            // No method that is sent again when a kept connection turns out closed.
            let request = Request::new("POST", "check.example", "/through").header("x-check", check);
            cases.push(case(format!("check: through {check} {wish}"), request.header("x-backend-do", wish)));
        }
        let degraded = Request::new("GET", "check.example", "/through").header("x-check", check);
        let degraded = degraded.header("x-backend-set", "x-envoy-degraded=yes");
        cases.push(case(format!("check: through {check} degraded"), degraded));
    }
    cases
}

/// The first answer is given again, in the order of this table.
fn cached() -> Vec<Case> {
    ["status/201", "status/503", "status/404"]
        .iter()
        .map(|wish| {
            let request = Request::new("GET", "cached.example", "/cached").header("x-backend-do", wish);
            case(format!("check: cached, asked for {wish}"), request)
        })
        .collect()
}
