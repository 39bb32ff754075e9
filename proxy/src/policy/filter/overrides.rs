//! What table, host, route and weighted cluster say about filters, brought together when they are compiled.
//!
//! One rule: whether a filter is on is said by the most specific level that names it; its settings are those of all
//! levels, the most specific first.

use std::sync::Arc;

use xds::model::{FilterOverride, FilterSetting};

use super::kind::Setting;
use crate::error::Invalid;
use crate::policy::http::Shared;

/// One level's entries.
#[derive(Debug, Default)]
struct Level(Vec<(Arc<str>, Option<Entry>)>);

/// What a level says of a filter that it does not turn off.
#[derive(Debug, Clone)]
struct Entry(Option<Arc<Setting>>);

/// What all levels around a route say.
#[derive(Debug, Default)]
pub struct Overrides(Vec<(Arc<str>, Settings)>);

/// What they say of one filter.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whether it is on.
    pub on: bool,
    /// The most specific first.
    pub found: Vec<Arc<Setting>>,
}

impl Level {
    /// Compiles the entries of a level.
    ///
    /// # Errors
    /// Names the entry and field that cannot be used.
    fn compile(models: &[FilterOverride], shared: &Shared) -> Result<Self, Invalid> {
        let entries = models.iter().map(|FilterOverride { filter, setting }| {
            let entry = match setting {
                FilterSetting::Disabled => None,
                FilterSetting::Enabled => Some(Entry(None)),
                FilterSetting::Config(config) => {
                    let setting = Setting::compile(config, shared)
                        .map_err(|invalid| invalid.within(&format!("typed_per_filter_config[{filter:?}]")))?;
                    Some(Entry(Some(Arc::new(setting))))
                }
            };
            Ok((Arc::from(filter.as_str()), entry))
        });
        Ok(Self(entries.collect::<Result<_, Invalid>>()?))
    }

    /// Whether nothing is said.
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Overrides {
    /// `inner`, a more specific level, before what `self` says.
    fn with(&self, inner: &Level) -> Self {
        let mut all = self.0.clone();
        for (name, entry) in &inner.0 {
            let at = all.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
                all.push((Arc::clone(name), Settings::default()));
                all.len() - 1
            });
            let settings = &mut all[at].1;
            settings.on = entry.is_some();
            if let Some(Entry(Some(setting))) = entry {
                settings.found.insert(0, Arc::clone(setting));
            }
        }
        Self(all)
    }

    /// What is said of `filter`.
    #[must_use]
    pub fn of(&self, filter: &str) -> Option<&Settings> {
        self.0.iter().find(|(name, _)| **name == *filter).map(|(_, settings)| settings)
    }
}

/// What is said about filters where a level with `models` stands within `outer`.
///
/// # Errors
/// Names the entry and field that cannot be used.
pub fn within(
    outer: &Arc<Overrides>,
    models: &[FilterOverride],
    shared: &Shared,
) -> Result<Arc<Overrides>, Invalid> {
    let level = Level::compile(models, shared)?;
    Ok(if level.is_empty() { Arc::clone(outer) } else { Arc::new(outer.with(&level)) })
}
