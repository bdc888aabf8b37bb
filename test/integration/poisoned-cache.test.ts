// Another user of the machine plants code where Node.js looks for compiled code by default.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';

const cli = join(import.meta.dirname, '../../src/cli.ts');
const app = join(import.meta.dirname, '../../src/app.ts');
const attacker = 65_534;

/** Byte offsets in an entry, node's src/compile_cache.cc: magic, source size, cached size, source hash, cached hash. */
const offsets = { cachedSize: 8, cachedHash: 16, cached: 20 } as const;

/** Where Node.js would keep `app.ts` without its types, learned by whoever may run fettle. */
function genuineEntry(directory: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'version'], {
    env: { HOME: directory, NODE_COMPILE_CACHE: join(directory, 'genuine'), NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
    encoding: 'utf8',
    cwd: '/',
  });
  assert.equal(status, 0, stderr);
  const lines = `${stdout}${stderr}`.split('\n');
  const line = lines.find(
    (text) => text.includes('reading cache from') && text.includes(`StrippedTypeScript file://${app}`),
  );
  const path = /reading cache from (\S+)/.exec(line ?? '')?.[1];
  assert.ok(path !== undefined && existsSync(path), 'Node.js said where it keeps app.ts');
  return path;
}

/** The entry with other code in it; size and hash of what is cached are all that Node.js compares with it. */
function poisoned(entry: Buffer, code: string): Buffer {
  const cached = Buffer.from(code, 'latin1');
  const made = Buffer.concat([entry.subarray(0, offsets.cached), cached]);
  made.writeUInt32LE(cached.length, offsets.cachedSize);
  made.writeUInt32LE(crc32(cached), offsets.cachedHash);
  return made;
}

function chownAll(directory: string, paths: readonly string[]): void {
  for (const path of ['', ...paths]) chownSync(join(directory, path), attacker, attacker);
}

test(
  'code that another user left in the temporary directory is not run',
  { skip: process.getuid?.() === 0 ? false : 'needs root to stand for another user' },
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'fettle-poison-'));
    try {
      const temporary = join(directory, 'tmp');
      const proof = join(directory, 'proof');
      const entry = genuineEntry(directory);
      const code = `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(proof)}, '');\nexport const main = () => 0;\n`;
      const tag = basename(dirname(entry));
      cpSync(join(directory, 'genuine'), join(temporary, 'node-compile-cache'), { recursive: true });
      const planted = join(temporary, 'node-compile-cache', tag, basename(entry));
      writeFileSync(planted, poisoned(readFileSync(entry), code));
      chownAll(join(temporary, 'node-compile-cache'), [tag, join(tag, basename(entry))]);
      chmodSync(temporary, 0o1777);

      // The entry is good: where it is believed, it runs.
      const run = (env: Readonly<Record<string, string>>): string => {
        const ended = spawnSync(process.execPath, [cli, 'version'], {
          env: { HOME: directory, ...env },
          encoding: 'utf8',
          cwd: '/',
        });
        assert.equal(ended.status, 0, ended.stderr);
        return ended.stdout;
      };
      run({ NODE_COMPILE_CACHE: join(temporary, 'node-compile-cache') });
      assert.ok(existsSync(proof), 'the planted code runs where Node.js is told to believe it');
      rmSync(proof);

      const printed = run({ TMPDIR: temporary });
      assert.equal(existsSync(proof), false, 'the planted code was run');
      assert.match(printed, /^fettle \d/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);
