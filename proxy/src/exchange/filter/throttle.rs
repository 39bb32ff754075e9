//! A body that comes slowly, on purpose: so many bytes in each slice of time, as Envoy's `StreamRateLimiter`.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Sleep, sleep};

use crate::body::{Body, Frame, Source};
use crate::error::Error;

/// How long a slice of time is.
const SLICE: Duration = Duration::from_millis(50);

/// Makes `body` pass at `kbps` KiB per second.
pub(super) fn slow_down(body: &mut Body, kbps: u64) {
    if body.is_done() {
        return;
    }
    let per_second = kbps.saturating_mul(1024);
    let slice = usize::try_from(per_second * SLICE.as_millis() as u64 / 1000).unwrap_or(usize::MAX).max(1);
    let size = body.size();
    let inner = std::mem::replace(body, Body::empty());
    let source = Throttle { body: inner, slice, left: slice, rest: Bytes::new(), next: None };
    *body = Body::source(size, Box::new(source));
}

struct Throttle {
    body: Body,
    /// Bytes in a slice of time.
    slice: usize,
    /// Bytes left of the running one.
    left: usize,
    /// Bytes that came and have to wait.
    rest: Bytes,
    /// When the next slice begins, if it is waited for.
    next: Option<Pin<Box<Sleep>>>,
}

impl Source for Throttle {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        if self.rest.is_empty() {
            match ready!(self.body.poll_frame(cx)) {
                Some(Ok(Frame::Data(bytes))) => self.rest = bytes,
                other => return Poll::Ready(other),
            }
        }
        if self.left == 0 {
            let next = self.next.get_or_insert_with(|| Box::pin(sleep(SLICE)));
            ready!(next.as_mut().poll(cx));
            self.next = None;
            self.left = self.slice;
        }
        let now = self.rest.split_to(self.rest.len().min(self.left));
        self.left -= now.len();
        Poll::Ready(Some(Ok(Frame::Data(now))))
    }
}
