//! Extensions that choose a route's cluster (`ClusterSpecifierPlugin`). None is supported: one that is optional is
//! ignored, and with it every route that names it, so that the next one that matches is taken (gRFC A42, and Envoy).

use std::collections::BTreeSet;

use envoy_types::pb::envoy::config::core::v3::TypedExtensionConfig;
use envoy_types::pb::envoy::config::route::v3::ClusterSpecifierPlugin;

use super::any;
use super::path::{Invalid, Path};

/// The names of a table's plugins, all of them ignored.
pub(super) fn ignored<'p>(
    path: &Path<'_>,
    plugins: &'p [ClusterSpecifierPlugin],
) -> Result<BTreeSet<&'p str>, Invalid> {
    let names: Vec<&str> = plugins
        .iter()
        .enumerate()
        .map(|(index, found)| plugin(&path.index(index), found))
        .collect::<Result<_, _>>()?;
    path.unique("cluster specifier plugin", names.iter().copied())?;
    Ok(names.into_iter().collect())
}

/// The name of a plugin that may be ignored.
pub(super) fn plugin<'p>(path: &Path<'_>, plugin: &'p ClusterSpecifierPlugin) -> Result<&'p str, Invalid> {
    let ClusterSpecifierPlugin { extension, is_optional } = plugin;
    let path = path.field("extension");
    let TypedExtensionConfig { name, typed_config } = path.required(extension)?;
    path.field("name").non_empty(name)?;
    let path = path.field("typed_config");
    let config = path.required(typed_config)?;
    if *is_optional { Ok(name) } else { any::unknown(&path, name, config, "none, unless is_optional") }
}
