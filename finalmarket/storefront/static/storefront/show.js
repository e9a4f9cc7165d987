// Making what is seen: elements out of words, never out of markup; money in the shop's currency.
const told = document.body.dataset;

export function h(name, about = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(about)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...inside.flat().filter((one) => one !== null && one !== undefined && one !== false));
  return made;
}

export function put(place, ...inside) {
  place.replaceChildren(...inside.flat().filter(Boolean));
}

const lang = document.documentElement.lang || "en";

export function money(amount, currency = told.currency) {
  return new Intl.NumberFormat(lang, { style: "currency", currency }).format(Number(amount));
}

const WORDS = { in_stock: "In stock", few: "Few left", out: "Sold out" };
export const availability = (word) => h("span", { class: `word word-${word}` }, WORDS[word] || word);

let clear;
export function say(text, kind = "info") {
  const place = document.getElementById("said");
  place.className = `said said-${kind}`;
  place.textContent = text;
  clearTimeout(clear);
  clear = setTimeout(() => { place.textContent = ""; place.className = "said"; }, 9000);
}

export const tile = (title) => h("span", { class: "tile", "aria-hidden": "true" }, (title || "?").slice(0, 1).toUpperCase());
