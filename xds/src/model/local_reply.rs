//! What becomes of answers that a proxy makes itself (`LocalReplyConfig`).

use http::StatusCode;

use super::{AccessLogFilter, AccessLogFormat, DataSource, HeaderAdd};

/// How local answers look.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LocalReplies {
    /// The first whose filter an answer passes changes it.
    pub mappers: Vec<LocalReplyMapper>,
    /// The body of answers whose mapper has no format, or that no mapper takes; `None` leaves it.
    pub body_format: Option<BodyFormat>,
}

/// Changes answers.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalReplyMapper {
    /// Which.
    pub filter: AccessLogFilter,
    /// Another status: 200 to 599.
    pub status: Option<StatusCode>,
    /// Another body, before it is put into a format.
    pub body: Option<DataSource>,
    /// How the body looks.
    pub body_format: Option<BodyFormat>,
    /// Fields to add.
    pub headers: Vec<HeaderAdd>,
}

/// How a body is made.
#[derive(Debug, Clone, PartialEq)]
pub struct BodyFormat {
    /// Text or JSON, never the default of access logs.
    pub format: AccessLogFormat,
    /// `None`: `text/plain` of a text, `application/json` of JSON.
    pub content_type: Option<String>,
}
