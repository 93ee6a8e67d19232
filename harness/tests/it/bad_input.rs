//! What a user reads who has written something wrong. Each message stands here
//! as it is shown.

use std::collections::BTreeMap;
use std::path::Path;

use harness::plan::Plan;
use harness::scenario::Surroundings;
use insta::assert_snapshot;

use crate::language;

/// The problems of a file with this text.
pub fn problems(text: &str) -> String {
    let fixtures = ["fixture:misbehave", "fixture:tome", "fixture:tome/shell"];
    let around = Surroundings {
        folder: None,
        fixtures: Some(fixtures.iter().filter_map(|fixture| fixture.parse().ok()).collect()),
        states: Some(vec!["tome".to_owned()]),
    };
    match Plan::resolve(Path::new("scenarios/demo.toml"), text, &around, &BTreeMap::new()) {
        Ok(_) => "there are none".to_owned(),
        Err(problems) => problems.to_string(),
    }
}

/// The same, of a file that an editor has open: what is right by itself is
/// taken by the schema, and a wrong key is not.
fn problems_seen_by_an_editor(text: &str) -> String {
    let told = problems(text);
    if let Ok(json) = toml::from_str::<serde_json::Value>(text) {
        let valid = language::validator().is_valid(&json);
        let wrong = ["key", "value", "fault", "moment", "step"].map(|kind| format!("unknown {kind} "));
        assert!(!valid || !wrong.iter().any(|wrong| told.contains(wrong)), "the schema takes what is told as: {told}");
        assert!(valid || told != "there are none", "the schema refuses what is right: {text}");
    }
    told
}

/// The problems of a file that is right but for what replaces these words.
fn problems_after(right: &str, wrong: &str) -> String {
    const GOOD: &str = r#"version = 1
claim = "It boots"

[subject]
image = "fixture:tome"
cpus = 0.5
ready = { http = "/health", port = 3000 }

[volumes.data]
target = "/data"
owner = "1000:1000"

[expect]
ready_within = "10s"

[control]
image = "fixture:tome/shell"
fails = "ready_within"
because = "exit 1"
"#;
    assert_eq!(problems(GOOD), "there are none");
    assert!(GOOD.contains(right), "`{right}` is not in the file");
    problems_seen_by_an_editor(&GOOD.replace(right, wrong))
}

#[test]
fn an_unknown_key_is_told_with_the_nearest_known_one() {
    assert_snapshot!(problems_after("image = \"fixture:tome\"", "imge = \"fixture:tome\""));
}

#[test]
fn an_unknown_key_that_is_near_to_none_is_told_with_all_of_them() {
    assert_snapshot!(problems_after("owner = \"1000:1000\"", "zzz = 1"));
}

#[test]
fn a_missing_fixture_is_told_with_the_nearest_one() {
    assert_snapshot!(problems_after("image = \"fixture:tome\"", "image = \"fixture:toem\""));
    assert_snapshot!(problems_after("image = \"fixture:tome/shell\"", "image = \"fixture:tome/old\""));
}

#[test]
fn a_missing_state_directory_is_told_with_those_there_are() {
    assert_snapshot!(problems_after("target = \"/data\"", "target = \"/data\"\ncontent = \"fixture:hub\""));
}

#[test]
fn an_unknown_expectation_is_told_with_the_nearest_known_one() {
    assert_snapshot!(problems_after("ready_within = \"10s\"", "ready_in = \"10s\"\nready_within = \"10s\""));
}

#[test]
fn a_table_of_the_future_is_an_unknown_key() {
    assert_snapshot!(problems_after("[control]", "[[replicas]]\ncount = 2\n\n[control]"));
}

#[test]
fn a_wrong_type_is_told_with_what_was_seen() {
    assert_snapshot!(problems_after("cpus = 0.5", "cpus = \"half\""));
}

#[test]
fn a_wrong_value_is_told_with_how_to_write_it() {
    assert_snapshot!(problems_after("ready_within = \"10s\"", "ready_within = \"10\""));
}

#[test]
fn an_unknown_word_for_a_value_is_told_with_the_nearest_known_one() {
    assert_snapshot!(problems_after("ready_within = \"10s\"", "ready_within = \"10s\"\nstate = \"runing\""));
}

#[test]
fn a_pattern_that_is_none_is_told_with_its_fault() {
    assert_snapshot!(problems_after("because = \"exit 1\"", "because = \"exit (1\""));
}

#[test]
fn an_empty_expectation_proves_nothing() {
    assert_snapshot!(problems_after("[expect]\nready_within = \"10s\"", "[expect]"));
}

#[test]
fn an_expectation_without_claims_proves_nothing() {
    assert_snapshot!(problems_after(
        "ready_within = \"10s\"",
        "ready_within = \"10s\"\nlogs = {}\nfiles = { \"/a\" = {} }"
    ));
}

