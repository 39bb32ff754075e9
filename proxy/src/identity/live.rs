//! A TLS configuration that is rebuilt when what it is made of has changed.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use xds::model::CommonTls;

use super::secrets::Secrets;
use super::source::material::{Material, Stamps};

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
        let built = Material::of(common, secrets).and_then(|material| {
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
