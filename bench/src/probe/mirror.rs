//! The backend of a probe: answers a request with itself, as text.

use std::fmt::Write;
use std::io;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const END_OF_HEAD: &[u8] = b"\r\n\r\n";
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Serves a port as long as the runtime lives.
pub async fn listen(port: u16) -> Result<(), String> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|e| format!("port {port}: {e}"))?;
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(async move {
                if let Err(reason) = serve(stream, port).await {
                    eprintln!("probe: backend {port}: {reason}");
                }
            });
        }
    });
    Ok(())
}

async fn serve(stream: TcpStream, port: u16) -> io::Result<()> {
    let mut first = [0; 3];
    loop {
        match stream.peek(&mut first).await? {
            0 => return Ok(()),
            3 => break,
            _ => tokio::task::yield_now().await,
        }
    }
    if first == *b"PRI" {
        http2(stream, port).await.map_err(io::Error::other)
    } else {
        http1(stream, port).await
    }
}

async fn http1(mut stream: TcpStream, port: u16) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        if stream.read_buf(&mut buffer).await? == 0 || buffer.len() > HEAD_BYTES_MAX {
            return Ok(());
        }
        let Some(end) = buffer.windows(END_OF_HEAD.len()).position(|four| four == END_OF_HEAD) else {
            continue;
        };
        let head = String::from_utf8_lossy(&buffer[..end]).replace("\r\n", "\n");
        let body = format!("endpoint: {port}\nversion: 1\n{head}\n");
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await?;
        buffer.drain(..end + END_OF_HEAD.len());
    }
}

async fn http2(stream: TcpStream, port: u16) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(stream).await?;
    while let Some(accepted) = connection.accept().await {
        let (request, mut respond) = accepted?;
        let mut text = format!("endpoint: {port}\nversion: 2\n");
        let authority = request.uri().authority().map_or("", |authority| authority.as_str());
        writeln!(text, ":authority: {authority}").expect("a string takes everything");
        for (name, value) in request.headers() {
            writeln!(text, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))
                .expect("a string takes everything");
        }
        let mut stream = respond.send_response(http::Response::new(()), false)?;
        stream.send_data(Bytes::from(text), true)?;
    }
    Ok(())
}