#[test]
fn a_newer_version_is_the_only_thing_told() {
    assert_snapshot!(problems_after("version = 1", "version = 2\nfrom_the_future = true"));
}

#[test]
fn a_readiness_without_a_sign_is_refused() {
    assert_snapshot!(problems_after("ready = { http = \"/health\", port = 3000 }", "ready = { http = \"/health\" }"));
}

#[test]
fn readiness_has_to_be_defined_where_it_is_expected() {
    assert_snapshot!(problems_after("ready = { http = \"/health\", port = 3000 }\n", ""));
}

#[test]
fn a_run_without_an_end_is_refused() {
    let endless = problems_after("ready = { http = \"/health\", port = 3000 }\n", "");
    assert!(endless.contains("needs to know when"), "{endless}");
    assert_snapshot!(problems_seen_by_an_editor(
        "version = 1\nclaim = \"c\"\n[subject]\nimage = \"a\"\n[expect]\nlogs = { absent = [\"panic\"] }\n"
    ));
}

#[test]
fn a_control_fails_by_something_that_is_checked() {
    assert_snapshot!(problems_after("fails = \"ready_within\"", "fails = \"exit_code\""));
}

#[test]
fn a_control_says_how_it_fails() {
    assert_snapshot!(problems_after("fails = \"ready_within\"\nbecause = \"exit 1\"\n", ""));
}

#[test]
fn a_wrong_key_of_the_control_is_told_with_those_it_has() {
    assert_snapshot!(problems_after("fails = \"ready_within\"", "fals = \"ready_within\""));
}

#[test]
fn a_cause_that_matches_anything_is_none() {
    assert_snapshot!(problems_after("because = \"exit 1\"", "because = \"(exit)?\""));
}

#[test]
fn a_limit_of_nothing_is_none() {
    assert_snapshot!(problems_after("cpus = 0.5", "pids_limit = 0\nmem_limit = \"0\""));
}

#[test]
fn runtime_options_are_read_in_the_forms_that_compose_knows() {
    assert_snapshot!(problems_after(
        "cpus = 0.5",
        r#"cap_add = ["NET_ADMN"]
ulimits = { nofiles = 64 }
healthcheck = { test = ["true"], intervall = "1s" }
extra_hosts = ["db"]
devices = ["fuse"]
oom_score_adj = 1001
network_mode = "hosts"
logging = { driver = "local" }
blkio_config = { device_read_bps = [{ path = "/dev/sda" }] }
dns = 9
"#
    ));
}

#[test]
fn runtime_options_do_not_contradict_each_other() {
    assert_snapshot!(problems_after("cpus = 0.5", "cpus = 0.5\ncpu_quota = 50000\nmemswap_limit = \"64m\""));
}

#[test]
fn an_image_is_asked_for_in_one_way() {
    let image = "image = \"fixture:tome\"\n";
    assert_snapshot!(problems_after(image, "image = \"tome:1\"\nbuild = \".\"\n"));
    assert_snapshot!(problems_after(
        image,
        "build = { context = \".\", dockerfil = \"x\" }\npull_policy = \"sometimes\"\n"
    ));
    assert_snapshot!(problems_after(image, "build = \"https://example.org/app.git\"\n"));
    assert_snapshot!(problems_after(image, "image = \"tome:1\"\npull_policy = \"build\"\n"));
    assert_snapshot!(problems_after(image, &format!("{image}pull_policy = \"never\"\n")));
}

#[test]
fn a_restart_is_expected_only_where_something_restarts() {
    assert_snapshot!(problems_after("ready_within = \"10s\"", "ready_within = \"10s\"\nrestarts = 1"));
}

#[test]
fn a_volume_stays_inside_the_container() {
    assert_snapshot!(problems_after(
        "target = \"/data\"",
        "target = \"data\"\ncontent = \"tome\"\nfiles = { \"../etc/passwd\" = \"\" }"
    ));
}

#[test]
fn what_is_missing_is_named() {
    assert_snapshot!(problems_seen_by_an_editor("version = 1\n[volumes.data]\nowner = \"0:0\"\n"));
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    assert_snapshot!(problems_seen_by_an_editor("version = 1\nclaim = \"it boots\n[subject\n"));
}

#[test]
fn all_problems_are_told_at_once() {
    assert_snapshot!(problems_seen_by_an_editor(
        r#"version = "one"
clam = "It boots"
[subject]
image = "fixture:"
cpus = -1
mem_limit = "lots"
restart = "sometimes"
read_only = "yes"
[volumes.data]
target = "/data"
mode = "999"
[expect]
restarts = -1
stop = { within = "5s", exitcode = 0 }
"#
    ));
}

