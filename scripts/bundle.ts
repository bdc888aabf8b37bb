// A start of many small files spends its time on finding and opening them: dist/ has few. cli.js guards the Node.js
// version and loads the rest, which lies in parts, by parts.js.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { rolldown, type InputOptions, type OutputChunk, type OutputOptions, type Plugin } from 'rolldown';

/** Native code, or what searches for it: these stay packages that npm installs. */
const external = [/^better-sqlite3$/, /^koffi$/, /^cpu-features$/, /\.node$/];

/** A file of `src` that another one starts by its URL, such as the beginning of a thread. */
const startedFile = /new URL\('(\.\/[^']+)\.ts', import\.meta\.url\)/g;

const options = {
  platform: 'node',
  // Nobody imports from dist/.
  preserveEntrySignatures: 'allow-extension',
  external,
  onLog: (level, log) => {
    if (level === 'warn') throw new Error(`rolldown: ${log.message}`);
  },
} satisfies InputOptions;

const written = { sourcemap: true, sourcemapExcludeSources: true } satisfies OutputOptions;

/**
 * Bundles `src` into `dist`; the paths of all files that went in. All of it is CommonJS, for which Node.js need not set
 * its loader of modules up: that takes longer than to load the code, once more in each thread.
 */
export async function bundle(root: string, dist: string): Promise<readonly string[]> {
  const source = join(root, 'src');
  const starts = ['cli.ts', ...startedFiles(source)].map((file) => join(source, file));
  const parts = await bundleParts(source, dist, starts.flatMap(importedBy));
  const entries = new Map(parts.map((part) => [part.facadeModuleId ?? '', part]));
  const build = await rolldown({
    ...options,
    input: Object.fromEntries(starts.map((file) => [relative(source, file).replace(/\.ts$/, ''), file])),
    plugins: [partsFor(entries, join(root, 'scripts/start/parts.ts'))],
  });
  const { output } = await build.write({ dir: dist, ...written, format: 'cjs', chunkFileNames: '[name].js' });
  // The package's own manifest declares that files are ECMAScript modules.
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify({ type: 'commonjs' })}\n`);
  const chunks = output.filter((file) => file.type === 'chunk');
  // An old Node.js must get as far as the guard.
  if (chunks.some(({ fileName, imports }) => fileName === 'cli.js' && imports.length > 0)) {
    throw new Error('cli.js must import nothing before its guard');
  }
  return [...parts, ...chunks].flatMap(({ moduleIds }) => moduleIds);
}

/** Paths below `source`. */
function startedFiles(source: string): string[] {
  return globSync('**/*.ts', { cwd: source }).flatMap((file) =>
    [...readFileSync(join(source, file), 'utf8').matchAll(startedFile)].map(([, name = '']) =>
      join(file, '..', `${name}.ts`),
    ),
  );
}

/** What a start loads once it may: all but what it needs for that. */
function importedBy(start: string): string[] {
  return [...readFileSync(start, 'utf8').matchAll(/(?:await|void) import\('(\.\/[^'/]+\.ts)'\)/g)].map(
    ([, name = '']) => join(start, '..', name),
  );
}

/** CommonJS, which loads at once and without turns of the event loop, and whose text Node.js can compile as a script. */
async function bundleParts(source: string, dist: string, entries: readonly string[]): Promise<readonly OutputChunk[]> {
  const build = await rolldown({
    ...options,
    input: Object.fromEntries(entries.map((file) => [basename(file, '.ts'), file])),
    plugins: [ownPlaces(source), nativeOfSsh2(), asciiText()],
  });
  const { output } = await build.write({
    dir: dist,
    ...written,
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
    codeSplitting: {
      groups: [{ name: 'words', test: new RegExp(`^${source}/(?:base|domain|trust)/`) }],
      includeDependenciesRecursively: false,
    },
  });
  return output.filter((file) => file.type === 'chunk');
}

/** Has a start load its parts by `loader` instead of importing them. */
function partsFor(entries: ReadonlyMap<string, OutputChunk>, loader: string): Plugin {
  const nameOf = ({ fileName }: OutputChunk): string => `load-${basename(fileName, '.cjs')}.js`;
  return {
    name: 'parts-for-starts',
    resolveId(id, importer) {
      const part = entries.get(importer === undefined ? id : join(importer, '..', id));
      return part === undefined ? undefined : nameOf(part);
    },
    load(id) {
      const part = [...entries.values()].find((entry) => nameOf(entry) === id);
      if (part === undefined) return undefined;
      const load = `loadPart(${JSON.stringify(part.fileName)})`;
      return `import { loadPart } from ${JSON.stringify(loader)};\nexport const { ${part.exports.join(', ')} } = ${load};`;
    },
  };
}

/** Files beside a source file are found from where it would be in dist/, though its code lies in a part at the top. */
function ownPlaces(source: string): Plugin {
  return {
    name: 'own-places',
    transform(code, id) {
      if (!id.startsWith(source) || !code.includes('import.meta.url')) return undefined;
      const place = `./${relative(source, id).replace(/\.ts$/, '.js')}`;
      const placed = code
        .replace(startedFile, (_, name: string) => `new URL('${name}.js', import.meta.url)`)
        .replaceAll('import.meta.url', `new URL('${place}', import.meta.url)`);
      // Lines stay what they are.
      return { code: placed, map: null };
    },
  };
}

/** Text with any other character in it takes Node.js twice the memory, and several times as long to read. */
function asciiText(): Plugin {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return {
    name: 'ascii-text',
    // Lines stay what they are. An earlier hook would see text that is printed once more.
    generateBundle(_, output) {
      for (const file of Object.values(output)) {
        if (file.type === 'chunk') file.code = file.code.replace(/[^\0-\x7f]/g, escaped);
      }
    },
  };
}

/** What ssh2 builds when npm installs it, if anything, is in its package; its own code is in dist/. */
function nativeOfSsh2(): Plugin {
  const name = 'build/Release/sshcrypto.node';
  return {
    name: 'native-of-ssh2',
    resolveId: (id) => (id.endsWith(name) ? { id: `ssh2/lib/protocol/crypto/${name}`, external: true } : undefined),
  };
}
