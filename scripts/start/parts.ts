// Loads the bundled code of dist/. Node.js caches compiled code as it is right after loading, when hardly a function is
// compiled yet: a start would compile the rest every time. This cache is written when the process ends, with everything
// that ran. It lies in the directory of Node's own cache, so that whoever may write the one may write the other, and is
// off where that is off.
import { hash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire, getCompileCacheDir, setSourceMapsSupport } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { threadId } from 'node:worker_threads';

interface Module {
  exports: unknown;
}

interface Entry {
  /** The commands whose functions are in it. */
  readonly verbs: readonly string[];
  readonly code: Buffer;
}

/** What a part's text is the body of. */
type Body = (
  exports: unknown,
  require: (name: string) => unknown,
  module: Module,
  file: string,
  folder: string,
) => void;

const wrapper = ['(function (exports, require, module, __filename, __dirname) { ', '\n})'] as const;
const folder = import.meta.dirname;
const requirePackage = createRequire(import.meta.filename);
const cacheFolder = getCompileCacheDir();
const isDebugged = process.argv.includes('--debug');
const verb = process.argv.slice(2).find((word) => /^[a-z]+$/.test(word)) ?? '';
const loaded = new Map<string, Module>();
const unsaved: { readonly file: string; readonly script: Script; readonly verbs: readonly string[] }[] = [];

// Whoever debugs wants to see the places in the sources.
if (isDebugged) setSourceMapsSupport(true);

/**
 * What the part of this file name exports. The bundler writes the calls.
 * @public
 */
export function loadPart(name: string): unknown {
  if (isDebugged || cacheFolder === undefined) return requirePackage(`./${name}`);
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const module: Module = { exports: {} };
  loaded.set(name, module);
  const file = join(folder, name);
  const body = compile(file, cacheFolder).runInThisContext() as Body;
  body.call(module.exports, module.exports, requireFrom, module, file, folder);
  return module.exports;
}

function requireFrom(name: string): unknown {
  return name.startsWith('./') ? loadPart(name.slice(2)) : requirePackage(name);
}

function compile(filename: string, cache: string): Script {
  const text = readFileSync(filename);
  const file = join(cache, `fettle-${hash('sha256', text)}`);
  const entry = readEntry(file);
  // The bundler leaves ASCII in it.
  const script = new Script(wrapper.join(text.toString('latin1')), {
    filename,
    columnOffset: -wrapper[0].length,
    ...(entry === undefined ? {} : { cachedData: entry.code }),
  });
  const isUsable = entry !== undefined && script.cachedDataRejected !== true;
  const verbs = isUsable ? entry.verbs : [];
  if (!verbs.includes(verb)) unsaved.push({ file, script, verbs: [...verbs, verb] });
  return script;
}

/** A line of JSON with the digest of the code, then the code. What is not whole is none. */
function readEntry(file: string): Entry | undefined {
  try {
    const bytes = readFileSync(file);
    const end = bytes.indexOf('\n');
    const { sha256, verbs } = JSON.parse(bytes.toString('utf8', 0, end)) as { sha256: string; verbs: string[] };
    const code = bytes.subarray(end + 1);
    return sha256 === hash('sha256', code) ? { verbs, code } : undefined;
  } catch {
    return undefined;
  }
}

process.on('exit', () => {
  for (const { file, script, verbs } of unsaved) {
    try {
      const code = script.createCachedData();
      const temporary = `${file}.${process.pid}.${threadId}`;
      const header = `${JSON.stringify({ sha256: hash('sha256', code), verbs })}\n`;
      writeFileSync(temporary, Buffer.concat([Buffer.from(header), code]), { mode: 0o600, flag: 'wx' });
      renameSync(temporary, file);
    } catch {
      // Without a cache the next start is slower, and that is all.
    }
  }
});
