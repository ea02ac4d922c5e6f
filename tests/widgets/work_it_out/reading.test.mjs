// Numbers as a hand writes them, and what is none.
import assert from "node:assert/strict";
import { test } from "node:test";
import { read } from "../../../src/qkv/widgets/work_it_out/reading.js";

const right = {
  ".245": 0.245,
  0.245: 0.245,
  "0,245": 0.245,
  ",5": 0.5,
  "2.": 2,
  " 7 ": 7,
  "-1": -1,
  "−1": -1,
  "- 1": -1,
  "+3": 3,
  "--3": 3,
  "2/3": 2 / 3,
  "1/2/2": 0.25,
  "−2/3": -2 / 3,
  "½": 0.5,
  "1 - 2 - 3": -4,
  "2*3+4": 10,
  "2+3*4": 14,
  "(2+3)·4": 20,
  "2×3÷4": 1.5,
  "-2^2": -4,
  "2^-1": 0.5,
  "2^3^2": 512,
  "2**3": 8,
  "3²": 9,
  "2³": 8,
  "e⁻¹": Math.exp(-1),
  "10⁻²": 0.01,
  "1½": 1.5,
  "2·1½": 3,
  "√2": Math.SQRT2,
  "sqrt(2)": Math.SQRT2,
  "sqrt 2": Math.SQRT2,
  "√2/2": Math.SQRT1_2,
  "2√3": 2 * Math.sqrt(3),
  "2(1+1)": 4,
  "1/√2": Math.SQRT1_2,
  "√(1+3)": 2,
  e: Math.E,
  "e^-1": Math.exp(-1),
  "exp(2)": Math.exp(2),
  "2e": 2 * Math.E,
  "1e-3": 0.001,
  "1E3": 1000,
  "ln 3": Math.log(3),
  "pi/2": Math.PI / 2,
  π: Math.PI,
  "−∞": -Infinity,
  "-inf": -Infinity,
  "０．５": 0.5, // as Korean keyboards can write it
};

for (const [text, value] of Object.entries(right))
  test(`${text} is ${value}`, () => assert.ok(Object.is(read(text), value) || Math.abs(read(text) - value) < 1e-12));

const none = ["", " ", "a", "1 2", "2 1/2", "1.2.3", "1,234.5", "(1", "1)", "/2", "2/", "√", "0/0", "constructor"];
for (const text of [...none, "toString", "[1]", "1;2", "alert(1)", "<script>", "반", "3, 4", "^2", "50%"])
  test(`“${text}” is no number`, () => assert.ok(Number.isNaN(read(text))));
