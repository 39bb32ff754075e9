//! Relays between real sockets, where much is spliced.

use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixStream};

use super::*;
use crate::limits::{PIPE_BYTES, PIPES_IN_USE_MAX, SPLICE_BYTES_MIN};
use crate::splice::Pipe;

/// A client and a server with a relay between them.
struct Mesh<C, S> {
    client: C,
    server: S,
    ended: JoinHandle<(CopyEnd, Copied)>,
}

fn sockets<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bounded = async {
        tokio::time::timeout(Duration::from_secs(60), test).await.expect("the relay does not get on")
    };
    LocalSet::new().block_on(&runtime, bounded)
}

/// A TCP connection; small buffers in the kernel make its bytes come in pieces.
async fn tcp(buffer_bytes: Option<u32>) -> (TcpStream, TcpStream) {
    let socket = || {
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(bytes) = buffer_bytes {
            socket.set_recv_buffer_size(bytes).unwrap();
            socket.set_send_buffer_size(bytes).unwrap();
        }
        socket
    };
    let listening = socket();
    listening.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener: TcpListener = listening.listen(1).unwrap();
    let (one, other) = tokio::join!(socket().connect(listener.local_addr().unwrap()), listener.accept());
    (one.unwrap(), other.unwrap().0)
}

fn relayed<C, D, U, S>((client, mut down): (C, D), (mut up, server): (U, S), limits: CopyLimits) -> Mesh<C, S>
where
    D: AsyncRead + AsyncWrite + AsSocket + Unpin + 'static,
    U: AsyncRead + AsyncWrite + AsSocket + Unpin + 'static,
{
    let ended = spawn_local(async move {
        let mut copied = Copied::default();
        let end = copy(&mut down, &mut up, limits, &mut copied).await;
        (end, copied)
    });
    Mesh { client, server, ended }
}

/// Bytes that are wrong wherever one is lost, doubled or moved.
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut noise = vec![0; bytes];
    random.fill(&mut noise);
    noise
}

