use xds::model::{
    AccessLogFilter, AccessLogFormat, AppendAction, Comparison, DataSource, FormatString, RuntimeUInt32,
};

use super::*;
use crate::policy::samples::{add, record};

fn text(format: &str) -> model::BodyFormat {
    let format = FormatString::parse(format).unwrap();
    model::BodyFormat {
        format: AccessLogFormat::Text { format, omit_empty_values: false },
        content_type: None,
    }
}

/// A mapper of answers with at least this status.
fn from(status: u32) -> model::LocalReplyMapper {
    let value = RuntimeUInt32 { default: status, key: "k".to_owned() };
    model::LocalReplyMapper {
        filter: AccessLogFilter::StatusCode(Comparison::Ge, value),
        status: None,
        body: None,
        body_format: None,
        headers: Vec::new(),
    }
}

/// The status, type and body that an answer of this status with the body `own` gets.
fn rewritten(model: &model::LocalReplies, status: u16) -> (u16, String, String) {
    let replies = LocalReplies::compile(model, &Environment::default()).unwrap();
    let status = StatusCode::from_u16(status).unwrap();
    let reply = Reply { body: "own".into(), ..Reply::status(status, "") };
    let mut fields = Fields::new();
    let made = replies.rewrite(&reply, &mut fields, &mut record(), 0).into_owned();
    let content_type = fields.get(CONTENT_TYPE).map_or("", |value| value.to_str().unwrap());
    let body = String::from_utf8(made.body.to_vec()).unwrap();
    (made.status.as_u16(), content_type.to_owned(), body)
}

#[test]
fn the_first_mapper_that_takes_an_answer_changes_it() {
    let teapot = StatusCode::IM_A_TEAPOT;
    let body = DataSource::Inline(b"down".to_vec());
    let model = model::LocalReplies {
        mappers: vec![
            model::LocalReplyMapper { body: Some(body), ..from(500) },
            model::LocalReplyMapper { status: Some(teapot), body_format: Some(text("first")), ..from(404) },
            model::LocalReplyMapper { status: Some(teapot), ..from(403) },
        ],
        body_format: Some(text("%LOCAL_REPLY_BODY% %RESPONSE_CODE%")),
    };
    let plain = |status, body: &str| (status, "text/plain".to_owned(), body.to_owned());
    for (status, expected) in [
        (503, plain(503, "down 503")),
        (404, plain(418, "first")),
        (403, plain(418, "own 418")),
        (200, plain(200, "own 200")),
    ] {
        assert_eq!(rewritten(&model, status), expected, "{status}");
    }
}

#[test]
fn what_a_mapper_says_of_the_type_counts() {
    let told = add("content-type", "x/y", AppendAction::OverwriteIfExistsOrAdd);
    let format = model::BodyFormat { content_type: Some("text/html".to_owned()), ..text("<p>") };
    let mapper = model::LocalReplyMapper { body_format: Some(format), ..from(200) };
    let by_format = model::LocalReplies { mappers: vec![mapper.clone()], body_format: None };
    assert_eq!(rewritten(&by_format, 200).1, "text/html");
    let mapper = model::LocalReplyMapper { headers: vec![told], ..mapper };
    let by_mapper = model::LocalReplies { mappers: vec![mapper], body_format: None };
    assert_eq!(rewritten(&by_mapper, 200).1, "x/y");
}

#[test]
fn a_body_that_is_too_long_is_refused_with_its_place() {
    let body = DataSource::Inline(vec![b'x'; limits::LOCAL_REPLY_BODY_BYTES_MAX + 1]);
    let mapper = model::LocalReplyMapper { body: Some(body), ..from(200) };
    let model = model::LocalReplies { mappers: vec![mapper], body_format: None };
    let refused = LocalReplies::compile(&model, &Environment::default()).unwrap_err();
    assert_eq!(refused.path, "mappers[0].body");
}
