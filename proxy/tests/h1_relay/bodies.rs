//! Bodies of a known length between plain sockets, which are spliced where they are large.

use std::time::Duration;

use proxy::limits::PIPES_IN_USE_MAX;
use proxy::splice::Pipe;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::relay::{read_until, relayed};

/// Around every size at which something else is done, and far above.
const SIZES: &[usize] = &[0, 1, 5000, 16_383, 16_384, 16_385, 33_000, 65_536, 262_144, 300_000, 2_000_000];

/// Bytes that are wrong wherever one is lost, doubled or moved.
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    fastrand::Rng::with_seed(seed).fill(&mut noise);
    noise
}

/// Writes in pieces of any size, sometimes pausing.
async fn write_in_pieces(socket: &mut TcpStream, bytes: &[u8], random: &mut fastrand::Rng) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let longest = *random.choice(&[100, 3000, 40_000, 1_000_000]).unwrap();
        let (piece, others) = rest.split_at(random.usize(1..=longest).min(rest.len()));
        socket.write_all(piece).await.unwrap();
        rest = others;
        if random.u8(..) < 30 {
            sleep(Duration::from_micros(200)).await;
        }
    }
}

fn number(head: &str, name: &str) -> usize {
    let line = head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim_start_matches([':', ' ']).parse().unwrap_or(0)
}

/// Checks each request's body and answers with as many bytes as it asks for.
async fn converse(mut socket: TcpStream) {
    let mut random = fastrand::Rng::with_seed(77);
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = socket.read_u8().await else { return };
            head.push(byte);
        }
        let head = String::from_utf8(head).unwrap();
        let mut body = vec![0; number(&head, "content-length")];
        socket.read_exact(&mut body).await.unwrap();
        assert!(body == noise(number(&head, "x-seed") as u64, body.len()), "the upload came changed: {head}");
        let answer = noise(number(&head, "x-seed") as u64 + 1, number(&head, "x-answer"));
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", answer.len());
        socket.write_all(head.as_bytes()).await.unwrap();
        write_in_pieces(&mut socket, &answer, &mut random).await;
    }
}

fn request(seed: u64, upload: usize, download: usize) -> Vec<u8> {
    let head = format!(
        "PUT / HTTP/1.1\r\nhost: a\r\nx-seed: {seed}\r\nx-answer: {download}\r\ncontent-length: {upload}\r\n\r\n"
    );
    [head.into_bytes(), noise(seed, upload)].concat()
}

async fn check_answer(client: &mut TcpStream, seed: u64, download: usize) {
    let head = read_until(client, "\r\n\r\n").await;
    assert!(head.contains(&format!("content-length: {download}\r\n")), "{head:?}");
    let mut body = vec![0; download];
    client.read_exact(&mut body).await.unwrap();
    assert!(body == noise(seed + 1, download), "answer {seed} of {download} bytes came changed");
}

#[test]
fn bodies_of_any_size_arrive_byte_for_byte_on_one_connection() {
    let connects = relayed(converse, async |mut client| {
        let mut random = fastrand::Rng::with_seed(5);
        for seed in 0..60 {
            let (upload, download) = (*random.choice(SIZES).unwrap(), *random.choice(SIZES).unwrap());
            write_in_pieces(&mut client, &request(seed, upload, download), &mut random).await;
            check_answer(&mut client, seed, download).await;
        }
        assert_eq!(pipes_to_be_had(), PIPES_IN_USE_MAX, "a connection between requests holds a pipe");
    });
    assert_eq!(connects, 1, "the connection is reused whatever went over it");
}

#[test]
fn a_request_right_behind_a_large_body_is_the_next_request() {
    relayed(converse, async |client| {
        let (mut read, mut write) = client.into_split();
        let send = async {
            for seed in 0..20 {
                write.write_all(&request(seed, 150_000 + 7777 * seed as usize, 400_000)).await.unwrap();
            }
        };
        let check = async {
            for seed in 0..20 {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(read.read_u8().await.unwrap());
                }
                let mut body = vec![0; 400_000];
                read.read_exact(&mut body).await.unwrap();
                assert!(body == noise(seed + 1, 400_000), "answer {seed} came changed");
            }
        };
        tokio::join!(send, check);
    });
}

