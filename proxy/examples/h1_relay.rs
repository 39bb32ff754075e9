//! The smallest reverse proxy on the HTTP/1.1 engine: one thread, one backend, no rules.
//!
//! `cargo run --release -p proxy --example h1_relay -- 127.0.0.1:8080 127.0.0.1:9000`. It shows how the two sides
//! meet, and its CPU time per request is the floor of what the whole proxy can reach.

use std::cell::RefCell;
use std::error::Error;
use std::net::SocketAddr;
use std::rc::Rc;

use http::StatusCode;
use proxy::body::{Body, Request, Response};
use proxy::codec::io::Stream;
use proxy::downstream::http::h1::{H1Settings, serve};
use proxy::drain::Drain;
use proxy::upstream::pool::h1::{H1ClientSettings, H1Connection};
use tokio::net::{TcpListener, TcpStream};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One backend and its connections that are free.
struct Backend {
    address: SocketAddr,
    settings: Rc<H1ClientSettings>,
    free: RefCell<Vec<H1Connection>>,
}

impl Backend {
    async fn connection(&self) -> std::io::Result<H1Connection> {
        while let Some(mut connection) = self.free.borrow_mut().pop() {
            if connection.is_open() {
                return Ok(connection);
            }
        }
        let socket = TcpStream::connect(self.address).await?;
        socket.set_nodelay(true)?;
        Ok(H1Connection::new(Stream::from(socket), Rc::clone(&self.settings)))
    }

    async fn relay(&self, request: Request, give_back: Rc<dyn Fn(H1Connection)>) -> Response {
        let Ok(connection) = self.connection().await else {
            return Response::new(StatusCode::SERVICE_UNAVAILABLE, Body::empty());
        };
        match connection.send(request, give_back).await {
            Ok(response) => response,
            Err(failed) => {
                let status = StatusCode::from_u16(failed.error.reason().status());
                Response::new(status.unwrap_or(StatusCode::BAD_GATEWAY), Body::empty())
            }
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(listen), Some(backend)) = (arguments.next(), arguments.next()) else {
        return Err("usage: h1_relay <listen address> <backend address>".into());
    };
    let backend =
        Rc::new(Backend { address: backend.parse()?, settings: Rc::default(), free: RefCell::default() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let drain = Drain::new();
        let listener = TcpListener::bind(listen).await?;
        let shelf = Rc::clone(&backend);
        let give_back: Rc<dyn Fn(H1Connection)> =
            Rc::new(move |connection| shelf.free.borrow_mut().push(connection));
        loop {
            let (socket, _peer) = listener.accept().await?;
            socket.set_nodelay(true)?;
            let (backend, give_back, draining) = (Rc::clone(&backend), Rc::clone(&give_back), drain.watch());
            tokio::task::spawn_local(async move {
                let handler = |request| backend.relay(request, Rc::clone(&give_back));
                serve(Stream::from(socket), &H1Settings::default(), draining, handler).await
            });
        }
    })
}