/// Writes in pieces of any size, sometimes pausing, and reads what comes until the end.
async fn talk<S: AsyncRead + AsyncWrite>(stream: S, says: Vec<u8>, seed: u64) -> Vec<u8> {
    let (mut read, mut write) = tokio::io::split(stream);
    let send = async {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut at = 0;
        while at < says.len() {
            let longest = *random.choice([9, 3000, 70_000, 900_000].iter()).unwrap();
            let piece = random.usize(1..=longest).min(says.len() - at);
            write.write_all(&says[at..at + piece]).await.unwrap();
            at += piece;
            if random.u8(..) < 40 {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
        }
        write.shutdown().await.unwrap();
    };
    let mut heard = Vec::new();
    let (read, ()) = tokio::join!(read.read_to_end(&mut heard), send);
    read.unwrap();
    heard
}

/// How many pipes could be taken now.
fn pipes_to_be_had() -> usize {
    (0..PIPES_IN_USE_MAX).map_while(|_| Pipe::take()).collect::<Vec<_>>().len()
}

#[test]
fn much_arrives_byte_for_byte_both_ways_however_it_is_cut() {
    const BYTES: usize = 6_000_000;
    sockets(async {
        for seed in 0..6 {
            let small = (seed % 2 == 1).then_some(16 * 1024);
            let mesh = relayed(tcp(small).await, tcp(small).await, CopyLimits::default());
            let (up, down) = (noise(seed, BYTES), noise(seed + 100, BYTES / 2));
            let (heard, served) =
                tokio::join!(talk(mesh.client, up.clone(), seed), talk(mesh.server, down.clone(), seed + 1));
            assert!(served == up, "seed {seed}: the server got {} other bytes", served.len());
            assert!(heard == down, "seed {seed}: the client got {} other bytes", heard.len());
            let (end, copied) = mesh.ended.await.unwrap();
            assert!(matches!(end, CopyEnd::Complete), "{end:?}");
            assert_eq!(copied, Copied { to_upstream: BYTES as u64, to_downstream: (BYTES / 2) as u64 });
        }
        assert_eq!(pipes_to_be_had(), PIPES_IN_USE_MAX, "a relay that ended kept a pipe");
    });
}

#[test]
fn tcp_and_unix_sockets_are_relayed_to_each_other() {
    sockets(async {
        let mesh = relayed(tcp(None).await, UnixStream::pair().unwrap(), CopyLimits::default());
        let (up, down) = (noise(1, 3_000_000), noise(2, 3_000_000));
        let (heard, served) =
            tokio::join!(talk(mesh.client, up.clone(), 3), talk(mesh.server, down.clone(), 4));
        assert!(heard == down && served == up, "{} and {} bytes arrived", heard.len(), served.len());
    });
}

#[test]
fn each_side_may_end_first_and_still_hear_the_other() {
    sockets(async {
        for client_first in [true, false] {
            let (down, up) = (tcp(None).await, tcp(None).await);
            let mesh = relayed(down, up, CopyLimits::default());
            let (mut first, mut second) =
                if client_first { (mesh.client, mesh.server) } else { (mesh.server, mesh.client) };
            let (early, late) = (noise(5, 1_500_000), noise(6, 1_500_000));
            let mut heard = Vec::new();
            let send = async {
                first.write_all(&early).await.unwrap();
                first.shutdown().await.unwrap();
            };
            tokio::join!(send, async { second.read_to_end(&mut heard).await.unwrap() });
            assert!(heard == early);
            heard.clear();
            let answer = async {
                second.write_all(&late).await.unwrap();
                second.shutdown().await.unwrap();
            };
            tokio::join!(answer, async { first.read_to_end(&mut heard).await.unwrap() });
            assert!(heard == late, "the second direction ended with the first");
            let (end, _) = mesh.ended.await.unwrap();
            assert!(matches!(end, CopyEnd::Complete), "{end:?}");
        }
    });
}

#[test]
fn a_reset_names_the_side_it_came_from() {
    sockets(async {
        for client_resets in [true, false] {
            let mut mesh = relayed(tcp(None).await, tcp(None).await, CopyLimits::default());
            let (resets, stays) = if client_resets {
                (&mut mesh.client, &mut mesh.server)
            } else {
                (&mut mesh.server, &mut mesh.client)
            };
            // Enough that the direction is being spliced when the reset comes.
            let much = noise(7, 4 * SPLICE_BYTES_MIN);
            let mut heard = vec![0; much.len()];
            for _ in 0..3 {
                resets.write_all(&much).await.unwrap();
                stays.read_exact(&mut heard).await.unwrap();
            }
            resets.set_zero_linger().unwrap();
            let Mesh { client, server, ended } = mesh;
            let (end, copied) = if client_resets {
                drop(client);
                let ended = ended.await.unwrap();
                assert!(matches!(ended.0, CopyEnd::Downstream(_)), "{ended:?}");
                drop(server);
                ended
            } else {
                drop(server);
                let ended = ended.await.unwrap();
                assert!(matches!(ended.0, CopyEnd::Upstream(_)), "{ended:?}");
                drop(client);
                ended
            };
            let moved = copied.to_upstream + copied.to_downstream;
            assert_eq!(moved, 12 * SPLICE_BYTES_MIN as u64, "{end:?}");
        }
    });
}

#[test]
fn a_relay_that_spliced_ends_when_it_is_silent() {
    sockets(async {
        let limits = CopyLimits { idle_timeout: Some(Duration::from_millis(100)), ..CopyLimits::default() };
        let mut mesh = relayed(tcp(None).await, tcp(None).await, limits);
        let much = noise(8, 500_000);
        let mut heard = vec![0; much.len()];
        let _sent = tokio::join!(mesh.server.write_all(&much), mesh.client.read_exact(&mut heard));
        assert!(heard == much);
        assert_eq!(pipes_to_be_had(), PIPES_IN_USE_MAX, "a silent relay holds a pipe");
        let (end, copied) = mesh.ended.await.unwrap();
        assert!(matches!(end, CopyEnd::Idle), "{end:?}");
        assert_eq!(copied.to_downstream, 500_000);
    });
}

/// Bytes that a server gets rid of while the client reads none.
async fn sent_ahead(server: &mut TcpStream) -> usize {
    let mut sent = 0;
    let piece = vec![1; 8 * 1024];
    while let Ok(count) = tokio::time::timeout(Duration::from_millis(300), server.write(&piece)).await {
        sent += count.unwrap();
    }
    sent
}

#[test]
fn a_client_that_does_not_read_holds_its_server_back() {
    const KERNEL: u32 = 16 * 1024;
    sockets(async {
        let mut mesh = relayed(tcp(Some(KERNEL)).await, tcp(Some(KERNEL)).await, CopyLimits::default());
        let sent = sent_ahead(&mut mesh.server).await;
        // Linux doubles what is asked for, and lets two sockets of each connection hold it.
        let kernel = 2 * 2 * 2 * KERNEL as usize;
        assert!(sent <= PIPE_BYTES + 2 * kernel, "{sent} bytes were taken");
        mesh.client.read_exact(&mut vec![0; sent]).await.expect("all of it arrives once it is read");
    });
}

#[test]
fn a_connection_s_buffer_limit_bounds_what_is_read_ahead() {
    const KERNEL: u32 = 16 * 1024;
    sockets(async {
        let mut ahead = Vec::new();
        for held_bytes_max in [1000, 600_000] {
            let limits = CopyLimits { held_bytes_max, ..CopyLimits::default() };
            let mut mesh = relayed(tcp(Some(KERNEL)).await, tcp(Some(KERNEL)).await, limits);
            ahead.push(sent_ahead(&mut mesh.server).await);
        }
        assert!(ahead[0] <= 4 * 4 * KERNEL as usize, "{ahead:?}");
        assert!(ahead[1] >= 2 * ahead[0] || ahead[1] > 100_000, "{ahead:?}");
    });
}

#[test]
fn without_a_pipe_bytes_are_copied() {
    sockets(async {
        let pipes: Vec<Pipe> = (0..PIPES_IN_USE_MAX).map_while(|_| Pipe::take()).collect();
        assert!(Pipe::take().is_none());
        let mesh = relayed(tcp(None).await, tcp(None).await, CopyLimits::default());
        let (up, down) = (noise(9, 2_000_000), noise(10, 2_000_000));
        let (heard, served) =
            tokio::join!(talk(mesh.client, up.clone(), 11), talk(mesh.server, down.clone(), 12));
        assert!(heard == down && served == up, "{} and {} bytes arrived", heard.len(), served.len());
        drop(pipes);
    });
}
