//! What an exchange runs on: one worker's own things.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use http::HeaderValue;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use tokio::time::Instant;

use super::patience::Patience;
use crate::clock;
use crate::upstream::pool::Pools;

/// What belongs to one worker thread and is shared by all its exchanges, in an `Rc`.
#[derive(Debug)]
pub struct Worker {
    /// Connections to endpoints.
    pub pools: Pools,
    /// Randomness: shares, splits, ids, jitter.
    pub rng: RefCell<fastrand::Rng>,
    pub(super) patience: Rc<Patience>,
    date: RefCell<Date>,
}

/// The time as a `date` field, and until when it is right.
#[derive(Debug)]
struct Date {
    until: Instant,
    text: HeaderValue,
}

/// RFC 9110 §5.6.7.
const HTTP_DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

impl Worker {
    /// A worker without connections; to be called on its thread, within its `LocalSet`.
    #[must_use]
    pub fn new() -> Self {
        Self {
            pools: Pools::new(),
            rng: RefCell::new(fastrand::Rng::new()),
            patience: Patience::new(),
            date: RefCell::new(Date { until: clock::now(), text: HeaderValue::from_static("") }),
        }
    }

    /// A random number.
    #[must_use]
    pub fn random(&self) -> u64 {
        self.rng.borrow_mut().u64(..)
    }

    /// The time now as a `date` field; written once a second.
    #[must_use]
    pub fn date(&self) -> HeaderValue {
        let now = clock::now();
        let mut date = self.date.borrow_mut();
        if now >= date.until {
            let since = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default();
            let time = i64::try_from(since.as_secs()).ok();
            let time = time.and_then(|time| OffsetDateTime::from_unix_timestamp(time).ok());
            let text = time.and_then(|time| time.format(HTTP_DATE).ok()).unwrap_or_default();
            let left = Duration::from_secs(1) - Duration::from_nanos(since.subsec_nanos().into());
            *date = Date { until: now + left, text: HeaderValue::try_from(text).expect("a date is ASCII") };
        }
        date.text.clone()
    }
}

impl Default for Worker {
    fn default() -> Self {
        Self::new()
    }
}
