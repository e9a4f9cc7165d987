// A kiosk: whoever stands before it puts goods together and orders them at this counter. It forgets them when they are
// gone. An order is written down with its Idempotency-Key before it is sent, and sent until an answer has come: a lost
// network loses no order and doubles none.
import * as api from "./api.js";
import * as kept from "./kept.js";
import { availability, h, money, put, say, tile } from "./show.js";
import * as tracking from "./track.js";

const place = document.getElementById("view");
const cartButton = document.getElementById("cart");
const startButton = document.getElementById("start");
const RETRY_MS = 3000;
const REFRESH_MS = 5 * 60 * 1000;
const WARN_SECONDS = 10;
const MOST_PRODUCTS = 200;
let shop = kept.get("shop");
let goods = kept.get("goods", []);
let details = kept.get("details", {});
let cart = new Map();
let view = "";
let touchedAt = Date.now();
let shown = "";  // the Idempotency-Key of the order whose end is on the screen
let isSending = false;

const total = () => [...cart.values()].reduce((sum, one) => sum + one.quantity * Number(one.price), 0);
const units = () => [...cart.values()].reduce((sum, one) => sum + one.quantity, 0);

function go(name, ...inside) {
  view = name;
  document.documentElement.dataset.view = name;
  put(place, ...inside);
  const isShopping = ["goods", "product", "cart"].includes(name);
  startButton.hidden = !isShopping && name !== "done";
  cartButton.hidden = !isShopping || !cart.size;
  cartButton.textContent = `Cart: ${units()} · ${money(total())}`;
  scrollTo(0, 0);
  place.focus();
}

const big = (label, onclick, about = {}) => h("button", { class: "button button-main", type: "button", onclick, ...about }, label);
const small = (label, onclick, about = {}) => h("button", { class: "button", type: "button", onclick, ...about }, label);

// Pairing

function pair(reason = "") {
  const input = h("input", { id: "code", required: true, autocomplete: "off", autocapitalize: "characters", maxlength: 12 });
  go("pair", h("form", {
    class: "narrow", onsubmit: async (event) => {
      event.preventDefault();
      try {
        kept.set("device", await api.post("/devices/pair", { code: input.value }));
        await refresh();
        start();
        flush();
      } catch (error) {
        say(error instanceof api.NoAnswer ? "No network." : error.message, "bad");
      }
    },
  }, h("h1", {}, "Pair this kiosk"), reason ? h("p", {}, reason) : null,
  h("p", {}, "The page of the channel in the console shows a code."), h("label", { for: "code" }, "Code"), input,
  h("button", { class: "button button-main" }, "Pair")));
}

function isLetOut(error) {
  if (error.kind !== "not-let-in") return false;
  kept.drop("device");
  pair(error.message);
  return true;
}

// What there is to buy

