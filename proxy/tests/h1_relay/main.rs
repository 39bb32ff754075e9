//! Both sides of the HTTP/1.1 engine together, over real sockets: client → serve → send → scripted backend.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod relay;

mod bodies;

use relay::{read_until, relayed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn answer_each(mut socket: TcpStream, answer: &str) {
    let mut head = Vec::new();
    while let Ok(byte) = socket.read_u8().await {
        head.push(byte);
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    }
}

#[test]
fn keep_alive_requests_share_one_upstream_connection() {
    let connects = relayed(
        async |socket| answer_each(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await,
        async |mut client| {
            for _ in 0..100 {
                client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
                let answer = read_until(&mut client, "hi").await;
                assert_eq!(answer, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
            }
        },
    );
    assert_eq!(connects, 1, "the connection is reused");
}

#[test]
fn a_backend_that_closes_between_requests_costs_no_request() {
    let connects = relayed(
        async |mut socket| {
            read_until(&mut socket, "\r\n\r\n").await;
            socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await.unwrap();
        },
        async |mut client| {
            for _ in 0..20 {
                client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
                let answer = read_until(&mut client, "hi").await;
                assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
            }
        },
    );
    assert_eq!(connects, 20, "each connection served once");
}

#[test]
fn chunks_and_trailers_pass_in_both_directions() {
    relayed(
        async |mut socket| {
            let request = read_until(&mut socket, "x-up: 1\r\n\r\n").await;
            assert!(request.contains("transfer-encoding: chunked"), "{request:?}");
            assert!(request.contains("5\r\nhello\r\n0\r\n"), "{request:?}");
            let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nworld\r\n0\r\nX-Down: 2\r\n\r\n";
            socket.write_all(answer.as_bytes()).await.unwrap();
        },
        async |mut client| {
            let request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;q\r\nhello\r\n0\r\nX-Up: 1\r\n\r\n";
            client.write_all(request.as_bytes()).await.unwrap();
            let answer = read_until(&mut client, "x-down: 2\r\n\r\n").await;
            assert!(answer.ends_with("\r\n\r\n5\r\nworld\r\n0\r\nx-down: 2\r\n\r\n"), "{answer:?}");
        },
    );
}

#[test]
fn an_upload_and_a_download_of_many_megabytes_arrive_whole() {
    const BYTES: usize = 24 * 1024 * 1024;
    relayed(
        async |mut socket| {
            read_until(&mut socket, "\r\n\r\n").await;
            socket
                .write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {BYTES}\r\n\r\n").as_bytes())
                .await
                .unwrap();
            let (mut read, mut write) = socket.split();
            // An echo: the response is under way while the request is.
            tokio::io::copy(&mut read, &mut write).await.unwrap();
        },
        async |client| {
            let (mut read, mut write) = client.into_split();
            let upload = async {
                let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {BYTES}\r\n\r\n");
                write.write_all(head.as_bytes()).await.unwrap();
                for piece in 0..BYTES / 4096 {
                    write.write_all(&[u8::try_from(piece % 251).unwrap(); 4096]).await.unwrap();
                }
            };
            let download = async {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(read.read_u8().await.unwrap());
                }
                for piece in 0..BYTES / 4096 {
                    let mut bytes = [0; 4096];
                    read.read_exact(&mut bytes).await.unwrap();
                    let expected = [u8::try_from(piece % 251).unwrap(); 4096];
                    assert!(bytes == expected, "piece {piece} differs");
                }
            };
            tokio::join!(upload, download);
        },
    );
}

#[test]
fn a_web_socket_handshake_opens_a_tunnel_through_both_sides() {
    relayed(
        async |mut socket| {
            let request = read_until(&mut socket, "\r\n\r\n").await;
            assert!(request.contains("upgrade: websocket"), "{request:?}");
            let answer = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: k\r\n\r\nhello";
            socket.write_all(answer).await.unwrap();
            let mut rest = String::new();
            socket.read_to_string(&mut rest).await.unwrap();
            assert_eq!(rest, "ping", "the client's half-close passes through");
            socket.write_all(b" pong").await.unwrap();
        },
        async |mut client| {
            let request = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n";
            client.write_all(request.as_bytes()).await.unwrap();
            let head = read_until(&mut client, "\r\n\r\n").await;
            assert!(head.starts_with("HTTP/1.1 101 "), "{head:?}");
            assert!(head.contains("sec-websocket-accept: k\r\n"), "{head:?}");
            client.write_all(b"ping").await.unwrap();
            client.shutdown().await.unwrap();
            let mut down = String::new();
            client.read_to_string(&mut down).await.unwrap();
            assert_eq!(down, "hello pong");
        },
    );
}

#[test]
fn expect_is_answered_through_both_sides() {
    relayed(
        async |mut socket| {
            let head = read_until(&mut socket, "\r\n\r\n").await;
            assert!(!head.contains("expect"), "it is answered here: {head:?}");
            let mut body = [0; 5];
            socket.read_exact(&mut body).await.unwrap();
            socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        },
        async |mut client| {
            let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
            client.write_all(head.as_bytes()).await.unwrap();
            assert_eq!(read_until(&mut client, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
            client.write_all(b"hello").await.unwrap();
            read_until(&mut client, "ok").await;
        },
    );
}

#[test]
fn a_response_cut_upstream_is_cut_downstream() {
    relayed(
        async |mut socket| {
            read_until(&mut socket, "\r\n\r\n").await;
            socket
                .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
                .await
                .unwrap();
        },
        async |mut client| {
            client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
            let mut answer = Vec::new();
            let _cut = client.read_to_end(&mut answer).await;
            let answer = String::from_utf8(answer).unwrap();
            assert!(answer.ends_with("4\r\nhalf\r\n"), "no last chunk: {answer:?}");
        },
    );
}

#[test]
fn an_upgrade_that_is_refused_is_an_ordinary_response() {
    relayed(
        async |socket| answer_each(socket, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno").await,
        async |mut client| {
            let request = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
            client.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert_eq!(answer, "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno");
        },
    );
}
