use std::collections::BTreeMap;

use xds::model::{Fraction, RuntimeFraction, RuntimeLayer, RuntimeSource, RuntimeValues, Value};

use super::{LiveRuntime, ModifyError};

fn layer(name: &str, source: RuntimeSource) -> RuntimeLayer {
    RuntimeLayer { name: name.to_owned(), source }
}

fn object(entries: &[(&str, Value)]) -> BTreeMap<String, Value> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

fn fixed(entries: &[(&str, Value)]) -> RuntimeLayer {
    layer("fixed", RuntimeSource::Static(object(entries)))
}

fn with_admin() -> LiveRuntime {
    LiveRuntime::new(&[layer("admin", RuntimeSource::Admin)])
}

fn set(live: &LiveRuntime, key: &str, text: &str) -> Result<(), ModifyError> {
    live.modify(&[(key.to_owned(), text.to_owned())].into())
}

/// How many of 100 draws fall into the share of `key`, whose default is none.
fn percent(live: &LiveRuntime, key: &str) -> usize {
    let share = RuntimeFraction { default: Fraction { numerator: 0, denominator: 100 }, key: key.to_owned() };
    let runtime = live.load();
    (0..100).filter(|random| runtime.is_in(&share, *random)).count()
}

#[test]
fn objects_are_folders_and_the_last_layer_wins() {
    let inner = object(&[("b", Value::Number(1.0)), ("c", Value::Number(2.0))]);
    let live = LiveRuntime::new(&[
        fixed(&[("a", Value::Struct(inner))]),
        layer("second", RuntimeSource::Static(object(&[("a.b", Value::Number(3.0))]))),
    ]);
    let runtime = live.load();
    assert_eq!((runtime.integer("a.b", 9), runtime.integer("a.c", 9), runtime.integer("a", 9)), (3, 2, 9));
    assert_eq!(runtime.texts().into_iter().collect::<Vec<_>>(), [("a.b", "3"), ("a.c", "2")]);
    let says: Vec<_> = runtime.layers().iter().map(|layer| layer.text("a.b")).collect();
    assert_eq!(says, [Some("1"), Some("3")]);
}

#[test]
fn shares_are_read_as_envoy_reads_them() {
    let live = with_admin();
    for (text, expected) in [
        ("50", 50),
        ("1.99", 1),
        ("99.9", 99),
        ("200", 100),
        ("5000000000", 100),
        ("-1", 0),
        ("abc", 0),
        ("'50'", 0),
        ("50%", 0),
        ("0x32", 50),
        ("+50", 50),
        ("{numerator: 50}", 50),
        ("{numerator: 2500, denominator: TEN_THOUSAND}", 100),
        ("{numerator: 200}", 100),
        ("{numerator: 50, denominator: 1}", 0),
        ("{numerator: 50, other: 1}", 0),
        ("{numerator: 1.5}", 0),
        ("[50]", 0),
    ] {
        set(&live, "k", text).unwrap();
        assert_eq!(percent(&live, "k"), expected, "{text}");
    }
    assert_eq!(percent(&live, ""), 0, "no key has no value");
}

#[test]
fn a_text_of_a_static_layer_may_be_a_number_but_no_share() {
    let text = |text: &str| Value::String(text.to_owned());
    let live = LiveRuntime::new(&[fixed(&[("n", text("100")), ("s", text("{numerator: 100}"))])]);
    assert_eq!((percent(&live, "n"), percent(&live, "s")), (100, 0));
}

#[test]
fn changes_are_made_together_or_not_at_all() {
    let live = with_admin();
    let pair = |key: &str, text: &str| (key.to_owned(), text.to_owned());
    live.modify(&[pair("a", "1"), pair("b", "2")].into()).unwrap();
    let refused = live.modify(&[pair("a", "7"), pair("b", "{a: b")].into()).unwrap_err();
    assert!(matches!(refused, ModifyError::Malformed(_)), "{refused}");
    assert_eq!(live.load().integer("a", 0), 1);
    set(&live, "a", "").unwrap();
    assert_eq!(
        live.load().texts().into_iter().collect::<Vec<_>>(),
        [("b", "2")],
        "an empty text takes a key out"
    );
}

#[test]
fn keys_are_limited_and_need_a_layer() {
    let none = LiveRuntime::new(&[fixed(&[])]);
    assert_eq!(set(&none, "a", "1"), Err(ModifyError::NoAdminLayer));
    let live = with_admin();
    let mut many: BTreeMap<_, _> = (0..=10_000).map(|key| (key.to_string(), "1".to_owned())).collect();
    assert_eq!(live.modify(&many), Err(ModifyError::TooMany));
    assert!(live.load().is_empty());
    many.remove("0");
    live.modify(&many).unwrap();
}

#[test]
fn a_snapshot_does_not_change_when_values_do() {
    let live = with_admin();
    let before = live.load();
    set(&live, "k", "100").unwrap();
    assert_eq!((before.integer("k", 7), live.load().integer("k", 7)), (7, 100));
}

#[test]
fn fetched_values_replace_those_that_were_fetched_before() {
    let source = xds::model::ConfigSource::Ads { initial_fetch_timeout: None };
    let live = LiveRuntime::new(&[layer("rtds", RuntimeSource::Rtds { resource: "r".to_owned(), source })]);
    let values = |name: &str, entries: &[(&str, Value)]| RuntimeValues {
        name: name.to_owned(),
        values: object(entries),
    };
    assert!(live.set_fetched(&values("r", &[("a", Value::Number(1.0))])));
    assert!(live.set_fetched(&values("r", &[("b", Value::Number(2.0))])));
    assert_eq!(live.load().texts().into_iter().collect::<Vec<_>>(), [("b", "2")]);
    assert!(!live.set_fetched(&values("other", &[])), "no layer wants it");
}
