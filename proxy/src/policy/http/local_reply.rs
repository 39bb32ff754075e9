//! What becomes of answers that the proxy makes itself: another status, other fields, another body.
//!
//! One rule: it is Envoy's order. A mapper sees the answer as it was made, adds its fields to that, changes the status,
//! and the body is put into its format last.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use xds::model::{self, HeaderMutations};

use crate::error::Invalid;
use crate::fields::Fields;
use crate::limits;
use crate::observe::access_log::{Environment, Filter, Line, Needs};
use crate::observe::record::{Heads, Record};
use crate::policy::reply::Reply;
use crate::policy::route::{Mutations, Stage};
use crate::policy::source;

/// Compiled mappers and format; the default changes nothing.
#[derive(Debug, Default)]
pub struct LocalReplies {
    mappers: Vec<Mapper>,
    format: Option<BodyFormat>,
}

#[derive(Debug)]
struct Mapper {
    filter: Filter,
    status: Option<StatusCode>,
    body: Option<Bytes>,
    format: Option<BodyFormat>,
    fields: Mutations,
}

#[derive(Debug)]
struct BodyFormat {
    line: Line,
    content_type: HeaderValue,
}

impl LocalReplies {
    /// Compiles `model`.
    ///
    /// # Errors
    /// Names the mapper and the field that cannot be used.
    pub fn compile(model: &model::LocalReplies, environment: &Environment) -> Result<Self, Invalid> {
        let model::LocalReplies { mappers, body_format } = model;
        let mappers = mappers.iter().enumerate().map(|(index, mapper)| {
            Mapper::compile(mapper, environment)
                .map_err(|invalid| invalid.within(&format!("mappers[{index}]")))
        });
        Ok(Self {
            mappers: mappers.collect::<Result<_, _>>()?,
            format: BodyFormat::compile(body_format.as_ref(), environment)
                .map_err(|invalid| invalid.within("body_format"))?,
        })
    }

    /// Whether every answer stays as it is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mappers.is_empty() && self.format.is_none()
    }

    /// Adds what a record must keep of the heads.
    pub fn needs(&self, needs: &mut Needs) {
        for mapper in &self.mappers {
            mapper.filter.needs(needs);
            mapper.fields.needs(needs);
        }
        let formats = self.mappers.iter().filter_map(|mapper| mapper.format.as_ref()).chain(&self.format);
        formats.for_each(|format| format.line.needs(needs));
    }

    /// The answer as it is to be sent, with the fields that it has so far. `record` gets the status on the way;
    /// `random` decides shares.
    pub fn rewrite<'a>(
        &self,
        reply: &'a Reply,
        fields: &mut Fields,
        record: &mut Record,
        random: u64,
    ) -> Cow<'a, Reply> {
        if self.is_empty() {
            return Cow::Borrowed(reply);
        }
        let mut next = reply.clone();
        // Mappers see the answer's own fields, and may change them.
        let own = std::mem::take(&mut next.headers);
        for name in own.keys() {
            fields.remove(name);
        }
        for (name, value) in &own {
            fields.append(name.clone(), value.clone());
        }
        record.status = reply.status.as_u16();
        let content_type = fields.get(CONTENT_TYPE).cloned();
        let heads = Heads { response: Some(fields), trailers: None, ..record.heads() };
        let mapper = self.mappers.iter().find(|mapper| mapper.filter.passes(record, &heads, random));
        if let Some(mapper) = mapper {
            mapper.fields.apply_to_response(fields, record.heads().request, record);
            next.body = mapper.body.clone().unwrap_or(next.body);
            next.status = mapper.status.unwrap_or(next.status);
            record.status = next.status.as_u16();
        }
        let format = mapper.and_then(|mapper| mapper.format.as_ref()).or(self.format.as_ref());
        let mut plain = HeaderValue::from_static("text/plain");
        if let Some(BodyFormat { line, content_type }) = format {
            let body = String::from_utf8_lossy(&next.body);
            let heads =
                Heads { response: Some(fields), trailers: None, local_reply_body: &body, ..record.heads() };
            let text = line.render(record, &heads);
            next.body = text.into();
            plain = content_type.clone();
        }
        // What a mapper says of the type counts; else a body that was changed is of its format's type.
        let is_told = fields.get(CONTENT_TYPE) != content_type.as_ref();
        if (next.body != reply.body && !is_told) || !fields.contains_key(CONTENT_TYPE) {
            fields.insert(CONTENT_TYPE, plain);
        }
        Cow::Owned(next)
    }
}

impl Mapper {
    fn compile(model: &model::LocalReplyMapper, environment: &Environment) -> Result<Self, Invalid> {
        let model::LocalReplyMapper { filter, status, body, body_format, headers } = model;
        let body = body.as_ref().map(|body| read(body, environment)).transpose();
        let add = HeaderMutations { add: headers.clone(), remove: Vec::new() };
        let stage = Stage::compile(&add, environment).map_err(|invalid| invalid.within("headers_to_add"))?;
        Ok(Self {
            filter: Filter::compile(filter).map_err(|invalid| invalid.within("filter"))?,
            status: *status,
            body: body.map_err(|reason| Invalid::new("body", reason))?,
            format: BodyFormat::compile(body_format.as_ref(), environment)
                .map_err(|invalid| invalid.within("body_format_override"))?,
            fields: Mutations::new([Arc::new(stage)]),
        })
    }
}

fn read(body: &model::DataSource, environment: &Environment) -> Result<Bytes, String> {
    let bytes = source::read(body, environment)?;
    let (found, most) = (bytes.len(), limits::LOCAL_REPLY_BODY_BYTES_MAX);
    if found > most { Err(format!("has {found} bytes; at most {most} are accepted")) } else { Ok(bytes) }
}

impl BodyFormat {
    fn compile(
        model: Option<&model::BodyFormat>,
        environment: &Environment,
    ) -> Result<Option<Self>, Invalid> {
        let Some(model::BodyFormat { format, content_type }) = model else { return Ok(None) };
        let line = Line::compile(format, environment)?;
        let default = if line.is_json() { "application/json" } else { "text/plain" };
        let content_type = content_type.as_deref().unwrap_or(default);
        let content_type = HeaderValue::from_str(content_type).map_err(|_| {
            Invalid::new("content_type", format!("{content_type:?} cannot stand in a header"))
        })?;
        Ok(Some(Self { line, content_type }))
    }
}

#[cfg(test)]
mod tests;
