//! The backend: answers every request head with the same bytes, at two ports, as cheaply as it can.
//!
//! A request with the field `x-probe` is answered with the head that arrived and the name of the port, so that
//! a contestant's work can be looked at before it is measured.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const HEAD_BYTES_MAX: usize = 64 * 1024;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

#[derive(clap::Args)]
pub struct Options {
    /// The two ports on 127.0.0.1.
    #[arg(long, value_delimiter = ',', num_args = 1)]
    ports: Vec<u16>,
    /// Bytes of each answer's body.
    #[arg(long)]
    response_bytes: usize,
}

struct Endpoint {
    name: String,
    answer: Vec<u8>,
}

pub fn run(options: &Options) -> Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let mut accepting = tokio::task::JoinSet::new();
        for port in &options.ports {
            let listener =
                TcpListener::bind(("127.0.0.1", *port)).await.map_err(|e| format!("port {port}: {e}"))?;
            let body = "x".repeat(options.response_bytes);
            accepting.spawn(accept(listener, Endpoint { name: port.to_string(), answer: answer(&body) }));
        }
        while accepting.join_next().await.is_some() {}
        Ok(())
    })
}

async fn accept(listener: TcpListener, endpoint: Endpoint) {
    let endpoint = Arc::new(endpoint);
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let endpoint = endpoint.clone();
        // A client that closes ends its connection's task: nothing else is to be done about it.
        tokio::spawn(async move { serve(stream, &endpoint).await });
    }
}

async fn serve(mut stream: TcpStream, endpoint: &Endpoint) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        if stream.read_buf(&mut buffer).await? == 0 || buffer.len() > HEAD_BYTES_MAX {
            return Ok(());
        }
        while let Some(end) = buffer.windows(END_OF_HEAD.len()).position(|four| four == END_OF_HEAD) {
            let head = &buffer[..end + END_OF_HEAD.len()];
            match probed(head) {
                Some(text) => {
                    stream.write_all(&answer(&format!("endpoint: {}\r\n{text}", endpoint.name))).await?
                }
                None => stream.write_all(&endpoint.answer).await?,
            }
            buffer.drain(..end + END_OF_HEAD.len());
        }
    }
}

fn answer(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn probed(head: &[u8]) -> Option<String> {
    // The field is sought only in heads that can hold it: the usual one is answered without looking.
    let is_usual = head.windows(7).all(|seven| !seven.eq_ignore_ascii_case(b"x-probe"));
    (!is_usual).then(|| String::from_utf8_lossy(head).into_owned())
}
