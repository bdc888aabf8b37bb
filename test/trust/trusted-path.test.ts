import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ownCacheDirectory } from '../../src/trust/own-cache.ts';
import {
  distrustOfDirectory,
  distrustOfFile,
  makeDirectory,
  trustedSearchPath,
  type TrustRule,
} from '../../src/trust/trusted-path.ts';

const self = process.getuid?.() ?? 0;
const isRoot = self === 0;
const other = self === 65_534 ? 65_533 : 65_534;
const strict: TrustRule = { owners: [self] };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fettle-trust-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function file(name: string, mode: number): string {
  const path = join(directory, name);
  writeFileSync(path, 'x');
  chmodSync(path, mode);
  return path;
}

function folder(name: string, mode: number): string {
  const path = join(directory, name);
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

/** As root it is given to another user; without root the rule is another user's. */
function foreign(path: string): TrustRule {
  if (isRoot) chownSync(path, other, other);
  return isRoot ? strict : { owners: [other] };
}

describe('a file is trusted', () => {
  test('where it and all above it are one’s own or of root', () => {
    assert.equal(distrustOfFile(file('a', 0o644), strict), undefined);
    assert.equal(distrustOfFile('/bin/sh', strict), undefined);
  });

  test('in a directory that others may write only with the sticky bit', () => {
    folder('open', 0o777);
    folder('sticky', 0o1777);
    assert.equal(distrustOfFile(file('sticky/a', 0o600), strict), undefined);
    const found = distrustOfFile(file('open/a', 0o600), strict);
    assert.deepEqual(found, { path: join(directory, 'open'), reason: 'can be written by everyone (mode 0777)' });
  });

  test('by its directories all the way up', () => {
    folder('open', 0o777);
    folder('open/mine', 0o700);
    assert.equal(distrustOfFile(file('open/mine/a', 0o600), strict)?.path, join(directory, 'open'));
  });

  test('with a group that may write only where the rule allows it', () => {
    const path = file('a', 0o664);
    assert.match(distrustOfFile(path, strict)?.reason ?? '', /by its group \(mode 0664\)/);
    assert.equal(distrustOfFile(path, { ...strict, groupMayWrite: true }), undefined);
    chmodSync(path, 0o666);
    assert.match(distrustOfFile(path, { ...strict, groupMayWrite: true })?.reason ?? '', /by everyone/);
  });

  test('by where a link leads, and not through a link of another user', () => {
    folder('open', 0o777);
    file('open/a', 0o600);
    symlinkSync('open/a', join(directory, 'link'));
    assert.equal(distrustOfFile(join(directory, 'link'), strict)?.path, join(directory, 'open'));
    symlinkSync('../bin/../bin/sh', join(directory, 'relative'));
    symlinkSync('/bin/sh', join(directory, 'absolute'));
    assert.equal(distrustOfFile(join(directory, 'absolute'), strict), undefined);
    symlinkSync('circle', join(directory, 'circle'));
    assert.match(distrustOfFile(join(directory, 'circle'), strict)?.reason ?? '', /too many symbolic links/);
  });

  test('only where it belongs to an owner of the rule', () => {
    const path = file('a', 0o600);
    const rule = foreign(path);
    assert.match(distrustOfFile(path, rule)?.reason ?? '', /belongs to another user/);
    if (isRoot) assert.equal(distrustOfFile(path, { owners: [self, other] }), undefined);
  });

  test('not below a directory of another user, who may put another there', () => {
    const above = folder('theirs', 0o755);
    const path = file('theirs/a', 0o600);
    assert.match(distrustOfFile(path, foreign(above))?.reason ?? '', /belongs to another user/);
  });

  test('as an open file that the caller handed over', () => {
    assert.equal(distrustOfFile('/dev/fd/0', strict), undefined);
  });
});

test('a directory is trusted with what is in it only without the sticky bit’s help', () => {
  folder('sticky', 0o1777);
  assert.equal(distrustOfFile(join(directory, 'sticky'), strict), undefined);
  assert.match(distrustOfDirectory(join(directory, 'sticky'), strict)?.reason ?? '', /mode 1777/);
});

test('a search path keeps only absolute directories that others cannot put a program into', () => {
  const good = folder('good', 0o755);
  const open = folder('open', 0o777);
  const sticky = folder('sticky', 0o1777);
  const missing = join(directory, 'missing');
  assert.equal(
    trustedSearchPath(['', '.', 'bin', open, good, sticky, missing, '/bin'].join(':'), strict),
    `${good}:/bin`,
  );
});

test('a directory that cannot be made is an error at once, also where mkdir -p of Node.js never returns', () => {
  makeDirectory(join(directory, 'a/b'), 0o700);
  assert.ok(existsSync(join(directory, 'a/b')));
  assert.throws(() => makeDirectory('/proc/no-such-directory/a/b', 0o700), { code: 'ENOENT' });
  file('f', 0o600);
  assert.throws(() => makeDirectory(join(directory, 'f/a'), 0o700), { code: 'EEXIST' });
});

describe('the directory of compiled code', () => {
  const ordinary = (env: Record<string, string>): string | undefined =>
    ownCacheDirectory({ env, uid: isRoot ? 1 : self });

  test('is made in the home directory, closed to others', () => {
    if (isRoot) chownSync(directory, 1, 1);
    const found = ordinary({ HOME: directory });
    // Made by root it is root's, which is trusted, too.
    assert.equal(found, join(directory, '.cache/fettle'));
    assert.equal(ordinary({ XDG_CACHE_HOME: join(directory, 'xdg') }), join(directory, 'xdg/fettle'));
  });

  test('is none where others could write into it or above it', () => {
    folder('open', 0o777);
    assert.equal(ordinary({ HOME: join(directory, 'open') }), undefined);
    folder('home', 0o700);
    folder('home/.cache', 0o700);
    folder('home/.cache/fettle', 0o770);
    assert.equal(ordinary({ HOME: join(directory, 'home') }), undefined);
  });

  test('is none without a home directory, and no home directory is made', () => {
    assert.equal(ordinary({}), undefined);
    assert.equal(ordinary({ HOME: join(directory, 'missing') }), undefined);
    assert.equal(existsSync(join(directory, 'missing')), false);
  });
});
