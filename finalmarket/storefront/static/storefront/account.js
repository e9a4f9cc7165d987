// Signing in by a mailed code, and what is kept of who signed in: cart, wishes, orders.
import * as api from "./api.js";
import * as basket from "./basket.js";
import * as kept from "./kept.js";
import { h, money, put, say } from "./show.js";

const place = document.getElementById("account");
const { home } = document.body.dataset;

function form(label, field, verb, done) {
  const input = h("input", { id: "given", required: true, ...field });
  return h("form", {
    class: "narrow", onsubmit: async (event) => {
      event.preventDefault();
      try {
        await done(input.value.trim());
      } catch (error) {
        say(error instanceof api.NoAnswer ? "The network is away; try again." : error.message, "bad");
      }
    },
  }, h("label", { for: "given" }, label), input, h("button", { class: "button button-main" }, verb));
}

function askForAddress() {
  put(place, h("h1", {}, "Sign in"),
    h("p", {}, "We mail you a code; there is no password. Your cart goes with you to your other devices."),
    form("E-mail", { type: "email", autocomplete: "email", maxlength: 320 }, "Mail me a code", async (email) => {
      await api.post("/sign-in", { email });
      askForCode(email);
    }));
  document.getElementById("given").focus();
}

function askForCode(email) {
  put(place, h("h1", {}, "Look into your mail"),
    h("p", {}, `Six digits are on their way to ${email}.`),
    form("Code", { inputmode: "numeric", autocomplete: "one-time-code", maxlength: 12 }, "Sign in", async (code) => {
      const cart = kept.get("cart")?.token || null;
      kept.set("session", await api.post("/sign-in/code", { email, code, cart }));
      if (!cart) basket.forget();
      await show();
      say("You are signed in.", "good");
    }),
    h("button", { class: "button", type: "button", onclick: askForAddress }, "Another address"));
  document.getElementById("given").focus();
}

async function signOut() {
  try {
    await api.post("/sign-out");
  } catch {
    // The session ends by itself; this browser forgets it now.
  }
  kept.drop("session");
  basket.forget();
  location.assign(home);
}

async function unwish(one) {
  await api.call("DELETE", `/wishlist/${one.variant}`);
  await show();
}

async function show() {
  const [me, orders, wishes, cart] = await Promise.all(
    [api.get("/me"), api.get("/me/orders"), api.get("/wishlist"), basket.current()]);
  put(place,
    h("h1", {}, me.name || "Your account"), h("p", {}, me.email),
    cart?.units ? h("p", {}, h("a", { href: `${home}cart/`, class: "button button-main" }, `Your cart: ${cart.units}`)) : null,
    h("h2", {}, "Orders"),
    orders.items.length
      ? h("ul", { class: "lines" }, orders.items.map((one) => h("li", {}, h("a", { href: `${home}order/#${one.token}` }, one.number), h("strong", {}, money(one.total, one.currency)))))
      : h("p", { class: "quiet" }, "Nothing ordered here yet."),
    h("h2", {}, "Wishes"),
    wishes.items.length
      ? h("ul", { class: "lines" }, wishes.items.map((one) => h("li", {}, h("a", { href: `${home}p/${one.slug}/` }, one.title),
        h("button", { class: "button", type: "button", onclick: () => unwish(one), "aria-label": `Remove ${one.title}` }, "Remove"))))
      : h("p", { class: "quiet" }, "No wishes yet."),
    h("button", { class: "button", type: "button", onclick: signOut }, "Sign out"));
}

if (kept.get("session")) {
  try {
    await show();
  } catch (error) {
    if (error.status === 401) askForAddress();
    else say("The network is away.", "bad");
  }
} else askForAddress();
