//! Whatever message of the schema holds whatever legal values: shown as JSON and read again it is the same.

use std::collections::HashMap;

use proptest::prelude::*;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value as Proto,
};

use super::super::catalog::Catalog;
use super::super::read::Reader;
use super::super::{schema::Schema, write, yaml};

/// A reproducible stream of choices (splitmix64), so that a failing seed says everything.
struct Choices(u64);

impl Choices {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn text(&mut self) -> String {
        const TEXTS: [&str; 12] = [
            "",
            "a",
            "yes",
            "0755",
            "1.0",
            "null",
            "~",
            "a: b",
            "é\n\t\"'\\",
            "- x",
            "# no",
            "😀 \u{85}\u{2028}",
        ];
        TEXTS[self.below(TEXTS.len())].to_owned()
    }
}

struct Maker<'a> {
    pool: &'a DescriptorPool,
    choices: Choices,
}

impl Maker<'_> {
    fn message(&mut self, descriptor: &MessageDescriptor, depth: usize) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        match descriptor.full_name() {
            "google.protobuf.Any" => {
                let packed: Vec<_> = self.pool.all_messages().filter(|inner| !inner.is_map_entry()).collect();
                let inner = &packed[self.choices.below(packed.len())];
                let value = self.message(inner, depth.saturating_sub(1));
                message.set_field_by_number(
                    1,
                    Proto::String(format!("type.googleapis.com/{}", inner.full_name())),
                );
                message.set_field_by_number(2, Proto::Bytes(prost::Message::encode_to_vec(&value).into()));
            }
            "google.protobuf.Duration" | "google.protobuf.Timestamp" => {
                message.set_field_by_number(1, Proto::I64(self.choices.below(1_000_000) as i64));
                message.set_field_by_number(2, Proto::I32(self.choices.below(1_000_000_000) as i32));
            }
            "google.protobuf.FieldMask" => {
                message.set_field_by_number(1, Proto::List(vec![Proto::String("a_b.c".to_owned())]));
            }
            "google.protobuf.Value" => {
                let kinds = [
                    (1, Proto::EnumNumber(0)),
                    (2, Proto::F64(self.choices.below(1000) as f64 / 8.0)),
                    (3, Proto::String(self.choices.text())),
                    (4, Proto::Bool(true)),
                ];
                let (number, value) = kinds[self.choices.below(kinds.len())].clone();
                message.set_field_by_number(number, value);
            }
            _ => self.fields(&mut message, depth),
        }
        message
    }

    fn fields(&mut self, message: &mut DynamicMessage, depth: usize) {
        let descriptor = prost_reflect::ReflectMessage::descriptor(message);
        for field in descriptor.fields() {
            let nests = matches!(field.kind(), Kind::Message(_));
            let taken = field
                .containing_oneof()
                .is_some_and(|oneof| oneof.fields().any(|other| message.has_field(&other)));
            if taken || nests && depth == 0 || self.choices.below(3) == 0 {
                continue;
            }
            let value = self.field(&field, depth.saturating_sub(1));
            message.set_field(&field, value);
        }
    }

    fn field(&mut self, field: &FieldDescriptor, depth: usize) -> Proto {
        if field.is_map() {
            let Kind::Message(entry) = field.kind() else { panic!("{field:?}") };
            let (key, value) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
            let mut map = HashMap::new();
            for _ in 0..self.choices.below(3) {
                let key: MapKey = self.singular(&key, depth).into_map_key().unwrap();
                map.insert(key, self.singular(&value, depth));
            }
            return Proto::Map(map);
        }
        if field.is_list() {
            let count = self.choices.below(3);
            return Proto::List((0..count).map(|_| self.singular(&field.kind(), depth)).collect());
        }
        self.singular(&field.kind(), depth)
    }

    fn singular(&mut self, kind: &Kind, depth: usize) -> Proto {
        let bits = self.choices.next();
        match kind {
            Kind::Message(descriptor) => Proto::Message(self.message(descriptor, depth)),
            Kind::Enum(descriptor) => {
                let values: Vec<_> = descriptor.values().collect();
                Proto::EnumNumber(values[self.choices.below(values.len())].number())
            }
            Kind::Bool => Proto::Bool(bits & 1 == 0),
            Kind::String => Proto::String(self.choices.text()),
            Kind::Bytes => Proto::Bytes(bits.to_le_bytes().to_vec().into()),
            Kind::Double => Proto::F64(bits as i64 as f64 / 1024.0),
            Kind::Float => Proto::F32(bits as i32 as f32 / 1024.0),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Proto::I32(bits as i32),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Proto::I64(bits as i64),
            Kind::Uint32 | Kind::Fixed32 => Proto::U32(bits as u32),
            Kind::Uint64 | Kind::Fixed64 => Proto::U64(bits),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_message_reads_the_same_once_shown(seed in any::<u64>()) {
        let schema = Schema::load();
        let catalog = schema.catalog();
        let pool = catalog.pool();
        let mut maker = Maker { pool, choices: Choices(seed) };
        let names: Vec<_> = pool.all_messages().filter(|message| !message.is_map_entry()).collect();
        for _ in 0..20 {
            let descriptor = names[maker.choices.below(names.len())].clone();
            let made = maker.message(&descriptor, 3);
            // What goes over the wire is the reference: it has no notion of "set to the default".
            let made = DynamicMessage::decode(descriptor.clone(), prost::Message::encode_to_vec(&made).as_slice()).unwrap();
            let shown = write::message(catalog, &made).unwrap();
            let node = yaml::document(&serde_json::json!({ "it": shown }).to_string()).unwrap();
            let yaml::Value::Map(entries) = &node.value else { panic!("{node:?}") };
            let read = Reader::new(catalog).top(&descriptor, &entries[0].1);
            let read = read.map_err(|error| TestCaseError::fail(format!("{}: {error}\n{shown:#}", descriptor.full_name())))?;
            prop_assert_eq!(comparable(catalog, &read), comparable(catalog, &made), "{:#}", shown);
        }
    }
}

/// Maps have no order on the wire, so the bytes in an `Any` are compared in their JSON form.
fn comparable(catalog: &Catalog, message: &DynamicMessage) -> serde_json::Value {
    write::message(catalog, message).unwrap()
}