/// The problems of a file that expects this beside what is right.
fn problems_expecting(expect: &str) -> String {
    problems_after("ready_within = \"10s\"", &format!("ready_within = \"10s\"\n{expect}"))
}

#[test]
fn what_is_said_of_an_end_is_a_word_of_its_vocabulary() {
    assert_snapshot!(problems_expecting(
        "oom = \"parent\"\nsignal = \"SIGSEV\"\ndeath = \"exit (1\"\nstate = { refuse = \"no such file\" }"
    ));
}

#[test]
fn a_file_is_claimed_by_what_it_can_have() {
    assert_snapshot!(problems_expecting(
        r#"[expect.files]
"a" = { present = true }
"/b" = { mode = "999" }
"/c" = { directory = true, grew = true }
"/d" = { present = false, owner = "0:0" }
"/e" = { containing = ["x"] }
"/f" = { grew = true, within = "1s" }"#
    ));
}

#[test]
fn lines_are_claimed_by_what_they_can_have() {
    assert_snapshot!(problems_expecting(
        r#"[expect.log_files]
"app.log" = { contains = ["x"] }
"/a" = {}
"/b" = { silence = "1s" }
"/c" = { counted = { x = -1 } }"#
    ));
    assert_snapshot!(problems_expecting("logs = { ordered = [\"x\"] }"));
    assert_snapshot!(problems_expecting("logs = { counted = { x = { at_least = 3, at_most = 2 } } }"));
    assert_snapshot!(problems_expecting("logs = { json = [{}], silence = \"long\" }"));
}

#[test]
fn a_phase_has_a_name_and_a_time() {
    assert_snapshot!(problems_expecting("phases = {}"));
    assert_snapshot!(problems_expecting("phases = { migrate = \"5\" }"));
}

#[test]
fn a_request_expects_an_answer_or_none() {
    assert_snapshot!(problems_expecting(
        r#"http = [
    { path = "health", port = 3000 },
    { path = "/", port = 3000, status = "refusd" },
    { path = "/", port = 3000, status = 99 },
    { path = "/", port = 3000, answers = false, contains = ["x"] },
    { path = "/", port = 3000, from = "outside" },
    { path = "/", port = 3000, method = "get" },
    { path = "/" },
]"#
    ));
    assert_snapshot!(problems_expecting("http = []"));
}

#[test]
fn a_query_is_asked_of_somebody_and_expects_something() {
    assert_snapshot!(problems_expecting(
        "sql = [{ on = \"db\", query = \"SELECT 1\" }, { on = \"db\", query = \"SELECT 1\", rows = [1] }]"
    ));
    assert_snapshot!(problems_expecting("sql = [{ on = \"db\", query = \"SELECT 1\", rows = [[1]] }]"));
}

#[test]
fn a_volume_that_stays_untouched_is_there() {
    assert_snapshot!(problems_expecting("untouched = [\"daat\"]"));
    assert_snapshot!(problems_expecting("untouched = { data = { except = [\"/app.log\"] } }"));
    assert_snapshot!(problems_expecting("untouched = []"));
}

#[test]
fn what_is_counted_of_processes_and_their_use_is_named() {
    assert_snapshot!(problems_expecting("processes = {}\nusage = {}\n[expect.throughout]\nprocesses = {}"));
    assert_snapshot!(problems_expecting("usage = { memory = \"much\", cpus = 1 }"));
}

#[test]
fn health_is_told_in_its_own_words() {
    for health in [
        "{}",
        "\"helthy\"",
        "{ first = \"silent\" }",
        "{ never = \"silent\" }",
        "{ probe = { http = \"/health\", port = 3000 } }",
        "{ audit = false }",
        "{ audit = { margin = 0.5 } }",
        "{ green_only_after = \"redy\" }",
        "{ green_only_after = { service = \"db\" } }",
        "{ not_green_while = {} }",
        "{ not_green_while = { fault = 2 } }",
        "{ fisrt = \"healthy\" }",
    ] {
        assert_snapshot!(problems_expecting(&format!("health = {health}")));
    }
}

#[test]
fn what_is_always_checked_is_turned_off_by_its_own_word() {
    assert_snapshot!(problems_expecting("logger = { also = [\"lost (\"] }\nprompt = \"off\"\nsecrets = \"off\""));
    assert_snapshot!(problems_expecting("secrets = { also = [\"abc\"] }"));
}

#[test]
fn what_holds_all_the_time_holds_from_the_start() {
    assert_snapshot!(problems_expecting(
        "[expect.throughout]\nhttp = [{ path = \"/\", port = 3000, within = \"1s\" }]\nfiles = { \"/a\" = { grew = true } }\nexit_code = 1"
    ));
}
