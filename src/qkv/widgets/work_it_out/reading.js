// Numbers as a hand writes them: .245, 0,245, −1, 2/3, √2, 3·e^-1, (1+2)/5.

const names = new Map([
  ["pi", Math.PI],
  ["π", Math.PI],
  ["e", Math.E],
  ["inf", Infinity],
  ["∞", Infinity],
]);
const functions = new Map([
  ["sqrt", Math.sqrt],
  ["√", Math.sqrt],
  ["exp", Math.exp],
  ["ln", Math.log],
  ["log", Math.log],
]);
const token = /\s*(?:(\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)|([a-zπ]+|[√∞])|([-+*/^()]))/y;

/** One way of writing for each sign; a comma between digits, or before one, is a decimal point. */
const usual = (text) =>
  text
    // before the next line makes digits of them: e⁻¹ would be e-1, and 1½ 11/2
    .replace(/[⁰¹²³⁴-⁹⁺⁻]+/g, (raised) => `^${raised.normalize("NFKC")}`)
    .replace(/(\d+)([¼-¾⅐-⅞])/g, "($1+$2)")
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[−–—]/g, "-")
    .replace(/[×·⋅∙]/g, "*")
    .replace(/[÷∕⁄]/g, "/")
    .replaceAll("**", "^")
    .replace(/,(?=\d)/g, ".");

function tokens(text) {
  const found = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const [, number, name, sign] = token.exec(text) ?? [];
    if (number) found.push(+number);
    else if (name ?? sign) found.push(name ?? sign);
    else return [];
  }
  return found;
}

/** A sum of products of powers, read from left to right. What it cannot read makes NaN. */
class Reader {
  constructor(found) {
    this.found = found;
    this.at = 0;
  }

  next(...signs) {
    const sign = this.found[this.at];
    if (!signs.includes(sign)) return undefined;
    this.at++;
    return sign;
  }

  sum() {
    let value = this.product();
    for (let sign = this.next("+", "-"); sign; sign = this.next("+", "-"))
      value += sign === "+" ? this.product() : -this.product();
    return value;
  }

  product() {
    let value = this.signed();
    for (;;) {
      const sign = this.next("*", "/");
      if (sign) value = sign === "*" ? value * this.signed() : value / this.signed();
      else if (this.begins()) value *= this.power();
      else return value;
    }
  }

  /** Does a factor follow without a sign, as in 2√3 or 2(1+1)? Two numbers side by side are none. */
  begins() {
    const next = this.found[this.at];
    return typeof next === "string" && !"+-*/^)".includes(next);
  }

  signed() {
    const sign = this.next("-", "+");
    if (!sign) return this.power();
    return sign === "-" ? -this.signed() : this.signed();
  }

  power() {
    const base = this.atom();
    return this.next("^") ? base ** this.signed() : base;
  }

  atom() {
    const found = this.found[this.at++];
    if (typeof found === "number") return found;
    if (found === "(") {
      const value = this.sum();
      return this.next(")") ? value : NaN;
    }
    const f = functions.get(found);
    return f ? f(this.atom()) : (names.get(found) ?? NaN);
  }
}

/** The number that a text means, or NaN. */
export function read(text) {
  const reader = new Reader(tokens(usual(text).trim()));
  const value = reader.sum();
  return reader.at === reader.found.length ? value : NaN;
}
