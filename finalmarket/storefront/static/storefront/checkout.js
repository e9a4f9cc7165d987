// The checkout: one order, whatever is lost on the way. The order is written down with its Idempotency-Key before it is
// sent, and is sent again under the same key until an answer has come.
import * as api from "./api.js";
import * as basket from "./basket.js";
import * as kept from "./kept.js";
import { h, money, put, say } from "./show.js";
import { track } from "./track.js";

const form = document.getElementById("checkout");
const button = form.querySelector("button[type=submit]");
const waiting = document.getElementById("waiting");
const { home } = document.body.dataset;
const WAYS = {
  test: ["Test payment", "No money moves: this shop is for trying."],
  page: ["Pay online", "On the page of our payment provider."],
  store: ["Pay later", "In the store when you collect, or by invoice."],
};
let cart = null;
let shop = null;

const isCollected = () => new FormData(form).get("delivery") === "collect";
const total = () => (isCollected() ? cart.total_collected : cart.total_sent);

function option(name, value, label, about, isChosen) {
  return h("label", { class: "option" },
    h("input", { type: "radio", name, value, checked: isChosen }),
    h("span", {}, label, about ? h("small", {}, about) : null));
}

function show() {
  const collected = isCollected();
  document.getElementById("address").hidden = collected;
  document.getElementById("store").hidden = !collected;
  for (const one of form.querySelectorAll("#address [data-needed]")) one.required = !collected;
  document.getElementById("email").required = true;
  put(document.getElementById("summary"),
    h("ul", { class: "lines" }, cart.lines.map((one) => h("li", {}, `${one.quantity} × ${one.title}`, h("strong", {}, money(one.quantity * Number(one.price)))))),
    h("p", { class: "sum quiet" }, "Delivery ", collected ? money(0) : money(cart.delivery)),
    h("p", { class: "sum" }, "Total ", h("strong", { id: "total" }, money(total()))));
}

function said() {
  const given = Object.fromEntries(new FormData(form));
  const body = { name: given.name, email: given.email, phone: given.phone, pay: given.pay, agreed: total() };
  if (given.pay === "test") body.test = given.test_ends || "paid";
  if (isCollected()) return { ...body, collect_at: Number(given.collect_at) };
  const address = { street: given.street, postcode: given.postcode, city: given.city, country: given.country.toUpperCase() };
  return { ...body, address };
}

// Returns whether it is ordered; then the page is being left.
async function send(pending) {
  button.disabled = true;
  try {
    const order = await api.once("POST", `/carts/${pending.cart}/checkout`, pending.body, pending.token);
    kept.drop("pending");
    basket.forget();
    if (pending.body.pay === "page") await pay(order);
    else location.assign(`${home}order/#${order.token}`);
    return true;
  } catch (error) {
    button.disabled = false;
    if (error instanceof api.NoAnswer || error.kind === "too-fast") {
      const why = error instanceof api.NoAnswer ? "No answer came." : error.message;
      say(`${why} Nothing is lost: press the button again, and it stays one order.`, "bad");
      return false;
    }
    kept.drop("pending");
    say(error.message, "bad");
    if (cart) await refresh();
    return false;
  }
}

async function pay(order) {
  const back = `${location.origin}${home}order/#${order.token}`;
  try {
    const { address } = await api.post(`/orders/${order.token}/pay`, { back_url: back.split("#")[0] });
    kept.set("paying", order.token);
    location.assign(address);
  } catch {
    location.assign(back);  // it can be paid from there
  }
}

async function refresh() {
  cart = await basket.current();
  if (!cart || !cart.lines.length) return location.assign(`${home}cart/`);
  return show();
}

// Whoever comes back is asked nothing twice: who buys, where it goes and how it is paid is as they said it last.
function fill(body) {
  const text = { name: body.name, email: body.email, phone: body.phone, ...body.address };
  for (const [name, value] of Object.entries(text)) form.elements[name].value = value;
  const chosen = { delivery: body.collect_at ? "collect" : "send", pay: body.pay };
  for (const one of form.querySelectorAll("input[type=radio]")) one.checked ||= one.value === chosen[one.name];
  for (const one of form.elements.collect_at.options) one.selected ||= Number(one.value) === body.collect_at;
}

function offerAgain() {
  const again = h("button", { class: "button button-main", type: "button", onclick: () => { again.disabled = true; open(); } }, "Send the order again");
  put(waiting, again);
  again.focus();
}

async function begin() {
  const pending = kept.get("pending");
  if (pending) {
    say("Your last order had no answer yet. It is sent again, and stays one order.");
    if (await send(pending)) return null;
    if (kept.get("pending")) return offerAgain();
  }
  [shop, cart] = await Promise.all([api.get("/shop"), basket.current()]);
  if (!cart || !cart.lines.length) return location.assign(`${home}cart/`);
  try {
    cart = await api.post(`/carts/${cart.token}/hold`);
  } catch (error) {
    if (error instanceof api.NoAnswer) throw error;
    say(error.message, "bad");
  }
  put(document.getElementById("delivery"),
    option("delivery", "send", "Send it", Number(cart.delivery) ? money(cart.delivery) : "Free", true),
    shop.stores.length ? option("delivery", "collect", "Collect it in a store", "Free", false) : null);
  put(document.getElementById("collect_at"), shop.stores.map((one) => h("option", { value: one.id }, `${one.name}, ${one.city}`)));
  put(document.getElementById("ways"),
    shop.ways_to_pay.map((way, number) => option("pay", way, ...WAYS[way], number === 0)));
  form.country.value ||= shop.country;
  const session = kept.get("session");
  if (session) {
    form.email.value = session.email;
    form.elements.name.value ||= session.name;
  }
  if (pending) fill(pending.body);
  const tell = () => track("Checkout Started", { value: Number(cart.goods), currency: cart.currency });
  tell();
  document.addEventListener("agreed", tell);
  show();
  form.hidden = false;
  waiting.hidden = true;
  return null;
}

form.addEventListener("change", show);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const body = said();
  const before = kept.get("pending");
  const isSame = before && JSON.stringify(before.body) === JSON.stringify(body);
  const pending = isSame ? before : { cart: cart.token, body, token: kept.unique() };
  kept.set("pending", pending);
  send(pending);
});
async function open() {
  try {
    await begin();
  } catch (error) {
    say(error instanceof api.NoAnswer ? "The network is away; your cart is kept." : error.message, "bad");
  }
}

await open();
