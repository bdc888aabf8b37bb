import { FettleError } from '../../domain/error.ts';
import { Secret } from '../../domain/secret.ts';
import type { Prompt } from './context.ts';

export interface PromptStreams {
  readonly input: NodeJS.ReadableStream;
  /** Questions go to stderr; stdout is for data. */
  readonly output: NodeJS.WritableStream;
  readonly isAvailable: boolean;
}

/** The input is touched when there is something to ask: Node.js starts to load what reads it. */
export function createPrompt(streams: PromptStreams): Prompt {
  const { output, isAvailable } = streams;
  return {
    isAvailable,
    // Loaded when there is something to ask: few commands do.
    password: async (message) => {
      const { default: password } = await import('@inquirer/password');
      return new Secret(
        await asked(password({ message, mask: false, toggleMask: false }, { input: streams.input, output })),
      );
    },
    confirm: async (message) => {
      const { default: confirm } = await import('@inquirer/confirm');
      return asked(confirm({ message, default: false }, { input: streams.input, output }));
    },
  };
}

async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw new FettleError('cancelled', 'the question was not answered', { cause });
  }
}
