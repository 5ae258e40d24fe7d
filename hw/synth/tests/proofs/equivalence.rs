//! What Yosys makes of a unit is equivalent to the unit: `equiv_opt`, which proves every output and register by induction.

use crate::claim::{design, tools, with, yosys};
use tandem_rtl::hdl::{Design, Module};

/// Techmap of the cells, and the pass, of every family that is routed.
const FAMILIES: [(&str, &str); 2] =
    [("+/ice40/cells_sim.v", "synth_ice40"), ("+/ecp5/cells_sim.v", "synth_ecp5 -nodsp")];

fn script(top: &str, (cells, pass): (&str, &str)) -> String {
    format!(
        "read_verilog -DTANDEM_SHIFT_ADD=0 design.v\nhierarchy -top {top}\nproc\nflatten\nmemory -nomap\n\
         memory_map\nopt\nequiv_opt -assert -map {cells} {pass}\n"
    )
}

fn equivalent(design: &Design, top: &str) {
    let tools = tools();
    let unit = design.with_children(top).unwrap().text();
    for family in FAMILIES {
        yosys(&tools, &unit, &script(top, family)).unwrap_or_else(|e| panic!("{top}, {family:?}: {e}"));
    }
}

#[test]
fn netlists_of_an_element_and_a_queue_are_equivalent() {
    let (_, v) = design(4);
    equivalent(&v, "processing_element");
    equivalent(&v, "fifo_2x96");
}

#[test]
fn netlists_of_a_row_of_the_array_are_equivalent() {
    equivalent(&with(1, 2, 4).1, "array_row");
}

#[test]
fn a_netlist_of_another_unit_is_not() {
    let (_, v) = design(1);
    let element = v.with_children("processing_element").unwrap();
    let unit = element.text();
    let broken = unit.replacen("total_0_keep = ~", "total_0_keep = ", 1);
    assert_ne!(unit, broken);
    // both under one name, compared as equiv_opt does
    let script = "read_verilog design.v\nproc\nflatten\nequiv_make gold processing_element equiv\nhierarchy -top equiv\n\
                  equiv_simple\nequiv_induct\nequiv_status -assert\n";
    let gold = Module { name: "gold".into(), ..element.top().clone() };
    assert!(yosys(&tools(), &format!("{gold}{unit}"), script).is_ok());
    assert!(yosys(&tools(), &format!("{gold}{broken}"), script).is_err());
}
