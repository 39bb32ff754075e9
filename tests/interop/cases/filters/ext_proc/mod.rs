//! Requests and responses that a service processes: it answers as the JSON in the request's field `x-do` asks (see
//! `scripts/ext_proc_server.py`), and what it was sent is compared, too.

mod ask;

mod parts;

mod names;

mod ends;

mod settings;

use crate::case::Case;

pub fn cases() -> Vec<Case> {
    [parts::cases(), names::cases(), ends::cases(), settings::cases()].concat()
}
