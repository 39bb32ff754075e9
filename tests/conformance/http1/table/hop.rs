//! Fields for one hop, and those that tell of hops (RFC 9110 §7.6).

use crate::http1::case::{AnswerRow, Case, Door, Row, answers, at};

pub fn cases() -> Vec<Case> {
    [at(Door::Plain, ROWS), at(Door::Old, OLD), answers(Door::Plain, ANSWERS), vec![
        Case::new(Door::Plain, &("9110 §7.8", "upgrade that is granted", "GET /x HTTP/1.1\nhost: a.test\nconnection: upgrade\nupgrade: websocket\n\n[wait]PING", "101 [connection: upgrade, upgrade: websocket, x-a: 1] \"PONG\" tunnel | GET /x [connection: upgrade, upgrade: websocket]; tunnel \"PING\"")).answered("HTTP/1.1 101 Switching Protocols\nconnection: upgrade\nupgrade: websocket\nx-a: 1\n\nPONG").tunnel(),
        Case::new(Door::Plain, &("9110 §7.8", "upgrade with other options", "GET /x HTTP/1.1\nhost: a.test\nconnection: keep-alive, Upgrade\nupgrade: WebSocket\nsec-websocket-version: 13\n\n[wait]PING", "101 [connection: upgrade, upgrade: websocket] \"\" tunnel | GET /x [connection: upgrade, sec-websocket-version: 13, upgrade: websocket]; tunnel \"PING\"")).answered("HTTP/1.1 101 Switching Protocols\nconnection: Upgrade\nupgrade: WebSocket\n\n").tunnel(),
        Case::new(Door::Plain, &("9110 §7.8", "upgrade that is not granted", "GET /x HTTP/1.1\nhost: a.test\nconnection: upgrade\nupgrade: websocket\n\n", "200 [connection: close] \"ok\" closed | GET /x [connection: upgrade, upgrade: websocket]")).answered("HTTP/1.1 200 OK\ncontent-length: 2\n\nok"),
        Case::new(Door::Plain, &("9110 §15.5.22", "upgrade that is asked for by 426", "GET /x HTTP/1.1\nhost: a.test\n\n", "426 [content-length: 0] kept | GET /x")).answered("HTTP/1.1 426 Upgrade Required\nupgrade: websocket\nconnection: upgrade\ncontent-length: 0\n\n"),
    ]].concat()
}

const ROWS: &[Row] = &[
    (
        "9110 §7.6.1",
        "connection: keep-alive is not passed",
        "GET /x HTTP/1.1\nhost: a.test\nconnection: keep-alive\n\n",
        "200 \"/x\" kept | GET /x",
    ),
    (
        "9110 §7.6.1",
        "a named field is not passed",
        "GET /x HTTP/1.1\nhost: a.test\nconnection: x-a\nx-a: 1\nx-b: 2\n\n",
        "200 \"/x\" kept | GET /x [x-b: 2]",
    ),
    (
        "9110 §7.6.1",
        "a named field that is missing",
        "GET /x HTTP/1.1\nhost: a.test\nconnection: x-a\nx-b: 2\n\n",
        "200 \"/x\" kept | GET /x [x-b: 2]",
    ),
    (
        "9110 §7.6.1",
        "names in any case",
        "GET /x HTTP/1.1\nhost: a.test\nConnection: X-a, x-B\nx-A: 1\nX-b: 2\nx-c: 3\n\n",
        "200 \"/x\" kept | GET /x [x-c: 3]",
    ),
    (
        "9110 §7.6.1",
        "names over several fields",
        "GET /x HTTP/1.1\nhost: a.test\nconnection: x-a\nconnection: x-b\nx-a: 1\nx-b: 2\nx-c: 3\n\n",
        "200 \"/x\" kept | GET /x [x-c: 3]",
    ),
    (
        "9110 §7.6.1",
        "a field named and sent twice",
        "GET /x HTTP/1.1\nhost: a.test\nconnection: x-a\nx-a: 1\nx-a: 2\n\n",
        "200 \"/x\" kept | GET /x",
    ),
    (
        "9112 §C.2.2",
        "keep-alive with parameters",
        "GET /x HTTP/1.1\nhost: a.test\nconnection: keep-alive\nkeep-alive: timeout=5, max=100\n\n",
        "200 \"/x\" kept | GET /x",
    ),
    (
        "9112 §C.2.2",
        "proxy-connection",
        "GET /x HTTP/1.1\nhost: a.test\nproxy-connection: keep-alive\n\n",
        "200 \"/x\" kept | GET /x",
    ),
    (
        "9110 §10.1.4",
        "te: trailers is passed as our own",
        "GET /x HTTP/1.1\nhost: a.test\nte: trailers\nconnection: te\n\n",
        "200 \"/x\" kept | GET /x [connection: te, te: trailers]",
    ),
    (
        "9110 §10.1.4",
        "te: trailers without connection",
        "GET /x HTTP/1.1\nhost: a.test\nte: trailers\n\n",
        "200 \"/x\" kept | GET /x [connection: te, te: trailers]",
    ),
    (
        "9110 §10.1.4",
        "te with codings and trailers",
        "GET /x HTTP/1.1\nhost: a.test\nconnection: te\nte: gzip;q=0.5, trailers\n\n",
        "200 \"/x\" kept | GET /x [connection: te, te: trailers]",
    ),
    (
        "9110 §10.1.4",
        "te without trailers",
        "GET /x HTTP/1.1\nhost: a.test\nconnection: te\nte: deflate\n\n",
        "200 \"/x\" kept | GET /x",
    ),
    (
        "9110 §10.1.4",
        "te empty",
        "GET /x HTTP/1.1\nhost: a.test\nconnection: te\nte:\n\n",
        "200 \"/x\" kept | GET /x",
    ),
    (
        "9110 §6.6.2",
        "trailer on a request without a body",
        "GET /x HTTP/1.1\nhost: a.test\ntrailer: x-t\n\n",
        "200 \"/x\" kept | GET /x [trailer: x-t]",
    ),
    (
        "9110 §11.7.2",
        "proxy-authorization",
        "GET /x HTTP/1.1\nhost: a.test\nproxy-authorization: Basic eDp5\n\n",
        "200 \"/x\" kept | GET /x [proxy-authorization: Basic eDp5]",
    ),
    (
        "9110 §7.8",
        "upgrade to what is not served",
        "GET /x HTTP/1.1\nhost: a.test\nconnection: upgrade\nupgrade: example/1\n\n",
        "403 [connection: close, content-length: 0] closed",
    ),
    (
        "9110 §7.8",
        "upgrade without connection",
        "GET /x HTTP/1.1\nhost: a.test\nupgrade: websocket\n\n",
        "200 \"/x\" kept | GET /x",
    ),
    (
        "9110 §7.8",
        "upgrade to h2c",
        "GET /x HTTP/1.1\nhost: a.test\nconnection: upgrade, http2-settings\nupgrade: h2c\nhttp2-settings: AAMAAABk\n\n",
        "200 \"/x\" kept | GET /x",
    ),
    (
        "9110 §7.6.3",
        "via of others is passed",
        "GET /x HTTP/1.1\nhost: a.test\nvia: 1.0 fred, 1.1 p.example\n\n",
        "200 \"/x\" kept | GET /x [via: 1.0 fred, 1.1 p.example]",
    ),
    (
        "9110 §7.6.2",
        "max-forwards with GET",
        "GET /x HTTP/1.1\nhost: a.test\nmax-forwards: 3\n\n",
        "200 \"/x\" kept | GET /x [max-forwards: 3]",
    ),
    (
        "9110 §7.6.2",
        "max-forwards with OPTIONS is not counted",
        "OPTIONS /x HTTP/1.1\nhost: a.test\nmax-forwards: 3\n\n",
        "200 \"/x\" kept | OPTIONS /x [content-length: 0, max-forwards: 3]",
    ),
    (
        "9110 §7.6.2",
        "max-forwards with TRACE is not counted",
        "TRACE /x HTTP/1.1\nhost: a.test\nmax-forwards: 1\n\n",
        "200 \"/x\" kept | TRACE /x [max-forwards: 1]",
    ),
];

