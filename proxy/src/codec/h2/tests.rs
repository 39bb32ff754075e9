use std::future::poll_fn;

use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;
use crate::body::{RequestHead, Scheme, Text, Version};
use crate::error::{Error, Reason};
use crate::fields::Fields;

const LIMIT: HeadLimit = HeadLimit { bytes_max: 60 * 1024, fields_max: 100 };

fn head() -> RequestHead {
    RequestHead {
        method: Method::GET,
        scheme: Scheme::Https,
        authority: "a.test:8443".into(),
        path: "/x?y".into(),
        version: Version::Http11,
        headers: Fields::new(),
        upgrade: None,
    }
}

fn parts(uri: &str, method: Method) -> http::request::Parts {
    http::Request::builder().method(method).uri(uri).body(()).unwrap().into_parts().0
}

#[test]
fn heads_come_back_as_they_left() {
    let connect = RequestHead { method: Method::CONNECT, path: Text::default(), ..head() };
    let upgrade = RequestHead { upgrade: Some("websocket".into()), ..head() };
    for sent in [head(), connect, upgrade] {
        let (parts, ()) = to_request(sent.clone()).unwrap().into_parts();
        let arrived = from_request(parts, Scheme::Https, LIMIT).unwrap();
        assert_eq!(arrived.method, sent.method);
        assert_eq!(arrived.authority, sent.authority);
        assert_eq!(arrived.path, sent.path);
        assert_eq!(arrived.upgrade, sent.upgrade);
        assert_eq!(arrived.scheme, sent.scheme);
    }
}

#[test]
fn a_value_that_comes_once_takes_no_place_in_the_tables() {
    let mut sent = head();
    for name in ["x-request-id", "accept"] {
        sent.headers.append(name, http::HeaderValue::from_static("1"));
    }
    let request = to_request(sent).unwrap();
    assert!(request.headers()["x-request-id"].is_sensitive(), "a new one for each request");
    assert!(!request.headers()["accept"].is_sensitive(), "the same again and again");
}

#[test]
fn host_serves_where_authority_is_missing() {
    let mut request = parts("/x", Method::GET);
    request.headers.insert("host", "b.test".parse().unwrap());
    let head = from_request(request, Scheme::Https, LIMIT).unwrap();
    assert_eq!((&*head.authority, head.scheme), ("b.test", Scheme::Https));
    assert!(head.headers.is_empty());
}

#[test]
fn heads_without_one_valid_authority_are_refused() {
    let none = parts("/x", Method::GET);
    let mut two = parts("/x", Method::GET);
    two.headers.append("host", "b.test".parse().unwrap());
    two.headers.append("host", "c.test".parse().unwrap());
    let mut bad = parts("/x", Method::GET);
    bad.headers.insert("host", "b test/".parse().unwrap());
    for request in [none, two, bad, parts("http://user@a.test/", Method::GET)] {
        let shown = format!("{request:?}");
        let refused = from_request(request, Scheme::Http, LIMIT).expect_err(&shown);
        assert_eq!(refused.reason(), Reason::DownstreamProtocol, "{shown}");
    }
}

#[test]
fn a_reset_blames_only_who_broke_the_protocol() {
    let code = |peer, reason| reset_code(peer, &Error::from(reason));
    assert_eq!(code(Peer::Client, Reason::DownstreamProtocol), h2::Reason::PROTOCOL_ERROR);
    assert_eq!(code(Peer::Client, Reason::UpstreamProtocol), h2::Reason::INTERNAL_ERROR);
    assert_eq!(code(Peer::Server, Reason::UpstreamProtocol), h2::Reason::PROTOCOL_ERROR);
    assert_eq!(code(Peer::Server, Reason::DownstreamProtocol), h2::Reason::CANCEL);
}

#[test]
fn what_http2_cannot_carry_is_refused_before_it_leaves() {
    for sent in [
        RequestHead { authority: Text::default(), ..head() },
        RequestHead { authority: "a b".into(), ..head() },
        RequestHead { path: "/a b".into(), ..head() },
    ] {
        assert_eq!(to_request(sent).unwrap_err().reason(), Reason::DownstreamProtocol);
    }
}

#[test]
fn interim_responses_exclude_switching_protocols_and_final_ones() {
    let interim = |code: u16| {
        let status = http::StatusCode::from_u16(code).unwrap();
        to_interim(crate::body::ResponseHead { status, headers: Fields::new() }).is_some()
    };
    assert_eq!([100, 101, 103, 200].map(interim), [true, false, true, false]);
}

#[tokio::test]
async fn gathered_writes_leave_at_the_flush_in_order() {
    let (near, mut far) = duplex(1024);
    let (mut gather, flusher) = Gather::new(near.into());
    for text in ["one ", "two ", "three"] {
        gather.write_all(text.as_bytes()).await.unwrap();
        gather.flush().await.unwrap();
    }
    let mut buffer = [0; 64];
    let early = tokio::time::timeout(std::time::Duration::from_millis(20), far.read(&mut buffer)).await;
    assert!(early.is_err(), "bytes left before the driver flushed");
    poll_fn(|cx| flusher.poll_flush(cx)).await.unwrap();
    let count = far.read(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..count], b"one two three");
}

#[tokio::test]
async fn a_full_buffer_holds_the_writer_back() {
    let (near, mut far) = duplex(1000);
    let (mut gather, flusher) = Gather::new(near.into());
    let mut written = 0;
    let write = async {
        loop {
            gather.write_all(&[1; 5000]).await.unwrap();
            written += 5000;
        }
    };
    let endless = tokio::time::timeout(std::time::Duration::from_millis(50), write).await;
    assert!(endless.is_err());
    assert!(written <= crate::limits::H2_GATHER_BYTES + 5000, "{written} bytes taken");
    let drain = tokio::spawn(async move {
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        all.len()
    });
    poll_fn(|cx| flusher.poll_flush(cx)).await.unwrap();
    drop((gather, flusher));
    assert!(drain.await.unwrap() >= written);
}

#[tokio::test]
async fn a_shutdown_writes_everything_first() {
    let (near, mut far) = duplex(16);
    let (mut gather, _flusher) = Gather::new(near.into());
    gather.write_all(&[3; 500]).await.unwrap();
    let read = async {
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        all
    };
    let (shut, all) = tokio::join!(gather.shutdown(), read);
    shut.unwrap();
    assert_eq!(all, [3; 500]);
}
