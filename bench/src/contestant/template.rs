//! The templates of `bench/peers/`: text with `@NAME@` for values and lines that count only under conditions.
//!
//! `@when a !b` begins lines that count when `a` holds and `b` does not, `@end` ends them; they nest.

/// Fills in a template. An unknown name or an unbalanced `@when` is an error, not a line that goes missing.
pub fn fill(text: &str, conditions: &[&str], values: &[(&str, String)]) -> Result<String, String> {
    let mut filled = String::new();
    let mut counts = vec![true];
    for (index, line) in text.lines().enumerate() {
        let at = |reason: &str| format!("line {}: {reason}: {line}", index + 1);
        if let Some(wanted) = line.trim().strip_prefix("@when ") {
            let outer = counts.last() == Some(&true);
            counts.push(outer && wanted.split_whitespace().all(|one| holds(one, conditions)));
        } else if line.trim() == "@end" {
            counts.pop();
            if counts.is_empty() {
                return Err(at("ends what has not begun"));
            }
        } else if counts.last() == Some(&true) {
            filled.push_str(&replace(line, values).map_err(|reason| at(&reason))?);
            filled.push('\n');
        }
    }
    if counts.len() == 1 { Ok(filled) } else { Err("a @when has no @end".to_owned()) }
}

fn holds(wanted: &str, conditions: &[&str]) -> bool {
    match wanted.strip_prefix('!') {
        Some(unwanted) => !conditions.contains(&unwanted),
        None => conditions.contains(&wanted),
    }
}

fn replace(line: &str, values: &[(&str, String)]) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('@') {
        filled.push_str(before);
        // A lone `@`, as in a protobuf type, stays.
        let name = after.split_once('@').filter(|(name, _)| is_name(name));
        let Some((name, after)) = name else {
            filled.push('@');
            rest = after;
            continue;
        };
        let (_, value) = values.iter().find(|(known, _)| *known == name).ok_or(format!("no value {name}"))?;
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_when_all_their_conditions_hold() {
        let text = "a\n@when x !y\nb\n  @when z\nc\n  @end\n@end\nd\n";
        let filled = |conditions: &[&str]| fill(text, conditions, &[]).expect("it is balanced");
        assert_eq!(filled(&[]), "a\nd\n");
        assert_eq!(filled(&["x"]), "a\nb\nd\n");
        assert_eq!(filled(&["x", "z"]), "a\nb\nc\nd\n");
        assert_eq!(filled(&["z"]), "a\nd\n", "what is inside does not count when the outside does not");
        assert_eq!(filled(&["x", "y", "z"]), "a\nd\n");
    }

    #[test]
    fn values_are_put_in_and_unknown_ones_refused() {
        let values = [("PORT", "80".to_owned())];
        assert_eq!(fill("\"@type\": x:@PORT@;@PORT@", &[], &values), Ok("\"@type\": x:80;80\n".to_owned()));
        assert!(
            fill("a\n@PIRT@", &[], &values).is_err_and(|reason| reason.contains("line 2: no value PIRT"))
        );
        assert!(fill("@end", &[], &[]).is_err());
        assert!(fill("@when x", &[], &[]).is_err());
    }
}
