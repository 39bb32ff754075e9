//! HTTP/1.1: one request at a time, on one connection or on one each.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::tally::Tally;
use super::target::{Open, Stream, Target};
use crate::wire::http1;

const SMALL_BUFFER_BYTES: usize = 16 * 1024;
const LARGE_BUFFER_BYTES: usize = 256 * 1024;

/// How long a server may take to close after its last answer.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

/// Asks on one connection until there is nothing more to ask for.
pub async fn keep_alive(target: &Target, tally: &Tally) -> io::Result<()> {
    match target.open().await? {
        Open::Plain(mut stream) => ask_on(&mut stream, target, tally).await,
        Open::Tls(mut stream) => ask_on(&mut stream, target, tally).await,
    }
}

/// Asks once on each connection and sees the server close it.
pub async fn one_each(target: &Target, tally: &Tally) -> io::Result<()> {
    let mut buffer = buffer_for(target);
    while tally.permit() {
        let bytes = match target.open().await? {
            Open::Plain(mut stream) => ask_and_close(&mut stream, target, &mut buffer).await?,
            Open::Tls(mut stream) => ask_and_close(&mut stream, target, &mut buffer).await?,
        };
        tally.answered(bytes);
    }
    Ok(())
}

/// Asks once and leaves the connection as it is.
pub async fn ask_once(stream: &mut impl Stream, target: &Target) -> io::Result<u64> {
    ask(stream, target, &mut buffer_for(target)).await
}

async fn ask_on(stream: &mut impl Stream, target: &Target, tally: &Tally) -> io::Result<()> {
    let mut buffer = buffer_for(target);
    while tally.permit() {
        tally.answered(ask(stream, target, &mut buffer).await?);
    }
    Ok(())
}

async fn ask_and_close(stream: &mut impl Stream, target: &Target, buffer: &mut Vec<u8>) -> io::Result<u64> {
    let bytes = ask(stream, target, buffer).await?;
    // The server was asked to close; who closes first keeps the port busy for a minute, and it must not be us.
    let closed = tokio::time::timeout(CLOSE_DEADLINE, stream.read_buf(buffer)).await;
    match closed {
        Ok(Ok(0)) => Ok(bytes),
        // Without close_notify; the answer has a length, so nothing can have been cut off.
        Ok(Err(e)) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(bytes),
        Ok(Ok(_)) => Err(io::Error::other("more than one answer")),
        Ok(Err(e)) => Err(e),
        Err(_) => Err(io::Error::other("the server does not close as it was asked to")),
    }
}

async fn ask(stream: &mut impl Stream, target: &Target, buffer: &mut Vec<u8>) -> io::Result<u64> {
    stream.write_all(&target.request).await?;
    stream.flush().await?;
    buffer.clear();
    let head = loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed before the answer"));
        }
        if let Some(head) = http1::head(buffer, 200)? {
            break head;
        }
    };
    if head.body_bytes != target.response_bytes {
        return Err(io::Error::other(format!("a body of {} bytes", head.body_bytes)));
    }
    let mut missing = (head.head_bytes + head.body_bytes)
        .checked_sub(buffer.len())
        .ok_or_else(|| io::Error::other("more than one answer"))?;
    while missing > 0 {
        buffer.clear();
        let read = stream.read_buf(buffer).await?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed within the answer"));
        }
        missing = missing.checked_sub(read).ok_or_else(|| io::Error::other("more than one answer"))?;
    }
    Ok(head.body_bytes as u64)
}

fn buffer_for(target: &Target) -> Vec<u8> {
    let large = target.response_bytes > SMALL_BUFFER_BYTES;
    Vec::with_capacity(if large { LARGE_BUFFER_BYTES } else { SMALL_BUFFER_BYTES })
}