const OLD: &[Row] = &[
    (
        "9110 §7.6.3",
        "via is added both ways",
        "GET /x HTTP/1.1\nhost: a.test\n\n",
        "200 [via: 1.1 tombolo] \"/x\" kept | GET /x [via: 1.1 tombolo]",
    ),
    (
        "9110 §7.6.3",
        "via is appended to others",
        "GET /x HTTP/1.1\nhost: a.test\nvia: 1.0 fred\n\n",
        "200 [via: 1.1 tombolo] \"/x\" kept | GET /x [via: 1.0 fred, 1.1 tombolo]",
    ),
];

const ANSWERS: &[AnswerRow] = &[
    (
        "9110 §7.6.1",
        "answer: connection: keep-alive",
        "GET",
        "HTTP/1.1 200 OK\nconnection: keep-alive\nkeep-alive: timeout=5\ncontent-length: 2\n\nok",
        "200 \"ok\" kept | GET /x",
    ),
    (
        "9110 §7.6.1",
        "answer: a named field",
        "GET",
        "HTTP/1.1 200 OK\nconnection: x-a\nx-a: 1\nx-b: 2\ncontent-length: 2\n\nok",
        "200 [x-b: 2] \"ok\" kept | GET /x",
    ),
    (
        "9112 §C.2.2",
        "answer: proxy-connection",
        "GET",
        "HTTP/1.1 200 OK\nproxy-connection: keep-alive\ncontent-length: 2\n\nok",
        "200 \"ok\" kept | GET /x",
    ),
    (
        "9110 §7.6.3",
        "answer: via of others",
        "GET",
        "HTTP/1.1 200 OK\nvia: 1.1 origin\ncontent-length: 2\n\nok",
        "200 [via: 1.1 origin] \"ok\" kept | GET /x",
    ),
    (
        "9110 §11.7.1",
        "answer: proxy-authenticate",
        "GET",
        "HTTP/1.1 200 OK\nproxy-authenticate: Basic realm=\"x\"\ncontent-length: 2\n\nok",
        "200 [proxy-authenticate: Basic realm=\\\"x\\\"] \"ok\" kept | GET /x",
    ),
    (
        "9110 §11.7.3",
        "answer: proxy-authentication-info",
        "GET",
        "HTTP/1.1 200 OK\nproxy-authentication-info: x=1\ncontent-length: 2\n\nok",
        "200 [proxy-authentication-info: x=1] \"ok\" kept | GET /x",
    ),
    (
        "9110 §6.6.2",
        "answer: trailer without trailers",
        "GET",
        "HTTP/1.1 200 OK\ntrailer: x-t\ncontent-length: 2\n\nok",
        "200 [trailer: x-t] \"ok\" kept | GET /x",
    ),
    (
        "9110 §7.8",
        "answer: upgrade is offered",
        "GET",
        "HTTP/1.1 200 OK\nconnection: upgrade\nupgrade: websocket\ncontent-length: 2\n\nok",
        "200 \"ok\" kept | GET /x",
    ),
];
