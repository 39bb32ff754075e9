//! Backends that tell what they received. They run as long as the test does.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;

use harness::certs::{Authority, provider};

/// What every header of version 2 begins with.
const V2_SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Starts the backend that a word of a bootstrap names, if it names one.
pub fn start(word: &str) -> Option<SocketAddr> {
    let (kind, _) = word.split_once('_')?;
    let serve = match kind {
        "raw" => raw,
        "http" => http,
        "tls" => tls,
        "udp" => return Some(udp(word)),
        _ => return None,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on loopback");
    let addr = listener.local_addr().expect("a bound socket has an address");
    let name = word.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let name = name.clone();
            // Whoever goes away in the middle is not waited for.
            std::thread::spawn(move || drop(serve(&name, stream)));
        }
    });
    Some(addr)
}

/// Answers each datagram with its name and the session's number; some texts ask for more.
fn udp(name: &str) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on loopback");
    let addr = socket.local_addr().expect("a bound socket has an address");
    let name = name.to_owned();
    std::thread::spawn(move || {
        let mut sessions: Vec<SocketAddr> = Vec::new();
        let mut buffer = vec![0; 65_536];
        while let Ok((read, from)) = socket.recv_from(&mut buffer) {
            let known = sessions.iter().position(|known| *known == from);
            let number = known.unwrap_or_else(|| {
                sessions.push(from);
                sessions.len() - 1
            });
            let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
            let mut answer = format!("<{name} {number:03}> {text}").into_bytes();
            let times = match text.as_str() {
                "silent" => 0,
                "twice" => 2,
                _ => 1,
            };
            if let Some(length) = text.strip_prefix("big ").and_then(|length| length.parse().ok()) {
                answer = vec![b'x'; length];
            }
            for _ in 0..times {
                // A client that is gone misses it.
                let _ = socket.send_to(&answer, from);
            }
        }
    });
    addr
}

/// Says its name and what a PROXY header said, then what comes, byte by byte.
fn raw(name: &str, mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (header, rest) = proxy_header(&mut stream)?;
    echo(name, &header, &rest, stream)
}

/// The same in TLS, after the header.
fn tls(name: &str, mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (header, rest) = proxy_header(&mut stream)?;
    let identity = Authority::new("backend.example").dns(&["backend.example"]);
    let config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder.with_no_client_auth().with_single_cert(vec![identity.cert_der()], identity.key_der())
        })
        .map_err(std::io::Error::other)?;
    let mut session = rustls::ServerConnection::new(Arc::new(config)).map_err(std::io::Error::other)?;
    let mut rest = rest.as_slice();
    while !rest.is_empty() {
        session.read_tls(&mut rest)?;
        session.process_new_packets().map_err(std::io::Error::other)?;
    }
    echo(name, &format!("{header} in TLS"), &[], rustls::StreamOwned::new(session, stream))
}

fn echo(name: &str, header: &str, first: &[u8], mut stream: impl Read + Write) -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    let mut bytes = first.to_vec();
    if bytes.is_empty() {
        let read = stream.read(&mut buffer)?;
        bytes.extend_from_slice(&buffer[..read]);
    }
    stream.write_all(format!("<{name}{header}>").as_bytes())?;
    while !bytes.is_empty() {
        stream.write_all(&bytes)?;
        stream.flush()?;
        let read = stream.read(&mut buffer)?;
        bytes = buffer[..read].to_vec();
    }
    Ok(())
}

/// Answers every request with its name, what a PROXY header said, and the request's number on its connection.
fn http(name: &str, mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (header, mut bytes) = proxy_header(&mut stream)?;
    let mut buffer = [0; 4096];
    for number in 1.. {
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            let read = stream.read(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            bytes.extend_from_slice(&buffer[..read]);
        };
        let head: Vec<u8> = bytes.drain(..end).collect();
        let line = String::from_utf8_lossy(&head);
        let line = line.lines().next().unwrap_or_default();
        let body = format!("<{name}{header}> {line}, request {number}");
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}

/// What a PROXY header says, if there is one, and the bytes after it. Waits for the first bytes.
fn proxy_header(stream: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer)?;
        bytes.extend_from_slice(&buffer[..read]);
        let whole = if bytes.starts_with(b"PROXY ") {
            bytes
                .windows(2)
                .position(|window| window == b"\r\n")
                .map(|end| (version_1(&bytes[..end]), end + 2))
        } else if bytes.starts_with(V2_SIGNATURE) {
            let length =
                bytes.get(14..16).map(|length| usize::from(u16::from_be_bytes([length[0], length[1]])) + 16);
            length.and_then(|length| Some((version_2(bytes.get(..length)?), length)))
        } else {
            Some((String::new(), 0))
        };
        if let Some((header, length)) = whole {
            return Ok((header, bytes.split_off(length)));
        }
        if read == 0 {
            return Ok((" with half a header".to_owned(), bytes));
        }
    }
}

fn version_1(line: &[u8]) -> String {
    format!(" {}", String::from_utf8_lossy(line))
}

fn version_2(header: &[u8]) -> String {
    let (command, family, body) = (header[12], header[13], &header[16..]);
    let port = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
    let (ends, mut rest) = match family {
        0x11 => {
            let ip =
                |at: usize| IpAddr::V4(Ipv4Addr::new(body[at], body[at + 1], body[at + 2], body[at + 3]));
            (format!(" {}:{} {}:{}", ip(0), port(8), ip(4), port(10)), &body[12..])
        }
        0x21 => {
            let ip = |at: usize| {
                let octets: [u8; 16] = body[at..at + 16].try_into().expect("sixteen");
                IpAddr::V6(Ipv6Addr::from(octets))
            };
            (format!(" {} {} {} {}", ip(0), port(32), ip(16), port(34)), &body[36..])
        }
        _ => (String::new(), body),
    };
    let mut told = format!(" command {command:x} family {family:x}{ends}");
    while let [kind, high, low, after @ ..] = rest {
        let (value, next) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])).min(after.len()));
        told.push_str(&format!(" tlv {kind:x}={}", value.escape_ascii()));
        rest = next;
    }
    told
}
