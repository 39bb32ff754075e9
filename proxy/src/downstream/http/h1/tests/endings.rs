//! How connections end: on purpose, by time, by drain, by force.

use super::*;
use crate::limits::{DRAIN_IDLE, HALF_CLOSE_GRACE};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// A server whose client the test plays.
async fn with_client<H, C>(settings: &H1Settings, drain: &Drain, handler: H, client: C) -> End
where
    H: AsyncFn(Request) -> Response,
    C: AsyncFnOnce(DuplexStream),
{
    let (here, there) = tokio::io::duplex(1 << 16);
    tokio::join!(serve(Stream::from(there), settings, drain.watch(), handler), client(here)).0
}

async fn never(_request: Request) -> Response {
    std::future::pending().await
}

#[test]
fn connection_close_is_honoured_and_announced() {
    let sent = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let (answer, end) = converse(&settings(), ok, sent);
    assert_eq!(answer, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
    assert!(matches!(end, End::Closed), "RFC 9112 §9.6: {end:?}");
}

#[test]
fn a_handler_can_end_the_connection() {
    let handler = async |_: Request| Response { close: true, ..Response::new(StatusCode::OK, Body::empty()) };
    let (answer, _end) = converse(&settings(), handler, &[GET, GET].concat());
    assert_eq!(answer, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

#[test]
fn the_request_count_ends_the_connection() {
    let two = H1Settings { max_requests_per_connection: Some(2), ..settings() };
    let (answer, _end) = converse(&two, ok, &[GET, GET, GET].concat());
    assert_eq!(responses(&answer), 2, "{answer:?}");
    assert_eq!(answer.matches("connection: close").count(), 1, "the last says so: {answer:?}");
}

#[test]
fn an_idle_connection_is_closed_silently() {
    let short = H1Settings { idle_timeout: Some(Duration::from_secs(5)), ..settings() };
    let end = run(async {
        with_client(&short, &Drain::new(), ok, async |mut client| {
            client.write_all(GET).await.unwrap();
            read_until(&mut client, "ok").await;
            tokio::time::sleep(Duration::from_secs(4)).await;
            client.write_all(GET).await.unwrap();
            read_until(&mut client, "ok").await;
            let before = tokio::time::Instant::now();
            assert_eq!(read_all(&mut client).await, "", "nothing is said");
            assert_eq!(before.elapsed().as_secs(), 5, "the wait begins with the last response");
        })
        .await
    });
    assert!(matches!(end, End::Idle), "{end:?}");
}

#[test]
fn a_head_that_does_not_end_is_answered_408() {
    let short = H1Settings { request_headers_timeout: Some(Duration::from_secs(3)), ..settings() };
    let end = run(async {
        with_client(&short, &Drain::new(), ok, async |mut client| {
            tokio::time::sleep(Duration::from_secs(10)).await;
            client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
            tokio::time::sleep(Duration::from_secs(2)).await;
            client.write_all(b"Host: a\r\n").await.unwrap();
            let answer = read_all(&mut client).await;
            assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer:?}");
        })
        .await
    });
    assert!(matches!(&end, End::Refused(error) if error.reason() == Reason::RequestHeadTimeout), "{end:?}");
}

#[test]
fn a_drain_lets_the_request_in_progress_finish_and_announces_the_end() {
    let drain = Drain::new();
    let end = run(async {
        let handler = async |_: Request| {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Response::new(StatusCode::OK, Body::full("ok"))
        };
        with_client(&settings(), &drain, handler, async |mut client| {
            client.write_all(GET).await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
            drain.start();
            let answer = read_all(&mut client).await;
            assert!(answer.contains("connection: close\r\n") && answer.ends_with("ok"), "{answer:?}");
        })
        .await
    });
    assert!(matches!(end, End::Closed), "{end:?}");
}

#[test]
fn a_drain_still_serves_the_request_that_is_on_its_way() {
    let drain = Drain::new();
    run(async {
        with_client(&settings(), &drain, ok, async |mut client| {
            client.write_all(GET).await.unwrap();
            read_until(&mut client, "ok").await;
            drain.start();
            tokio::time::sleep(Duration::from_secs(1)).await;
            client.write_all(GET).await.unwrap();
            let answer = read_all(&mut client).await;
            assert!(answer.contains("connection: close\r\n"), "served, then closed: {answer:?}");
        })
        .await;
    });
}

#[test]
fn a_drain_closes_a_connection_that_stays_idle() {
    let drain = Drain::new();
    let end = run(async {
        with_client(&settings(), &drain, ok, async |mut client| {
            tokio::time::sleep(Duration::from_secs(100)).await;
            let before = tokio::time::Instant::now();
            drain.start();
            read_all(&mut client).await;
            assert_eq!(before.elapsed().as_secs(), DRAIN_IDLE.as_secs(), "not at once, not much later");
        })
        .await
    });
    assert!(matches!(end, End::Drained), "{end:?}");
}

#[test]
fn a_stop_cuts_the_request_in_progress() {
    let drain = Drain::new();
    let end = run(async {
        with_client(&settings(), &drain, never, async |mut client| {
            client.write_all(GET).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
            drain.stop();
            assert_eq!(read_all(&mut client).await, "");
        })
        .await
    });
    assert!(matches!(end, End::Stopped), "{end:?}");
}

#[test]
fn an_owner_that_goes_away_stops_its_connections() {
    let drain = Drain::new();
    let watch = drain.watch();
    let end = run(async {
        let (client, server) = tokio::io::duplex(64);
        let settings = settings();
        let ends = async {
            tokio::task::yield_now().await;
            drop(drain);
        };
        let end = tokio::join!(serve(Stream::from(server), &settings, watch, ok), ends).0;
        drop(client);
        end
    });
    assert!(matches!(end, End::Stopped), "{end:?}");
}

#[test]
fn a_half_closed_client_still_gets_its_answer() {
    let handler = async |_: Request| {
        tokio::time::sleep(HALF_CLOSE_GRACE / 2).await;
        Response::new(StatusCode::OK, Body::full("ok"))
    };
    let (answer, _end) = converse(&settings(), handler, GET);
    assert!(answer.ends_with("ok"), "RFC 9112 §9.6: {answer:?}");
}

#[test]
fn a_client_that_went_away_ends_the_handler() {
    struct Noted(Rc<RefCell<bool>>);
    impl Drop for Noted {
        fn drop(&mut self) {
            *self.0.borrow_mut() = true;
        }
    }
    for grace in [HALF_CLOSE_GRACE, Duration::ZERO] {
        let dropped = Rc::new(RefCell::new(false));
        let handler = async |_: Request| {
            let _noted = Noted(Rc::clone(&dropped));
            std::future::pending::<Response>().await
        };
        let settings = H1Settings { half_close_grace: grace, ..settings() };
        let (end, took) = run(async {
            let before = tokio::time::Instant::now();
            let end = with_client(&settings, &Drain::new(), handler, async |mut client| {
                client.write_all(GET).await.unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
            })
            .await;
            (end, before.elapsed())
        });
        assert!(matches!(&end, End::Cut(error) if error.reason() == Reason::DownstreamClosed), "{end:?}");
        assert!(*dropped.borrow(), "the handler is dropped");
        assert!(took <= grace + Duration::from_millis(20), "within the grace: {took:?}");
    }
}

#[test]
fn a_half_closed_client_gets_a_long_response_whole() {
    let handler = async |_: Request| {
        let body = crate::body::Body::source(Size::Unknown, Box::new(Ticks { left: 5, timer: None }));
        Response::new(StatusCode::OK, body)
    };
    let (answer, _end) = converse(&settings(), handler, GET);
    assert_eq!(body_of(&answer), "1\r\n.\r\n".repeat(5) + "0\r\n\r\n", "each byte taken renews the grace");
}

/// A byte every 0.8 s.
struct Ticks {
    left: u32,
    timer: Option<std::pin::Pin<Box<tokio::time::Sleep>>>,
}

impl Source for Ticks {
    fn poll_frame(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame, Error>>> {
        if self.left == 0 {
            return std::task::Poll::Ready(None);
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(HALF_CLOSE_GRACE * 4 / 5)));
        std::task::ready!(timer.as_mut().poll(cx));
        self.timer = None;
        self.left -= 1;
        std::task::Poll::Ready(Some(data(".")))
    }
}

#[test]
fn a_failed_response_body_ends_without_a_last_chunk() {
    let handler = async |_: Request| {
        let failed = Err(Error::new(Reason::UpstreamClosed, "gone"));
        Response::new(StatusCode::OK, frames(Size::Unknown, [data("part"), failed]))
    };
    let (answer, end) = converse(&settings(), handler, &[GET, GET].concat());
    assert_eq!(body_of(&answer), "4\r\npart\r\n", "RFC 9112 §8: the client can tell");
    assert!(matches!(&end, End::Cut(error) if error.reason() == Reason::UpstreamClosed), "{end:?}");
}

#[test]
fn a_body_cut_by_the_client_is_an_error_for_the_handler() {
    let seen = RefCell::new(None);
    let handler = async |mut request: Request| {
        while let Some(frame) = request.body.frame().await {
            if let Err(error) = frame {
                *seen.borrow_mut() = Some(error.reason());
            }
        }
        Response::new(StatusCode::OK, Body::empty())
    };
    let sent = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf";
    let (answer, _end) = converse(&settings(), handler, sent);
    assert_eq!(*seen.borrow(), Some(Reason::DownstreamClosed));
    assert!(answer.contains("connection: close"), "{answer:?}");
}

#[test]
fn pipelined_bytes_are_read_ahead_only_to_a_limit() {
    run(async {
        let (mut client, server) = tokio::io::duplex(1024);
        let settings = settings();
        let drain = Drain::new();
        let flood = async {
            client.write_all(GET).await.unwrap();
            let mut taken = 0;
            while let Ok(Ok(count)) =
                tokio::time::timeout(Duration::from_secs(1), client.write(&[b'x'; 1024])).await
            {
                taken += count;
            }
            assert!(taken < 64 * 1024, "{taken} bytes were read ahead");
        };
        tokio::select! {
            end = serve(Stream::from(server), &settings, drain.watch(), never) => panic!("{end:?}"),
            () = flood => {}
        }
    });
}

#[test]
fn the_last_response_is_read_although_more_was_sent() {
    // Over a real socket: closing with unread bytes makes the kernel send a reset, which would drop the answer.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let drain = Drain::new();
        let settings = settings();
        let server = async {
            let (socket, _) = listener.accept().await.unwrap();
            serve(Stream::from(socket), &settings, drain.watch(), ok).await
        };
        let client = async {
            let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
            let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n";
            socket.write_all(head).await.unwrap();
            for _ in 0..20 {
                // The server may end its side meanwhile.
                let _closed = socket.write_all(&[b'x'; 10_000]).await;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let mut answer = String::new();
            socket.read_to_string(&mut answer).await.unwrap();
            assert!(answer.ends_with("ok"), "{answer:?}");
        };
        tokio::join!(server, client);
    });
}
