// How a token is drawn: jamo as single letters, bytes as hex, what cannot be seen by its number.
import { shown } from "../core/text.js";

const leads = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
const tails = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const place = (c, from) => c.charCodeAt(0) - from;

/** A text of whole syllables and single jamo; a final consonant has a dot before it. */
const jamo = (text) =>
  text
    .normalize("NFC")
    .replace(/[\u1100-\u1112]/g, (c) => leads[place(c, 0x1100)])
    .replace(/[\u1161-\u1175]/g, (c) => String.fromCharCode(0x314f + place(c, 0x1161)))
    .replace(/[\u11a8-\u11c2]/g, (c) => `·${tails[place(c, 0x11a8)]}`);

const number = (c) => `U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

/** A text whose every character can be seen: a mark gets a circle, a sign without a form its number. */
export const seen = (text) =>
  shown(text)
    .replace(/\p{Cc}|\p{Cf}|[\ufe00-\ufe0f]/gu, number)
    .replace(/^\p{M}/u, "◌$&");

const hex = (token) => Array.from(token, (c) => c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")).join(" ");

/** The characters that bytes are, or "" where they are none. */
function whole(token) {
  try {
    return decoder.decode(Uint8Array.from(token, (c) => c.charCodeAt(0)));
  } catch {
    return "";
  }
}

/** @typedef {{ text: string, whole: string }} Drawn */
/** @type {Map<string, Drawn>} */
const known = new Map(); // a page draws the same tokens at each step, and what is not whole is slow to decode
const most = 20000; // tokens that are kept

/**
 * How a token is written, and what its bytes are where they are whole characters.
 * @param {string} token
 * @param {import("./merging.js").By} by
 */
export function drawn(token, by) {
  const key = `${by} ${token}`;
  const found = known.get(key) ?? draw(token, by);
  if (known.size > most) known.clear();
  known.set(key, found);
  return found;
}

/** @returns {Drawn} */
function draw(token, by) {
  if (by === "byte") {
    const characters = whole(token);
    return { text: hex(token), whole: characters && seen(characters) };
  }
  return { text: seen(by === "jamo" ? jamo(token) : token), whole: "" };
}

/** Many bytes by the first and the last of them, where there is little room. */
export const few = (text, by) => (by === "byte" && text.length > 17 ? `${text.slice(0, 5)} … ${text.slice(-5)}` : text);
