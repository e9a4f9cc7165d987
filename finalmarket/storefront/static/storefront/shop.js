// What every page of a shop does; what one page does besides stands in the file of its name.
import * as basket from "./basket.js";
import * as kept from "./kept.js";
import { h } from "./show.js";
import { agree, consent, page } from "./track.js";

const told = document.body.dataset;
const PAGES = { product: "./product.js", cart: "./cart.js", checkout: "./checkout.js", order: "./order.js", account: "./account.js" };

function askForConsent() {
  if (!told.writeKey || consent() !== null || navigator.globalPrivacyControl) return;
  const decide = (word) => () => {
    agree(word);
    bar.remove();
    if (word === "yes") {
      page(told.page);
      document.dispatchEvent(new Event("agreed"));
    }
  };
  const bar = h(
    "section", { class: "consent", "aria-label": "Privacy" },
    h("p", {}, "May we note what you look at here, to make this shop better? Your cart works either way."),
    h("div", { class: "row" },
      h("button", { class: "button", type: "button", onclick: decide("no") }, "No, thanks"),
      h("button", { class: "button button-main", type: "button", onclick: decide("yes") }, "Allow")),
  );
  document.body.append(bar);
}

function showWho() {
  const session = kept.get("session");
  for (const one of document.querySelectorAll("[data-who]")) one.textContent = session ? session.name || "Account" : "Sign in";
}

basket.badge();
showWho();
askForConsent();
page(told.page);
if (told.place === "app" && "serviceWorker" in navigator) {
  navigator.serviceWorker.register(`${told.home}worker.js`, { scope: told.home });
}
document.documentElement.dataset.ready = "shop";
const file = PAGES[told.page];
if (file) await import(file);
if (told.search) {
  const { track } = await import("./track.js");
  const tell = () => track("Products Searched", { query: told.search });
  tell();
  document.addEventListener("agreed", tell);
}
document.documentElement.dataset.ready = told.page;
