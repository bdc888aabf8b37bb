#!/usr/bin/env node
// Guards the Node version before anything else is imported: better-sqlite3 crashes the process on older ones.
const oldest = 24;

if (Number(process.versions.node.split('.')[0]) < oldest) {
  process.stderr.write(
    `fettle: needs Node.js ${oldest} or newer, this is ${process.versions.node} (${process.execPath})\n` +
      `hint: install Node.js ${oldest}, or run it with npx -p node@${oldest} fettle\n`,
  );
  process.exitCode = 2;
} else {
  void start();
}

async function start(): Promise<void> {
  const { enableCompileCache } = process.getBuiltinModule('node:module');
  const { ownCacheDirectory } = await import('./trust/own-cache.ts');
  const cache = ownCacheDirectory({ env: process.env, uid: process.geteuid?.() });
  if (cache !== undefined) enableCompileCache(cache);
  const { main } = await import('./app.ts');
  process.exitCode = await main();
}

export {};
