//! Plans that are remembered are bounded in number, whatever is asked for.

use std::sync::Arc;
use tandem_driver::gemm::{ResultWidth, Shape};
use tandem_driver::{Format, GemmProblem, Planner, Selection};
use tandem_model::CycleModel;
use tandem_spec::Config;

fn problem(m: usize, k: usize) -> GemmProblem {
    let format = Format::signed(4);
    let shape = Shape { m, k, n: 1 };
    GemmProblem {
        shape,
        x: format,
        w: format,
        result: ResultWidth::Full,
        selection: Selection::Dense,
        codes: None,
    }
}

#[test]
fn plans_of_ever_new_products_are_at_most_1024() {
    let toml = "[array]\nrows=2\ncols=2\nlanes=2\nrow_digit=4\ncol_digit=4\n\
                [memory]\nrow_depth=64\ncol_depth=64\nresult_depth=64\n";
    let mut planner = Planner::new(Config::from_toml("t", toml).unwrap(), Arc::new(CycleModel));
    let first = planner.plan(&problem(1, 1)).unwrap();
    for i in 0..1100 {
        planner.plan(&problem(1 + i % 36, 1 + i / 36)).unwrap();
        // asked for again and again: never forgotten
        assert!(Arc::ptr_eq(&first, &planner.plan(&problem(1, 1)).unwrap()));
        assert!(planner.remembered() <= 1024);
    }
    assert_eq!(planner.remembered(), 1024);
    // forgotten, and found again
    assert_eq!(
        planner.plan(&problem(2, 1)).unwrap().predicted,
        planner.plan(&problem(2, 1)).unwrap().predicted
    );
    assert_eq!(planner.remembered(), 1024);
}
