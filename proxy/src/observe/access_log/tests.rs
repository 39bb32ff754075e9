use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderValue, Method};
use xds::model::{
    AccessLog, AccessLogFilter, AccessLogFormat, AccessLogSink, Comparison, FormatString, Fraction,
    JsonValue, RuntimeLayer, RuntimeSource, RuntimeUInt32,
};

use super::clock::TimeFormat;
use super::{AccessLogMetric, AccessLogs, Environment, Format, Outputs};
use crate::fields::Fields;
use crate::observe::record::{ConnectionFacts, LoggedRequest, Place, Record, UpstreamFacts};
use crate::runtime::LiveRuntime;

fn connection() -> Rc<ConnectionFacts> {
    let place = |text: &str| Place::Ip(text.parse().unwrap());
    Rc::new(ConnectionFacts {
        id: 7,
        listener: "in".into(),
        filter_chain: "".into(),
        direct_remote: place("10.0.0.9:4000"),
        remote: place("10.0.0.9:4000"),
        local: place("10.0.0.1:443"),
        server_name: None,
        tls: None,
        remote_text: Default::default(),
        tlvs: None,
        attributes: Default::default(),
    })
}

fn record() -> Record {
    let mut headers = Fields::new();
    headers.insert("user-agent", HeaderValue::from_static("curl/8"));
    headers.append("x-many", HeaderValue::from_static("a"));
    headers.append("x-many", HeaderValue::from_static("b"));
    headers.insert("x-empty", HeaderValue::from_static(""));
    Record {
        started_at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_255_104_175),
        status: 200,
        details: Cow::Borrowed("via_upstream"),
        bytes_received: 5,
        bytes_sent: 612,
        finished: Some(Duration::from_micros(2_900)),
        request_received: Some(Duration::ZERO),
        response_started: Some(Duration::from_micros(2_100)),
        cluster: "c".into(),
        attempts: 1,
        upstream: Some(UpstreamFacts {
            host: "127.0.0.1:19081".parse::<std::net::SocketAddr>().unwrap().into(),
            local: None,
            protocol: "HTTP/1.1",
        }),
        request: Some(Box::new(LoggedRequest {
            method: Method::GET,
            path: "/new/a?b=1".into(),
            authority: "h.example".into(),
            scheme: "http",
            headers,
        })),
        ..Record::begin(connection(), "HTTP/1.1", Arc::default())
    }
}

fn render(source: &str, record: &Record) -> String {
    let environment = Environment {
        hostname: "box".into(),
        variables: [("REGION".to_owned(), "eu".to_owned())].into(),
        ..Environment::default()
    };
    let format = Format::compile(&FormatString::parse(source).unwrap(), &environment).unwrap();
    let mut out = String::new();
    format.render(&mut out, record, &record.heads(), "-");
    out
}

#[test]
fn commands_render_as_envoy_does() {
    let record = record();
    for (source, expected) in [
        ("%REQ(:METHOD)% %REQ(:PATH)% %REQ(:AUTHORITY)% %REQ(:SCHEME)%", "GET /new/a?b=1 h.example http"),
        ("%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%", "/new/a?b=1"),
        ("%REQ(X-MANY)% [%REQ(X-EMPTY)%] %REQ(X-NONE)%", "a,b [] -"),
        ("%REQ(USER-AGENT):4%", "curl"),
        ("%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %RESPONSE_FLAGS%", "200 via_upstream -"),
        ("%BYTES_RECEIVED% %BYTES_SENT%", "5 612"),
        ("%DURATION% %REQUEST_DURATION% %RESPONSE_DURATION% %RESPONSE_TX_DURATION%", "2 0 2 0"),
        ("%UPSTREAM_CLUSTER% %UPSTREAM_HOST% %UPSTREAM_LOCAL_ADDRESS%", "c 127.0.0.1:19081 -"),
        ("%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %UPSTREAM_PROTOCOL%", "127.0.0.1 HTTP/1.1"),
        ("%UPSTREAM_REQUEST_ATTEMPT_COUNT% %ROUTE_NAME%", "1 -"),
        ("%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_LOCAL_PORT%", "10.0.0.9:4000 443"),
        ("%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_PEER_SUBJECT% %REQUESTED_SERVER_NAME%", "- - -"),
        ("%GRPC_STATUS% %GRPC_STATUS_NUMBER% %CONNECTION_ID%", "- - 7"),
        ("%HOSTNAME% %ENVIRONMENT(REGION)% %ENVIRONMENT(NONE)% 100%%", "box eu - 100%"),
        ("%START_TIME%", "2026-11-21T09:58:24.175Z"),
        ("%START_TIME(%s.%3f)%", "1795255104.175"),
        ("%START_TIME(%Y/%m/%dT%H:%M:%S%z %E6S %b %a %j)%", "2026/11/21T09:58:24+0000 24.175000 Nov Sat 325"),
    ] {
        assert_eq!(render(source, &record), expected, "{source}");
    }
}

