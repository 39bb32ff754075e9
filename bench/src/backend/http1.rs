//! HTTP/1.1 without bodies in requests: every head is answered with the same bytes. WebSocket texts are echoed.

use std::io;

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::work::load::Load;

const HEAD_BYTES_MAX: usize = 64 * 1024;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";
const UPGRADED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// The answers of a load.
pub struct Answers {
    answer: Vec<u8>,
    echoes: bool,
    may_close: bool,
}

impl Answers {
    /// What is answered to a load.
    pub fn new(load: &Load) -> Self {
        let length = load.response_bytes();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\r\n");
        let mut answer = head.into_bytes();
        answer.resize(answer.len() + length, b'x');
        let may_close = matches!(load, Load::Requests { close: true, .. });
        Self { answer, echoes: matches!(load, Load::Echoes { .. }), may_close }
    }

    /// Serves a connection from which these bytes have been read.
    pub async fn serve(&self, mut stream: TcpStream, mut buffer: Vec<u8>) -> io::Result<()> {
        loop {
            while let Some(end) = memmem::find(&buffer, END_OF_HEAD) {
                let end = end + END_OF_HEAD.len();
                if self.echoes {
                    stream.write_all(UPGRADED).await?;
                    return echo(stream, buffer.split_off(end)).await;
                }
                stream.write_all(&self.answer).await?;
                // Asked directly or through the floor, it is the backend that closes.
                if self.may_close && memmem::find(&buffer[..end], b"connection: close").is_some() {
                    return stream.shutdown().await;
                }
                buffer.drain(..end);
            }
            if buffer.len() > HEAD_BYTES_MAX || stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
    }
}

/// Sends each masked frame of at most 125 bytes back without its mask (RFC 6455 §5.2).
async fn echo(mut stream: TcpStream, mut buffer: Vec<u8>) -> io::Result<()> {
    let mut out = Vec::new();
    loop {
        let mut rest = &buffer[..];
        while let Some((&[first, length, mask @ ..], after)) = rest.split_first_chunk::<6>() {
            let length = usize::from(length & 0x7f);
            let Some((payload, after)) = after.split_at_checked(length) else { break };
            out.extend_from_slice(&[first, length as u8]);
            out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
            rest = after;
        }
        let taken = buffer.len() - rest.len();
        buffer.drain(..taken);
        stream.write_all(&out).await?;
        out.clear();
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}
