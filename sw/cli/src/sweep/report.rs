//! A sweep as one page that needs nothing else: table, scatter with the front, heat map, cycles of a point's products, its TOML.
//!
//! Styles, script, data and the plotting library (Chart.js, `report/README.md`) are all in the page, so it opens offline and can be sent.

use super::cost::Product;
use super::measure::Measure;
use super::results::{Front, Group, Results};
use serde_json::json;
use std::collections::HashMap;

const PAGE: &str = include_str!("report/page.html");
const STYLE: &str = include_str!("report/style.css");
const SCRIPT: &str = include_str!("report/script.js");
const LIBRARY: &str = include_str!("report/chart.umd.min.js");

/// What a page shows of a group beside its figures.
pub struct Detail<'a> {
    /// The experiment of its first point, or what its topology leaves open, as TOML.
    pub network: &'a str,
    /// Its accelerator, as TOML.
    pub accelerator: String,
    /// Products of one of its training steps.
    pub products: &'a [Product],
}

/// The page of a sweep; `about` is its summary as JSON: name, what was left out, what failed and what was simulated.
pub fn page<'a>(
    results: &Results<'_>,
    about: &serde_json::Value,
    detail: impl Fn(&Group) -> Detail<'a>,
) -> String {
    // each accelerator once
    let (mut accelerators, mut places) = (vec![], HashMap::<String, usize>::new());
    let groups: Vec<_> = results
        .groups
        .iter()
        .map(|group| {
            let Detail { network, accelerator, products } = detail(group);
            let place = *places.entry(accelerator).or_insert_with_key(|accelerator| {
                accelerators.push(accelerator.clone());
                accelerators.len() - 1
            });
            let of = |measures: &[Measure]| measures.iter().map(|m| (m.of)(group)).collect::<Vec<_>>();
            json!({
                "levels": group.levels, "ids": group.ids, "costs": of(&results.costs), "against": of(&results.against),
                "error": group.accuracy.and_then(|accuracy| accuracy.standard_error),
                "mhz": group.mhz, "mhz_from": group.mhz_from,
                "network": network, "accelerator": place, "products": products,
            })
        })
        .collect();
    let names = |measures: &[Measure]| measures.iter().map(|m| m.name).collect::<Vec<_>>();
    // a list of fronts, a cost each, for each of what costs are compared with
    let front = |against, cost| {
        let is_it = |front: &&Front| (front.against, front.cost) == (against, cost);
        &results.fronts.iter().find(is_it).expect("of every pair").places
    };
    let fronts = |against| (0..results.costs.len()).map(move |cost| front(against, cost)).collect::<Vec<_>>();
    let fronts: Vec<_> = (0..results.against.len()).map(fronts).collect();
    let data = json!({
        "name": about["name"], "axes": results.axes, "costs": names(&results.costs), "against": names(&results.against),
        "trained": results.against.iter().any(|m| m.more), "network": about["network"], "grown": about["grown"],
        "fronts": fronts, "groups": groups, "accelerators": accelerators, "left_out": about["left_out"], "failed": about["failed"],
        "simulated": about["simulated"], "float": about["float"], "missing": about["missing"],
    });
    let name = about["name"].as_str().unwrap_or_default();
    // the library's last line names a file beside it
    let library = LIBRARY.split("\n//# sourceMappingURL").next().expect("a first part");
    let parts = [
        ("NAME", escaped(name)),
        ("STYLE", STYLE.to_owned()),
        ("LIBRARY", library.to_owned()),
        ("SCRIPT", SCRIPT.to_owned()),
        // nothing in it may end the element
        ("DATA", data.to_string().replace('<', "\\u003c")),
    ];
    filled(PAGE, &parts)
}

/// A template's `{{KEY}}`s, each replaced once; what is put in is not looked at again.
fn filled(template: &str, parts: &[(&str, String)]) -> String {
    let mut page = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (key, after) = after.split_once("}}").expect("a key ends");
        let (_, part) = parts.iter().find(|(name, _)| *name == key).expect("a known key");
        page += before;
        page += part;
        rest = after;
    }
    page + rest
}

/// Text as HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::{Cost, Line};

    #[test]
    fn no_text_leaves_its_place() {
        let levels = vec!["</script><script>alert(1)</script> {{SCRIPT}}".to_owned()];
        let cost = Cost {
            step_cycles: 1,
            training_cycles: None,
            inference_cycles: 1.0,
            weight_bits: 1,
            bit_products: 1,
            area: None,
            clock: None,
        };
        let line = Line { id: "0".into(), levels, seed: None, cost, trained: None };
        let results = Results::new(vec!["a"], vec![line]);
        let about = json!({ "name": "<b>{{DATA}}</b>" });
        let detail = |_: &Group| Detail { network: "</SCRIPT>", accelerator: "<!--".into(), products: &[] };
        let page = page(&results, &about, detail);
        let scripts = |text: &str| text.to_lowercase().matches("</script>").count();
        assert_eq!(scripts(&page), scripts(PAGE), "no text ends an element");
        assert!(page.contains("<title>&lt;b&gt;{{DATA}}&lt;/b&gt;"));
        assert!(!page.contains("sourceMappingURL") && !page.contains("<!--"));
        for outside in ["src=", "href=\"http", "@import", "url("] {
            assert!(!PAGE.contains(outside) && !STYLE.contains(outside), "{outside}: the page stands alone");
        }
    }
}
