//! Relays bytes both ways between two connections.
//!
//! Between plain sockets much is spliced inside the kernel, everything else goes through large shared buffers.
//! One rule: an end in one direction is passed on and leaves the other direction open (RFC 9293 §3.6), so that a
//! client may say all it has to say and still hear the answer.

mod buffers;

mod half;

#[cfg(test)]
mod tests;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep};

use half::{Broken, Half};

use crate::splice::AsSocket;

/// How long a relay may last, and how much it may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyLimits {
    /// Most bytes of each direction that were read and not yet written.
    pub held_bytes_max: usize,
    /// Longest time without a byte in either direction; `None` is for ever.
    pub idle_timeout: Option<Duration>,
    /// Longest time altogether; `None` is for ever.
    pub max_duration: Option<Duration>,
}

impl Default for CopyLimits {
    fn default() -> Self {
        Self { held_bytes_max: usize::MAX, idle_timeout: None, max_duration: None }
    }
}

/// What a relay moved, kept by the caller so that it is known even if the relay is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Copied {
    /// Bytes from downstream to upstream.
    pub to_upstream: u64,
    /// Bytes from upstream to downstream.
    pub to_downstream: u64,
}

/// Why a relay ended.
#[derive(Debug)]
pub enum CopyEnd {
    /// Both sides ended in order.
    Complete,
    /// Nothing was sent for the idle timeout.
    Idle,
    /// It lasted as long as it may.
    MaxDuration,
    /// The downstream connection failed.
    Downstream(io::Error),
    /// The upstream connection failed.
    Upstream(io::Error),
}

/// Relays until both sides have ended, one fails, or a limit is reached; keeps `copied` current.
///
/// At most one buffer of [`crate::limits::COPY_BUFFER_BYTES`] or one pipe of [`crate::limits::PIPE_BYTES`] is held
/// for each direction, and none while a direction has nothing to write.
pub async fn copy<D, U>(
    downstream: &mut D,
    upstream: &mut U,
    limits: CopyLimits,
    copied: &mut Copied,
) -> CopyEnd
where
    D: AsyncRead + AsyncWrite + AsSocket + Unpin,
    U: AsyncRead + AsyncWrite + AsSocket + Unpin,
{
    let (mut up, mut down) = (Half::new(limits.held_bytes_max), Half::new(limits.held_bytes_max));
    let mut idle = limits.idle_timeout.map(Idle::new);
    let mut oldest = pin!(limits.max_duration.map(sleep));
    poll_fn(|cx| {
        let before = *copied;
        // The two directions share the sockets, so each is polled whatever the other says.
        let upwards = up.poll(cx, downstream, upstream);
        let downwards = down.poll(cx, upstream, downstream);
        *copied = Copied { to_upstream: up.bytes(), to_downstream: down.bytes() };
        match (upwards, downwards) {
            (Poll::Ready(Err(Broken::Reader(why))), _) | (_, Poll::Ready(Err(Broken::Writer(why)))) => {
                return Poll::Ready(CopyEnd::Downstream(why));
            }
            (Poll::Ready(Err(Broken::Writer(why))), _) | (_, Poll::Ready(Err(Broken::Reader(why)))) => {
                return Poll::Ready(CopyEnd::Upstream(why));
            }
            _ if up.is_ended() && down.is_ended() => return Poll::Ready(CopyEnd::Complete),
            _ => {}
        }
        if oldest.as_mut().as_pin_mut().is_some_and(|oldest| oldest.poll(cx).is_ready()) {
            return Poll::Ready(CopyEnd::MaxDuration);
        }
        let moved = *copied != before;
        if idle.as_mut().is_some_and(|idle| idle.poll_over(cx, moved).is_ready()) {
            return Poll::Ready(CopyEnd::Idle);
        }
        Poll::Pending
    })
    .await
}

/// A timer that is set anew only when it goes off, not at every byte.
struct Idle {
    after: Duration,
    last: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Idle {
    fn new(after: Duration) -> Self {
        Self { after, last: Instant::now(), timer: Box::pin(sleep(after)) }
    }

    fn poll_over(&mut self, cx: &mut Context<'_>, moved: bool) -> Poll<()> {
        if moved {
            self.last = Instant::now();
        }
        loop {
            std::task::ready!(self.timer.as_mut().poll(cx));
            let over = self.last + self.after;
            if over <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(over);
        }
    }
}
