//! The backend: answers everything with the same bytes, at two ports, as cheaply as it can.
//!
//! A connection speaks HTTP/2 when it begins with that protocol's preface, else HTTP/1.1; for the load of messages
//! it is asked for bytes.

mod http1;
mod http2;
mod messages;

use std::rc::Rc;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use crate::wire::frames::PREFACE;
use crate::work::load::Load;

const BUFFER_BYTES: usize = 16 * 1024;

/// How it is started.
#[derive(clap::Args)]
pub struct Options {
    /// The ports on 127.0.0.1.
    #[arg(long, value_delimiter = ',', num_args = 1)]
    ports: Vec<u16>,
    /// The load of the variant, as JSON.
    #[arg(long)]
    load: String,
}

/// What is answered.
enum Service {
    Http { http1: http1::Answers, http2: http2::Answers },
    Messages,
}

/// Serves until it is killed.
pub fn run(options: &Options) -> Result<(), String> {
    let load: Load = serde_json::from_str(&options.load).map_err(|e| format!("--load: {e}"))?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let mut listeners = Vec::new();
        for port in &options.ports {
            let bound = TcpListener::bind(("127.0.0.1", *port)).await;
            listeners.push(bound.map_err(|e| format!("port {port}: {e}"))?);
        }
        listen(listeners, &load).await;
        Ok(())
    })
}

/// Answers a load at these listeners for as long as it is polled.
pub async fn listen(listeners: Vec<TcpListener>, load: &Load) {
    let service = Rc::new(match load {
        Load::Messages { .. } => Service::Messages,
        load => Service::Http { http1: http1::Answers::new(load), http2: http2::Answers::new(load) },
    });
    let mut accepting = tokio::task::JoinSet::new();
    for listener in listeners {
        accepting.spawn_local(accept(listener, service.clone()));
    }
    while accepting.join_next().await.is_some() {}
}

async fn accept(listener: TcpListener, service: Rc<Service>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let service = service.clone();
        tokio::task::spawn_local(async move {
            if let Err(reason) = serve(stream, &service).await {
                eprintln!("backend: {reason}");
            }
        });
    }
}

async fn serve(mut stream: TcpStream, service: &Service) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let Service::Http { http1, http2 } = service else { return messages::serve(stream).await };
    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    while buffer.len() < PREFACE.len() && PREFACE.starts_with(&buffer) {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
    if buffer.starts_with(PREFACE) {
        http2.serve(stream, buffer).await
    } else {
        http1.serve(stream, buffer).await
    }
}
