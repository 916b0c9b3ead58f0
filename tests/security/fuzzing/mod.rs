//! Inputs of strangers, changed at random: the same functions that the fuzz targets of `fuzz/` call, with the same seed each time.
//!
//! `FUZZ_ROUNDS` is how many inputs each gets, `FUZZ_SEED` which ones.

mod catalogs;
mod queries;
mod records;

use end_to_end::{Dice, number};

/// Bytes that mean something somewhere.
const SPECIAL: &[u8] = b"\0\t\n\r \"'\\{}[]:,=&%+-.0123456789eE/~\x7f\x80\xc3\xff";

/// Changes of one input.
const MOST_CHANGES: u32 = 6;

fn run(seeds: &[Vec<u8>], words: &[&str], rounds: u32, one: fn(&[u8])) {
    let (rounds, seed) = (number("FUZZ_ROUNDS", rounds), number("FUZZ_SEED", 42));
    let mut dice = Dice::new(u64::from(seed));
    seeds.iter().for_each(|seed| one(seed));
    for round in 0..rounds {
        let mut input = pick(seeds, &mut dice).clone();
        for _ in 0..1 + dice.below(MOST_CHANGES) {
            change(&mut input, seeds, words, &mut dice);
        }
        let told = Told { round, seed, input: &input };
        one(&input);
        drop(told);
    }
}

/// Tells which input it was, when that is what a test ends with.
struct Told<'a> {
    round: u32,
    seed: u32,
    input: &'a [u8],
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { round, seed, input } = self;
            eprintln!("round {round} of FUZZ_SEED={seed}: b\"{}\"", input.escape_ascii());
        }
    }
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[&str], dice: &mut Dice) {
    let (from, to) = range(input, dice);
    match dice.below(7) {
        0 => input.get_mut(from).into_iter().for_each(|byte| *byte ^= 1 << dice.below(8)),
        1 => input.insert(from, *pick(SPECIAL, dice)),
        2 => drop(input.drain(from..to)),
        3 => {
            let again = input[from..to].to_vec();
            drop(input.splice(to..to, again));
        }
        4 => drop(input.splice(from..to, pick(words, dice).bytes())),
        5 => drop(input.splice(from..from, pick(words, dice).bytes())),
        _ => {
            let other = pick(seeds, dice);
            let (start, end) = range(other, dice);
            drop(input.splice(from..to, other[start..end].iter().copied()));
        }
    }
}

/// A short part of it.
fn range(input: &[u8], dice: &mut Dice) -> (usize, usize) {
    let from = dice.below(u32::try_from(input.len()).unwrap() + 1) as usize;
    (from, (from + dice.below(24) as usize).min(input.len()))
}

fn pick<'a, T>(list: &'a [T], dice: &mut Dice) -> &'a T {
    &list[dice.below(u32::try_from(list.len()).unwrap()) as usize]
}

#[test]
fn whatever_comes_as_records_is_typed_set_aside_or_refused() {
    run(&records::seeds(), &records::WORDS, 20_000, records::one);
}

#[test]
fn whatever_is_written_into_the_catalog_is_taken_whole_or_refused() {
    run(&catalogs::seeds(), &catalogs::WORDS, 3_000, catalogs::one);
}

#[test]
fn whatever_is_asked_of_the_monitor_is_within_bounds_or_refused() {
    run(&queries::seeds(), &queries::WORDS, 20_000, queries::one);
}
