use std::future::poll_fn;
use std::task::{Context, Waker};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use super::*;

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (one, other) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (one.unwrap(), other.unwrap().0)
}

async fn fill(pipe: &mut Pipe, from: &impl AsSocket, held_max: usize) -> usize {
    poll_fn(|cx| pipe.poll_fill(from.as_socket().unwrap(), held_max, cx)).await.unwrap()
}

async fn drain(pipe: &mut Pipe, to: &impl AsSocket) -> usize {
    poll_fn(|cx| pipe.poll_drain(to.as_socket().unwrap(), cx)).await.unwrap()
}

#[tokio::test]
async fn bytes_go_from_socket_to_socket_unchanged() {
    let (mut client, from) = pair().await;
    let (to, mut server) = UnixStream::pair().unwrap();
    client.write_all(b"through the pipe").await.unwrap();
    let mut pipe = Pipe::take().unwrap();
    assert_eq!(fill(&mut pipe, &from, 7).await, 7, "no more than may be held");
    assert_eq!(pipe.held(), 7);
    assert_eq!(drain(&mut pipe, &to).await, 7);
    assert_eq!(fill(&mut pipe, &from, 1000).await, 9);
    assert_eq!(drain(&mut pipe, &to).await, 9);
    assert_eq!(pipe.held(), 0);
    let mut arrived = [0; 16];
    server.read_exact(&mut arrived).await.unwrap();
    assert_eq!(&arrived, b"through the pipe");
}

#[tokio::test]
async fn a_socket_without_bytes_is_waited_for_and_its_end_is_seen() {
    let (mut client, from) = pair().await;
    let mut pipe = Pipe::take().unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pipe.poll_fill(from.as_socket().unwrap(), 10, &mut cx).is_pending());
    client.write_all(b"x").await.unwrap();
    assert_eq!(fill(&mut pipe, &from, 10).await, 1);
    client.shutdown().await.unwrap();
    assert_eq!(fill(&mut pipe, &from, 10).await, 0, "the end");
}

#[tokio::test]
async fn a_receiver_that_takes_no_more_leaves_the_rest_in_the_pipe() {
    let (mut client, from) = pair().await;
    let (to, mut server) = UnixStream::pair().unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let mut pipe = Pipe::take().unwrap();
    let mut sent = 0;
    loop {
        let written = client.write(&[7; 50_000]).await.unwrap();
        sent += written;
        let mut filled = 0;
        while filled < written {
            filled += fill(&mut pipe, &from, 1 << 20).await;
            while pipe.held() > 0 && pipe.poll_drain(to.as_socket().unwrap(), &mut cx).is_ready() {}
            if pipe.held() > 0 {
                break;
            }
        }
        if pipe.held() > 0 {
            sent -= written - filled;
            break;
        }
    }
    let mut arrived = vec![0; sent];
    tokio::join!(
        async {
            while pipe.held() > 0 {
                drain(&mut pipe, &to).await;
            }
        },
        async { server.read_exact(&mut arrived).await.unwrap() }
    );
    assert!(arrived.iter().all(|byte| *byte == 7));
    assert_eq!(pipe.held(), 0);
}

#[tokio::test]
async fn what_one_connection_left_in_a_pipe_reaches_no_other() {
    let (mut client, from) = pair().await;
    client.write_all(b"secret").await.unwrap();
    let mut pipe = Pipe::take().unwrap();
    fill(&mut pipe, &from, 100).await;
    drop(pipe);
    let (mut client, from) = pair().await;
    let (to, mut server) = pair().await;
    client.write_all(b"public").await.unwrap();
    let mut pipe = Pipe::take().unwrap();
    fill(&mut pipe, &from, 100).await;
    drain(&mut pipe, &to).await;
    drop(to);
    let mut arrived = String::new();
    server.read_to_string(&mut arrived).await.unwrap();
    assert_eq!(arrived, "public");
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_an_error() {
    let (mut client, from) = pair().await;
    let (to, server) = UnixStream::pair().unwrap();
    drop(server);
    client.write_all(b"x").await.unwrap();
    let mut pipe = Pipe::take().unwrap();
    fill(&mut pipe, &from, 10).await;
    let drained = poll_fn(|cx| pipe.poll_drain(to.as_socket().unwrap(), cx)).await;
    assert_eq!(drained.unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
    assert_eq!(pipe.held(), 1, "what was not delivered is still counted");
}
