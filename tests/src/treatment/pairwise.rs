//! Few combinations that hold every pair of answers.

/// Combinations of one answer to each question, such that any two answers to different questions meet in one of them.
/// `answers[q]` is the number of answers to question `q`. Greedy: each next combination meets the most new pairs.
pub fn pairwise(answers: &[usize]) -> Vec<Vec<usize>> {
    let all = combinations(answers);
    let mut missing: Vec<Vec<(usize, usize)>> = all.iter().flat_map(|choice| pairs(choice)).collect();
    missing.sort();
    missing.dedup();
    if missing.is_empty() {
        return all;
    }
    let mut chosen: Vec<Vec<usize>> = Vec::new();
    while !missing.is_empty() {
        let new_pairs = |choice: &Vec<usize>| pairs(choice).iter().filter(|pair| missing.contains(pair)).count();
        let mut best: Option<(usize, &Vec<usize>)> = None;
        for choice in &all {
            let count = new_pairs(choice);
            if best.is_none_or(|(most, _)| count > most) {
                best = Some((count, choice));
            }
        }
        let Some((_, best)) = best else { unreachable!("a missing pair stems from a combination") };
        missing.retain(|pair| !pairs(best).contains(pair));
        chosen.push(best.clone());
    }
    chosen
}

fn combinations(answers: &[usize]) -> Vec<Vec<usize>> {
    answers.iter().fold(vec![Vec::new()], |shorter, count| {
        let longer = |choice: &Vec<usize>| {
            let choice = choice.clone();
            (0..*count).map(move |answer| choice.iter().copied().chain([answer]).collect())
        };
        shorter.iter().flat_map(longer).collect()
    })
}

/// All pairs of answers to two questions, each as two (question, answer).
fn pairs(choice: &[usize]) -> Vec<Vec<(usize, usize)>> {
    let mut pairs = Vec::new();
    for (i, a) in choice.iter().enumerate() {
        for (j, b) in choice.iter().enumerate().skip(i + 1) {
            pairs.push(vec![(i, *a), (j, *b)]);
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_occurs_in_few_combinations() {
        let chosen = pairwise(&[2, 3, 2]);
        assert!(chosen.len() <= 6, "{chosen:?}");
        for (i, j) in [(0, 1), (0, 2), (1, 2)] {
            let counts = [2, 3, 2];
            for a in 0..counts[i] {
                for b in 0..counts[j] {
                    assert!(chosen.iter().any(|choice| choice[i] == a && choice[j] == b), "{i}={a} {j}={b}");
                }
            }
        }
    }

    #[test]
    fn one_question_gives_each_answer() {
        assert_eq!(pairwise(&[3]), vec![vec![0], vec![1], vec![2]]);
    }
}