async function refresh() {
  shop = await api.get("/shop");
  kept.set("shop", shop);
  const found = [];
  for (let cursor = ""; cursor !== null && found.length < MOST_PRODUCTS;) {
    const page = await api.get(`/products?limit=50${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    found.push(...page.items);
    cursor = page.next;
  }
  goods = found;
  kept.set("goods", goods);
  for (const one of goods.slice(0, 40)) details[one.slug] = await api.get(`/products/${encodeURIComponent(one.slug)}`);
  kept.set("details", details);
}

async function refreshQuietly() {
  if (!kept.get("device")) return;
  try {
    await refresh();
    if (view === "goods") showGoods();
  } catch (error) {
    if (error instanceof api.Refused) isLetOut(error);
  }
  showLine();
}

// Views

function start() {
  cart = new Map();
  shown = "";
  tracking.beginVisit();
  const failed = kept.get("failed", []);
  go("start",
    h("div", { class: "welcome" }, h("h1", {}, shop ? shop.name : "Welcome"), big("Touch to begin", begin)),
    failed.length ? h("section", { class: "said said-bad", "aria-label": "For staff" },
      h("p", {}, `For staff: ${failed.length} orders could not be taken.`),
      h("ul", {}, failed.map((one) => h("li", {}, `${one.slip}: ${one.what}. ${one.reason}`))),
      small("Seen", () => { kept.drop("failed"); start(); })) : null);
}

function begin() {
  document.documentElement.requestFullscreen?.().catch(() => undefined);
  tracking.page("kiosk");
  showGoods();
}

function showGoods() {
  go("goods", h("h1", {}, "What would you like?"),
    goods.length ? h("ul", { class: "grid" }, goods.map((one) => h("li", {}, h("button", { class: "card", type: "button", onclick: () => showProduct(one.slug) },
      one.image ? h("span", { class: "tile" }, h("img", { src: one.image.url, alt: "" })) : tile(one.title),
      h("span", { class: "card-about" }, h("strong", {}, one.title),
        h("span", { class: "price" }, `${one.has_one_price ? "" : "from "}${money(one.price)}`), availability(one.availability))))))
      : h("p", {}, "There is nothing to buy here just now."));
}

async function showProduct(slug) {
  let one = details[slug];
  try {
    one = details[slug] = await api.get(`/products/${encodeURIComponent(slug)}`);
  } catch (error) {
    if (error instanceof api.Refused && isLetOut(error)) return;
    if (!one) {
      say("The network is away; choose something else for a moment.", "bad");
      return;
    }
  }
  const first = one.variants[0];
  tracking.track("Product Viewed", { sku: first.sku, name: one.title, price: Number(first.price) });
  go("product", small("← Back", showGoods), h("h1", {}, one.title), one.description ? h("p", {}, one.description) : null,
    h("ul", { class: "lines" }, one.variants.map((variant) => h("li", {},
      h("div", {}, h("strong", {}, variant.title || variant.sku), " ", h("span", { class: "price" }, money(variant.price)), " ",
        availability(variant.here || variant.availability)),
      big("Take it", () => take(one, variant), {
        "aria-label": `Take ${variant.title || variant.sku}`, disabled: (variant.here || variant.availability) === "out" })))));
}

function take(product, variant) {
  const known = cart.get(variant.variant);
  const title = variant.title ? `${product.title}, ${variant.title}` : product.title;
  cart.set(variant.variant, { ...variant, title, quantity: (known?.quantity || 0) + 1 });
  tracking.track("Product Added", { sku: variant.sku, name: title, price: Number(variant.price), quantity: 1 });
  showCart();
}

function step(one, by) {
  const quantity = one.quantity + by;
  if (quantity < 1) cart.delete(one.variant);
  else cart.set(one.variant, { ...one, quantity });
  tracking.track(by > 0 ? "Product Added" : "Product Removed", { sku: one.sku, quantity: 1 });
  if (cart.size) showCart();
  else showGoods();
}

function showCart() {
  go("cart", h("h1", {}, "Your cart"),
    h("ul", { class: "lines" }, [...cart.values()].map((one) => h("li", {}, h("strong", {}, one.title),
      h("div", { class: "steps" }, small("−", () => step(one, -1), { "aria-label": `One ${one.title} less` }), h("output", {}, String(one.quantity)),
        small("+", () => step(one, 1), { "aria-label": `One ${one.title} more` })),
      h("strong", {}, money(one.quantity * Number(one.price)))))),
    h("p", { class: "sum" }, "Total ", h("strong", { id: "total" }, money(total()))),
    h("div", { class: "row" }, small("Go on looking", showGoods), big("Order", showOrder)));
}

function showOrder() {
  tracking.track("Checkout Started", { value: total(), currency: shop.currency });
  const name = h("input", { id: "name", maxlength: 300, autocomplete: "off" });
  const email = h("input", { id: "email", type: "email", maxlength: 320, autocomplete: "off" });
  const stores = shop.stores.filter((one) => one.id === shop.device_store);
  const where = stores.length ? stores : shop.stores;
  const at = where.length > 1 ? h("select", { id: "store" }, where.map((one) => h("option", { value: one.id }, one.name))) : null;
  const form = h("form", { class: "narrow", onsubmit: (event) => event.preventDefault() },
    h("h1", {}, `Pay ${money(total())}`),
    h("label", { for: "name" }, "Your name, so that we can call you"), name,
    h("label", { for: "email" }, "E-mail, if you like"), email,
    at ? [h("label", { for: "store" }, "Where you collect it"), at] : null,
    h("div", { class: "row" }, small("Back", showCart),
      where.length ? big("Pay at the counter", () => form.reportValidity() && order("store")) : h("p", {}, "Nothing can be collected here now: ask our staff."),
      where.length && shop.ways_to_pay.includes("test") ? big("Test payment", () => form.reportValidity() && order("test")) : null));
  const order = (pay) => place_order({ name: name.value.trim(), email: email.value.trim(), pay, collect_at: Number(at ? at.value : where[0].id) });
  go("order", form);
}

function place_order(said) {
  const lines = [...cart.values()].map((one) => ({ variant: one.variant, quantity: one.quantity }));
  const token = kept.unique();
  const one = {
    token, slip: token.slice(0, 4).toUpperCase(), what: [...cart.values()].map((line) => `${line.quantity} × ${line.title}`).join(", "),
    visitor: tracking.visitor(), body: { ...said, lines, agreed: total().toFixed(4) },
  };
  kept.set("queue", [...kept.get("queue", []), one]);
  cart = new Map();
  shown = token;
  go("done", h("h1", {}, "One moment…"));
  flush();
}

function done(one, order) {
  if (shown !== one.token) return;
  if (order) {
    go("done", h("div", { class: "welcome" }, h("h1", {}, "Thank you!"), h("p", { class: "number", id: "number" }, order.number),
      h("p", {}, order.payment_state === "paid" ? "It is paid." : "Please pay at the counter."),
      order.collect_code ? h("p", { class: "code" }, "Your code: ", h("strong", {}, order.collect_code)) : null, small("Done", start)));
  } else {
    go("done", h("div", { class: "welcome" }, h("h1", {}, "We have noted it"), h("p", { class: "number", id: "slip" }, one.slip),
      h("p", {}, "The network is away for a moment. Your order is sent as soon as it is back: say this number at the counter."), small("Done", start)));
  }
}

// The order of whoever stands here waits, be it behind another's: they get their number all the same.
function noted() {
  const one = kept.get("queue", []).find((other) => other.token === shown);
  if (one && !document.getElementById("slip")) done(one, null);
}

function refused(one, error) {
  if (shown === one.token) {
    go("done", h("div", { class: "welcome" }, h("h1", {}, "That did not work"), h("p", { id: "why" }, error.message), small("Start again", start)));
  } else kept.set("failed", [...kept.get("failed", []), { slip: one.slip, what: one.what, reason: error.message }]);
}

// The queue: one after the other, each until it has an answer

async function flush() {
  if (isSending || !kept.get("device")) return;
  isSending = true;
  try {
    for (let one = kept.get("queue", [])[0]; one; one = kept.get("queue", [])[0]) {
      let order = null;
      try {
        order = await api.call("POST", "/orders", one.body, one.token, one.visitor);
      } catch (error) {
        if (error instanceof api.NoAnswer || error.kind === "too-fast") return noted();
        if (isLetOut(error)) return undefined;
        refused(one, error);
      }
      kept.set("queue", kept.get("queue", []).filter((other) => other.token !== one.token));
      if (order) done(one, order);
    }
  } finally {
    isSending = false;
    showLine();
  }
  return undefined;
}

function showLine() {
  const waiting = kept.get("queue", []).length;
  const text = waiting ? `${waiting} ${waiting === 1 ? "order waits" : "orders wait"} for the network` : navigator.onLine ? "" : "No network";
  document.getElementById("line").textContent = text;
}

// Whoever has gone is forgotten

function touched() {
  touchedAt = Date.now();
}

function look() {
  if (["start", "pair"].includes(view)) return;
  const left = (shop?.idle_seconds || 90) - (Date.now() - touchedAt) / 1000;
  if (left <= 0) start();
  else if (left <= Math.min(WARN_SECONDS, (shop?.idle_seconds || 90) / 2)) say(`Are you still there? We start again in ${Math.ceil(left)} seconds.`);
}

for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, touched, { passive: true });
cartButton.addEventListener("click", showCart);
startButton.addEventListener("click", start);
addEventListener("online", () => { flush(); refreshQuietly(); });
addEventListener("offline", showLine);
setInterval(look, 500);
setInterval(flush, RETRY_MS);
setInterval(refreshQuietly, REFRESH_MS);

if (kept.get("device")) {
  try {
    await refresh();
    start();
  } catch (error) {
    if (!(error instanceof api.Refused && isLetOut(error))) start();
  }
  flush();
} else pair();
showLine();
document.documentElement.dataset.ready = "kiosk";
