//! The four forms of a target (RFC 9112 §3.2) and the authority that goes with each (RFC 9110 §7.2).

use crate::http1::case::{Case, Door, Row, at};

pub fn cases() -> Vec<Case> {
    [
        at(Door::Plain, ROWS),
        vec![
            Case::new(
                Door::Plain,
                &(
                    "9112 §3.2.3",
                    "authority form with an IPv6 address",
                    "CONNECT [::1]:443 HTTP/1.1\nhost: [::1]:443\n\n[wait]PING",
                    "200 \"\" tunnel | CONNECT [::1]:443 @[::1]:443; tunnel \"PING\"",
                ),
            )
            .answered("HTTP/1.1 200 OK\n\n")
            .tunnel(),
        ],
    ]
    .concat()
}

const ROWS: &[Row] = &[
    ("9112 §3.2.1", "origin form", "GET /x HTTP/1.1\nhost: a.test\n\n", "200 \"/x\" kept | GET /x"),
    ("9112 §3.2.1", "origin form, the root", "GET / HTTP/1.1\nhost: a.test\n\n", "200 \"/\" kept | GET /"),
    (
        "9112 §3.2.1",
        "origin form with a query",
        "GET /x?a=1&b=2 HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x?a=1&b=2\" kept | GET /x?a=1&b=2",
    ),
    (
        "9112 §3.2.1",
        "origin form with an empty query",
        "GET /x? HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x?\" kept | GET /x?",
    ),
    (
        "9112 §3.2.1",
        "origin form with a question mark in the query",
        "GET /x?a=b?c HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x?a=b?c\" kept | GET /x?a=b?c",
    ),
    (
        "9112 §3.2.1",
        "origin form with a slash in the query",
        "GET /x?a=/b/ HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x?a=/b/\" kept | GET /x?a=/b/",
    ),
    (
        "9112 §3.2.1",
        "origin form with escapes",
        "GET /a%20b%2Fc?d=%26 HTTP/1.1\nhost: a.test\n\n",
        "200 \"/a%20b%2Fc?d=%26\" kept | GET /a%20b%2Fc?d=%26",
    ),
    (
        "9112 §3.2.1",
        "origin form with escapes in both cases",
        "GET /%e2%82%AC HTTP/1.1\nhost: a.test\n\n",
        "200 \"/%e2%82%AC\" kept | GET /%e2%82%AC",
    ),
    (
        "9112 §3.2.1",
        "origin form with sub-delims",
        "GET /a!$&'()*+,;=b HTTP/1.1\nhost: a.test\n\n",
        "200 \"/a!$&\\'()*+,;=b\" kept | GET /a!$&'()*+,;=b",
    ),
    (
        "9112 §3.2.1",
        "origin form with colon and at sign",
        "GET /a:b@c HTTP/1.1\nhost: a.test\n\n",
        "200 \"/a:b@c\" kept | GET /a:b@c",
    ),
    (
        "9112 §3.2.1",
        "origin form with unreserved marks",
        "GET /a-b._~ HTTP/1.1\nhost: a.test\n\n",
        "200 \"/a-b._~\" kept | GET /a-b._~",
    ),
    (
        "9112 §3.2.1",
        "origin form with empty segments",
        "GET /a//b/// HTTP/1.1\nhost: a.test\n\n",
        "200 \"/a//b///\" kept | GET /a//b///",
    ),
    (
        "9112 §3.2.1",
        "origin form with path parameters",
        "GET /a;v=1/b;w HTTP/1.1\nhost: a.test\n\n",
        "200 \"/a;v=1/b;w\" kept | GET /a;v=1/b;w",
    ),
    (
        "9112 §3.2.1",
        "origin form with dot segments",
        "GET /a/./b/../c HTTP/1.1\nhost: a.test\n\n",
        "200 \"/a/./b/../c\" kept | GET /a/./b/../c",
    ),
    (
        "9112 §3.2.1",
        "origin form in mixed case",
        "GET /Abc/DEF HTTP/1.1\nhost: a.test\n\n",
        "200 \"/Abc/DEF\" kept | GET /Abc/DEF",
    ),
    (
        "9112 §3.2.2",
        "absolute form",
        "GET http://a.test/x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | GET /x",
    ),
    (
        "9112 §3.2.2",
        "absolute form with a query",
        "GET http://a.test/x?y=z HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x?y=z\" kept | GET /x?y=z",
    ),
    (
        "9112 §3.2.2",
        "absolute form with a port",
        "GET http://a.test:8080/x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | GET /x @a.test:8080",
    ),
    (
        "9112 §3.2.2",
        "absolute form with the default port",
        "GET http://a.test:80/x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | GET /x @a.test:80",
    ),
    (
        "9112 §3.2.2",
        "absolute form with an empty port",
        "GET http://a.test:/x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | GET /x @a.test:",
    ),
    (
        "9112 §3.2.2",
        "absolute form to an IPv4 address",
        "GET http://127.0.0.1/x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | GET /x @127.0.0.1",
    ),
    (
        "9112 §3.2.2",
        "absolute form to an IPv6 address",
        "GET http://[::1]:8080/x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | GET /x @[::1]:8080",
    ),
    (
        "9112 §3.2.2",
        "absolute form with POST",
        "POST http://a.test/x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | POST /x [content-length: 0]",
    ),
    (
        "9112 §3.2.2",
        "absolute form beats the host field",
        "GET http://b.test/x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | GET /x @b.test",
    ),
    (
        "9112 §3.2.4",
        "OPTIONS of the absolute form without a path",
        "OPTIONS http://a.test HTTP/1.1\nhost: a.test\n\n",
        "404 [content-length: 0] kept",
    ),
    (
        "9110 §9.3.7",
        "OPTIONS of a path",
        "OPTIONS /x/y HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x/y\" kept | OPTIONS /x/y [content-length: 0]",
    ),
    (
        "9110 §7.2",
        "host with a port",
        "GET /x HTTP/1.1\nhost: a.test:8080\n\n",
        "200 \"/x\" kept | GET /x @a.test:8080",
    ),
    (
        "9110 §7.2",
        "host with the default port",
        "GET /x HTTP/1.1\nhost: a.test:80\n\n",
        "200 \"/x\" kept | GET /x @a.test:80",
    ),
    (
        "9110 §7.2",
        "host of an IPv4 address",
        "GET /x HTTP/1.1\nhost: 127.0.0.1\n\n",
        "200 \"/x\" kept | GET /x @127.0.0.1",
    ),
    (
        "9110 §7.2",
        "host of an IPv4 address and port",
        "GET /x HTTP/1.1\nhost: 127.0.0.1:8080\n\n",
        "200 \"/x\" kept | GET /x @127.0.0.1:8080",
    ),
    (
        "9110 §7.2",
        "host of an IPv6 address",
        "GET /x HTTP/1.1\nhost: [::1]\n\n",
        "200 \"/x\" kept | GET /x @[::1]",
    ),
    (
        "9110 §7.2",
        "host of an IPv6 address and port",
        "GET /x HTTP/1.1\nhost: [2001:db8::1]:8080\n\n",
        "200 \"/x\" kept | GET /x @[2001:db8::1]:8080",
    ),
    (
        "9110 §7.2",
        "host of one label",
        "GET /x HTTP/1.1\nhost: localhost\n\n",
        "200 \"/x\" kept | GET /x @localhost",
    ),
    (
        "9110 §7.2",
        "host in capitals",
        "GET /x HTTP/1.1\nhost: A.TEST\n\n",
        "200 \"/x\" kept | GET /x @A.TEST",
    ),
    (
        "9110 §7.2",
        "host with hyphens and digits",
        "GET /x HTTP/1.1\nhost: a-1.b2.test\n\n",
        "200 \"/x\" kept | GET /x @a-1.b2.test",
    ),
    (
        "9110 §7.2",
        "host with an underscore",
        "GET /x HTTP/1.1\nhost: a_b.test\n\n",
        "200 \"/x\" kept | GET /x @a_b.test",
    ),
    (
        "9110 §7.2",
        "host with a dot at its end",
        "GET /x HTTP/1.1\nhost: a.test.\n\n",
        "200 \"/x\" kept | GET /x @a.test.",
    ),
    (
        "9110 §7.2",
        "host of a punycode name",
        "GET /x HTTP/1.1\nhost: xn--bcher-kva.test\n\n",
        "200 \"/x\" kept | GET /x @xn--bcher-kva.test",
    ),
    (
        "9112 §3.2",
        "host behind other fields",
        "GET /x HTTP/1.1\nx-a: 1\nhost: a.test\n\n",
        "200 \"/x\" kept | GET /x [x-a: 1]",
    ),
];
