// Signed heads: ssh-keygen(1) -Y, with a namespace of our own so that no other signature passes for one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileProblem } from '../../base/file-problem.ts';
import { FettleError } from '../../domain/error.ts';

const namespace = 'fettle-ledger';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Writes FILE.sig. The key may be a public one whose private half an agent holds. */
export async function sign(file: string, key: string): Promise<void> {
  const { code, stderr } = await keygen(['-Y', 'sign', '-f', key, '-n', namespace, file]);
  if (code !== 0) throw signatureError(`ssh-keygen cannot sign ${file} with ${key}`, stderr);
}

/** Who signed FILE, by FILE.sig and a file of allowed signers; a signature that is not valid is an error. */
export async function signerOf(file: string, allowedSigners: string): Promise<string> {
  const signed = await readSignedHead(file);
  const signature = ['-n', namespace, '-s', `${file}.sig`, '-f', allowedSigners];
  const found = await keygen(['-Y', 'find-principals', '-s', `${file}.sig`, '-f', allowedSigners]);
  const principal = found.stdout.split('\n', 1)[0] ?? '';
  if (found.code !== 0 || principal === '') {
    throw signatureError(`no signer in ${allowedSigners} has signed ${file}`, found.stderr);
  }
  const checked = await keygen(['-Y', 'verify', '-I', principal, ...signature], signed);
  if (checked.code !== 0)
    throw signatureError(`the signature of ${file} is not valid`, checked.stdout + checked.stderr);
  return principal;
}

/** @throws FettleError `usage` where the file cannot be opened. */
export async function readSignedHead(file: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    throw new FettleError('usage', `the signed head ${file} cannot be opened: ${fileProblem(cause)}`, { cause });
  });
}

async function keygen(argv: readonly string[], input: Uint8Array = Buffer.alloc(0)): Promise<Ended> {
  const child = spawn('ssh-keygen', argv, { stdio: ['pipe', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr };
  } catch (cause) {
    throw new FettleError('config', 'ssh-keygen cannot be run', { hint: 'install the OpenSSH client', cause });
  }
}

function signatureError(message: string, output: string): FettleError {
  const reason = output.trim().split('\n', 1)[0] ?? '';
  return new FettleError('ledger', reason === '' ? message : `${message}: ${reason}`, {
    hint: 'see ALLOWED SIGNERS in ssh-keygen(1); the namespace is fettle-ledger',
  });
}
