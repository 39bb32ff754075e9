//! Bytes: eight of them ask for a message of that many.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest message, bytes.
const MESSAGE_BYTES_MAX: u64 = 64 * 1024 * 1024;
const CHUNK_BYTES: usize = 1024 * 1024;

static CHUNK: [u8; CHUNK_BYTES] = [b'x'; CHUNK_BYTES];

/// Serves a connection.
pub async fn serve(mut stream: TcpStream) -> io::Result<()> {
    let mut length = [0; 8];
    loop {
        match stream.read_exact(&mut length).await {
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(e) => return Err(e),
        }
        let mut missing = u64::from_be_bytes(length);
        if missing > MESSAGE_BYTES_MAX {
            return Err(io::Error::other(format!("asked for {missing} bytes")));
        }
        while missing > 0 {
            let chunk = missing.min(CHUNK_BYTES as u64);
            stream.write_all(&CHUNK[..chunk as usize]).await?;
            missing -= chunk;
        }
    }
}
