//! Header matchers compiled: names parsed once, pseudo-headers included.

use xds::model::HeaderMatcher;

use super::facts;
use crate::body::RequestHead;
use crate::error::Invalid;
use crate::fields::Fields;
use crate::observe::field::Field;

/// Compiled header matchers.
#[derive(Debug, Default)]
pub(super) struct HeaderTests(Vec<(Field, HeaderMatcher)>);

impl HeaderTests {
    pub(super) fn compile(models: &[HeaderMatcher]) -> Result<Self, Invalid> {
        let tests = models.iter().enumerate().map(|(index, model)| {
            let field = Field::parse(&model.name)
                .map_err(|reason| Invalid::new(format!("headers[{index}].name"), reason))?;
            Ok((field, model.clone()))
        });
        Ok(Self(tests.collect::<Result<_, Invalid>>()?))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn all_pass(&self, head: &RequestHead) -> bool {
        self.0.iter().all(|(field, matcher)| passes(field, matcher, head))
    }

    pub(super) fn any_passes(&self, head: &RequestHead) -> bool {
        self.0.iter().any(|(field, matcher)| passes(field, matcher, head))
    }

    /// The same over response fields.
    pub(super) fn any_passes_response(&self, fields: &Fields) -> bool {
        self.0.iter().any(|(field, matcher)| field.passes_fields(matcher, fields))
    }
}

fn passes(field: &Field, matcher: &HeaderMatcher, head: &RequestHead) -> bool {
    field.passes(matcher, &facts::view(head))
}
