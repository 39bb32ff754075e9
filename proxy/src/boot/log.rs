//! The process log: where it goes, how it looks, and levels that change live.

use std::fs::OpenOptions;
use std::sync::{Mutex, PoisonError};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use super::options::{LogFormat, Options};
use crate::admin::Logging;

/// The handle by which levels change.
#[derive(Debug)]
pub(super) struct Log {
    filter: reload::Handle<EnvFilter, Registry>,
    current: Mutex<String>,
}

/// Starts logging.
///
/// # Errors
/// A level that is unknown, or a log file that cannot be opened.
pub(super) fn init(options: &Options) -> Result<Log, String> {
    let directives = directives(&options.log_level, options.component_log_level.as_deref())?;
    let (filter, handle) = reload::Layer::new(parse(&directives)?);
    let to_file = match &options.log_path {
        None => None,
        Some(path) => {
            let opened = OpenOptions::new().create(true).append(true).open(path);
            Some(opened.map_err(|error| format!("--log-path {}: {error}", path.display()))?)
        }
    };
    let writer = move || -> Box<dyn std::io::Write> {
        match to_file.as_ref().and_then(|file| file.try_clone().ok()) {
            Some(file) => Box::new(file),
            None => Box::new(std::io::stderr()),
        }
    };
    let layered = tracing_subscriber::registry().with(filter);
    let started = match options.log_format {
        LogFormat::Text => layered.with(fmt::layer().with_ansi(false).with_writer(writer)).try_init(),
        LogFormat::Json => layered.with(fmt::layer().json().with_writer(writer)).try_init(),
    };
    started.map_err(|error| format!("logging: {error}"))?;
    Ok(Log { filter: handle, current: Mutex::new(directives) })
}

fn parse(directives: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new(directives).map_err(|error| format!("log level {directives:?}: {error}"))
}

/// Envoy's level names to directives.
fn directives(level: &str, components: Option<&str>) -> Result<String, String> {
    let known = |level: &str| match level {
        "trace" | "debug" | "info" | "warn" | "error" | "off" => Ok(level.to_owned()),
        "warning" => Ok("warn".to_owned()),
        "critical" => Ok("error".to_owned()),
        other => Err(format!(
            "log level {other:?} is not known; trace, debug, info, warning, error, critical and off are"
        )),
    };
    let mut directives = known(level)?;
    for entry in components.unwrap_or_default().split(',').filter(|entry| !entry.is_empty()) {
        let (component, level) = entry
            .split_once(':')
            .ok_or_else(|| format!("--component-log-level {entry:?}: name:level is needed"))?;
        directives = format!("{directives},proxy::{component}={}", known(level)?);
    }
    Ok(directives)
}

impl Logging for Log {
    fn current(&self) -> String {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, filter: &str) -> Result<(), String> {
        self.filter.reload(parse(filter)?).map_err(|error| error.to_string())?;
        filter.clone_into(&mut self.current.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }
}
