#!/usr/bin/env node
// Installed, it runs the JavaScript; in a checkout the sources, which Node reads by itself, so nothing has to be built.
const isInstalled = import.meta.url.includes('/node_modules/');
const { main } = await import(isInstalled ? '../dist/decode/main.js' : '../src/decode/main.ts');
process.exitCode = await main(process.argv.slice(2));
