//! Counters, gauges and histograms that cost a few nanoseconds on the request path.
//!
//! Every worker writes cells of its own; a scrape adds them up. One rule: nothing here is shared and written
//! by two workers.

mod counters;

mod histogram;

mod registry;

mod worker;

pub use counters::{Counters, Kind, Metric, MetricSet};
pub use histogram::{BUCKETS_MILLIS, Histogram, HistogramSum};
pub use registry::{Registry, Sample, Scope, Value};
pub use worker::{enter_worker, set_workers};
