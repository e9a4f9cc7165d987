// A Vendure server with its own defaults, filled with the goods that it is told of; then it makes carts for whoever asks.
//
//     node shop.js        PEER_PORT, PEER_DATABASE, PGHOST, PGPORT, PGUSER
//
// First line on standard input: {stock: {SKU: units}, price, currency, address}. Each further line: {wanted: [SKU],
// emails: [...]}. Each is answered by a line of JSON after "peer:" on standard output; carts by their sessions' tokens,
// made by the Shop API itself: item, customer, address and shipping method are set, payment is not arranged yet.
'use strict';

const readline = require('node:readline');
const {
    bootstrap, ChannelService, dummyPaymentHandler, FastImporterService, LanguageCode, LogLevel, DefaultLogger,
    Populator, RequestContextService, TaxCategoryService,
} = require('@vendure/core');

const PORT = Number(process.env.PEER_PORT);
const SHOP = `http://127.0.0.1:${PORT}/shop-api`;
const AT_ONCE = 8;

const config = {
    apiOptions: { port: PORT, hostname: '127.0.0.1', adminApiPath: 'admin-api', shopApiPath: 'shop-api' },
    authOptions: { tokenMethod: 'bearer', superadminCredentials: { identifier: 'peer', password: 'peer' } },
    dbConnectionOptions: {
        type: 'postgres',
        host: process.env.PGHOST,
        port: Number(process.env.PGPORT),
        username: process.env.PGUSER,
        database: process.env.PEER_DATABASE,
        synchronize: true,
        logging: false,
    },
    logger: new DefaultLogger({ level: LogLevel.Warn }),
    paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
};

/** Countries, taxes, a way to send and a way to pay; then a product with one variant for each SKU. */
async function fill(app, told) {
    const { country } = told.address;
    await app.get(Populator).populateInitialData({
        defaultLanguage: LanguageCode.en,
        defaultZone: 'Europe',
        countries: [{ code: country, name: country, zone: 'Europe' }],
        taxRates: [{ name: 'Standard Tax', percentage: 19 }],
        shippingMethods: [{ name: 'Free', price: 0, taxRate: 0 }],
        paymentMethods: [
            { name: 'Trying', handler: { code: dummyPaymentHandler.code, arguments: [{ name: 'automaticSettle', value: 'true' }] } },
        ],
        collections: [],
    });
    const channel = await app.get(ChannelService).getDefaultChannel();
    const ctx = await app.get(RequestContextService).create({ apiType: 'admin', channelOrToken: channel });
    const taxes = await app.get(TaxCategoryService).findAll(ctx);
    const importer = app.get(FastImporterService);
    await importer.initialize(channel);
    const variants = new Map();
    for (const [sku, units] of Object.entries(told.stock)) {
        const words = { languageCode: LanguageCode.en, name: sku };
        const productId = await importer.createProduct({
            enabled: true, translations: [{ ...words, slug: sku.toLowerCase(), description: '' }],
        });
        variants.set(sku, await importer.createProductVariant({
            productId, sku, price: Math.round(Number(told.price) * 100), stockOnHand: units, trackInventory: 'TRUE',
            taxCategoryId: taxes.items[0].id, optionIds: [], enabled: true, translations: [words],
        }));
    }
    return variants;
}

async function call(query, variables, token) {
    const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
    const answer = await fetch(SHOP, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
    const { data, errors } = await answer.json();
    const refused = Object.values(data ?? {}).find(one => one && one.errorCode);
    if (errors || refused) {
        throw new Error(`the Shop API refused: ${JSON.stringify(errors ?? refused)}`);
    }
    return { data, token: answer.headers.get('vendure-auth-token') ?? token };
}

const ERROR = '__typename ... on ErrorResult { errorCode message }';

async function cart(variant, email, address) {
    const added = await call(
        `mutation ($variant: ID!) { addItemToOrder(productVariantId: $variant, quantity: 1) { ${ERROR} } }`,
        { variant: String(variant) },
    );
    const input = {
        fullName: `${address.first_name} ${address.last_name}`, streetLine1: address.street, city: address.city,
        postalCode: address.postcode, countryCode: address.country,
    };
    const customer = { firstName: address.first_name, lastName: address.last_name, emailAddress: email };
    await call(
        `mutation ($customer: CreateCustomerInput!, $input: CreateAddressInput!) {
            setCustomerForOrder(input: $customer) { ${ERROR} }
            setOrderShippingAddress(input: $input) { ${ERROR} }
            setOrderShippingMethod(shippingMethodId: ["1"]) { ${ERROR} }
        }`,
        { customer, input },
        added.token,
    );
    return added.token;
}

async function carts(variants, told, { wanted, emails }) {
    const tokens = new Array(wanted.length);
    let next = 0;
    const work = async () => {
        while (next < wanted.length) {
            const at = next++;
            tokens[at] = await cart(variants.get(wanted[at]), emails[at], told.address);
        }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return tokens;
}

function say(answer) {
    process.stdout.write(`peer:${JSON.stringify(answer)}\n`);
}

async function main() {
    const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const told = JSON.parse((await lines.next()).value);
    const app = await bootstrap(config);
    const variants = await fill(app, told);
    say({ filled: variants.size });
    for await (const line of lines) {
        say(await carts(variants, told, JSON.parse(line)));
    }
    await app.close();
}

main().then(() => process.exit(0), error => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
});
