//! The logs of one listener, connection manager or router: compiled once, written per request.

use xds::model::{AccessLog, AccessLogFormat, FormatString};

use super::environment::Environment;
use super::filter::Filter;
use super::format::{Format, Needs};
use super::json::JsonFormat;
use super::output::{Output, Outputs};
use crate::error::Invalid;
use crate::observe::record::Record;

/// Envoy's default line.
const DEFAULT: &str = "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" \
    %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% \
    %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \
    \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"\n";

/// Compiled access logs.
#[derive(Debug, Default)]
pub struct AccessLogs {
    logs: Vec<Log>,
    needs: Needs,
}

#[derive(Debug)]
struct Log {
    line: Line,
    filter: Option<Filter>,
    output: Output,
}

#[derive(Debug)]
enum Line {
    Text { format: Format, missing: &'static str },
    Json(JsonFormat),
}

impl AccessLogs {
    /// Compiles the logs and opens their outputs.
    ///
    /// # Errors
    /// Names the log and the format, filter or file that cannot be used.
    pub fn compile(models: &[AccessLog], outputs: &Outputs) -> Result<Self, Invalid> {
        let mut needs = Needs::default();
        let mut logs = Vec::with_capacity(models.len());
        for (index, AccessLog { sink, format, filter }) in models.iter().enumerate() {
            let at = |invalid: Invalid| invalid.within(&format!("access_log[{index}]"));
            let line = compile_line(format, outputs.environment()).map_err(at)?;
            let filter = filter.as_ref().map(Filter::compile).transpose();
            let filter = filter.map_err(|invalid| at(invalid.within("filter")))?;
            let output = outputs.open(sink).map_err(|reason| at(Invalid::new("path", reason)))?;
            match &line {
                Line::Text { format, .. } => format.needs(&mut needs),
                Line::Json(json) => json.needs(&mut needs),
            }
            if let Some(filter) = &filter {
                filter.needs(&mut needs);
            }
            logs.push(Log { line, filter, output });
        }
        Ok(Self { logs, needs })
    }

    /// Whether nothing is logged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.logs.is_empty()
    }

    /// What the record must keep of the heads for these logs.
    #[must_use]
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Writes the finished record to every log whose filter it passes; never waits. `random` decides shares.
    pub fn write(&self, record: &Record, random: u64) {
        let heads = record.heads();
        for log in &self.logs {
            if log.filter.as_ref().is_some_and(|filter| !filter.passes(record, &heads, random)) {
                continue;
            }
            let mut line = String::with_capacity(256);
            match &log.line {
                Line::Text { format, missing } => format.render(&mut line, record, &heads, missing),
                Line::Json(json) => json.render(&mut line, record, &heads),
            }
            log.output.write(line);
        }
    }
}

fn compile_line(format: &AccessLogFormat, environment: &Environment) -> Result<Line, Invalid> {
    let text = |format: &FormatString, missing| {
        let format = Format::compile(format, environment)
            .map_err(|reason| Invalid::new("log_format.text_format_source", reason))?;
        Ok(Line::Text { format, missing })
    };
    match format {
        AccessLogFormat::Default => {
            text(&FormatString::parse(DEFAULT).expect("Envoy's default format is well formed"), "-")
        }
        AccessLogFormat::Text { format, omit_empty_values } => {
            text(format, if *omit_empty_values { "" } else { "-" })
        }
        AccessLogFormat::Json { fields, omit_empty_values } => {
            let json = JsonFormat::compile(fields, *omit_empty_values, environment)
                .map_err(|invalid| invalid.within("log_format.json_format"))?;
            Ok(Line::Json(json))
        }
    }
}
