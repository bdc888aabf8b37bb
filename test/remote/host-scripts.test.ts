import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { FettleError } from '../../src/domain/error.ts';
import { hostScripts } from '../../src/remote/host-scripts.ts';
import { runScript } from '../../src/remote/launch.ts';
import { jobScript, probeScript } from '../../src/remote/scripts.ts';
import type { ExecRequest, ExecResult, Session } from '../../src/transport/session.ts';
import { gunzipSync } from 'node:zlib';

const verbs = {
  probe: ['boot', 'probe', 'simulate', 'summary'],
  job: ['start', 'follow', 'stat', 'collect', 'sweep'],
} as const;

/** Digests of the texts that a session is given for every verb of both scripts. */
async function sent(shell: 'posix' | 'powershell'): Promise<ReadonlySet<string>> {
  const digests = new Set<string>();
  const stop = new FettleError('cancelled', 'seen');
  const exec = (request: ExecRequest): Promise<ExecResult> => {
    const stdin = String(request.stdin);
    const payload =
      shell === 'posix' ? stdin : gunzipSync(Buffer.from(stdin.split('\n')[1] ?? '', 'base64')).toString();
    digests.add(sha256(payload.slice(payload.indexOf('\n') + 1)));
    return Promise.reject(stop);
  };
  const session = { hostName: 'x', transport: 'x', shell, isAlive: true, exec } as unknown as Session;
  for (const script of [probeScript(), jobScript()]) {
    for (const verb of verbs[script.name as keyof typeof verbs]) {
      await assert.rejects(runScript(session, script, { verb }), stop);
    }
  }
  return digests;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

test('every text that is sent to a host has its digest in the list, and the list has no other', async () => {
  const listed = hostScripts();
  const digestsOf = (family: string): ReadonlySet<string> =>
    new Set(listed.filter((item) => item.family === family && item.name in verbs).map((item) => item.sha256));
  assert.deepEqual(digestsOf('posix'), await sent('posix'));
  assert.deepEqual(digestsOf('windows'), await sent('powershell'));
  const names = listed.map(({ family, name, verb }) => `${family} ${name} ${verb}`);
  assert.equal(new Set(names).size, names.length, 'a line comes twice');
  assert.ok(names.includes('windows bootstrap *') && names.includes('windows text exec'));
});

test('no script file is left out of every text', () => {
  const folder = new URL('../../src/remote/windows/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.ps1'));
  const source = ['scripts', 'powershell', 'powershell-text']
    .map((file) => readFileSync(new URL(`../../src/remote/${file}.ts`, import.meta.url), 'utf8'))
    .join('\n');
  assert.ok(files.length > 20);
  for (const file of files) assert.match(source, new RegExp(`['/]${file.replace(/\.ps1$/, '')}(\\.ps1)?'`), file);
});
