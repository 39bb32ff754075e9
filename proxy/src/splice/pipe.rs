//! Pipes for splicing, kept by the worker that made them.
//!
//! A pipe is two file descriptors and up to [`PIPE_BYTES`] of pinned memory, so it is taken when there are bytes to
//! move and given back when they are delivered: a connection that is idle holds none.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with, splice};
use tokio::time::Instant;

use super::socket::{Side, Socket};
use crate::clock;
use crate::limits::{PIPE_BYTES, PIPE_BYTES_MIN, PIPE_REFUSED_WAIT, PIPES_IN_USE_MAX, PIPES_KEPT};

thread_local! {
    static POOL: Rc<RefCell<Pool>> = Rc::default();
}

/// The pipes of one worker.
#[derive(Debug, Default)]
struct Pool {
    /// Empty ones.
    idle: Vec<Ends>,
    in_use: usize,
    /// When the kernel last gave no pipe, or too small a one.
    refused: Option<Instant>,
}

#[derive(Debug)]
struct Ends {
    read: OwnedFd,
    write: OwnedFd,
}

/// A pipe of the worker that took it, empty when taken.
#[derive(Debug)]
pub struct Pipe {
    /// `None` only while being dropped.
    ends: Option<Ends>,
    held: usize,
    pool: Rc<RefCell<Pool>>,
}

impl Pipe {
    /// An empty pipe; `None` if [`PIPES_IN_USE_MAX`] are in use on this worker or the kernel gives no more. Then the
    /// bytes are to be copied.
    #[must_use]
    pub fn take() -> Option<Self> {
        let pool = POOL.with(Rc::clone);
        let ends = pool.borrow_mut().take()?;
        Some(Self { ends: Some(ends), held: 0, pool })
    }

    /// Bytes in the pipe.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held
    }

    /// Moves bytes from a socket into the pipe, at most so many that it holds `held_max`. Gives how many; zero is the
    /// socket's end. The pipe must hold fewer than `held_max`.
    pub fn poll_fill(
        &mut self,
        from: Socket<'_>,
        held_max: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let room = held_max.saturating_sub(self.held);
        let into = &self.ends().write;
        let moved = ready!(poll_splice(from, Side::Read, cx, |socket| call(socket, into, room)))?;
        clock::tick();
        self.held += moved;
        Poll::Ready(Ok(moved))
    }

    /// Moves bytes from the pipe, which must hold some, to a socket. Gives how many.
    pub fn poll_drain(&mut self, to: Socket<'_>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let (from, held) = (&self.ends().read, self.held);
        let moved = ready!(poll_splice(to, Side::Write, cx, |socket| call(from, socket, held)))?;
        if moved == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.held -= moved;
        Poll::Ready(Ok(moved))
    }

    fn ends(&self) -> &Ends {
        self.ends.as_ref().expect("the ends are taken only when the pipe is dropped")
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        if let Some(ends) = self.ends.take() {
            self.pool.borrow_mut().give_back(ends, self.held == 0);
        }
    }
}

impl Pool {
    fn take(&mut self) -> Option<Ends> {
        if self.in_use >= PIPES_IN_USE_MAX {
            return None;
        }
        let ends = match self.idle.pop() {
            Some(ends) => ends,
            None => self.open()?,
        };
        self.in_use += 1;
        Some(ends)
    }

    fn give_back(&mut self, ends: Ends, empty: bool) {
        self.in_use -= 1;
        if empty && self.idle.len() < PIPES_KEPT {
            self.idle.push(ends);
        }
    }

    /// A new pipe, unless one was refused lately: asking costs five calls.
    fn open(&mut self) -> Option<Ends> {
        if self.refused.is_some_and(|then| clock::since(then) < PIPE_REFUSED_WAIT) {
            return None;
        }
        let opened = open();
        self.refused = if opened.is_none() { Some(clock::now()) } else { None };
        opened
    }
}

/// A pipe as large as the system lets a user have (`fs.pipe-max-size`, `fs.pipe-user-pages-soft`), if that is at
/// least [`PIPE_BYTES_MIN`].
fn open() -> Option<Ends> {
    let (read, write) = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).ok()?;
    let mut wanted = PIPE_BYTES;
    while wanted >= PIPE_BYTES_MIN && fcntl_setpipe_size(&write, wanted).is_err() {
        wanted /= 4;
    }
    let large_enough = fcntl_getpipe_size(&write).is_ok_and(|bytes| bytes >= PIPE_BYTES_MIN);
    large_enough.then_some(Ends { read, write })
}

fn call(from: impl AsFd, to: impl AsFd, bytes_max: usize) -> io::Result<usize> {
    splice(from, None, to, None, bytes_max, SpliceFlags::MOVE | SpliceFlags::NONBLOCK)
        .map_err(io::Error::from)
}

/// Repeats a call until it did something or the socket says to wait.
fn poll_splice(
    socket: Socket<'_>,
    side: Side,
    cx: &mut Context<'_>,
    call: impl Fn(std::os::fd::BorrowedFd<'_>) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(socket.poll_ready(side, cx))?;
        match socket.attempt(side, &call) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            moved => return Poll::Ready(moved),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipes_are_few_and_most_are_closed_when_they_come_back() {
        let taken: Vec<Pipe> = (0..PIPES_IN_USE_MAX).map_while(|_| Pipe::take()).collect();
        assert_eq!(taken.len(), PIPES_IN_USE_MAX);
        assert!(Pipe::take().is_none(), "the limit does not hold");
        drop(taken);
        POOL.with(|pool| {
            let pool = pool.borrow();
            assert_eq!((pool.in_use, pool.idle.len()), (0, PIPES_KEPT));
        });
        assert!(Pipe::take().is_some());
    }

    #[test]
    fn a_system_that_refused_a_pipe_is_left_alone_for_a_while() {
        let mut pool = Pool { refused: Some(clock::now()), ..Pool::default() };
        assert!(pool.take().is_none());
        pool.refused = clock::now().checked_sub(PIPE_REFUSED_WAIT);
        assert!(pool.take().is_some());
        assert!(pool.refused.is_none(), "it is asked again when it gave one");
    }
}
