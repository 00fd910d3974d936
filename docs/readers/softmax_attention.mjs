// Compares an implementation of attention.softmax_attention in JavaScript with golden vectors.
//
//   hopref vectors export --op attention.softmax_attention --out rows.jsonl
//   node softmax_attention.mjs rows.jsonl
//
// A row is a line of JSON; its real numbers are hexadecimal floats in strings.
import { readFileSync } from "node:fs";

// ---- what is judged -----------------------------------------------------------------------------

// Q is l x d, K is s x d, V is s x v; seen(i, j) says whether query i sees key j, of `bias(i, j)`.
function attention(Q, K, V, scale, bias, seen) {
  return Q.map((q, i) => {
    const scores = K.map((k, j) =>
      seen(i, j) ? scale * k.reduce((sum, x, a) => sum + x * q[a], 0) + bias(i, j) : -Infinity);
    const top = Math.max(...scores);
    if (top === -Infinity) return V[0].map(() => 0);                // no key is seen
    const p = scores.map((z) => Math.exp(z - top));
    const total = p.reduce((sum, x) => sum + x, 0);
    return V[0].map((_, a) => p.reduce((sum, x, j) => sum + (x > 0 ? x * V[j][a] : 0), 0) / total);
  });
}

// ---- the reader ---------------------------------------------------------------------------------

function real(text) {
  const special = { nan: NaN, inf: Infinity, "-inf": -Infinity };
  if (text in special) return special[text];
  const [, sign, whole, fraction = "", power] =
    text.match(/^(-?)0x([01])(?:\.([0-9a-f]+))?p([+-]\d+)$/);
  const size = parseInt(whole + fraction, 16) * 2 ** (Number(power) - 4 * fraction.length);
  return sign ? -size : size;
}

const value = (x) => (typeof x === "string" ? real(x) : x);

// The matrices along the last two axes, as lists of rows.
function matrices({ shape, data }) {
  const [rows, columns] = shape.slice(-2);
  const count = shape.slice(0, -2).reduce((a, b) => a * b, 1);
  const row = (at) => data.slice(at * columns, (at + 1) * columns).map(value);
  return Array.from({ length: count }, (_, m) =>
    Array.from({ length: rows }, (_, i) => row(m * rows + i)));
}

function computed({ args, params }) {
  const [Q, K, V] = [args.Q, args.K, args.V].map(matrices);
  const given = (name, none) => {
    const { dtype, value: v } = params[name] ?? { value: none };
    return dtype === "float64" ? real(v) : v;
  };
  const scale = given("scale", 1 / Math.sqrt(args.K.shape.at(-1)));
  const [mask, bias] = [params.mask, params.bias].map((x) => x && matrices(x));
  const from = given("align", "end") === "end" ? args.K.shape.at(-2) - args.Q.shape.at(-2) : 0;
  const visible = (m) => (i, j) =>
    (!mask || mask[m][i][j]) && (!given("causal", false) || j <= i + from);
  return Q.flatMap((q, m) =>
    attention(q, K[m], V[m], scale, (i, j) => (bias ? bias[m][i][j] : 0), visible(m)).flat());
}

let [count, failures, left] = [0, 0, 0];
for (const line of readFileSync(process.argv[2], "utf8").trimEnd().split("\n")) {
  const row = JSON.parse(line);
  if (row.error || row.limit || row.params.empty_row) {
    left += 1;
    continue;
  }
  const [{ value: exact, bound, tolerance }] = row.results;
  const found = computed(row);
  const wrong = found.length !== exact.length || found.some((y, i) =>
    !(Math.abs(y - real(exact[i])) <= real(bound[i]) + real(tolerance[i])));
  count += 1;
  failures += wrong;
  if (wrong) console.error(`fails: ${row.id} (${row.case}): ${row.flags.join(", ")}`);
}
console.log(`attention.softmax_attention in JavaScript: ${count} rows, ${failures} fail, ` +
            `${left} left out`);
process.exit(count === 0 || failures > 0 ? 1 : 0);
