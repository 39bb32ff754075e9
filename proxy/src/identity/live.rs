//! A TLS configuration that is rebuilt when what it is made of has changed.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use xds::model::CommonTls;

use super::secrets::Secrets;
use super::source::material::{Lack, Material, Stamps};

/// The newest usable `T`, built when first asked for.
#[derive(Debug)]
pub(super) struct Live<T> {
    current: ArcSwapOption<Current<T>>,
    building: Mutex<()>,
}

#[derive(Debug)]
struct Current<T> {
    built: Arc<T>,
    stamps: Stamps,
}

impl<T> Live<T> {
    pub(super) fn new() -> Self {
        Self { current: ArcSwapOption::empty(), building: Mutex::new(()) }
    }

    /// Whether a `T` could be built now, as far as its secrets have come.
    pub(super) fn check(
        common: &CommonTls,
        secrets: &Secrets,
        build: impl FnOnce(&Material) -> Result<T, String>,
    ) -> Result<(), String> {
        match Material::of(common, secrets) {
            Ok(material) => build(&material).map(drop),
            Err(Lack::Awaited(_)) => Ok(()),
            Err(Lack::Unusable(reason)) => Err(reason),
        }
    }

    /// The newest `T`. Material that cannot be used leaves the previous one in place, but a secret that was
    /// taken away takes what was made of it along.
    pub(super) fn get(
        &self,
        common: &CommonTls,
        secrets: &Secrets,
        build: impl FnOnce(&Material) -> Result<T, String>,
    ) -> Result<Arc<T>, String> {
        if let Some(current) = self.current.load_full()
            && current.stamps.fresh(secrets)
        {
            return Ok(Arc::clone(&current.built));
        }
        let _one_builds = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let previous = self.current.load_full();
        let material = Material::of(common, secrets).map_err(|lack| lack.to_string());
        let built = material.and_then(|material| {
            let same = previous.as_ref().filter(|old| old.stamps.same_content(&material.stamps));
            let built = match same {
                Some(old) => Arc::clone(&old.built),
                None => Arc::new(build(&material)?),
            };
            Ok((built, material.stamps))
        });
        match (built, previous) {
            (Ok((built, stamps)), _) => {
                self.current.store(Some(Arc::new(Current { built: Arc::clone(&built), stamps })));
                Ok(built)
            }
            (Err(reason), Some(previous)) if !previous.stamps.lost_a_secret(secrets) => {
                tracing::warn!(reason, "TLS keeps its previous material");
                Ok(Arc::clone(&previous.built))
            }
            (Err(reason), _) => Err(reason),
        }
    }
}
