//! Settings of HTTP filters on hosts and routes. No supported filter has any: an entry is refused unless it
//! says itself that it may be skipped.

use std::collections::HashMap;

use envoy_types::pb::envoy::config::route::v3::FilterConfig;
use envoy_types::pb::google::protobuf::Any;

use super::any;
use super::path::{Invalid, Path};

/// Refuses the first entry that is not optional.
pub(super) fn none(path: &Path<'_>, configs: &HashMap<String, Any>) -> Result<(), Invalid> {
    let path = path.field("typed_per_filter_config");
    let mut entries: Vec<(&String, &Any)> = configs.iter().collect();
    entries.sort_unstable_by_key(|(name, _)| *name);
    for (name, config) in entries {
        let at = path.key(name);
        match any::unpack_if::<FilterConfig>(&at, config)? {
            Some(FilterConfig { is_optional: true, config: _, disabled: _ }) => {}
            Some(FilterConfig { config, .. }) => {
                return any::unknown(&at, name, config.as_ref().unwrap_or(&Any::default()), "none");
            }
            None => return any::unknown(&at, name, config, "none"),
        }
    }
    Ok(())
}
