//! A text made of a record: a log's line, or the body of a local answer.

use xds::model::{AccessLogFormat, FormatString};

use super::environment::Environment;
use super::format::{Format, Needs};
use super::json::JsonFormat;
use crate::error::Invalid;
use crate::observe::record::{Heads, Record};

/// Envoy's default line.
const DEFAULT: &str = "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" \
    %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% \
    %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \
    \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"\n";

/// A compiled format in one of its forms.
#[derive(Debug)]
pub struct Line(Kind);

#[derive(Debug)]
enum Kind {
    Text { format: Format, missing: &'static str },
    Json(JsonFormat),
}

impl Line {
    /// Compiles a format.
    ///
    /// # Errors
    /// Names the part that cannot be used.
    pub fn compile(format: &AccessLogFormat, environment: &Environment) -> Result<Self, Invalid> {
        let text = |format: &FormatString, missing| {
            let format = Format::compile(format, environment)
                .map_err(|reason| Invalid::new("text_format_source", reason))?;
            Ok(Kind::Text { format, missing })
        };
        let kind = match format {
            AccessLogFormat::Default => {
                text(&FormatString::parse(DEFAULT).expect("Envoy's default format is well formed"), "-")
            }
            AccessLogFormat::Text { format, omit_empty_values } => {
                text(format, if *omit_empty_values { "" } else { "-" })
            }
            AccessLogFormat::Json { fields, omit_empty_values } => {
                JsonFormat::compile(fields, *omit_empty_values, environment)
                    .map(Kind::Json)
                    .map_err(|invalid| invalid.within("json_format"))
            }
        };
        kind.map(Self)
    }

    /// Whether it is JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        matches!(self.0, Kind::Json(_))
    }

    /// The text.
    #[must_use]
    pub fn render(&self, record: &Record, heads: &Heads<'_>) -> String {
        let mut line = String::with_capacity(256);
        match &self.0 {
            Kind::Text { format, missing } => format.render(&mut line, record, heads, missing),
            Kind::Json(json) => json.render(&mut line, record, heads),
        }
        line
    }

    /// Adds the fields this looks at.
    pub fn needs(&self, needs: &mut Needs) {
        match &self.0 {
            Kind::Text { format, .. } => format.needs(needs),
            Kind::Json(json) => json.needs(needs),
        }
    }
}
