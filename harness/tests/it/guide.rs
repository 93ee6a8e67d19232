//! What the documents show of the scenario language is read as they say.

use std::path::Path;

use harness::language::Reference;

use crate::bad_input::problems;

fn document(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    std::fs::read_to_string(root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The blocks of TOML in a document.
fn blocks(text: &str) -> Vec<&str> {
    text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// A part of a file, with those parts that every file has.
fn completed(block: &str) -> String {
    let says = |word: &str| block.lines().any(|line| line.starts_with(word));
    let mut file = String::new();
    if !says("version") {
        file += "version = 1\nclaim = \"It boots\"\n";
    }
    file += block;
    if !says("[subject]") {
        file += "\n[subject]\nimage = \"ghost:5\"\nready = { http = \"/health\", port = 8080 }\nrestart = \"on-failure:3\"\n";
    }
    if !says("[expect") {
        file += "\n[expect]\nready_within = \"10s\"\n";
    }
    file
}

#[test]
fn every_block_of_the_guide_is_a_scenario_or_a_part_of_one() {
    for name in ["docs/scenario.md", "README.md"] {
        let text = document(name);
        let blocks = blocks(&text);
        assert!(!blocks.is_empty(), "{name} shows no scenario");
        for block in blocks {
            assert_eq!(problems(&completed(block)), "there are none", "{name}:\n{block}");
        }
    }
}

#[test]
fn the_guide_leads_to_places_that_are_there() {
    let sections = Reference::of_types().sections;
    let anchors: Vec<&str> = sections.iter().map(|(section, _)| section.anchor).chain(["values"]).collect();
    for name in ["docs/scenario.md", "docs/reference.md"] {
        let text = document(name);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let in_reference = file == "reference.md" || (file.is_empty() && name == "docs/reference.md");
            assert!(anchor.is_empty() || !in_reference || anchors.contains(&anchor), "{name} leads to {link}");
            let elsewhere = file.starts_with("http") || file.is_empty();
            assert!(
                elsewhere || Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(file).exists(),
                "{name} leads to {link}"
            );
        }
    }
    // GitHub's way from a heading to its address.
    for (section, _) in sections {
        let letters = section.heading.to_lowercase();
        let address: String = letters.chars().filter(|c| c.is_alphanumeric() || " -".contains(*c)).collect();
        assert_eq!(section.anchor, address.replace(' ', "-"), "{}", section.heading);
    }
}
