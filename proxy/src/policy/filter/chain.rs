//! The filters of a connection manager, in order.

use xds::model::HttpFilter;

use super::kind::{Kind, Setting};
use super::overrides::Overrides;
use crate::error::Invalid;
use crate::policy::http::Shared;

/// Compiled filters, the router left out.
#[derive(Debug, Default)]
pub struct Filters(Vec<Filter>);

/// One of them.
#[derive(Debug)]
pub struct Filter {
    /// What it does.
    pub kind: Kind,
    /// Its place in the chain.
    pub at: usize,
    name: Box<str>,
    disabled: bool,
}

impl Filters {
    /// Compiles `models`. Metrics stand under `stat_prefix`.
    ///
    /// # Errors
    /// Names the filter and field that cannot be used.
    pub fn compile(models: &[HttpFilter], stat_prefix: &str, shared: &Shared) -> Result<Self, Invalid> {
        let mut filters = Vec::new();
        for (index, HttpFilter { name, kind, disabled }) in models.iter().enumerate() {
            let kind = Kind::compile(kind, stat_prefix, shared)
                .map_err(|invalid| invalid.within(&format!("http_filters[{index}].typed_config")))?;
            let (at, name) = (filters.len(), name.as_str().into());
            let filter = kind.map(|kind| Filter { kind, at, name, disabled: *disabled });
            filters.extend(filter);
        }
        Ok(Self(filters))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the filter at this place does.
    #[must_use]
    pub fn kind(&self, at: usize) -> Option<&Kind> {
        self.0.get(at).map(|filter| &filter.kind)
    }

    /// Those that are on where `overrides` hold, in order, each with its settings there, the most specific first.
    pub fn on<'a>(
        &'a self,
        overrides: Option<&'a Overrides>,
    ) -> impl Iterator<Item = (&'a Filter, &'a [std::sync::Arc<Setting>])> {
        self.0.iter().filter_map(move |filter| {
            let settings = overrides.and_then(|overrides| overrides.of(&filter.name));
            match settings {
                Some(settings) => settings.on.then_some((filter, settings.found.as_slice())),
                None => (!filter.disabled).then_some((filter, &[][..])),
            }
        })
    }
}

impl Filter {
    /// Its name in the chain, by which hosts and routes speak of it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}
