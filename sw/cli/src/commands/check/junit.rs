//! The JUnit report: a test suite an accelerator, a test case a suite of random cases.

use super::{End, Suite};
use anyhow::Result;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// A text without the two characters that XML cannot hold and the writer, which drops all others, lets through.
fn shown(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "")
}

/// The report's text. Characters that XML cannot hold are left out.
pub(super) fn report(suites: &[Suite]) -> Result<String> {
    let mut report = Report::new("tandem check");
    for pair in suites.chunks(2) {
        let mut suite = TestSuite::new(shown(&pair[0].accelerator));
        suite.add_test_cases(pair.iter().map(case));
        suite.set_time(pair.iter().map(|s| s.time).sum());
        report.add_test_suite(suite);
    }
    report.set_time(suites.iter().map(|s| s.time).sum());
    Ok(report.to_string()?)
}

fn case(suite: &Suite) -> TestCase {
    let bad = |kind, message: String, what: &str| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(message).set_description(shown(what));
        status
    };
    let status = match &suite.end {
        End::Right if suite.cases == 0 => TestCaseStatus::skipped(),
        End::Right => TestCaseStatus::success(),
        End::Failed { seed, what } => bad(NonSuccessKind::Failure, format!("seed {seed}"), what),
        End::Broken { what } => bad(NonSuccessKind::Error, "no simulator".into(), what),
    };
    let mut case = TestCase::new(suite.name, status);
    case.set_classname(shown(&suite.accelerator)).set_time(suite.time);
    case.add_property(("cases", suite.cases.to_string().as_str()));
    case
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn suites(accelerator: &str, end: End) -> [Suite; 2] {
        let suite = |name, cases, end| Suite {
            accelerator: accelerator.into(),
            name,
            cases,
            time: Duration::from_millis(1500),
            end,
        };
        [suite("programs", 7, End::Right), suite("products", 6, end)]
    }

    #[test]
    fn a_test_case_an_accelerator_and_suite() {
        let mut all = Vec::from(suites("one", End::Right));
        all.extend(suites("two", End::Failed { seed: 9, what: "packet 3 & <more>".into() }));
        all.extend(suites("three", End::Broken { what: "verilator: missing".into() }));
        let text = report(&all).unwrap();
        let read = Report::deserialize_from_str(&text).unwrap();
        assert_eq!((read.tests, read.failures, read.errors), (6, 1, 1));
        for (suite, name) in read.test_suites.iter().zip(["one", "two", "three"]) {
            assert_eq!(suite.name.as_str(), name);
            let cases: Vec<&str> = suite.test_cases.iter().map(|c| c.name.as_str()).collect();
            assert_eq!(cases, ["programs", "products"]);
        }
        let TestCaseStatus::NonSuccess { description, .. } = &read.test_suites[1].test_cases[1].status else {
            panic!("{text}");
        };
        assert_eq!(description.as_ref().unwrap().as_str(), "packet 3 & <more>");
    }

    #[test]
    fn any_name_gives_a_report_that_can_be_read() {
        let name = "<a & \"b\" 'c' \u{1}\u{8}\u{1b}[31m \u{fffe} ]]> größer\n";
        let text = report(&suites(name, End::Failed { seed: 1, what: name.into() })).unwrap();
        let read = Report::deserialize_from_str(&text).unwrap();
        let shown = read.test_suites[0].name.as_str();
        assert!(shown.starts_with("<a & \"b\" 'c' ") && shown.contains("größer"), "{shown:?}");
        assert!(!text.contains(['\u{1}', '\u{8}', '\u{1b}', '\u{fffe}']), "{text:?}");
    }

    #[test]
    fn what_was_not_tried_is_skipped() {
        let mut all = suites("one", End::Right);
        all.iter_mut().for_each(|s| s.cases = 0);
        let text = report(&all).unwrap();
        assert_eq!(text.matches("<skipped").count(), 2, "{text}");
    }
}
