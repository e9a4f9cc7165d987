// A Medusa server, filled with the goods that it is told of; then it makes carts for whoever asks.
//
//     node shop.js        PEER_PORT, DATABASE_URL; after `medusa db:migrate`
//
// First line on standard input: {stock: {SKU: units}, price, currency, address}; answered by {filled, key}, the
// publishable key. Each further line: {wanted: [SKU], emails: [...]}; answered by the ids of carts that are ready to be
// completed: item, address, shipping method and a payment session of the provider for trying are there. Answers are lines
// of JSON after "peer:" on standard output. Goods and carts are made by Medusa's own workflows within this process.
'use strict';

const readline = require('node:readline');
const express = require('express');
const { default: load } = require('@medusajs/medusa/loaders/index');
const { ContainerRegistrationKeys, Modules } = require('@medusajs/framework/utils');
const flows = require('@medusajs/medusa/core-flows');

const PORT = Number(process.env.PEER_PORT);
const AT_ONCE = 4;
const PRODUCTS_A_CALL = 100;
const PAYMENT = 'pp_system_default';

/** Where it is sold: channel, key, region, warehouse, and a free way to send. */
async function open(container, told) {
    const run = async (flow, input) => (await flow(container).run({ input })).result;
    const country = told.address.country.toLowerCase();
    const currency = told.currency.toLowerCase();
    const [channel] = await run(flows.createSalesChannelsWorkflow, { salesChannelsData: [{ name: 'Shop' }] });
    const [key] = await run(flows.createApiKeysWorkflow, {
        api_keys: [{ title: 'Shop', type: 'publishable', created_by: '' }],
    });
    await run(flows.linkSalesChannelsToApiKeyWorkflow, { id: key.id, add: [channel.id] });
    const [region] = await run(flows.createRegionsWorkflow, {
        regions: [{ name: 'Region', currency_code: currency, countries: [country], payment_providers: [PAYMENT] }],
    });
    await run(flows.createTaxRegionsWorkflow, [{ country_code: country, provider_id: 'tp_system' }]);
    const [warehouse] = await run(flows.createStockLocationsWorkflow, {
        locations: [{ name: 'Warehouse', address: { address_1: told.address.street, country_code: country } }],
    });
    await run(flows.linkSalesChannelsToStockLocationWorkflow, { id: warehouse.id, add: [channel.id] });
    const shipping = await ship(container, run, { warehouse, region, country, currency });
    return { run, channel, key, region, warehouse, currency, country, ...shipping };
}

async function ship(container, run, { warehouse, region, country, currency }) {
    const link = container.resolve(ContainerRegistrationKeys.LINK);
    await link.create({
        [Modules.STOCK_LOCATION]: { stock_location_id: warehouse.id },
        [Modules.FULFILLMENT]: { fulfillment_provider_id: 'manual_manual' },
    });
    const [profile] = await run(flows.createShippingProfilesWorkflow, { data: [{ name: 'Goods', type: 'default' }] });
    const set = await container.resolve(Modules.FULFILLMENT).createFulfillmentSets({
        name: 'Parcels', type: 'shipping',
        service_zones: [{ name: 'Zone', geo_zones: [{ country_code: country, type: 'country' }] }],
    });
    await link.create({
        [Modules.STOCK_LOCATION]: { stock_location_id: warehouse.id },
        [Modules.FULFILLMENT]: { fulfillment_set_id: set.id },
    });
    const [option] = await run(flows.createShippingOptionsWorkflow, [{
        name: 'Free', price_type: 'flat', provider_id: 'manual_manual', service_zone_id: set.service_zones[0].id,
        shipping_profile_id: profile.id, type: { label: 'Free', description: 'Free', code: 'free' },
        prices: [{ currency_code: currency, amount: 0 }, { region_id: region.id, amount: 0 }],
        rules: [
            { attribute: 'enabled_in_store', value: 'true', operator: 'eq' },
            { attribute: 'is_return', value: 'false', operator: 'eq' },
        ],
    }]);
    return { profile, option };
}

/** A product with one variant for each SKU, and its stock in the warehouse. */
async function fill(container, shop, told) {
    const wanted = Object.entries(told.stock);
    const variants = new Map();
    for (let first = 0; first < wanted.length; first += PRODUCTS_A_CALL) {
        const part = wanted.slice(first, first + PRODUCTS_A_CALL);
        const products = await shop.run(flows.createProductsWorkflow, {
            products: part.map(([sku]) => ({
                title: sku, status: 'published', shipping_profile_id: shop.profile.id,
                sales_channels: [{ id: shop.channel.id }], options: [{ title: 'Kind', values: ['One'] }],
                variants: [{
                    title: sku, sku, options: { Kind: 'One' }, manage_inventory: true, allow_backorder: false,
                    prices: [{ currency_code: shop.currency, amount: Number(told.price) }],
                }],
            })),
        });
        for (const product of products) {
            variants.set(product.variants[0].sku, product.variants[0].id);
        }
    }
    const items = await container.resolve(Modules.INVENTORY).listInventoryItems({}, { take: wanted.length });
    await shop.run(flows.createInventoryLevelsWorkflow, {
        inventory_levels: items.map(item => ({
            inventory_item_id: item.id, location_id: shop.warehouse.id, stocked_quantity: told.stock[item.sku],
        })),
    });
    return variants;
}

async function cart(shop, told, variant, email) {
    const { first_name, last_name, street, city, postcode } = told.address;
    const made = await shop.run(flows.createCartWorkflow, {
        region_id: shop.region.id, sales_channel_id: shop.channel.id, currency_code: shop.currency, email,
        items: [{ variant_id: variant, quantity: 1 }],
        shipping_address: {
            first_name, last_name, address_1: street, city, postal_code: postcode, country_code: shop.country,
        },
    });
    await shop.run(flows.addShippingMethodToCartWorkflow, { cart_id: made.id, options: [{ id: shop.option.id }] });
    const payments = await shop.run(flows.createPaymentCollectionForCartWorkflow, { cart_id: made.id });
    await shop.run(flows.createPaymentSessionsWorkflow, {
        payment_collection_id: payments.id, provider_id: PAYMENT,
    });
    return made.id;
}

async function carts(shop, told, variants, { wanted, emails }) {
    const ids = new Array(wanted.length);
    let next = 0;
    const work = async () => {
        while (next < wanted.length) {
            const at = next++;
            ids[at] = await cart(shop, told, variants.get(wanted[at]), emails[at]);
        }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return ids;
}

function say(answer) {
    process.stdout.write(`peer:${JSON.stringify(answer)}\n`);
}

async function main() {
    const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const told = JSON.parse((await lines.next()).value);
    const app = express();
    const { container, shutdown } = await load({ directory: process.cwd(), expressApp: app });
    await new Promise(done => app.listen(PORT, '127.0.0.1', done));
    const shop = await open(container, told);
    const variants = await fill(container, shop, told);
    say({ filled: variants.size, key: shop.key.token });
    for await (const line of lines) {
        say(await carts(shop, told, variants, JSON.parse(line)));
    }
    await shutdown();
}

main().then(() => process.exit(0), error => {
    process.stderr.write(`${error.stack ?? error}\n`);
    process.exit(1);
});
