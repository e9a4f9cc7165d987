// The cart of whoever is here: opened when it is needed, known by its token.
import * as api from "./api.js";
import * as kept from "./kept.js";
import { track } from "./track.js";

function note(cart) {
  kept.set("cart", { token: cart.token, units: cart.state === "open" ? cart.units : 0 });
  for (const one of document.querySelectorAll("[data-units]")) {
    one.textContent = String(kept.get("cart").units);
    one.hidden = !kept.get("cart").units;
  }
  return cart;
}

export function badge() {
  const known = kept.get("cart");
  if (known) note({ ...known, state: "open" });
}

export function forget() {
  kept.drop("cart");
  note({ token: "", units: 0, state: "open" });
  kept.drop("cart");
}

// A cart that somebody put together for them, in a chat say, comes by a link.
function handedOver() {
  const token = new URLSearchParams(window.location.search).get("cart") || "";
  if (!/^[0-9a-f-]{36}$/.test(token)) return;
  kept.set("cart", { token, units: 0 });
  window.history.replaceState(null, "", window.location.pathname);
}

async function open() {
  return note(await api.post("/carts", {}));
}

export async function current() {
  handedOver();
  const known = kept.get("cart");
  if (!known?.token) return kept.get("session") ? open() : null;
  try {
    const cart = await api.get(`/carts/${known.token}`);
    if (cart.state === "open") return note(cart);
  } catch (error) {
    if (error.status !== 404) throw error;
  }
  forget();
  return kept.get("session") ? open() : null;
}

const about = (line) => ({ sku: line.sku, name: line.title, price: Number(line.price), quantity: line.quantity });

export async function add(variant, details) {
  const cart = (await current()) || (await open());
  const body = { variant, quantity: details.quantity };
  const now = note(await api.once("POST", `/carts/${cart.token}/lines`, body, kept.unique()));
  track("Product Added", { ...details, currency: now.currency });
  return now;
}

export async function change(line, quantity) {
  const { token } = kept.get("cart");
  const path = `/carts/${token}/lines/${line.variant}`;
  const now = note(quantity ? await api.once("PUT", path, { quantity }) : await api.once("DELETE", path));
  const more = quantity - line.quantity;
  if (more) track(more > 0 ? "Product Added" : "Product Removed", { ...about(line), quantity: Math.abs(more) });
  return now;
}
