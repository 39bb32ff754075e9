//! The floor: a proxy that copies bytes between two sockets and understands none of them.
//!
//! No HTTP proxy on the same kernel calls can be cheaper; what a contestant costs above it is its own work.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Bytes of a buffer; each direction of a pair has one.
const BUFFER_BYTES: usize = 256 * 1024;

/// How it is started.
#[derive(clap::Args)]
pub struct Options {
    /// The port of 127.0.0.1 to listen on.
    #[arg(long)]
    listen: u16,
    /// Ports on 127.0.0.1, taken in turn by connections.
    #[arg(long, value_delimiter = ',', num_args = 1)]
    backends: Vec<u16>,
}

/// Copies until it is killed.
pub fn run(options: &Options) -> Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let addr = ("127.0.0.1", options.listen);
        let listener = TcpListener::bind(addr).await.map_err(|e| format!("port {}: {e}", options.listen))?;
        let turn = AtomicUsize::new(0);
        loop {
            let Ok((client, _)) = listener.accept().await else { continue };
            let port = options.backends[turn.fetch_add(1, Ordering::Relaxed) % options.backends.len()];
            // A side that closes ends the pair: nothing else is to be done about it.
            tokio::spawn(async move { copy(client, port).await });
        }
    })
}

async fn copy(client: TcpStream, port: u16) -> std::io::Result<()> {
    let backend = TcpStream::connect(("127.0.0.1", port)).await?;
    client.set_nodelay(true)?;
    backend.set_nodelay(true)?;
    let (client_read, client_write) = client.into_split();
    let (backend_read, backend_write) = backend.into_split();
    tokio::try_join!(one_way(client_read, backend_write), one_way(backend_read, client_write))?;
    Ok(())
}

async fn one_way(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> std::io::Result<()> {
    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    loop {
        buffer.clear();
        if from.read_buf(&mut buffer).await? == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer).await?;
    }
}
