//! Backends that do as they are told.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, spawn_local};

/// How a request is answered.
#[derive(Debug, Clone, Copy)]
pub enum Reply {
    /// 200 with this body.
    Ok(&'static str),
    /// 200 after a while.
    Slow(Duration),
    /// This status without a body.
    Status(u16),
    /// 200, then the connection is closed in order, announced or not.
    OkThenClose,
    /// The connection is closed without a byte.
    Close,
    /// A head, half of its body, and then nothing more.
    Half,
    /// Nothing.
    Silence,
}

/// A backend. Requests and connections are counted from zero.
#[derive(Debug)]
pub struct Backend {
    pub address: SocketAddr,
    counts: Rc<Counts>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Counts {
    connections: Cell<usize>,
    open: Cell<usize>,
    requests: Cell<usize>,
}

impl Counts {
    fn next_request(&self) -> usize {
        self.requests.replace(self.requests.get() + 1)
    }
}

struct Open(Rc<Counts>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
    }
}

impl Backend {
    /// A backend that speaks HTTP/1.1 and answers request number `n` of all with `reply(n)`.
    pub async fn http1(reply: impl Fn(usize) -> Reply + 'static) -> Self {
        let reply = Rc::new(reply);
        Self::each(move |stream, counts| {
            let reply = Rc::clone(&reply);
            async move { serve_http1(stream, &counts, &*reply).await }
        })
        .await
    }

    /// A backend that speaks HTTP/2 with at most `streams` at once.
    pub async fn http2(streams: u32, reply: impl Fn(usize) -> Reply + 'static) -> Self {
        let reply = Rc::new(reply);
        Self::each(move |stream, counts| {
            let reply = Rc::clone(&reply);
            async move { serve_http2(stream, counts, reply, streams).await }
        })
        .await
    }

    /// A backend that runs `serve` for each connection.
    pub async fn each<F: Future<Output = ()> + 'static>(
        serve: impl Fn(tokio::net::TcpStream, CountsHandle) -> F + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Rc::new(Counts::default());
        let counted = Rc::clone(&counts);
        let task = spawn_local(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.connections.set(counted.connections.get() + 1);
                counted.open.set(counted.open.get() + 1);
                let open = Open(Rc::clone(&counted));
                let serving = serve(stream, CountsHandle(Rc::clone(&counted)));
                spawn_local(async move {
                    let _open = open;
                    serving.await;
                });
            }
        });
        Self { address, counts, task }
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.counts.connections.get()
    }

    /// Connections open now.
    pub fn open(&self) -> usize {
        self.counts.open.get()
    }

    /// Requests seen so far.
    pub fn requests(&self) -> usize {
        self.counts.requests.get()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Counts requests for whoever serves a connection.
pub struct CountsHandle(Rc<Counts>);

pub async fn serve_http1(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    counts: &CountsHandle,
    reply: &dyn Fn(usize) -> Reply,
) {
    let mut buffer = Vec::new();
    while read_request(&mut stream, &mut buffer).await {
        let reply = reply(counts.0.next_request());
        let ok = |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let answer = match reply {
            Reply::Ok(body) => ok(body),
            Reply::Slow(wait) => {
                tokio::time::sleep(wait).await;
                ok("slow")
            }
            Reply::Status(status) => format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n"),
            Reply::OkThenClose => ok("bye"),
            Reply::Close => return,
            Reply::Half => "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello".to_owned(),
            Reply::Silence => String::new(),
        };
        if stream.write_all(answer.as_bytes()).await.is_err() || matches!(reply, Reply::OkThenClose) {
            return;
        }
    }
}

/// Reads one request; false when the client is gone.
async fn read_request(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> bool {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.trim().parse().unwrap());
            let whole: usize = end + 4 + length;
            if buffer.len() >= whole {
                buffer.drain(..whole);
                return true;
            }
        }
        match stream.read_buf(buffer).await {
            Ok(0) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

pub async fn serve_http2(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    counts: CountsHandle,
    reply: Rc<impl Fn(usize) -> Reply + 'static>,
    streams: u32,
) {
    let mut builder = h2::server::Builder::new();
    builder.max_concurrent_streams(streams);
    let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else { return };
    while let Some(Ok((_request, mut respond))) = connection.accept().await {
        let reply = reply(counts.0.next_request());
        spawn_local(async move {
            let mut send = |status: u16, body: &'static [u8], end: bool| {
                let head = http::Response::builder().status(status).body(()).unwrap();
                let mut stream = respond.send_response(head, false).unwrap();
                stream.send_data(Bytes::from_static(body), end).unwrap();
                stream
            };
            match reply {
                Reply::Ok(body) => drop(send(200, body.as_bytes(), true)),
                Reply::Slow(wait) => {
                    tokio::time::sleep(wait).await;
                    drop(send(200, b"slow", true));
                }
                Reply::Status(status) => drop(send(status, b"", true)),
                Reply::OkThenClose => drop(send(200, b"bye", true)),
                Reply::Close => respond.send_reset(h2::Reason::REFUSED_STREAM),
                Reply::Half | Reply::Silence => {
                    let _held = matches!(reply, Reply::Half).then(|| send(200, b"hello", false));
                    std::future::pending::<()>().await;
                }
            }
        });
    }
}
