//! The logs of one listener, connection manager or router: compiled once, written per request.

use xds::model::AccessLog;

use super::filter::Filter;
use super::format::Needs;
use super::line::Line;
use super::output::{Output, Outputs};
use crate::error::Invalid;
use crate::observe::record::Record;

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
            let line = Line::compile(format, outputs.environment());
            let line = line.map_err(|invalid| at(invalid.within("log_format")))?;
            let filter = filter.as_ref().map(Filter::compile).transpose();
            let filter = filter.map_err(|invalid| at(invalid.within("filter")))?;
            let output = outputs.open(sink).map_err(|reason| at(Invalid::new("path", reason)))?;
            line.needs(&mut needs);
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
            log.output.write(log.line.render(record, &heads));
        }
    }
}
