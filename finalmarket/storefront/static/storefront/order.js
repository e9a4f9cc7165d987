// Thanks, and how the order stands. Its token is behind the # of the address: it is in no log and no referrer.
import * as api from "./api.js";
import * as kept from "./kept.js";
import { h, money, put, say } from "./show.js";

const place = document.getElementById("order");
const token = location.hash.slice(1) || kept.get("paying", "");
const STATES = {
  open: "We have your order", partly_fulfilled: "A part is on its way", fulfilled: "It is on its way", cancelled: "Cancelled",
  waiting: "Being put together", ready: "Ready to collect", collected: "Collected", given_up: "Not collected",
};
const PAID = { paid: "Paid", unpaid: "To be paid", authorised: "Payment reserved", partly_paid: "Partly paid", refunded: "Given back", partly_refunded: "Partly given back" };

async function pay() {
  try {
    const { address } = await api.post(`/orders/${token}/pay`, { back_url: location.href.split("#")[0] });
    kept.set("paying", token);
    location.assign(address);
  } catch (error) {
    say(error.message, "bad");
  }
}

function show(order) {
  const parcels = order.parcels.filter((one) => one.tracking_number);
  put(place,
    h("h1", {}, order.state === "cancelled" ? "This order was cancelled" : "Thank you!"),
    h("p", {}, "Order ", h("strong", { id: "number" }, order.number)),
    h("p", { id: "state" }, order.collect ? STATES[order.collect.state] : STATES[order.state] || order.state),
    order.collect ? h("p", { class: "code" }, `Collect it at ${order.collect.store} with the code `, h("strong", {}, order.collect.code)) : null,
    h("ul", { class: "lines" }, order.lines.map((one) => h("li", {}, `${one.quantity} × ${one.title}`, h("strong", {}, money(one.total, order.currency))))),
    h("p", { class: "sum quiet" }, "Delivery ", money(order.delivery, order.currency)),
    h("p", { class: "sum" }, `${PAID[order.payment_state] || order.payment_state} `, h("strong", {}, money(order.total, order.currency))),
    parcels.map((one) => h("p", {}, `${one.carrier} ${one.tracking_number} `, /^https:/.test(one.tracking_url) ? h("a", { href: one.tracking_url, rel: "noopener noreferrer" }, "Follow it") : null)),
    order.can_pay ? h("button", { class: "button button-main", type: "button", onclick: pay }, "Pay now") : null,
    h("a", { class: "button", href: document.body.dataset.home }, "Go on looking around"));
}

if (!token) put(place, h("p", {}, "There is no order at this address."));
else {
  try {
    show(await api.get(`/orders/${token}`));
    kept.drop("paying");
  } catch (error) {
    put(place, h("p", {}, error instanceof api.NoAnswer ? "The network is away. Your order stands; look again later." : error.message));
  }
}
