// Tells `events` events by one of the clients, and prints what it gave up as JSON.
// node tell.mjs CLIENT ADDRESS KEY EVENTS PEOPLE
import { createRequire } from "node:module";
import { join } from "node:path";

const [client, address, key, events, people] = process.argv.slice(2);
// The clients lie where they were installed, which need not be beside this file.
const require = createRequire(join(process.env.CLIENTS, "package.json"));
const failures = [];
const user = (number) => `u${number % people}`;
const email = (number) => `u${number}@example.com`;

const tellers = {
  async segment() {
    const { Analytics } = require("@segment/analytics-node");
    const teller = new Analytics({ writeKey: key, host: address, flushAt: 40, flushInterval: 50, maxRetries: 10 });
    teller.on("error", (error) => failures.push(String(error.code ?? error)));
    for (let n = 0; n < people; n++) teller.identify({ userId: user(n), traits: { email: email(n) } });
    for (let n = 0; n < events; n++) teller.track({ userId: user(n), event: "Product Viewed", properties: { number: n } });
    await teller.closeAndFlush({ timeout: 120000 });
  },
  async rudderstack() {
    const { default: Analytics } = await import(require.resolve("@rudderstack/rudder-sdk-node"));
    const Teller = Analytics.default ?? Analytics;
    const teller = new Teller(key, {
      dataPlaneUrl: address, flushAt: 40, flushInterval: 50, gzip: true, retryCount: 10, maxInternalQueueSize: 100000,
    });
    const told = [];
    const tell = (what, message) =>
      told.push(new Promise((done) => teller[what](message, (error) => { if (error) failures.push(String(error)); done(); })));
    for (let n = 0; n < people; n++) tell("identify", { userId: user(n), traits: { email: email(n) } });
    for (let n = 0; n < events; n++) tell("track", { userId: user(n), event: "Product Viewed", properties: { number: n } });
    await teller.flush();
    await Promise.all(told);
  },
  async posthog() {
    const { PostHog } = require("posthog-node");
    const teller = new PostHog(key, { host: address, flushAt: 40, flushInterval: 50, fetchRetryCount: 10, fetchRetryDelay: 50 });
    teller.on("error", (error) => failures.push(String(error)));
    for (let n = 0; n < people; n++) teller.identify({ distinctId: user(n), properties: { email: email(n) } });
    for (let n = 0; n < events; n++) teller.capture({ distinctId: user(n), event: "Product Viewed", properties: { number: n } });
    await teller.shutdown(120000);
  },
};

await tellers[client]();
console.log(JSON.stringify(failures));
process.exit(0);
