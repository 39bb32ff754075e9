//! The client engine against scripted backends.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;
use crate::body::{Body, Frame, Interim, RequestHead, Scheme, Size, Text, Version};
use crate::codec::io::Stream;
use crate::error::Reason;
use crate::fields::Fields;

mod requests;

mod responses;

/// Runs on a thread like a worker's, with virtual time.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, work)
}

pub fn settings() -> Rc<H1ClientSettings> {
    Rc::new(H1ClientSettings { enable_trailers: true, ..H1ClientSettings::default() })
}

/// Where connections come back to.
#[derive(Clone, Default)]
pub struct Shelf(Rc<RefCell<Vec<H1Connection>>>);

impl Shelf {
    pub fn give_back(&self) -> Rc<dyn Fn(H1Connection)> {
        let shelf = Rc::clone(&self.0);
        Rc::new(move |connection| shelf.borrow_mut().push(connection))
    }

    pub fn take(&self) -> Option<H1Connection> {
        self.0.borrow_mut().pop()
    }
}

pub fn request(method: Method, body: Body) -> Request {
    let head = RequestHead {
        method,
        scheme: Scheme::Http,
        authority: Text::from_static("a"),
        path: Text::from_static("/p"),
        version: Version::Http11,
        headers: Fields::new(),
        upgrade: None,
    };
    Request { head: Box::new(head), body, interim: Interim::default() }
}

pub fn get() -> Request {
    request(Method::GET, Body::empty())
}

/// A connection and its backend's end.
pub fn connect() -> (H1Connection, DuplexStream) {
    let (here, there) = tokio::io::duplex(1 << 20);
    (H1Connection::new(Stream::from(here), settings()), there)
}

/// A connection that has served one request before.
pub async fn used() -> (H1Connection, DuplexStream) {
    let (connection, mut backend) = connect();
    let shelf = Shelf::default();
    backend.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    connection.send(get(), shelf.give_back()).await.unwrap();
    read_head(&mut backend).await;
    (shelf.take().expect("it came back"), backend)
}

pub async fn read_head(backend: &mut DuplexStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(backend.read_u8().await.unwrap());
    }
    String::from_utf8(read).unwrap()
}

/// The body as text and trailers as `|name=value`, or the error's reason.
pub async fn read_body(body: &mut Body) -> Result<String, Reason> {
    let mut text = Vec::new();
    while let Some(frame) = body.frame().await {
        match frame.map_err(|error| error.reason())? {
            Frame::Data(bytes) => text.extend_from_slice(&bytes),
            Frame::Trailers(trailers) => {
                for (name, value) in &trailers {
                    text.extend_from_slice(format!("|{name}={}", value.to_str().unwrap()).as_bytes());
                }
            }
        }
    }
    Ok(String::from_utf8(text).unwrap())
}

/// What came of one GET whose backend answers `script` and closes: status, body and whether the connection came
/// back; or the reason.
pub fn answer(script: &[u8], method: &Method) -> Result<(u16, String, bool), Reason> {
    let whole = answer_cut(script, method, false);
    assert_eq!(answer_cut(script, method, true), whole, "segments change the answer to {script:?}");
    whole
}

fn answer_cut(script: &[u8], method: &Method, slow: bool) -> Result<(u16, String, bool), Reason> {
    run(async {
        let (connection, mut backend) = connect();
        let shelf = Shelf::default();
        let write = async {
            for piece in script.chunks(if slow { 1 } else { script.len().max(1) }) {
                if backend.write_all(piece).await.is_err() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            // The end comes later than the last byte, as it does on a network.
            tokio::time::sleep(Duration::from_secs(1)).await;
            drop(backend);
        };
        let exchange = async {
            let request = request(method.clone(), Body::empty());
            let mut response =
                connection.send(request, shelf.give_back()).await.map_err(|failed| failed.error.reason())?;
            let body = read_body(&mut response.body).await?;
            Ok((response.head.status.as_u16(), body))
        };
        let (answer, ()) = tokio::join!(exchange, write);
        answer.map(|(status, body)| (status, body, shelf.take().is_some()))
    })
}

/// A body that gives these frames, then waits for ever if it is not to end.
pub struct Scripted {
    pub frames: std::collections::VecDeque<Result<Frame, Error>>,
    pub ends: bool,
}

impl crate::body::Source for Scripted {
    fn poll_frame(
        &mut self,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame, Error>>> {
        match self.frames.pop_front() {
            None if !self.ends => std::task::Poll::Pending,
            frame => std::task::Poll::Ready(frame),
        }
    }
}

pub fn streamed(size: Size, frames: impl IntoIterator<Item = Result<Frame, Error>>) -> Body {
    Body::source(size, Box::new(Scripted { frames: frames.into_iter().collect(), ends: true }))
}

pub fn data(text: &'static str) -> Result<Frame, Error> {
    Ok(Frame::Data(Bytes::from_static(text.as_bytes())))
}
