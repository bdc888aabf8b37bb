// Files of a test in a directory of their own.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export class TestFiles implements AsyncDisposable {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.directory, { recursive: true, force: true });
  }
}

export async function filesWith(contents: Readonly<Record<string, string | Uint8Array>>): Promise<TestFiles> {
  const files = new TestFiles(await mkdtemp(join(tmpdir(), 'fettle-config-')));
  for (const [name, content] of Object.entries(contents)) {
    await mkdir(dirname(files.path(name)), { recursive: true });
    await writeFile(files.path(name), content);
  }
  return files;
}
