//! A backend that tells what it received: HTTP/1.1 and HTTP/2 (prior knowledge or ALPN) on one port.
//!
//! It answers with JSON that describes the request, unless the request asks for something else
//! (see [`answer`]). Each backend runs on a thread of its own and ends with its value.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub mod record;

mod body;

pub mod answer;

mod websocket;

use record::{Journal, Recorded};

/// The largest head taken over HTTP/2; more than any proxy in front of it lets through.
const HEAD_BYTES_MAX: u32 = 1024 * 1024;

/// A running backend.
#[derive(Debug)]
pub struct Backend {
    name: String,
    addr: SocketAddr,
    journal: Arc<Journal>,
    connections: Arc<AtomicUsize>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Backend {
    /// Starts on a free port of 127.0.0.1.
    pub fn start(name: &str) -> Self {
        Self::start_at(name, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Starts on the address given, which must be free.
    pub fn start_at(name: &str, addr: SocketAddr) -> Self {
        Self::launch(name, addr, None)
    }

    /// Starts on a free port of 127.0.0.1, speaking TLS.
    pub fn start_tls(name: &str, config: Arc<rustls::ServerConfig>) -> Self {
        Self::launch(name, SocketAddr::from(([127, 0, 0, 1], 0)), Some(config))
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Its name, as it is told in its answers.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every request received so far, oldest first.
    pub fn requests(&self) -> Vec<Recorded> {
        self.journal.all()
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Closes the port and every connection; the address can be used again.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended already; then there is nobody to tell.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the backend's thread does not panic");
        }
    }

    fn launch(name: &str, addr: SocketAddr, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener =
            std::net::TcpListener::bind(addr).unwrap_or_else(|e| panic!("backend {name} on {addr}: {e}"));
        listener.set_nonblocking(true).expect("a socket can be made non-blocking");
        let addr = listener.local_addr().expect("a bound socket has an address");
        let journal = Arc::new(Journal::new(name));
        let connections = Arc::new(AtomicUsize::new(0));
        let (stop, stopped) = oneshot::channel();
        let server = Server { journal: journal.clone(), connections: connections.clone(), tls };
        let thread = std::thread::Builder::new()
            .name(format!("backend {name}"))
            .spawn(move || server.run(listener, stopped))
            .expect("a thread can be started");
        Self { name: name.to_owned(), addr, journal, connections, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Server {
    journal: Arc<Journal>,
    connections: Arc<AtomicUsize>,
    tls: Option<Arc<rustls::ServerConfig>>,
}

impl Server {
    fn run(self, listener: std::net::TcpListener, stopped: oneshot::Receiver<()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime can be built");
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).expect("the socket is non-blocking");
            tokio::select! {
                () = self.accept(listener) => {}
                _ = stopped => {}
            }
        });
        runtime.shutdown_background();
    }

    async fn accept(&self, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            // Without it a small answer may wait 40 ms for the peer's delayed acknowledgement.
            let _ = stream.set_nodelay(true);
            self.connections.fetch_add(1, Ordering::SeqCst);
            let journal = self.journal.clone();
            let tls = self.tls.clone().map(tokio_rustls::TlsAcceptor::from);
            tokio::spawn(async move {
                match tls {
                    None => serve(stream, journal).await,
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            serve(stream, journal).await;
                        }
                    }
                }
            });
        }
    }
}

async fn serve<S>(stream: S, journal: Arc<Journal>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service =
        service_fn(move |request: http::Request<Incoming>| answer::answer(journal.clone(), request));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // A client that has said all it has to say still gets its answer.
    builder.http1().half_close(true);
    builder.http2().max_header_list_size(HEAD_BYTES_MAX);
    // A peer that leaves early is part of the tests, not a failure of the backend.
    let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
}
