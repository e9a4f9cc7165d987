// The cart: what lies in it at the prices of now, and what is different from when it was put in.
import * as basket from "./basket.js";
import { h, money, put, say, tile } from "./show.js";

const place = document.getElementById("cart");
const { home } = document.body.dataset;

function line(one) {
  const set = async (quantity) => {
    try {
      show(await basket.change(one, quantity));
    } catch (error) {
      say(error.message, "bad");
    }
  };
  const units = h("input", {
    type: "number", min: 1, max: 999, value: one.quantity, "aria-label": `Units of ${one.title}`, inputmode: "numeric",
    onchange: (event) => set(Math.max(1, Number(event.target.value) || 1)),
  });
  return h("li", { class: "line" },
    tile(one.title),
    h("div", { class: "line-about" },
      h("a", { href: `${home}p/${one.slug}/` }, one.title), h("small", {}, one.sku),
      one.differences.map((differs) => h("p", { class: "differs" }, differs.text))),
    units,
    h("strong", {}, one.price === null ? "–" : money(one.quantity * Number(one.price))),
    h("button", { type: "button", class: "button", onclick: () => set(0), "aria-label": `Remove ${one.title}` }, "Remove"));
}

function show(cart) {
  if (!cart || !cart.lines.length) {
    return put(place, h("p", {}, "Your cart is empty."), h("a", { class: "button button-main", href: home }, "Look around"));
  }
  const canBuy = cart.lines.every((one) => one.can_be_sold);
  return put(place,
    h("ul", { class: "lines" }, cart.lines.map(line)),
    h("p", { class: "sum" }, "Goods ", h("strong", { id: "goods" }, money(cart.goods))),
    Number(cart.delivery) ? h("p", { class: "sum quiet" }, `Delivery ${money(cart.delivery)}, or collect it in a store`) : null,
    canBuy
      ? h("a", { class: "button button-main button-wide", href: `${home}checkout/` }, "Go to checkout")
      : h("p", { class: "said said-bad" }, "Something in it cannot be sold as it is: change or remove it."));
}

try {
  show(await basket.current());
} catch (error) {
  say("The network is away; your cart is kept.", "bad");
  put(place, h("p", {}, "The cart cannot be shown without a network."));
}
