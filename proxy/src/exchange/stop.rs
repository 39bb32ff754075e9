//! Why a request is answered here.

use crate::body::Response;
use crate::error::Error;
use crate::policy::reply::Reply;

/// Why a request is answered here.
#[derive(Debug)]
pub(super) enum Stop {
    /// A rule says so.
    Reply(Box<Reply>),
    /// A filter has made the response, which gets none of what routes add.
    Response(Box<Response>, &'static str),
    /// Something went wrong.
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Reply> for Stop {
    fn from(reply: Reply) -> Self {
        Self::Reply(Box::new(reply))
    }
}
