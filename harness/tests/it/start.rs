//! What `harness new` writes is a scenario as it is, and with each of its
//! commented lines taken.

use harness::language::Start;

use crate::bad_input::problems;
use crate::language::validator;

/// What somebody begins with who knows everything already.
fn starts() -> [Start; 2] {
    let known = Start {
        image: "fixture:tome".parse().ok(),
        claim: Some("It says \"ready\", and means it".to_owned()),
        origin: Some("an issue\nof two lines".to_owned()),
        schema: Some("../../harness/scenario.schema.json".to_owned()),
    };
    [Start::default(), known]
}

fn check(text: &str, what: &str) {
    assert_eq!(problems(text), "there are none", "{what}:\n{text}");
    let json: serde_json::Value = toml::from_str(text).expect("TOML");
    assert!(validator().is_valid(&json), "the schema refuses {what}:\n{text}");
}

/// Whether a line is there to be taken: a comment that begins without a blank.
fn is_offered(line: &str) -> bool {
    line.strip_prefix('#').is_some_and(|rest| !rest.starts_with([' ', ':']) && !rest.is_empty())
}

/// The places of the lines that belong together: each alone in a table that is
/// there, with those around it in one that is not.
fn offers(lines: &[&str]) -> Vec<Vec<usize>> {
    let mut offers: Vec<Vec<usize>> = Vec::new();
    let mut in_table = false;
    for (place, line) in lines.iter().enumerate() {
        in_table = (in_table || line.starts_with("#[")) && is_offered(line);
        match offers.last_mut() {
            Some(last) if in_table && !line.starts_with("#[") => last.push(place),
            _ if is_offered(line) => offers.push(vec![place]),
            _ => {}
        }
    }
    offers
}

fn taking(lines: &[&str], taken: &[usize]) -> String {
    let line =
        |(place, line): (usize, &&str)| if taken.contains(&place) { line[1..].to_owned() } else { (*line).to_owned() };
    lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_start_is_a_scenario() {
    for start in starts() {
        check(&start.text(), "the start");
    }
}

#[test]
fn each_line_of_a_start_can_be_taken_and_all_of_them_together() {
    for start in starts() {
        let text = start.text();
        let lines: Vec<&str> = text.lines().collect();
        let offers = offers(&lines);
        assert!(offers.len() > 10, "{offers:?}");
        for offer in &offers {
            check(&taking(&lines, offer), &format!("the start with {}", lines[offer[0]]));
        }
        // Of a table the line that it needs and any other.
        for (table, needed, other) in offers
            .iter()
            .filter(|offer| offer.len() > 2)
            .flat_map(|offer| offer[2..].iter().map(|other| (offer[0], offer[1], *other)))
        {
            if !lines[table].contains("control") {
                check(&taking(&lines, &[table, needed, other]), &format!("the start with {}", lines[other]));
            }
        }
        check(&taking(&lines, &offers.concat()), "the start with everything");
    }
}

#[test]
fn what_is_known_of_a_scenario_stands_in_its_start() {
    let [_, known] = starts();
    let file: toml::Table = known.text().parse().expect("TOML");
    assert_eq!(file["claim"].as_str(), known.claim.as_deref());
    assert_eq!(file["origin"].as_str(), known.origin.as_deref());
    assert_eq!(file["subject"]["image"].as_str(), Some("fixture:tome"));
    assert!(known.text().starts_with("#:schema ../../harness/scenario.schema.json\n"));
}
