// Finds files, exports and dependencies that nothing uses. `npm run lint:unused` runs it twice: over everything, and with
// `--production` over what is published, where an export that only tests use is one too many.
export default ({ production = false }: { readonly production?: boolean }) => ({
  entry: [
    // Workers and programs that are started by their path.
    'src/ledger/worker-start.ts!',
    // The orders of versions of package managers that are not here yet.
    'src/managers/versions/{alpm,apk,freebsd}.ts!',
    'scripts/start/parts.ts',
    'bench/{apply,first-command,idle,ledger,readme,rollout,scale,side-by-side,start-up,synced,winrm}.ts',
    'bench/{scale,winrm}/simulated-hosts.ts',
    'bench/scale/watch.ts',
    'test/**/*.test.ts',
    'test/managers/*/rig.ts',
    'test/lab/{dying-fettle,supervisor}.ts',
    'test/lab/synced/{marking-fettle,unsynced}.ts',
    'test/ledger/writer.ts',
  ],
  // Its patterns make an entry of every file below test/.
  node: false,
  project: ['src/**/*.ts!', '{test,scripts,bench}/**/*.ts'],
  includeEntryExports: true,
  ignoreExportsUsedInFile: production,
  // Programs of the system, which package.json cannot name.
  exclude: ['binaries'],
});
