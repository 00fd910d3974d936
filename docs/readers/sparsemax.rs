// Compares an implementation of maps.sparsemax in Rust with golden vectors.
//
//   hopref vectors export --op maps.sparsemax --out rows.jsonl
//   rustc -O sparsemax.rs && ./sparsemax rows.jsonl
//
// A row is a line of JSON; its numbers are hexadecimal floats in strings.
use std::{env, fs, process::exit};

// ---- what is judged: the projection of beta z onto the simplex of the entries that are seen -----

fn sparsemax(z: &[f64], seen: &[bool], beta: f64) -> Vec<f64> {
    let visible = |i: &usize| seen[*i] && z[*i] > f64::NEG_INFINITY;
    let mut sorted: Vec<f64> = (0..z.len()).filter(visible).map(|i| z[i]).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let (mut sum, mut threshold) = (0.0, f64::INFINITY);
    for (k, x) in sorted.iter().enumerate() {
        let gap = beta * (x - sorted[0]);               // of beta z, below the largest
        sum += gap;
        if 1.0 + (k + 1) as f64 * gap > sum {
            threshold = (sum - 1.0) / (k + 1) as f64;
        }
    }
    let weight = |i: usize| (beta * (z[i] - sorted[0]) - threshold).max(0.0);
    (0..z.len()).map(|i| if visible(&i) { weight(i) } else { 0.0 }).collect()
}

// ---- the reader ---------------------------------------------------------------------------------

fn real(text: &str) -> f64 {
    let (sign, size) = text.strip_prefix('-').map_or((1.0, text), |size| (-1.0, size));
    let Some((digits, power)) = size.trim_start_matches("0x").split_once('p') else {
        return if size == "inf" { sign * f64::INFINITY } else { f64::NAN };
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let bits = u64::from_str_radix(&format!("{whole}{fraction}"), 16).unwrap() as f64;
    let power = power.parse::<i32>().unwrap() - 4 * fraction.len() as i32;
    sign * bits * 2f64.powi(power / 2) * 2f64.powi(power - power / 2)   // exact: bits is whole
}

fn after<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.find(key).map(|at| &line[at + key.len()..])
}

// The entries of the first list after a key, such as "0x1p+0","nan" or true,false.
fn list<'a>(line: &'a str, key: &str) -> Vec<&'a str> {
    let text = after(line, key).and_then(|text| text.split(']').next()).unwrap_or("");
    text.split(',').map(|entry| entry.trim_matches('"')).filter(|entry| !entry.is_empty()).collect()
}

fn reals(line: &str, key: &str) -> Vec<f64> {
    list(line, key).into_iter().map(real).collect()
}

fn conforms(line: &str, results: &str) -> bool {
    let operand = after(line, "\"z\":{").unwrap();
    let n: usize = list(operand, "\"shape\":[").last().unwrap().parse().unwrap();
    let z = reals(operand, "\"data\":[");
    let mask = after(line, "\"where\":{").map(|mask| list(mask, "\"data\":["));
    let seen: Vec<bool> =
        mask.map_or(vec![true; z.len()], |mask| mask.iter().map(|word| *word == "true").collect());
    let beta = after(line, "\"beta\":{\"dtype\":\"float64\",\"value\":\"")
        .map_or(1.0, |text| real(text.split('"').next().unwrap()));
    let found: Vec<f64> = (0..z.len()).step_by(n.max(1))
        .flat_map(|i| sparsemax(&z[i..i + n], &seen[i % seen.len()..][..n], beta)).collect();
    let [value, bound, tolerance] = ["value", "bound", "tolerance"]
        .map(|key| reals(results, &format!("\"{key}\":[")));
    found.len() == value.len() && (0..value.len())
        .all(|i| (found[i] - value[i]).abs() <= bound[i] + tolerance[i])
}

fn main() {
    let file = env::args().nth(1).expect("usage: sparsemax rows.jsonl");
    let (mut rows, mut failures) = (0, 0);
    for line in fs::read_to_string(file).expect("the rows").lines() {
        let Some(results) = after(line, "\"results\":[") else { continue };     // an invalid call
        if results.contains("\"limit\":true") || line.contains("\"empty_row\"") {
            continue;
        }
        let right = conforms(line, results);
        rows += 1;
        failures += usize::from(!right);
        if !right {
            eprintln!("fails: {}", line.chars().take(120).collect::<String>());
        }
    }
    println!("maps.sparsemax in Rust: {rows} rows, {failures} fail");
    exit(i32::from(rows == 0 || failures > 0));
}
