//! What trees of tests see of a request.

use std::borrow::Cow;

use xds::model::{MatchData, MatchInput, Metadata};

use crate::observe::attributes::Attributes;
use crate::observe::field::Field;
use crate::observe::record::RequestView;

/// A request whose head is here.
pub(super) struct RequestData<'a> {
    pub(super) request: RequestView<'a>,
    pub(super) attributes: &'a Attributes,
}

impl MatchData for RequestData<'_> {
    fn value(&self, input: &MatchInput) -> Option<Cow<'_, str>> {
        match input {
            MatchInput::RequestHeader(name) => Field::parse(name).ok()?.of_request(&self.request),
            MatchInput::FilterState(key) => {
                self.attributes.object(key).map(|object| Cow::Borrowed(&*object.text))
            }
            // Not accepted where a request is tested.
            _ => None,
        }
    }

    fn metadata(&self) -> &Metadata {
        self.attributes.metadata()
    }
}
