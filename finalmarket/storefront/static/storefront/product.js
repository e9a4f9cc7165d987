// A product: choosing a variant, putting it into the cart, wishing for it, and the stores where it lies.
import * as api from "./api.js";
import * as basket from "./basket.js";
import * as kept from "./kept.js";
import { availability, h, money, put, say } from "./show.js";
import { track } from "./track.js";

const form = document.getElementById("choose");
const choices = JSON.parse(document.getElementById("choices").textContent);
const title = form.dataset.title;
const chosen = () => choices.find((one) => String(one.variant) === new FormData(form).get("variant")) || choices[0];
const details = (one, quantity) => ({ sku: one.sku, name: title, price: Number(one.price), quantity });

function show() {
  const one = chosen();
  document.getElementById("price").textContent = money(one.price);
  put(document.getElementById("stock"), availability(one.availability));
  const button = form.querySelector("button[type=submit]");
  button.disabled = one.availability === "out";
  put(document.getElementById("stores"));
}

async function showStores() {
  const place = document.getElementById("stores");
  try {
    const { items } = await api.get(`/variants/${chosen().variant}/stores`);
    if (!items.length) return put(place, h("p", {}, "This shop has no stores to collect from."));
    put(place, h("ul", {}, items.map((one) => h("li", {}, `${one.name}, ${one.city} `, availability(one.availability)))));
  } catch (error) {
    say(error.message, "bad");
  }
}

form.addEventListener("change", show);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const one = chosen();
  const quantity = Number(new FormData(form).get("quantity")) || 1;
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  try {
    await basket.add(one.variant, details(one, quantity));
    say(`${title} is in your cart.`, "good");
  } catch (error) {
    say(error instanceof api.NoAnswer ? "The network is away. Nothing was put into the cart." : error.message, "bad");
  }
  button.disabled = false;
});
document.getElementById("where").addEventListener("click", showStores);
document.getElementById("wish").addEventListener("click", async () => {
  if (!kept.get("session")) return say("Sign in to keep wishes.", "bad");
  try {
    await api.call("PUT", `/wishlist/${chosen().variant}`);
    track("Product Added to Wishlist", details(chosen(), 1));
    return say(`${title} is on your wishlist.`, "good");
  } catch (error) {
    return say(error.message, "bad");
  }
});
show();
const tell = () => track("Product Viewed", details(chosen(), 1));
tell();
document.addEventListener("agreed", tell);
