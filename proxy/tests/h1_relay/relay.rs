//! A relay between a client and a scripted backend, all on one thread.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use http::StatusCode;
use proxy::body::{Body, Request, Response};
use proxy::codec::io::Stream;
use proxy::downstream::http::h1::{H1Settings, serve};
use proxy::drain::Drain;
use proxy::upstream::pool::h1::{H1ClientSettings, H1Connection};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

/// A proxy with one backend.
struct Relay {
    backend: SocketAddr,
    free: Rc<RefCell<Vec<H1Connection>>>,
    connects: Cell<usize>,
}

impl Relay {
    async fn forward(&self, mut request: Request) -> Response {
        loop {
            let free = self.free.borrow_mut().pop();
            // As the pool does: what a backend says unasked is no answer to the next request.
            let connection = match free.and_then(|mut free| free.is_open().then_some(free)) {
                Some(connection) => connection,
                None => {
                    self.connects.set(self.connects.get() + 1);
                    let settings = H1ClientSettings { enable_trailers: true, ..H1ClientSettings::default() };
                    let socket = TcpStream::connect(self.backend).await.unwrap();
                    H1Connection::new(Stream::from(socket), Rc::new(settings))
                }
            };
            let free = Rc::clone(&self.free);
            let give_back = Rc::new(move |connection| free.borrow_mut().push(connection));
            match connection.send(request, give_back).await {
                Ok(response) => return response,
                Err(failed) => match failed.unsent {
                    Some(unsent) => request = *unsent,
                    None => {
                        let status = StatusCode::from_u16(failed.error.reason().status()).unwrap();
                        return Response::new(status, Body::full(failed.error.to_string()));
                    }
                },
            }
        }
    }
}

/// Runs `client` against a relay whose backend handles each of its connections with `backend`. Gives how many
/// connections the relay made.
pub fn relayed<B, C>(backend: B, client: C) -> usize
where
    B: AsyncFn(TcpStream) + 'static,
    C: AsyncFnOnce(TcpStream),
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay =
            Relay { backend: upstream.local_addr().unwrap(), free: Rc::default(), connects: Cell::new(0) };
        let backend = Rc::new(backend);
        tokio::task::spawn_local(async move {
            while let Ok((socket, _)) = upstream.accept().await {
                let backend = Rc::clone(&backend);
                tokio::task::spawn_local(async move { backend(socket).await });
            }
        });
        let drain = Drain::new();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let served = async {
            let (socket, _) = listener.accept().await.unwrap();
            let settings = H1Settings { enable_trailers: true, ..H1Settings::default() };
            serve(Stream::from(socket), &settings, drain.watch(), |request| relay.forward(request)).await
        };
        tokio::join!(served, client(socket));
        relay.connects.get()
    })
}

/// Reads up to and with `mark`.
pub async fn read_until(socket: &mut TcpStream, mark: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(mark.as_bytes()) {
        read.push(socket.read_u8().await.unwrap());
    }
    String::from_utf8(read).unwrap()
}
