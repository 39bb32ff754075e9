//! Redirects of upstreams that are followed.

use harness::message::Request;

use crate::case::{Case, Listener};

pub fn cases() -> Vec<Case> {
    [targets(), statuses(), copied(), predicates(), bodies()].concat()
}

/// A request to `target`, whose upstream redirects with `status` to `location`.
fn redirected(method: &str, target: &str, status: u16, location: &str) -> Request {
    Request::new(method, "led.example", target)
        .header("x-backend-do", &format!("status/{status}"))
        .header("x-backend-set", &format!("location={location}"))
}

fn case(name: &str, request: Request) -> Case {
    Case::send(format!("follow: {name}"), request).at(Listener::Routes)
}

fn targets() -> Vec<Case> {
    let locations = [
        "http://led.example/plain",
        "http://led.example/plain?a=1",
        "http://led.example/plain?a=1#part",
        "http://led.example:80/plain",
        "http://led.example/direct",
        "http://led.example/one",
        "http://led.example/many",
        "http://elsewhere.example",
        "http://elsewhere.example?x=1",
        "http://elsewhere.example:81/x",
        "http://nowhere.example/x",
        "http://led.example/unrouted",
        "https://led.example/plain",
        "ftp://led.example/plain",
        "/plain",
        "//led.example/plain",
        "led.example/plain",
        "http:///plain",
        "http://led.example/pl ain",
        "HTTP://led.example/plain",
        "http://LED.example/plain",
        "http://led.example/plain/../direct",
        "",
    ];
    let mut cases: Vec<Case> = locations
        .iter()
        .map(|location| case(&format!("one to {location}"), redirected("GET", "/one?q=1", 302, location)))
        .collect();
    let crossing = ["https://led.example/plain", "http://led.example/plain"];
    for route in ["/cross", "/safe"] {
        cases.extend(crossing.iter().map(|location| {
            case(&format!("{route} to {location}"), redirected("GET", route, 302, location))
        }));
    }
    for route in ["/cross", "/safe"] {
        let request = redirected("GET", route, 302, "ftp://led.example/plain");
        cases.push(Case::send(format!("follow to ftp: {route}"), request).at(Listener::Routes));
    }
    cases.push(case(
        "without location",
        Request::new("GET", "led.example", "/one").header("x-backend-do", "status/302"),
    ));
    cases
}

fn statuses() -> Vec<Case> {
    let to = "http://led.example/plain";
    let mut cases = Vec::new();
    for status in [200, 300, 301, 302, 303, 304, 307, 308, 503] {
        for route in ["/one", "/many", "/never", "/none"] {
            cases.push(case(&format!("{route} by {status}"), redirected("GET", route, status, to)));
        }
    }
    cases
}

fn copied() -> Vec<Case> {
    let to = |set: &str| {
        let set = format!("location=http://led.example/many; {set}");
        let request = Request::new("GET", "led.example", "/many").header("x-backend-do", "status/302");
        request.header("x-sent", "by client").header("x-backend-set", &set)
    };
    vec![
        case("copies a field", to("x-copied=1")),
        case("removes a field", to("x-other=1")),
        case("replaces a field", to("x-sent=by upstream")),
        case("goes round until it ends", to("x-backend-do=status/302")),
        case("ends with another status", to("x-backend-do=status/404")),
    ]
}

fn predicates() -> Vec<Case> {
    let mut cases = Vec::new();
    for route in ["/listed", "/previous"] {
        for to in ["plain", "many", "previous", "direct", "listed"] {
            let location = format!("http://led.example/{to}");
            cases.push(case(&format!("{route} to {to}"), redirected("GET", route, 302, &location)));
        }
    }
    cases
}

fn bodies() -> Vec<Case> {
    let to = "http://led.example/plain";
    let mut cases = Vec::new();
    for (method, status) in
        [("POST", 302), ("POST", 303), ("PUT", 303), ("HEAD", 303), ("DELETE", 307), ("POST", 308)]
    {
        let request = redirected(method, "/many", status, to);
        cases.push(case(&format!("{method} by {status}"), request.clone()));
        if method != "HEAD" {
            cases
                .push(case(&format!("{method} with a body by {status}"), request.clone().body("0123456789")));
            cases.push(case(
                &format!("{method} with chunks by {status}"),
                request.chunks(&["01234", "56789"]),
            ));
        }
    }
    cases
}
