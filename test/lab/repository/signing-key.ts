import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../shell.ts';

const user = 'fettle lab archive';

/** Makes a throw-away ed25519 key in `directory`: `private.asc`, `public.asc`. */
export async function makeSigningKey(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await withHome(join(directory, 'home'), async (gpg) => {
    await gpg(['--quick-generate-key', user, 'ed25519', 'sign', 'never']);
    await writeFile(join(directory, 'public.asc'), await gpg(['--armor', '--export', user]));
    const secret = await gpg(['--armor', '--export-secret-keys', user]);
    await writeFile(join(directory, 'private.asc'), secret, { mode: 0o600 });
  });
}

/** Signs each text in the clear, as an InRelease file is. */
export async function clearSign(keyDir: string, texts: readonly string[]): Promise<string[]> {
  const signed: string[] = [];
  await withHome(join(keyDir, `home-${process.pid}`), async (gpg) => {
    await gpg(['--import', join(keyDir, 'private.asc')]);
    for (const text of texts) signed.push(await gpg(['--local-user', user, '--clearsign'], text));
  });
  return signed;
}

type Gpg = (words: readonly string[], input?: string) => Promise<string>;

/** gpg starts an agent for every home directory; it ends here together with the directory. */
async function withHome(home: string, work: (gpg: Gpg) => Promise<void>): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const env = { PATH: process.env['PATH'] ?? '', GNUPGHOME: home, LC_ALL: 'C' };
  const words = ['--batch', '--quiet', '--no-tty', '--pinentry-mode', 'loopback', '--passphrase', ''];
  const gpg: Gpg = (more, input) => run(['gpg', ...words, ...more], { env, input: input ?? '' });
  try {
    await work(gpg);
  } finally {
    await run(['gpgconf', '--kill', 'all'], { env }).catch(() => undefined);
    await rm(home, { recursive: true, force: true });
  }
}
