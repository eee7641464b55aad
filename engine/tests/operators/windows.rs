//! Windows over random rows, with one and two workers.

use tidebook_plan::flow::{Extent, Frame, WindowCall, WindowFunction};

use super::*;

/// Every window function over a kind of frame.
fn window_calls(frame: Frame) -> Vec<WindowCall> {
    let types = types();
    let key = |column, descending| OrderKey { column, descending };
    let call = |function, output: &DataType| WindowCall { function, output: output.clone() };
    let list = DataType::List(std::sync::Arc::new(arrow_schema::Field::new("item", DataType::Utf8, true)));
    let sum = |function, input, output: &DataType| {
        call(WindowFunction::Sum { sum: aggregate(function, input, output.clone()), frame }, output)
    };
    let filtered =
        tidebook_plan::flow::SumAggregate { filter: Some(4), ..aggregate(SumFunction::Sum, Some(3), DataType::Int64) };
    let best = |value, order, last| WindowFunction::Best { value, order, last, frame };
    let collect = |value, order, function| WindowFunction::Collect { value, order, function, frame };
    vec![
        sum(SumFunction::CountRows, None, &DataType::Int64),
        sum(SumFunction::Count, Some(1), &DataType::Int64),
        sum(SumFunction::Avg, Some(3), &DataType::Float64),
        sum(SumFunction::Variance, Some(3), &DataType::Float64),
        call(WindowFunction::Sum { sum: filtered, frame }, &DataType::Int64),
        call(best(2, vec![], false), &types[2]),
        call(best(1, vec![], true), &types[1]),
        call(best(3, vec![key(1, true), key(2, false)], false), &types[3]),
        call(best(1, vec![key(0, false)], true), &types[1]),
        call(WindowFunction::Edge { value: 1, last: false, frame }, &types[1]),
        call(WindowFunction::Edge { value: 2, last: true, frame }, &types[2]),
        call(WindowFunction::CountDistinct { value: 2, frame }, &DataType::Int64),
        call(collect(1, vec![key(3, true)], CollectFunction::List), &list),
        call(collect(1, vec![], CollectFunction::Set), &list),
        call(collect(1, vec![], CollectFunction::Join("+".to_string())), &DataType::Utf8),
        call(WindowFunction::Quantile { value: 3, fraction: Fraction::HALF, frame }, &DataType::Float64),
    ]
}

fn windows(
    b: &mut FlowBuilder,
    input: NodeId,
    partition: &[usize],
    order: &[OrderKey],
    functions: Vec<WindowCall>,
) -> NodeId {
    let mut columns = types();
    columns.extend(functions.iter().map(|call| call.output.clone()));
    let (partition, order) = (partition.to_vec(), order.to_vec());
    node(b, Operator::Window { input, partition, order, functions }, columns)
}

#[test]
fn windows_tell_each_row_of_those_around_it() {
    let key = |column, descending| OrderKey { column, descending };
    check_random(11, |b, l, _| {
        let call = |function, column: usize| WindowCall { function, output: types()[column].clone() };
        let neighbour = |offset, default| WindowFunction::Neighbour { value: 3, offset, default };
        let mut outputs = Vec::new();
        for (partition, order) in [
            (vec![], vec![key(3, false)]),
            (vec![0], vec![key(2, true), key(1, false)]),
            (vec![1, 4], vec![key(0, true)]),
            (vec![0], vec![key(0, false)]),
        ] {
            let places = vec![
                call(WindowFunction::RowNumber, 0),
                call(WindowFunction::Rank, 0),
                call(WindowFunction::DenseRank, 0),
                call(neighbour(-1, None), 3),
                call(neighbour(2, Some(0)), 3),
                call(neighbour(0, None), 3),
                call(neighbour(-100, Some(3)), 3),
            ];
            outputs.push(windows(b, l, &partition, &order, places));
            for frame in [Frame::Partition, Frame::Running, Frame::Rows(1), Frame::Rows(3), Frame::Rows(1_000)] {
                outputs.push(windows(b, l, &partition, &order, window_calls(frame)));
            }
        }
        outputs
    });
}

#[test]
fn frames_reach_back_by_value() {
    let key = |column, descending| OrderKey { column, descending };
    check_random(12, |b, l, _| {
        let mut outputs = Vec::new();
        for down in [false, true] {
            for far in [0, 1, 4, i64::MAX] {
                let calls = window_calls(Frame::Range(Extent::Whole(far)));
                outputs.push(windows(b, l, &[], &[key(3, down)], calls.clone()));
                outputs.push(windows(b, l, &[0], &[key(3, down)], calls));
            }
            for far in [0.0, 1.75, 1e301] {
                let calls = window_calls(Frame::Range(Extent::Float(f64::to_bits(far))));
                outputs.push(windows(b, l, &[1], &[key(2, down)], calls));
            }
        }
        outputs
    });
}

#[test]
fn a_running_sum_that_does_not_fit_is_an_error_of_its_rows() {
    let types = [DataType::Int64, DataType::Int64];
    let row = |at: i64, value: i64| vec![int(at), int(value)];
    let steps = vec![
        vec![vec![(row(1, i64::MAX), 1), (row(2, -1), 1), (row(4, 5), 1)]],
        vec![vec![(row(3, -2), 1)]],
        vec![vec![(row(5, 1), 1), (row(2, -1), -1)]],
        vec![vec![(row(1, i64::MAX), -1)]],
    ];
    let mut b = FlowBuilder::default();
    let input = constant(&mut b, &types, &steps);
    let sum = aggregate(SumFunction::Sum, Some(1), DataType::Int64);
    let functions =
        vec![WindowCall { function: WindowFunction::Sum { sum, frame: Frame::Running }, output: DataType::Int64 }];
    let order = vec![OrderKey { column: 0, descending: false }];
    let operator = Operator::Window { input, partition: vec![], order, functions };
    let sums = node(&mut b, operator, vec![DataType::Int64; 3]);
    let overflow = vec![DataType::Int64, DataType::Int64, DataType::Utf8, DataType::Utf8];
    let overflow = node(&mut b, Operator::Errors { of: sums }, overflow);
    check(b.finish(vec![sums, overflow]), &[(0, steps)], 2);
}