#[test]
fn an_unknown_time_format_is_refused() {
    let refused = TimeFormat::parse("%Y %Q").unwrap_err();
    assert!(refused.contains("%Q"), "{refused}");
}

#[test]
fn grpc_statuses_have_envoys_names() {
    let record = Record { grpc_status: Some(14), ..record() };
    assert_eq!(render("%GRPC_STATUS% %GRPC_STATUS_NUMBER%", &record), "Unavailable 14");
}

/// What the log `model` writes for the records, through a real file and the writing thread.
fn written(format: AccessLogFormat, filter: Option<AccessLogFilter>, records: &[Record]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let sink = AccessLogSink::File(path.to_str().unwrap().to_owned());
    let outputs = Outputs::new(Environment::default()).unwrap();
    let logs = AccessLogs::compile(&[AccessLog { sink, format, filter }], &outputs).unwrap();
    for record in records {
        logs.write(record, 50);
    }
    drop(logs);
    drop(outputs);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_default_line_is_envoys() {
    assert_eq!(
        written(AccessLogFormat::Default, None, &[record()]),
        "[2026-11-21T09:58:24.175Z] \"GET /new/a?b=1 HTTP/1.1\" 200 - 5 612 2 - \"-\" \"curl/8\" \"-\" \
         \"h.example\" \"127.0.0.1:19081\"\n"
    );
}

#[test]
fn json_keeps_types_and_sorts_keys() {
    let value = |source: &str| JsonValue::Format(FormatString::parse(source).unwrap());
    let fields = [
        ("code".to_owned(), value("%RESPONSE_CODE%")),
        ("att".to_owned(), value("%UPSTREAM_REQUEST_ATTEMPT_COUNT%")),
        ("flags".to_owned(), value("%RESPONSE_FLAGS%")),
        ("miss".to_owned(), value("%REQ(X-NONE)%")),
        ("mix".to_owned(), value("a%REQ(X-NONE)%b")),
        ("two".to_owned(), value("%RESPONSE_CODE%%PROTOCOL%")),
        (
            "nest".to_owned(),
            JsonValue::Object(
                [("n".to_owned(), JsonValue::Number(5.0)), ("b".to_owned(), JsonValue::Bool(true))].into(),
            ),
        ),
    ];
    let format =
        |omit_empty_values| AccessLogFormat::Json { fields: fields.clone().into(), omit_empty_values };
    assert_eq!(
        written(format(false), None, &[record()]),
        "{\"att\":1,\"code\":200,\"flags\":\"-\",\"miss\":null,\"mix\":\"a-b\",\"nest\":{\"b\":true,\"n\":5},\
         \"two\":\"200HTTP/1.1\"}\n"
    );
    assert_eq!(
        written(format(true), None, &[record()]),
        "{\"att\":1,\"code\":200,\"flags\":\"-\",\"mix\":\"ab\",\"nest\":{\"b\":true,\"n\":5},\
         \"two\":\"200HTTP/1.1\"}\n"
    );
}

#[test]
fn filters_choose_the_lines() {
    let mut failed = Record { status: 503, ..record() };
    failed.flags.insert("UF");
    let records = [record(), failed];
    let line = AccessLogFormat::Text {
        format: FormatString::parse("%RESPONSE_CODE%\n").unwrap(),
        omit_empty_values: false,
    };
    let number = |default| RuntimeUInt32 { default, key: "number".to_owned() };
    let status = |comparison, value| AccessLogFilter::StatusCode(comparison, number(value));
    let flag =
        |names: &[&str]| AccessLogFilter::ResponseFlag(names.iter().map(|name| (*name).to_owned()).collect());
    for (filter, expected) in [
        (status(Comparison::Ge, 500), "503\n"),
        (status(Comparison::Le, 200), "200\n"),
        (flag(&[]), "503\n"),
        (flag(&["UO", "NR"]), ""),
        (flag(&["UO", "UF"]), "503\n"),
        (AccessLogFilter::DurationMillis(Comparison::Ge, number(3)), ""),
        (AccessLogFilter::And(vec![flag(&[]), status(Comparison::Eq, 200)]), ""),
        (AccessLogFilter::Or(vec![flag(&[]), status(Comparison::Eq, 200)]), "200\n503\n"),
        (AccessLogFilter::GrpcStatus { statuses: vec![14], exclude: false }, "503\n"),
        (AccessLogFilter::GrpcStatus { statuses: vec![14], exclude: true }, "200\n"),
    ] {
        assert_eq!(written(line.clone(), Some(filter.clone()), &records), expected, "{filter:?}");
    }
}

#[test]
fn runtime_values_stand_in_for_what_filters_compare_with() {
    let live = LiveRuntime::new(&[RuntimeLayer { name: "a".into(), source: RuntimeSource::Admin }]);
    let line = AccessLogFormat::Text {
        format: FormatString::parse("%RESPONSE_CODE%\n").unwrap(),
        omit_empty_values: false,
    };
    let key = || "k".to_owned();
    let status = AccessLogFilter::StatusCode(Comparison::Ge, RuntimeUInt32 { default: 500, key: key() });
    let duration = AccessLogFilter::DurationMillis(Comparison::Ge, RuntimeUInt32 { default: 0, key: key() });
    let share = AccessLogFilter::Runtime { share: Fraction { numerator: 0, denominator: 100 }, key: key() };
    for (filter, text, expected) in [
        (&status, "", ""),
        (&status, "200", "200\n"),
        (&status, "{numerator: 200}", ""),
        (&duration, "", "200\n"),
        (&duration, "5000000000", ""),
        (&share, "", ""),
        (&share, "100", "200\n"),
        (&share, "1000", "200\n"),
    ] {
        live.modify(&[(key(), text.to_owned())].into()).unwrap();
        let record = Record { runtime: live.load(), ..record() };
        let found = written(line.clone(), Some(filter.clone()), &[record]);
        assert_eq!(found, expected, "{filter:?} with {text:?}");
    }
}

#[test]
fn a_log_that_cannot_be_opened_is_named_with_its_path() {
    let outputs = Outputs::new(Environment::default()).unwrap();
    let sink = AccessLogSink::File("/no/such/directory/log".to_owned());
    let log = AccessLog { sink, format: AccessLogFormat::Default, filter: None };
    let refused = AccessLogs::compile(&[log], &outputs).unwrap_err();
    assert_eq!(refused.path, "access_log[0].path");
    assert!(refused.reason.contains("/no/such/directory/log"), "{refused}");
}

#[test]
fn a_rotated_file_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let outputs = Outputs::new(Environment::default()).unwrap();
    let output = outputs.open(&AccessLogSink::File(path.to_str().unwrap().to_owned())).unwrap();
    let counters = Arc::clone(outputs.counters());
    output.write("old\n".to_owned());
    while counters.get(AccessLogMetric::LinesWritten) < 1 {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::fs::rename(&path, directory.path().join("log.1")).unwrap();
    outputs.reopen();
    output.write("new\n".to_owned());
    drop(outputs);
    assert_eq!(std::fs::read_to_string(path).unwrap(), "new\n");
}

#[test]
fn a_full_queue_drops_and_counts_lines() {
    let outputs = Outputs::new(Environment::default()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let output = outputs.open(&AccessLogSink::File(path.to_str().unwrap().to_owned())).unwrap();
    output.write("x".repeat(crate::limits::ACCESS_LOG_QUEUE_BYTES + 1));
    assert_eq!(outputs.counters().get(AccessLogMetric::LinesDropped), 1);
    drop(outputs);
    assert_eq!(std::fs::read_to_string(path).unwrap(), "");
}
