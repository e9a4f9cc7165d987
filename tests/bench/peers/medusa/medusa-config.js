// Medusa as its guide sets it up, without the admin's pages, and with the locking provider of PostgreSQL.
'use strict';

const { defineConfig } = require('@medusajs/framework/utils');

module.exports = defineConfig({
    admin: { disable: true },
    projectConfig: {
        databaseUrl: process.env.DATABASE_URL,
        // Who waits for a lock holds a connection; with the default of ten, 16 callers could starve the one who has it.
        databaseDriverOptions: { connection: { ssl: false }, pool: { min: 2, max: 48 } },
        http: {
            storeCors: 'http://127.0.0.1', adminCors: 'http://127.0.0.1', authCors: 'http://127.0.0.1',
            jwtSecret: 'only for a bench on this machine', cookieSecret: 'only for a bench on this machine',
        },
    },
    modules: [
        {
            resolve: '@medusajs/medusa/locking',
            options: {
                providers: [
                    { resolve: '@medusajs/medusa/locking-postgres', id: 'locking-postgres', is_default: true },
                ],
            },
        },
    ],
});
