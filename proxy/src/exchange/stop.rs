//! Why a request is answered here.

use crate::body::{Request, Response};
use crate::error::Error;
use crate::policy::http::Admitted;
use crate::policy::reply::Reply;
use crate::policy::route::History;

/// Why a request is answered here.
#[derive(Debug)]
pub(super) enum Stop {
    /// A rule says so.
    Reply(Box<Reply>),
    /// A filter has made the response, which gets none of what routes add.
    Response(Box<Response>, &'static str),
    /// Something went wrong.
    Error(Error),
    /// The upstream redirects to another route, which is followed.
    Again(Box<Again>),
}

/// The request that follows a redirect.
#[derive(Debug)]
pub(super) struct Again {
    pub(super) request: Request,
    pub(super) admitted: Admitted,
    pub(super) history: Box<History>,
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
