// What the doubles offer exists on Windows, by parties that did not write them: the headers of mingw-w64.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { buildEngine, skipWithoutDotnet } from '../support/windows/engine.ts';
import { agentErrors, documented, interfacesOf, skipWithoutHeaders } from './com-interfaces.ts';

const root = join(import.meta.dirname, '..', '..');

/** Codes of the agent in a text: 0x8024…, and its successes 0x0024…. */
function agentCodes(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/0x(?:80|00)24[0-9A-Fa-f]{4}\b/g)].map(([code]) => code))];
}

function filesOf(folder: string, ending: string): readonly string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith(ending)).map((name) => join(root, folder, name));
}

describe('the COM objects of a simulated Windows host', { skip: skipWithoutDotnet || skipWithoutHeaders }, () => {
  test('have only members that Windows has', () => {
    const known = new Map([...interfacesOf('wuapi.h'), ...interfacesOf('taskschd.h')]);
    const lines = execFileSync(buildEngine(), ['--com-members'], { encoding: 'utf8' }).trim().split('\n');
    assert.ok(lines.length > 150, `${lines.length} members`);
    for (const line of lines) {
      const [interfaces = '', member = ''] = line.split(' ');
      const names = interfaces.split(',');
      assert.ok(
        names.every((name) => known.has(name) || name in documented),
        `${interfaces} is not known`,
      );
      const isThere = names.some((name) => known.get(name)?.has(member) ?? documented[name]?.includes(member));
      assert.ok(isThere, `${interfaces} has no ${member}`);
    }
  });

  test('keep the short list of what no header has to what no header has', () => {
    const known = interfacesOf('wuapi.h');
    for (const name of Object.keys(documented)) assert.ok(!known.has(name), `${name} is in wuapi.h`);
  });
});

describe('codes of the Windows Update Agent', { skip: skipWithoutHeaders }, () => {
  for (const [what, files] of [
    ['the scripts', filesOf('src/remote/windows', '.ps1')],
    ['the doubles', filesOf('test/powershell/engine', '.cs')],
  ] as const) {
    test(`are those of wuerror.h in ${what}`, () => {
      const known = agentErrors();
      assert.ok(known.size > 400);
      const codes = files.flatMap((file) => agentCodes(readFileSync(file, 'utf8')));
      assert.ok(codes.length > 0);
      assert.deepEqual(
        codes.filter((code) => !known.has(Number(code))),
        [],
      );
    });
  }
});
