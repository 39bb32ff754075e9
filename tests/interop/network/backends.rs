//! Backends that tell what they received. They run as long as the test does.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

/// Starts the backend that a word of a bootstrap names, if it names one.
pub fn start(word: &str) -> Option<SocketAddr> {
    let (kind, _) = word.split_once('_')?;
    let serve = match kind {
        "raw" => raw,
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

/// Says its name, then what comes, byte by byte.
fn raw(name: &str, mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 4096];
    let mut named = false;
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        if !std::mem::replace(&mut named, true) {
            stream.write_all(format!("<{name}>").as_bytes())?;
        }
        stream.write_all(&buffer[..read])?;
    }
}