#[test]
fn bytes_behind_a_large_response_answer_no_request() {
    let connects = relayed(
        async |mut socket| {
            read_until(&mut socket, "\r\n\r\n").await;
            let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n".to_vec();
            answer.extend_from_slice(&noise(1, 300_000));
            answer.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
            socket.write_all(&answer).await.unwrap();
            let mut rest = Vec::new();
            let _closed = socket.read_to_end(&mut rest).await;
            assert!(rest.is_empty(), "a request came on a connection that is in doubt");
        },
        async |mut client| {
            for _ in 0..4 {
                client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
                check_answer(&mut client, 0, 300_000).await;
                // Until what is behind the body is there.
                sleep(Duration::from_millis(50)).await;
            }
        },
    );
    assert_eq!(connects, 4, "a connection in doubt was used again");
}

#[test]
fn a_large_response_that_is_cut_upstream_is_cut_downstream() {
    relayed(
        async |mut socket| {
            read_until(&mut socket, "\r\n\r\n").await;
            socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n").await.unwrap();
            socket.write_all(&noise(1, 600_000)).await.unwrap();
        },
        async |mut client| {
            client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
            read_until(&mut client, "\r\n\r\n").await;
            let mut body = Vec::new();
            let _cut = client.read_to_end(&mut body).await;
            assert!(noise(1, 600_000).starts_with(&body), "bytes were made up");
            assert!(body.len() > 100_000, "only {} bytes of what came were passed on", body.len());
        },
    );
}

#[test]
fn an_upload_that_its_client_leaves_is_never_complete_for_the_backend() {
    let (told, heard) = std::sync::mpsc::channel();
    relayed(
        async move |mut socket| {
            read_until(&mut socket, "\r\n\r\n").await;
            let mut body = Vec::new();
            let _reset = socket.read_to_end(&mut body).await;
            told.send(body).unwrap();
        },
        async |mut client| {
            client.write_all(b"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n").await.unwrap();
            client.write_all(&noise(2, 600_000)).await.unwrap();
            // So that the upload is under way, and splicing, when the client goes.
            sleep(Duration::from_millis(50)).await;
            client.set_zero_linger().unwrap();
            drop(client);
            while heard.try_recv().map(|body| assert!(noise(2, 600_000).starts_with(&body))).is_err() {
                sleep(Duration::from_millis(5)).await;
            }
        },
    );
}

#[test]
fn a_client_that_does_not_read_holds_the_backend_back() {
    const FAR_MORE: usize = 400_000_000;
    let (told, heard) = std::sync::mpsc::channel();
    relayed(
        async move |mut socket| {
            read_until(&mut socket, "\r\n\r\n").await;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {FAR_MORE}\r\n\r\n");
            socket.write_all(head.as_bytes()).await.unwrap();
            let piece = vec![0; 100_000];
            let mut sent = 0;
            while let Ok(count) = timeout(Duration::from_millis(500), socket.write(&piece)).await {
                sent += count.unwrap();
            }
            told.send(sent).unwrap();
        },
        async |mut client| {
            client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
            let sent = loop {
                match heard.try_recv() {
                    Ok(sent) => break sent,
                    Err(_not_yet) => sleep(Duration::from_millis(5)).await,
                }
            };
            // What the kernel buffers for four sockets is most of it.
            assert!(sent < FAR_MORE / 8, "{sent} bytes are on the way to a client that reads none");
            assert!(pipes_to_be_had() >= PIPES_IN_USE_MAX - 1, "one response holds several pipes");
        },
    );
}

#[test]
fn without_a_pipe_bodies_are_copied() {
    let connects = relayed(converse, async |mut client| {
        let pipes: Vec<Pipe> = (0..PIPES_IN_USE_MAX).map_while(|_| Pipe::take()).collect();
        assert!(Pipe::take().is_none());
        for seed in 0..5 {
            client.write_all(&request(seed, 300_000, 300_000)).await.unwrap();
            check_answer(&mut client, seed, 300_000).await;
        }
        drop(pipes);
    });
    assert_eq!(connects, 1);
}

/// How many pipes could be taken now.
fn pipes_to_be_had() -> usize {
    (0..PIPES_IN_USE_MAX).map_while(|_| Pipe::take()).collect::<Vec<_>>().len()
}
