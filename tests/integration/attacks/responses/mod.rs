//! What backends may answer: the table, and its tests. Whatever came, the next request must be answered by its own
//! answer, over a connection that is not in doubt.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::time::Duration;

use harness::client;
use harness::known::{self, Both};
use harness::lanes::Lane;
use harness::message::Reader;
use harness::raw_backend::{Answer, What};

use hostile::Hostile;

use super::case::{assert_many_and_named, wanted};
use super::lane;
use super::outcome::{HOST, shortened};
use super::run;

mod hostile;

mod bodies;

mod framing;

mod heads;

mod interim;

const CASES_MIN: usize = 100;
const DEADLINE: Duration = Duration::from_secs(5);

/// Every case; `TOMBOLO_CASES` narrows them to names that contain its text.
fn cases() -> Vec<Hostile> {
    let subjects = [framing::cases, heads::cases, interim::cases, bodies::cases];
    subjects.into_iter().flat_map(|cases| cases()).filter(|case| wanted(&case.name)).collect()
}

#[test]
fn the_hostile_answers_are_many_and_every_one_has_its_own_name() {
    assert_many_and_named(cases().iter().map(|case| case.name.as_str()), CASES_MIN);
}

#[test]
fn no_answer_is_believed_too_far_and_none_reaches_another_request() {
    let cases = cases();
    let ways = |case| [false, true].into_iter().map(move |bytewise| (case, bytewise));
    let jobs: Vec<(&Hostile, bool)> =
        cases.iter().flat_map(ways).filter(|(case, bytewise)| !(case.together && *bytewise)).collect();
    let lines = lane::tombolo().all(&jobs, |lane, (case, bytewise)| line(lane, case, *bytewise));
    let mut wrong = Vec::new();
    for ((case, bytewise), line) in
        jobs.iter().zip(&lines).filter(|((case, _), line)| case.expected != **line)
    {
        let (name, expected) = (&case.name, &case.expected);
        wrong.push(format!("{name}, bytewise {bytewise}:\n  expected {expected}\n  got      {line}"));
    }
    println!("{} cases, {} runs", cases.len(), jobs.len());
    assert!(wrong.is_empty(), "{} of {} runs:\n{}", wrong.len(), jobs.len(), wrong.join("\n"));
}

#[test]
fn envoy_treats_hostile_answers_alike_or_the_difference_is_explained() {
    let Some(mut envoy) = lane::envoy() else { return };
    let cases = cases();
    let lines = envoy.all(&cases, |lane, case| line(lane, case, false));
    let different = cases.iter().zip(lines).filter(|(case, line)| case.expected != *line);
    let found: BTreeMap<String, Both> = different
        .map(|(case, line)| (case.name.clone(), Both { envoy: line, ours: case.expected.clone() }))
        .collect();
    known::judge("answer: ", &found);
}

/// Bytes that a backend sends before it is asked may be taken for the first answer, because nobody can tell when they
/// were sent; no second request may be answered by them.
#[test]
fn what_a_backend_says_unasked_answers_no_second_request() {
    let proxy = lane::tombolo();
    let lane = &proxy.lanes[0];
    for greeting in [bodies::EVIL.to_owned(), bodies::EVIL.repeat(3), "hello\r\n".to_owned()] {
        lane.backend.greet(greeting.as_bytes());
        let first = client::get(lane.plain, HOST, "/first").expect("the proxy answers");
        assert!([200, 502].contains(&first.status), "{first:?}");
        lane.backend.greet(b"");
        for probe in ["/probe-one", "/probe-two"] {
            let answer = client::get(lane.plain, HOST, probe).expect("the proxy answers");
            assert_eq!(answer.header("x-answer"), Some(probe), "{greeting:?}: {answer:?}");
        }
        lane.backend.disconnect();
        run::settle(lane);
    }
}

/// What came of an answer, in one line: `200 "ok" kept, reused`.
fn line(lane: &Lane, case: &Hostile, bytewise: bool) -> String {
    lane.backend.take();
    lane.tell(Answer { bytewise, ..case.answer.clone() });
    let client = exchange(lane, case).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    // Whatever the answer left behind, the next request gets its own answer.
    for probe in ["/probe-one", "/probe-two"] {
        let answer = client::get(lane.plain, HOST, probe);
        let own = answer
            .as_ref()
            .is_ok_and(|answer| answer.status == 200 && answer.header("x-answer") == Some(probe));
        assert!(own, "{}: the request for {probe} was answered by {answer:?}", case.name);
    }
    let seen = lane.backend.take();
    let of = |target: &str| {
        let found =
            seen.iter().find(|seen| matches!(&seen.what, What::Request(request) if request.target == target));
        found.map(|seen| seen.connection)
    };
    let asked = of("/hostile");
    let times = seen
        .iter()
        .filter(|seen| matches!(&seen.what, What::Request(one) if one.target == "/hostile"))
        .count();
    let reuse = match asked {
        None => "not asked",
        Some(_) if of("/probe-one") == asked || of("/probe-two") == asked => "reused",
        Some(_) if times > 1 => "asked more than once",
        Some(_) => "dropped",
    };
    format!("{client}, {reuse}")
}

/// What the client of the hostile answer got: its answer and what became of its connection.
fn exchange(lane: &Lane, case: &Hostile) -> std::io::Result<String> {
    use std::io::Write;
    let mut stream = TcpStream::connect(lane.plain)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    let (method, fields) = (case.method, case.fields);
    stream.write_all(format!("{method} /hostile HTTP/1.1\r\nhost: {HOST}\r\n{fields}\r\n").as_bytes())?;
    let mut reader = Reader::new(&stream);
    let answer = match reader.response(method == "HEAD") {
        Err(e) => return Ok(format!("cut {:?}", run::ending(&e)).to_lowercase()),
        Ok(answer) => answer,
    };
    let mut parts: Vec<String> = answer.interim.iter().map(u16::to_string).collect();
    // How many of a flood get through before it is stopped depends on how its bytes are cut.
    parts.dedup();
    parts.push(answer.status.to_string());
    if answer.status < 500 {
        parts.push(shortened(&answer.body));
    }
    // Answers of a whole length leave the client's connection usable, whatever the backend's is like.
    let _ = (&stream).write_all(format!("GET /after HTTP/1.1\r\nhost: {HOST}\r\n\r\n").as_bytes());
    parts.push(match reader.response(false) {
        Ok(after) if after.header("x-answer") == Some("/after") => "kept".to_owned(),
        Ok(after) => format!("THEN {} {}", after.status, shortened(&after.body)),
        Err(e) => format!("{:?}", run::ending(&e)).to_lowercase(),
    });
    Ok(parts.join(" "))
}
