//! WebSocket (RFC 6455): short texts that come back.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::tally::Tally;
use super::target::Target;
use crate::wire::http1;

/// The nonce of RFC 6455 §1.3 and the answer to it.
const HANDSHAKE: &[u8] =
    b"GET /socket HTTP/1.1\r\nhost: bench.example\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";
const ACCEPTED: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const MASK: [u8; 4] = [1, 2, 3, 4];

/// Upgrades a connection and sends one message after the other on it.
pub async fn exchange(target: &Target, tally: &Tally, message_bytes: usize) -> io::Result<()> {
    let mut stream = target.connect().await?;
    stream.write_all(HANDSHAKE).await?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    let head = loop {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed before the upgrade"));
        }
        if let Some(head) = http1::head(&buffer, 101)? {
            break head;
        }
    };
    if !String::from_utf8_lossy(&buffer[..head.head_bytes]).contains(ACCEPTED) {
        return Err(io::Error::other("the upgrade has a wrong answer to its key"));
    }
    let (sent, expected) = frames(message_bytes);
    buffer.resize(expected.len(), 0);
    while tally.permit() {
        stream.write_all(&sent).await?;
        stream.read_exact(&mut buffer).await?;
        if buffer != expected {
            return Err(io::Error::other("the echo is another one"));
        }
        tally.answered(message_bytes as u64);
    }
    Ok(())
}

/// A text frame as a client sends it, masked, and as a server does.
fn frames(message_bytes: usize) -> (Vec<u8>, Vec<u8>) {
    let text = vec![b'x'; message_bytes];
    let masked = text.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    let mut sent = vec![0x81, 0x80 | message_bytes as u8];
    sent.extend_from_slice(&MASK);
    sent.extend(masked);
    let mut expected = vec![0x81, message_bytes as u8];
    expected.extend_from_slice(&text);
    (sent, expected)
}
