use std::task::Waker;

use super::*;

/// Gives what it is told, then the end or an error.
struct Scripted(VecDeque<Option<Result<Frame, Error>>>);

impl Source for Scripted {
    fn poll_frame(&mut self, _cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        match self.0.pop_front() {
            Some(polled) => Poll::Ready(polled),
            None => Poll::Pending,
        }
    }
}

fn data(bytes: usize) -> Option<Result<Frame, Error>> {
    Some(Ok(Frame::Data(vec![b'x'; bytes].into())))
}

fn tee(size: Size, script: impl IntoIterator<Item = Option<Result<Frame, Error>>>) -> (Body, Body) {
    let tap = Tap::default();
    let left = match size {
        Size::Exact(bytes) => Some(bytes),
        Size::Unknown => None,
    };
    let body = Body::source(size, Box::new(Scripted(script.into_iter().collect())));
    let tee = Tee { body, left, taps: vec![(tap.clone(), Held::default())] };
    (Body::source(size, Box::new(tee)), Body::source(size, Box::new(tap)))
}

/// What a body gives until it has no more for now: bytes, and how it stands then.
fn read(body: &mut Body) -> (usize, String) {
    let cx = &mut Context::from_waker(Waker::noop());
    let mut bytes = 0;
    loop {
        match body.poll_frame(cx) {
            Poll::Pending => return (bytes, "waits".to_owned()),
            Poll::Ready(None) => return (bytes, "ends".to_owned()),
            Poll::Ready(Some(Ok(Frame::Data(data)))) => bytes += data.len(),
            Poll::Ready(Some(Ok(Frame::Trailers(_)))) => return (bytes, "trailers".to_owned()),
            Poll::Ready(Some(Err(error))) => return (bytes, error.detail().to_owned()),
        }
    }
}

#[test]
fn a_copy_gets_what_its_request_gets_and_ends_with_it() {
    let (mut body, mut copy) = tee(Size::Unknown, [data(3), data(4), None]);
    assert_eq!(read(&mut copy), (0, "waits".to_owned()));
    assert_eq!(read(&mut body), (7, "ends".to_owned()));
    assert_eq!(read(&mut copy), (7, "ends".to_owned()));
}

#[test]
fn a_copy_of_known_length_ends_though_nobody_asks_for_the_end() {
    let (mut body, mut copy) = tee(Size::Exact(7), [data(7)]);
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(body.poll_frame(cx).is_ready());
    drop(body);
    assert_eq!(read(&mut copy), (7, "ends".to_owned()));
}

#[test]
fn a_request_that_breaks_off_breaks_its_copy_off() {
    let (body, mut copy) = tee(Size::Exact(7), [data(3)]);
    drop(body);
    assert_eq!(read(&mut copy), (0, "the request broke off".to_owned()));
    let broken = Some(Err(Error::new(Reason::DownstreamClosed, "gone")));
    let (mut body, mut copy) = tee(Size::Unknown, [data(3), broken]);
    assert_eq!(read(&mut body), (3, "gone".to_owned()));
    assert_eq!(read(&mut copy), (3, "the request broke off".to_owned()));
}

/// Runs on a clock that stands still unless everything waits.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime can be built").block_on(test);
}

async fn next(body: &mut Body) -> Option<usize> {
    match body.frame().await? {
        Ok(Frame::Data(bytes)) => Some(bytes.len()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_copy_that_is_not_read_is_given_up_and_its_request_goes_on() {
    run(async {
        let half = MIRROR_BUFFER_BYTES / 2 + 1;
        let (mut body, mut copy) = tee(Size::Unknown, [data(half), data(half), data(half), None]);
        let before = Instant::now();
        for _ in 0..3 {
            assert_eq!(next(&mut body).await, Some(half));
        }
        assert_eq!(next(&mut body).await, None);
        assert_eq!(before.elapsed().as_secs(), MIRROR_HOLD_MAX.as_secs(), "held back once, and no longer");
        assert_eq!(read(&mut copy), (0, "the copy's cluster is too slow".to_owned()));
    });
}

#[test]
fn a_copy_that_is_read_in_time_gets_all_however_long_the_body_is() {
    run(async {
        let all = MIRROR_BUFFER_BYTES + 1;
        let (mut body, mut copy) = tee(Size::Unknown, [data(all), data(all), data(all), None]);
        let slowly = async {
            let mut bytes = 0;
            loop {
                sleep(MIRROR_HOLD_MAX / 4).await;
                match next(&mut copy).await {
                    Some(more) => bytes += more,
                    None => return bytes,
                }
            }
        };
        let request = async { while next(&mut body).await.is_some() {} };
        assert_eq!(tokio::join!(slowly, request).0, 3 * all);
    });
}

#[test]
fn the_time_that_copies_hold_a_request_back_adds_up() {
    run(async {
        let all = MIRROR_BUFFER_BYTES + 1;
        let (mut body, mut copy) = tee(Size::Unknown, std::iter::repeat_with(|| data(all)).take(9));
        let before = Instant::now();
        let slowly = async {
            while before.elapsed() < 3 * MIRROR_HOLD_MAX {
                sleep(MIRROR_HOLD_MAX / 4).await;
                let _read_or_given_up = copy.frame().await;
            }
        };
        let request = async {
            for _ in 0..9 {
                next(&mut body).await;
            }
            before.elapsed()
        };
        let took = tokio::join!(slowly, request).1;
        assert_eq!(took.as_secs(), MIRROR_HOLD_MAX.as_secs(), "{took:?}");
    });
}
