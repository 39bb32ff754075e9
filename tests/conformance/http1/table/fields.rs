//! Fields as they are written (RFC 9112 §5, RFC 9110 §5), end to end.

use crate::http1::case::{Case, Door, Row, at};

pub fn cases() -> Vec<Case> {
    at(Door::Plain, ROWS)
}

const ROWS: &[Row] = &[
    (
        "9112 §5",
        "no blank behind the colon",
        "GET /x HTTP/1.1\nhost: a.test\nx-a:1\n\n",
        "200 \"/x\" kept | GET /x [x-a: 1]",
    ),
    (
        "9112 §5",
        "several blanks and tabs around",
        "GET /x HTTP/1.1\nhost: a.test\nx-a: \t 1 \t \n\n",
        "200 \"/x\" kept | GET /x [x-a: 1]",
    ),
    (
        "9110 §5.1",
        "a name in mixed case",
        "GET /x HTTP/1.1\nhost: a.test\nX-MiXed: v\n\n",
        "200 \"/x\" kept | GET /x [x-mixed: v]",
    ),
    (
        "9110 §5.6.2",
        "a name of all marks",
        "GET /x HTTP/1.1\nhost: a.test\nx!#$%&'*+-.^_`|~: v\n\n",
        "200 \"/x\" kept | GET /x [x!#$%&'*+-.^_`|~: v]",
    ),
    (
        "9110 §5.6.2",
        "a name of digits",
        "GET /x HTTP/1.1\nhost: a.test\n123: v\n\n",
        "200 \"/x\" kept | GET /x [123: v]",
    ),
    (
        "9110 §5.5",
        "a value with blanks inside",
        "GET /x HTTP/1.1\nhost: a.test\nx-a: b  c\td\n\n",
        "200 \"/x\" kept | GET /x [x-a: b  c\\td]",
    ),
    (
        "9110 §5.5",
        "a value of latin-1",
        "GET /x HTTP/1.1\nhost: a.test\nx-a: grüße\n\n",
        "200 \"/x\" kept | GET /x [x-a: gr\\xc3\\xbc\\xc3\\x9fe]",
    ),
    (
        "9110 §5.6.4",
        "a quoted value",
        "GET /x HTTP/1.1\nhost: a.test\nx-a: \"b, c\"; d=\"e\\\"f\"\n\n",
        "200 \"/x\" kept | GET /x [x-a: \\\"b, c\\\"; d=\\\"e\\\\\\\"f\\\"]",
    ),
    (
        "9110 §5.6.5",
        "a comment",
        "GET /x HTTP/1.1\nhost: a.test\nx-a: v (a (nested) comment)\n\n",
        "200 \"/x\" kept | GET /x [x-a: v (a (nested) comment)]",
    ),
    (
        "9110 §5.6.1",
        "a list with empty elements",
        "GET /x HTTP/1.1\nhost: a.test\nx-list: , a,, b ,\n\n",
        "200 \"/x\" kept | GET /x [x-list: , a,, b ,]",
    ),
    (
        "9110 §5.3",
        "fields of one name keep their order",
        "GET /x HTTP/1.1\nhost: a.test\nx-a: 1\nx-b: 2\nx-a: 3\n\n",
        "200 \"/x\" kept | GET /x [x-a: 1, x-a: 3, x-b: 2]",
    ),
    (
        "9110 §5.3",
        "an empty field beside one with a value",
        "GET /x HTTP/1.1\nhost: a.test\nx-a:\nx-a: 1\n\n",
        "200 \"/x\" kept | GET /x [x-a: , x-a: 1]",
    ),
    (
        "9110 §5.6.7",
        "a date",
        "GET /x HTTP/1.1\nhost: a.test\nif-modified-since: Sun, 06 Nov 1994 08:49:37 GMT\n\n",
        "200 \"/x\" kept | GET /x [if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT]",
    ),
    (
        "9110 §10.1.5",
        "user-agent",
        "GET /x HTTP/1.1\nhost: a.test\nuser-agent: curl/7 (x; y) lib/1.0\n\n",
        "200 \"/x\" kept | GET /x [user-agent: curl/7 (x; y) lib/1.0]",
    ),
    (
        "9110 §10.1.3",
        "referer",
        "GET /x HTTP/1.1\nhost: a.test\nreferer: http://b.test/y?z\n\n",
        "200 \"/x\" kept | GET /x [referer: http://b.test/y?z]",
    ),
    (
        "9110 §10.1.2",
        "from",
        "GET /x HTTP/1.1\nhost: a.test\nfrom: a@b.test\n\n",
        "200 \"/x\" kept | GET /x [from: a@b.test]",
    ),
    (
        "9110 §12.5.1",
        "accept with weights",
        "GET /x HTTP/1.1\nhost: a.test\naccept: text/*;q=0.3, text/html;level=1, */*;q=0.5\n\n",
        "200 \"/x\" kept | GET /x [accept: text/*;q=0.3, text/html;level=1, */*;q=0.5]",
    ),
    (
        "9110 §12.5.3",
        "accept-encoding",
        "GET /x HTTP/1.1\nhost: a.test\naccept-encoding: gzip;q=1.0, identity; q=0.5, *;q=0\n\n",
        "200 \"/x\" kept | GET /x [accept-encoding: gzip;q=1.0, identity; q=0.5, *;q=0]",
    ),
    (
        "9110 §12.5.4",
        "accept-language",
        "GET /x HTTP/1.1\nhost: a.test\naccept-language: da, en-gb;q=0.8\n\n",
        "200 \"/x\" kept | GET /x [accept-language: da, en-gb;q=0.8]",
    ),
    (
        "9110 §13.1.1",
        "if-match",
        "GET /x HTTP/1.1\nhost: a.test\nif-match: \"a\", W/\"b\"\n\n",
        "200 \"/x\" kept | GET /x [if-match: \\\"a\\\", W/\\\"b\\\"]",
    ),
    (
        "9110 §13.1.2",
        "if-none-match of any",
        "GET /x HTTP/1.1\nhost: a.test\nif-none-match: *\n\n",
        "200 \"/x\" kept | GET /x [if-none-match: *]",
    ),
    (
        "9110 §14.2",
        "range",
        "GET /x HTTP/1.1\nhost: a.test\nrange: bytes=0-1,-5\n\n",
        "200 \"/x\" kept | GET /x [range: bytes=0-1,-5]",
    ),
    (
        "9110 §13.1.5",
        "if-range",
        "GET /x HTTP/1.1\nhost: a.test\nif-range: \"a\"\nrange: bytes=0-1\n\n",
        "200 \"/x\" kept | GET /x [if-range: \\\"a\\\", range: bytes=0-1]",
    ),
    (
        "9110 §11.6.2",
        "authorization",
        "GET /x HTTP/1.1\nhost: a.test\nauthorization: Basic eDp5\n\n",
        "200 \"/x\" kept | GET /x [authorization: Basic eDp5]",
    ),
    (
        "9110 §8.3",
        "content-type of a request without a body",
        "GET /x HTTP/1.1\nhost: a.test\ncontent-type: text/plain; charset=\"utf-8\"\n\n",
        "200 \"/x\" kept | GET /x [content-type: text/plain; charset=\\\"utf-8\\\"]",
    ),
    (
        "9110 §8.8.3",
        "a field named as an answer's",
        "GET /x HTTP/1.1\nhost: a.test\netag: \"a\"\n\n",
        "200 \"/x\" kept | GET /x [etag: \\\"a\\\"]",
    ),
    (
        "9110 §7.6.3",
        "forwarded fields of others",
        "GET /x HTTP/1.1\nhost: a.test\nforwarded: for=\"[2001:db8::1]\";proto=http\n\n",
        "200 \"/x\" kept | GET /x [forwarded: for=\\\"[2001:db8::1]\\\";proto=http]",
    ),
    (
        "9110 §5.1",
        "a field nobody knows",
        "GET /x HTTP/1.1\nhost: a.test\nx-unknown-to-all: 1\n\n",
        "200 \"/x\" kept | GET /x [x-unknown-to-all: 1]",
    ),
    (
        "9110 §5.3",
        "cookies stay as they were sent",
        "GET /x HTTP/1.1\nhost: a.test\ncookie: a=1\ncookie: b=2; c=3\n\n",
        "200 \"/x\" kept | GET /x [cookie: a=1, cookie: b=2; c=3]",
    ),
    (
        "9112 §2.2",
        "an empty line before a request",
        "\nGET /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | GET /x",
    ),
    (
        "9112 §2.2",
        "an empty line between requests",
        "GET /x HTTP/1.1\nhost: a.test\n\n\nGET /y HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" 200 \"/y\" kept | GET /x; GET /y",
    ),
    (
        "9110 §8.3",
        "content fields of a body pass",
        "POST /x HTTP/1.1\nhost: a.test\ncontent-type: text/plain\ncontent-encoding: gzip\ncontent-language: de, en\ncontent-location: /y\ncontent-length: 3\n\nabc",
        "200 \"/x\" kept | POST /x [content-encoding: gzip, content-language: de, en, content-location: /y, content-type: text/plain] \"abc\"",
    ),
];
