//! TCP: eight bytes ask for a message of that many bytes.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::tally::Tally;
use super::target::Target;

const BUFFER_BYTES: usize = 256 * 1024;

/// Asks for one message after the other on one connection.
pub async fn exchange(target: &Target, tally: &Tally, message_bytes: usize) -> io::Result<()> {
    let mut stream = target.connect().await?;
    let mut buffer = vec![0; BUFFER_BYTES];
    while tally.permit() {
        stream.write_all(&(message_bytes as u64).to_be_bytes()).await?;
        let mut missing = message_bytes;
        while missing > 0 {
            let wanted = missing.min(BUFFER_BYTES);
            let read = stream.read(&mut buffer[..wanted]).await?;
            if read == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed within a message"));
            }
            missing -= read;
        }
        tally.answered(message_bytes as u64);
    }
    Ok(())
}
