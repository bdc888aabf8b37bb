import { FettleError } from '../../domain/error.ts';
import { Secret } from '../../domain/secret.ts';
import type { Prompt } from './context.ts';

export interface PromptStreams {
  readonly input: NodeJS.ReadableStream;
  /** Questions go to stderr; stdout is for data. */
  readonly output: NodeJS.WritableStream;
  readonly isAvailable: boolean;
}

export function createPrompt({ input, output, isAvailable }: PromptStreams): Prompt {
  return {
    isAvailable,
    // Loaded when there is something to ask: few commands do.
    password: async (message) => {
      const { default: password } = await import('@inquirer/password');
      return new Secret(await asked(password({ message, mask: false, toggleMask: false }, { input, output })));
    },
    confirm: async (message) => {
      const { default: confirm } = await import('@inquirer/confirm');
      return asked(confirm({ message, default: false }, { input, output }));
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
