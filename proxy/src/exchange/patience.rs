//! Waiting without a timer, for a moment.
//!
//! Arming and disarming a timer costs a request half a microsecond, and nearly all are answered within
//! milliseconds. So those who begin to wait are put on a list; once in [`PATIENCE`] whoever is still waiting is woken
//! and arms a timer of its own. The list never holds more than the requests of one such moment.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::task::Waker;

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::limits::PATIENCE;

/// The list of one worker; owns the task that looks through it.
#[derive(Debug)]
pub(super) struct Patience {
    list: Rc<List>,
    task: AbortHandle,
}

#[derive(Debug, Default)]
struct List {
    waiting: RefCell<Vec<Weak<Waiting>>>,
    begun: Notify,
}

/// One who waits.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    waker: RefCell<Option<Waker>>,
    over: Cell<bool>,
}

impl Patience {
    /// An empty list. Must be made within a `LocalSet`.
    pub(super) fn new() -> Rc<Self> {
        let list = Rc::<List>::default();
        let task = tokio::task::spawn_local(look(Rc::clone(&list))).abort_handle();
        Rc::new(Self { list, task })
    }

    /// Puts one who waits on the list.
    pub(super) fn add(&self, waiting: &Rc<Waiting>) {
        let mut list = self.list.waiting.borrow_mut();
        if list.is_empty() {
            self.list.begun.notify_one();
        }
        list.push(Rc::downgrade(waiting));
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Waiting {
    /// Whether it is time to arm a timer.
    pub(super) fn is_over(&self) -> bool {
        self.over.get()
    }

    /// Who is to be woken.
    pub(super) fn remember(&self, waker: &Waker) {
        let mut remembered = self.waker.borrow_mut();
        if !remembered.as_ref().is_some_and(|remembered| remembered.will_wake(waker)) {
            *remembered = Some(waker.clone());
        }
    }

    /// Wakes whoever waits.
    pub(super) fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

async fn look(list: Rc<List>) {
    loop {
        list.begun.notified().await;
        while !list.waiting.borrow().is_empty() {
            sleep(PATIENCE).await;
            let waited = std::mem::take(&mut *list.waiting.borrow_mut());
            for waiting in waited.iter().filter_map(Weak::upgrade) {
                waiting.over.set(true);
                waiting.wake();
            }
        }
    }
}
