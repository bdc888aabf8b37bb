// What a disk holds after a power cut: a trace of system calls (strace(1)) replayed up to any of them. Names are kept in
// the order in which they came, as a journal does; what was written to a file and not synced since is lost.
import { chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

interface FileNode {
  data: string;
  synced: string;
}

export interface DiskCall {
  readonly kind: 'make' | 'file' | 'write' | 'rename' | 'remove' | 'sync' | 'sync-all';
  readonly path: string;
  readonly to?: string;
  readonly data?: string;
}

const text = (hex: string): string =>
  hex.replace(/\\x([0-9a-f]{2})/g, (_all, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));

/** Calls below `root` that succeeded, of `strace -f -y -xx -s 1000000`; `interrupted` ones are put together first. */
export function readTrace(trace: string, root: string): readonly DiskCall[] {
  const open = new Map<string, string>();
  return trace.split('\n').flatMap((line): DiskCall[] => {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1];
    if (rest.endsWith('<unfinished ...>')) {
      open.set(pid, rest.slice(0, -'<unfinished ...>'.length));
      return [];
    }
    const call = resumed === undefined ? rest : `${open.get(pid) ?? ''}${resumed}`;
    return readCall(call).filter(({ path, kind }) => kind === 'sync-all' || path.startsWith(root));
  });
}

function readCall(call: string): DiskCall[] {
  const [, name = '', args = '', result = ''] = /^(\w+)\((.*)\) += (-?\d+)/.exec(call) ?? [];
  if (Number(result) < 0 || name === '') return [];
  // A name that does not begin at the root begins at the directory that stands before it.
  const strings = [...args.matchAll(/(?:<((?:\\x[0-9a-f]{2})*)>, )?"((?:\\x[0-9a-f]{2})*)"/g)].map(
    ([, place, last = '']) => (place === undefined ? text(last) : resolve(text(place), text(last))),
  );
  const [first = '', second = ''] = strings;
  const descriptor = text(/^\d+<((?:\\x[0-9a-f]{2}|[^>])*)>/.exec(args)?.[1] ?? '');
  switch (name) {
    case 'mkdir':
    case 'mkdirat':
      return [{ kind: 'make', path: first }];
    case 'open':
    case 'openat':
      return args.includes('O_CREAT') || args.includes('O_TRUNC')
        ? [{ kind: 'file', path: first, data: args.includes('O_TRUNC') ? 'cut' : '' }]
        : [];
    case 'write':
      return [{ kind: 'write', path: descriptor, data: text(/"((?:\\x[0-9a-f]{2})*)"/.exec(args)?.[1] ?? '') }];
    case 'rename':
    case 'renameat':
    case 'renameat2':
      return [{ kind: 'rename', path: first, to: second }];
    case 'unlink':
    case 'unlinkat':
    case 'rmdir':
      return [{ kind: 'remove', path: first }];
    case 'fsync':
    case 'fdatasync':
      return [{ kind: 'sync', path: descriptor }];
    case 'sync':
    case 'syncfs':
      return [{ kind: 'sync-all', path: '' }];
    default:
      return [];
  }
}

/** The tree after some of the calls: `null` is a directory. */
export type Disk = ReadonlyMap<string, string | null>;

/** @param calls Those that came before the power went. Unsynced data is lost. */
export function diskAfter(calls: readonly DiskCall[]): Disk {
  const nodes = new Map<string, FileNode | null>();
  for (const call of calls) apply(nodes, call);
  return new Map([...nodes].map(([path, node]) => [path, node === null ? null : node.synced]));
}

function apply(nodes: Map<string, FileNode | null>, { kind, path, to = '', data = '' }: DiskCall): void {
  const node = nodes.get(path);
  switch (kind) {
    case 'make':
      nodes.set(path, null);
      break;
    case 'file':
      if (node === undefined) nodes.set(path, { data: '', synced: '' });
      else if (node !== null && data === 'cut') node.data = '';
      break;
    case 'write':
      if (node) node.data += data;
      break;
    case 'rename':
      for (const [name, item] of [...nodes]) {
        if (name !== path && !name.startsWith(`${path}/`)) continue;
        nodes.delete(name);
        nodes.set(`${to}${name.slice(path.length)}`, item);
      }
      break;
    case 'remove':
      nodes.delete(path);
      break;
    case 'sync':
      if (node) node.synced = node.data;
      break;
    case 'sync-all':
      for (const item of nodes.values()) if (item) item.synced = item.data;
      break;
  }
}

/** Puts the tree below another root, of another owner where that is asked for. */
export function writeDisk(disk: Disk, from: string, to: string, owner?: number): void {
  const place = (path: string): string => join(to, relative(from, path));
  for (const [path, data] of [...disk].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (data === null) mkdirSync(place(path), { recursive: true, mode: 0o700 });
    else {
      mkdirSync(dirname(place(path)), { recursive: true, mode: 0o700 });
      writeFileSync(place(path), data, { encoding: 'latin1', mode: 0o600 });
    }
  }
  if (owner === undefined) return;
  for (const name of readdirSync(to, { recursive: true, encoding: 'utf8' })) chownSync(join(to, name), owner, owner);
}
