// The shopper's API by fetch. A call that got no answer may be made again under its Idempotency-Key.
import * as kept from "./kept.js";
import { visitor } from "./track.js";

const told = document.body.dataset;
const PATIENCE_MS = [400, 1200];
const LONGEST_MS = 15000;

export class Refused extends Error {
  constructor(problem) {
    super(problem.detail || problem.title);
    this.kind = (problem.type || "").split(":").pop();
    this.status = problem.status;
  }
}

export class NoAnswer extends Error {}

function headers(token, hasBody, who) {
  const given = { "X-Shop-Key": told.key };
  const session = kept.get("session");
  const device = kept.get("device");
  if (session) given.Authorization = `Bearer ${session.token}`;
  if (device) given["X-Shop-Device"] = device.token;
  if (who) given["X-Shop-Visitor"] = who;
  if (token) given["Idempotency-Key"] = token;
  if (hasBody) given["Content-Type"] = "application/json";
  return given;
}

export async function call(method, path, body, token, who = visitor()) {
  let answer;
  try {
    answer = await fetch(`/api/shop/v1${path}`, {
      method,
      headers: headers(token, body !== undefined, who),
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "omit",
      signal: AbortSignal.timeout(LONGEST_MS),
    });
  } catch (error) {
    throw new NoAnswer(String(error));
  }
  if (answer.status === 204) return null;
  let said;
  try {
    said = await answer.json();
  } catch (error) {
    throw new NoAnswer(String(error));
  }
  if (answer.ok) return said;
  if (answer.status === 503 || said.type?.endsWith(":under-way")) throw new NoAnswer(said.detail);
  const problem = new Refused(said);
  if (problem.status === 401 && kept.get("session") && /session/i.test(problem.message)) {
    kept.drop("session");
    kept.drop("cart");
    return call(method, path, body, token, who);
  }
  throw problem;
}

export async function once(method, path, body, token) {
  for (const pause of PATIENCE_MS) {
    try {
      return await call(method, path, body, token);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    }
    await new Promise((later) => setTimeout(later, pause));
  }
  return call(method, path, body, token);
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);
