use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::timeout;

use super::*;
use crate::drain::Drain;

fn local<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bounded = async { timeout(Duration::from_secs(20), test).await.expect("the test hangs") };
    tokio::task::LocalSet::new().block_on(&runtime, bounded)
}

struct Server {
    address: SocketAddr,
    drain: Drain,
    events: Rc<RefCell<Vec<AcceptEvent>>>,
    running: JoinHandle<()>,
}

fn bound() -> (std::net::TcpListener, SocketAddr) {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn serve<S: AsyncFn(Box<Accepted>) + Clone + 'static>(max: usize, serve: S) -> Server {
    let (socket, address) = bound();
    let drain = Drain::new();
    let events = Rc::new(RefCell::new(Vec::new()));
    let noted = events.clone();
    let limit = ConnectionLimit::new("test_connections", max);
    let listening = Listening::tcp(socket).unwrap();
    let note = move |event| noted.borrow_mut().push(event);
    let running = spawn_local(run(listening, limit, drain.watch(), note, serve));
    Server { address, drain, events, running }
}

async fn echo(mut accepted: Box<Accepted>) {
    let mut bytes = [0; 64];
    while let Ok(count @ 1..) = accepted.stream.read(&mut bytes).await {
        accepted.stream.write_all(&bytes[..count]).await.unwrap();
    }
}

async fn ask(client: &mut TcpStream) -> io::Result<()> {
    client.write_all(b"ping").await?;
    let mut answer = [0; 4];
    client.read_exact(&mut answer).await?;
    assert_eq!(&answer, b"ping");
    Ok(())
}

#[test]
fn connections_are_served_with_their_addresses() {
    local(async {
        let seen = Rc::new(Cell::new(None));
        let noted = seen.clone();
        let server = serve(10, async move |accepted: Box<Accepted>| {
            noted.set(Some((accepted.local, accepted.remote)));
            echo(accepted).await;
        });
        let mut client = TcpStream::connect(server.address).await.unwrap();
        ask(&mut client).await.unwrap();
        assert_eq!(seen.get(), Some((Some(server.address), client.local_addr().ok())));
    });
}

#[test]
fn past_the_limit_connections_are_closed_and_counted() {
    local(async {
        let server = serve(1, echo);
        let mut first = TcpStream::connect(server.address).await.unwrap();
        ask(&mut first).await.unwrap();
        let mut second = TcpStream::connect(server.address).await.unwrap();
        assert!(ask(&mut second).await.is_err(), "a connection past the limit was served");
        assert_eq!(*server.events.borrow(), [AcceptEvent::Overflow]);
        drop(first);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut third = TcpStream::connect(server.address).await.unwrap();
        ask(&mut third).await.expect("the place of a closed connection is free again");
    });
}

#[test]
fn a_drain_serves_what_is_queued_and_open_and_takes_nothing_new() {
    local(async {
        let server = serve(10, echo);
        let mut open = TcpStream::connect(server.address).await.unwrap();
        ask(&mut open).await.unwrap();
        // Connected, but not yet accepted when the drain begins.
        let std = std::net::TcpStream::connect(server.address).unwrap();
        server.drain.start();
        tokio::time::sleep(Duration::from_millis(20)).await;
        std.set_nonblocking(true).unwrap();
        let mut queued = TcpStream::from_std(std).unwrap();
        ask(&mut queued).await.expect("a queued client was dropped");
        ask(&mut open).await.expect("an open connection was cut");
        assert!(TcpStream::connect(server.address).await.is_err(), "the socket still listens");
        assert!(!server.running.is_finished());
        drop((open, queued));
        server.running.await.unwrap();
    });
}

#[test]
fn the_end_of_the_drain_time_ends_connections_that_do_not_end() {
    local(async {
        let server = serve(10, async |accepted: Box<Accepted>| {
            let _accepted = accepted;
            std::future::pending::<()>().await;
        });
        let mut client = TcpStream::connect(server.address).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        server.drain.stop();
        server.running.await.unwrap();
        assert_eq!(client.read(&mut [0; 1]).await.unwrap_or(0), 0, "the connection is still open");
    });
}

#[test]
fn a_panic_closes_its_connection_only() {
    local(async {
        let server = serve(10, async |mut accepted: Box<Accepted>| {
            let mut first = [0; 4];
            accepted.stream.read_exact(&mut first).await.unwrap();
            assert_ne!(&first, b"boom", "this client asks for it");
            accepted.stream.write_all(&first).await.unwrap();
        });
        let mut bad = TcpStream::connect(server.address).await.unwrap();
        let mut good = TcpStream::connect(server.address).await.unwrap();
        bad.write_all(b"boom").await.unwrap();
        assert_eq!(bad.read(&mut [0; 1]).await.unwrap_or(0), 0);
        ask(&mut good).await.unwrap();
        assert_eq!(*server.events.borrow(), [AcceptEvent::Panicked]);
    });
}

#[test]
fn a_unix_socket_is_served_too() {
    local(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let drain = Drain::new();
        let limit = ConnectionLimit::new("test_connections", 10);
        let listening = Listening::unix(socket).unwrap();
        let _running = spawn_local(run(listening, limit, drain.watch(), |_| {}, echo));
        let mut client = UnixStream::connect(&path).await.unwrap();
        client.write_all(b"ping").await.unwrap();
        let mut answer = [0; 4];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"ping");
    });
}

#[test]
fn balanced_connections_are_spread_exactly() {
    local(async {
        let (socket, address) = bound();
        let drain = Drain::new();
        let limit = ConnectionLimit::new("test_connections", 100);
        let counts = Rc::new(RefCell::new([0; 3]));
        let mut socket = Some(socket);
        for (index, seat) in Balance::seats(3).into_iter().enumerate() {
            let counts = counts.clone();
            let listening = Listening::balanced(socket.take(), seat).unwrap();
            let serve = async move |accepted: Box<Accepted>| {
                counts.borrow_mut()[index] += 1;
                echo(accepted).await;
            };
            spawn_local(run(listening, limit.clone(), drain.watch(), |_| {}, serve));
        }
        let mut clients = Vec::new();
        for _ in 0..9 {
            let mut client = TcpStream::connect(address).await.unwrap();
            ask(&mut client).await.unwrap();
            clients.push(client);
        }
        assert_eq!(*counts.borrow(), [3, 3, 3]);
    });
}

#[test]
fn running_out_of_descriptors_is_told_from_clients_that_left() {
    assert!(is_exhausted(&io::Error::from_raw_os_error(libc::EMFILE)));
    assert!(!is_exhausted(&io::Error::from_raw_os_error(libc::ECONNABORTED)));
}
