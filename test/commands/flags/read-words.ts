// The way of a command line from its words to the request, with nothing behind it.
import assert from 'node:assert/strict';
import { CommanderError } from 'commander';
import type { CommandSpec } from '../../../src/commands/invocation/command.ts';
import type { Options } from '../../../src/commands/invocation/options.ts';
import type { ReadContext } from '../../../src/commands/invocation/context.ts';
import { createProgram } from '../../../src/commands/program.ts';
import { commands } from '../../../src/commands/registry.ts';
import { FettleError } from '../../../src/domain/error.ts';
import { FakeClock } from '../../support/fake-clock.ts';

export const cwd = '/srv/fleet';
export const nowMs = new FakeClock().now();

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly hasTerminal?: boolean;
}

export type Answer =
  | { readonly request: Record<string, unknown>; readonly options: Record<string, unknown> }
  | { readonly refused: string };

const printed: string[] = [];
let answer: Answer | undefined;
let reading: ReadContext;

/** It reads one command line. */
const makeProgram = (): ReturnType<typeof createProgram> =>
  createProgram(
    '1',
    { write: (text) => void printed.push(text), writeError: (text) => void printed.push(text) },
    async (spec, invocation) => {
      const read = await spec.load();
      const { request } = read(invocation, reading);
      answer = { request: request as Record<string, unknown>, options: invocation.options };
    },
  );

function inSurroundings({ env = {}, hasTerminal = false }: Surroundings): ReadContext {
  const noAnswer = (): Promise<never> => Promise.reject(new Error('nobody is asked while a command line is read'));
  const prompt = { isAvailable: hasTerminal, password: noAnswer, confirm: noAnswer };
  return { cwd, env, clock: new FakeClock(), prompt, commands };
}

/** What a command line asks for, or the message that refuses it. Commander reads FETTLE_* of the process itself. */
export async function readWords(
  words: readonly string[],
  { env = {}, hasTerminal = false }: Surroundings,
): Promise<Answer> {
  reading = inSurroundings({ env, hasTerminal });
  answer = undefined;
  printed.length = 0;
  const before = { ...process.env };
  for (const name of Object.keys(process.env)) if (name.startsWith('FETTLE_')) delete process.env[name];
  Object.assign(process.env, env);
  try {
    await makeProgram().parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return { refused: printed.join('') };
    if (error instanceof FettleError && error.code === 'usage') {
      return { refused: `${error.message}\n${error.hint ?? ''}` };
    }
    throw error;
  } finally {
    for (const name of Object.keys(env)) delete process.env[name];
    Object.assign(process.env, before);
  }
  if (answer === undefined) throw new Error(`${words.join(' ')} was read by no verb`);
  return answer;
}

/** The options that a verb reads where enough is given for it to read all. */
export async function optionsRead(spec: CommandSpec, given: readonly string[]): Promise<ReadonlySet<string>> {
  const read = new Set<string>();
  const options = new Proxy<Partial<Options>>(
    { key: 'key' },
    {
      get: (target, name) => {
        read.add(String(name));
        return Reflect.get(target, name) as unknown;
      },
    },
  );
  const { request } = await spec.load().then((load) => load({ arguments: given, options }, inSurroundings({})));
  assert.ok(request !== undefined, spec.name);
  return read;
}
