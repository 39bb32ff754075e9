//! The OpenAPI 3.1 document, made from the types that parse requests.
//!
//! One rule: it is generated, and a test compares it with the file in the repository, so that no
//! change of the interface goes unseen.

use std::sync::OnceLock;

use axum::Json;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::kinds::RESOURCES;
use super::reply::Failure;
use super::resource::Resource;
use super::sign::{SignAnswer, SignRequest};
use super::status::MeshStatus;
use crate::resource::document::Metadata;

/// `GET /openapi.json`.
pub async fn get() -> Json<&'static Value> {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    Json(DOCUMENT.get_or_init(document))
}

/// The document.
pub fn document() -> Value {
    // OpenAPI 3.1 schemas are JSON Schema 2020-12.
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    let mut documents = Map::new();
    for resource in RESOURCES {
        documents.insert(resource.kind.name().into(), document_schema(&resource, &mut generator));
        add_paths(&resource, &mut paths);
    }
    add_other_paths(&mut generator, &mut paths);
    add::<Failure>(&mut generator);
    let mut schemas = generator.take_definitions(true);
    schemas.extend(documents);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tombolo control API",
            "version": "v1alpha1",
            "description": "The desired state of the mesh, as documents, and what became of it. Every error is a Failure.",
        },
        "security": [{"adminToken": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "adminToken": {"type": "http", "scheme": "bearer",
                    "description": "The content of admin-token in the control API's data directory."},
            },
            "schemas": schemas,
        },
    })
}

fn add<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

fn document_schema(resource: &Resource, generator: &mut SchemaGenerator) -> Value {
    let kind = resource.kind;
    json!({
        "type": "object",
        "description": resource.about,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": false,
        "properties": {
            "apiVersion": {"const": kind.api_version()},
            "kind": {"const": kind.name()},
            "metadata": add::<Metadata>(generator),
            "spec": (resource.schema)(generator).to_value(),
            "status": {"type": "object", "readOnly": true,
                "description": "Written by the control API; what is sent is dropped."},
        },
    })
}

fn add_paths(resource: &Resource, paths: &mut Map<String, Value>) {
    let kind = resource.kind;
    let one = json!({"$ref": format!("#/components/schemas/{kind}")});
    let body = json!({"required": true, "content": json_content(&one)});
    let list = json!({
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "items"],
        "properties": {
            "apiVersion": {"const": kind.api_version()},
            "kind": {"const": format!("{kind}List")},
            "metadata": {"type": "object", "properties": {
                "resourceVersion": {"type": "string"}, "continue": {"type": "string"}}},
            "items": {"type": "array", "items": one},
        },
    });
    let dry_run = json!([parameter("query", "dryRun", "boolean", "Only say what would happen.")]);
    let collection = json!({
        "get": {
            "operationId": format!("list{kind}"),
            "summary": format!("List or watch {}.", kind.plural()),
            "parameters": [
                parameter("query", "limit", "integer", "At most so many."),
                parameter("query", "continue", "string", "metadata.continue of the page before."),
                parameter("query", "watch", "boolean",
                    "Instead of a list, a line of JSON for each change: {type, revision, object}."),
                parameter("query", "resourceVersion", "integer", "For a watch: after which revision."),
            ],
            "responses": responses("200", &list),
        },
        "post": {
            "operationId": format!("create{kind}"), "summary": format!("Create a {kind}."),
            "parameters": dry_run, "requestBody": body, "responses": responses("201", &one),
        },
    });
    let item = json!({
        "parameters": [{"in": "path", "name": "name", "required": true, "schema": {"type": "string"}}],
        "get": {"operationId": format!("get{kind}"), "summary": format!("Read a {kind}."),
            "responses": responses("200", &one)},
        "put": {
            "operationId": format!("apply{kind}"),
            "summary": format!("Create a {kind} or put it in place of the old one."),
            "parameters": dry_run, "requestBody": body, "responses": responses("200", &one),
        },
        "delete": {
            "operationId": format!("delete{kind}"), "summary": format!("Delete a {kind} that nobody needs."),
            "parameters": dry_run, "responses": responses("200", &one),
        },
    });
    paths.insert(format!("/v1/{}", kind.plural()), collection);
    paths.insert(format!("/v1/{}/{{name}}", kind.plural()), item);
}

fn add_other_paths(generator: &mut SchemaGenerator, paths: &mut Map<String, Value>) {
    let any: Vec<_> = RESOURCES
        .iter()
        .map(|resource| json!({"$ref": format!("#/components/schemas/{}", resource.kind)}))
        .collect();
    let documents = json!({"type": "object", "required": ["items"],
        "properties": {"items": {"type": "array", "items": {"oneOf": any}}}});
    let references = json!({"type": "object", "required": ["items"], "properties": {"items": {
        "type": "array", "items": {"type": "object", "required": ["kind", "name"],
            "properties": {"kind": {"type": "string"}, "name": {"type": "string"}}}}}});
    let outcomes = json!({"type": "object", "required": ["revision", "items"], "properties": {
        "revision": {"type": "integer"},
        "items": {"type": "array", "items": {"type": "object", "properties": {
            "outcome": {"enum": ["created", "configured", "unchanged", "deleted"]},
            "object": {"oneOf": any}}}}}});
    let bundle = json!({"type": "object",
        "properties": {"trustDomain": {"type": "string"}, "bundle": {"type": "string"}}});
    let (sign, signed) = (add::<SignRequest>(generator), add::<SignAnswer>(generator));
    let status = add::<MeshStatus>(generator);
    let dry_run = json!([parameter("query", "dryRun", "boolean", "Only say what would happen.")]);
    let post = |id: &str, summary: &str, body: &Value, answer: &Value| {
        json!({"post": {"operationId": id, "summary": summary, "parameters": dry_run,
            "requestBody": {"required": true, "content": json_content(body)},
            "responses": responses("200", answer)}})
    };
    let get = |id: &str, summary: &str, answer: &Value| json!({"get": {"operationId": id, "summary": summary, "responses": responses("200", answer)}});
    paths.insert(
        "/v1/apply".into(),
        post("apply", "Apply documents, all of them or none.", &documents, &outcomes),
    );
    paths.insert(
        "/v1/delete".into(),
        post("delete", "Delete resources, all of them or none.", &references, &outcomes),
    );
    let mut signing = post(
        "sign",
        "Get an identity: with a join token, or over mTLS with the current SVID.",
        &sign,
        &signed,
    );
    signing["post"]["security"] = json!([]);
    signing["post"]["parameters"] = json!([]);
    paths.insert("/v1/sign".into(), signing);
    paths.insert("/v1/bundle".into(), get("bundle", "The mesh's own trust bundle.", &bundle));
    paths.insert("/status".into(), get("status", "Sites, proxies, versions, refusals.", &status));
    let alive = json!({"get": {"operationId": "healthz", "summary": "Whether it answers.", "security": [],
        "responses": {"200": {"description": "It does."}}}});
    paths.insert("/healthz".into(), alive);
}

fn parameter(place: &str, name: &str, of: &str, about: &str) -> Value {
    json!({"in": place, "name": name, "description": about, "schema": {"type": of}})
}

fn json_content(schema: &Value) -> Value {
    json!({"application/json": {"schema": schema}})
}

fn responses(code: &str, schema: &Value) -> Value {
    let failure = json!({"$ref": "#/components/schemas/Failure"});
    json!({
        code: {"description": "Done.", "content": json_content(schema)},
        "default": {"description": "Not done; nothing was changed.", "content": json_content(&failure)},
    })
}
