use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::{JoinHandle, LocalSet, spawn_local};

use super::*;

mod sockets;

struct Relay {
    client: DuplexStream,
    server: DuplexStream,
    ended: JoinHandle<(CopyEnd, Copied)>,
}

fn relay(limits: CopyLimits) -> Relay {
    let (client, mut downstream) = duplex(1024);
    let (server, mut upstream) = duplex(1024);
    let ended = spawn_local(async move {
        let mut copied = Copied::default();
        let end = copy(&mut downstream, &mut upstream, limits, &mut copied).await;
        (end, copied)
    });
    Relay { client, server, ended }
}

fn local<F: Future>(test: F) -> F::Output {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, test)
}

#[test]
fn bytes_pass_both_ways_and_are_counted() {
    local(async {
        let Relay { mut client, mut server, ended } = relay(CopyLimits::default());
        let upload = vec![1; 700_000];
        let send = spawn_local(async move {
            client.write_all(&upload).await.unwrap();
            client.shutdown().await.unwrap();
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.unwrap();
            answer.len()
        });
        let mut all = Vec::new();
        server.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), 700_000);
        server.write_all(&[2; 5000]).await.expect("the other direction stays open after a half-close");
        server.shutdown().await.unwrap();
        assert_eq!(send.await.unwrap(), 5000);
        let (end, copied) = ended.await.unwrap();
        assert!(matches!(end, CopyEnd::Complete), "{end:?}");
        assert_eq!(copied, Copied { to_upstream: 700_000, to_downstream: 5000 });
    });
}

#[test]
fn silence_ends_a_relay_and_traffic_keeps_it() {
    local(async {
        let limits = CopyLimits { idle_timeout: Some(Duration::from_secs(10)), ..CopyLimits::default() };
        let Relay { mut client, mut server, ended } = relay(limits);
        let started = Instant::now();
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_secs(8)).await;
            client.write_all(b"x").await.unwrap();
            server.read_exact(&mut [0]).await.unwrap();
        }
        let (end, copied) = ended.await.unwrap();
        assert!(matches!(end, CopyEnd::Idle), "{end:?}");
        assert_eq!(copied.to_upstream, 5);
        assert_eq!(started.elapsed().as_secs(), 50);
    });
}

#[test]
fn a_relay_ends_when_it_has_lasted_long_enough() {
    local(async {
        let limits = CopyLimits { max_duration: Some(Duration::from_secs(5)), ..CopyLimits::default() };
        let relay = relay(limits);
        let (end, _) = relay.ended.await.unwrap();
        assert!(matches!(end, CopyEnd::MaxDuration), "{end:?}");
    });
}

#[test]
fn a_receiver_that_does_not_read_holds_the_sender_back() {
    local(async {
        let Relay { mut client, server, ended: _running } = relay(CopyLimits::default());
        let mut sent = 0;
        while let Ok(count) = tokio::time::timeout(Duration::from_secs(1), client.write(&[0; 1000])).await {
            sent += count.unwrap();
        }
        let held = crate::limits::COPY_BUFFER_BYTES + 3 * 1024;
        assert!(sent <= held, "{sent} bytes taken for a receiver that reads none");
        drop(server);
    });
}

/// Fails every read or write.
struct Failing;

impl AsyncRead for Failing {
    fn poll_read(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        _into: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }
}

impl AsyncWrite for Failing {
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, _bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsSocket for Failing {
    fn as_socket(&self) -> Option<crate::splice::Socket<'_>> {
        None
    }
}

#[test]
fn the_side_that_failed_is_named() {
    local(async {
        let (_peer, mut good) = duplex(64);
        let mut copied = Copied::default();
        let end = copy(&mut good, &mut Failing, CopyLimits::default(), &mut copied).await;
        assert!(matches!(end, CopyEnd::Upstream(_)), "{end:?}");
        let end = copy(&mut Failing, &mut good, CopyLimits::default(), &mut copied).await;
        assert!(matches!(end, CopyEnd::Downstream(_)), "{end:?}");
    });
}
