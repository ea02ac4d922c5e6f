/**
 * Let the page wear a widget's own style sheet, which comes in its module: once, however many of them stand there.
 * It is adopted, and so wins over the sheet of all widgets, also where a later widget brings that one anew.
 * @param {string} name
 * @param {string} text
 */
export function dress(name, text) {
  const worn = document.adoptedStyleSheets.find((sheet) => /** @type {any} */ (sheet).qkv === name);
  const sheet = worn ?? Object.assign(new CSSStyleSheet(), { qkv: name });
  sheet.replaceSync(text);
  if (!worn) document.adoptedStyleSheets.push(sheet);
}
